//! The loop, seen from other threads.

use std::cell::Cell;
use std::fmt;
use std::future::Future;
use std::panic::Location;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use corio_core::waiting::{self, WaitKind};
use corio_core::{AnyTask, Cancelled, LoopClosed, Report, Scheduler, TaskError, TaskId};
use parking_lot::{Condvar, Mutex};

use crate::blocking;
use crate::event_loop::EventLoop;

static REMOTE_TASK: WaitKind = WaitKind::new("remote task");

/// A loop, for other threads. It does not keep the loop alive.
#[derive(Clone, Debug)]
pub struct Remote {
    remote: corio_core::Remote,
}

impl Remote {
    pub(crate) fn new(remote: corio_core::Remote) -> Remote {
        Remote { remote }
    }

    /// Calls `callback` on the loop's thread in its next turn, and wakes the loop if it sleeps. What one thread sends runs in the
    /// order in which it was sent.
    ///
    /// # Errors
    ///
    /// When the loop is closed; the callback is dropped here.
    #[doc(alias = "call_soon_threadsafe")]
    pub fn call_soon(&self, callback: impl FnOnce() + Send + 'static) -> Result<(), LoopClosed> {
        self.remote.call_soon(callback)
    }

    /// Ends the run of the loop after its current turn.
    pub fn stop(&self) {
        let stop = || {
            if let Some(event_loop) = Scheduler::with_current(|scheduler| EventLoop::of(scheduler?))
            {
                event_loop.stop();
            }
        };
        // A loop that is closed does not run.
        let _ = self.call_soon(stop);
    }

    /// Makes a task on the loop. The future is made there, by `make`, so it need not be `Send`.
    ///
    /// On a loop that is closed, the task ends cancelled.
    #[doc(alias = "run_coroutine_threadsafe")]
    #[doc(alias = "Handle::spawn")]
    #[track_caller]
    pub fn create_task<M, F>(&self, make: M) -> RemoteTask<F::Output>
    where
        M: FnOnce() -> F + Send + 'static,
        F: Future<Output: Send + 'static> + 'static,
    {
        let shared = Arc::new(Shared {
            state: Mutex::new(State::new()),
            ended: Condvar::new(),
        });
        let settle = Settle(shared.clone());
        let site = Location::caller();
        let start = move || {
            Scheduler::with_current(|scheduler| {
                let Some(scheduler) = scheduler else { return };
                start(scheduler, make, settle, site);
            });
        };
        // A loop that is closed drops the callback, whose destructor settles the outcome.
        let _ = self.call_soon(start);
        RemoteTask {
            shared,
            way: Way::Handle(self.remote.clone()),
            site,
        }
    }
}

/// Makes the task, whose end settles the outcome. The value goes past the task's own outcome, which a callback may only look at.
fn start<M, F>(
    scheduler: &Scheduler,
    make: M,
    settle: Settle<F::Output>,
    site: &'static Location<'static>,
) where
    M: FnOnce() -> F + 'static,
    F: Future<Output: 'static> + 'static,
{
    if settle.0.state.lock().cancelled {
        let cancelled = Cancelled::new("it was asked to cancel before it began");
        return settle.set(Err(TaskError::Cancelled(cancelled)));
    }
    let value = Rc::new(Cell::new(None));
    let place = value.clone();
    let work = async move {
        place.set(Some(make().await));
        Some(())
    };
    let task = scheduler.create_fallible_task_at::<F, _, ()>(work, site);
    let cancelled = {
        let mut state = settle.0.state.lock();
        state.task = Some(task.id());
        state.cancelled
    };
    if cancelled {
        task.cancel();
    }
    task.add_done_callback(move |task| {
        let value = || {
            value
                .take()
                .expect("a task that ended well has put it there")
        };
        settle.set(task.result().map(|()| value()));
    });
}

struct Shared<T> {
    state: Mutex<State<T>>,
    ended: Condvar,
}

struct State<T> {
    outcome: Option<Result<T, TaskError>>,
    over: bool,
    cancelled: bool,
    /// The `RemoteTask` was dropped: nobody will look at the outcome.
    abandoned: bool,
    task: Option<TaskId>,
    waker: Option<Waker>,
    /// The loop need not wait for the thread that is blocked in `wait`, until the end of the task.
    laid_down: bool,
    /// With the end of the task it has to again: this is for that thread.
    stake: Option<corio_core::Remote>,
}

impl<T> State<T> {
    fn new() -> State<T> {
        State {
            outcome: None,
            over: false,
            cancelled: false,
            abandoned: false,
            task: None,
            waker: None,
            laid_down: false,
            stake: None,
        }
    }
}

/// The duty to give an outcome. It is dropped without one when the loop is closed.
struct Settle<T>(Arc<Shared<T>>);

impl<T> Settle<T> {
    fn set(&self, outcome: Result<T, TaskError>) {
        let waker = {
            let mut state = self.0.state.lock();
            if state.over {
                return;
            }
            state.over = true;
            if state.abandoned {
                drop(state);
                return report_unseen(outcome);
            }
            state.outcome = Some(outcome);
            if state.laid_down {
                state.stake = Scheduler::with_current(|scheduler| scheduler.map(Scheduler::remote));
            }
            self.0.ended.notify_all();
            state.waker.take()
        };
        if let Some(waker) = waker {
            waker.wake();
        }
    }
}

/// A panic that nobody will look at is reported on the loop, as that of any other task.
fn report_unseen<T>(outcome: Result<T, TaskError>) {
    let Err(TaskError::Panicked(panic)) = outcome else {
        return;
    };
    let report = Report::new("exception of a remote task was never retrieved").with_panic(panic);
    Scheduler::with_current(|scheduler| {
        if let Some(scheduler) = scheduler {
            scheduler.report(&report);
        }
    });
}

impl<T> Drop for Settle<T> {
    fn drop(&mut self) {
        self.set(Err(TaskError::Cancelled(Cancelled::new(
            "the event loop was closed before the task had ended",
        ))));
    }
}

/// A task on a loop of another thread. Dropping it lets the task run on.
///
/// As a future it can be awaited anywhere, under any executor. Like a [`Remote`] it keeps a virtual clock from jumping, since
/// something may still be asked through it; but not once [`wait`](RemoteTask::wait) has begun, or it was awaited on its own loop.
///
/// # Cancel safety
///
/// Cancelling or dropping the wait leaves the task alone; [`cancel`](RemoteTask::cancel) asks it to cancel.
#[must_use = "a future does nothing unless it is awaited; drop it to let the task run on"]
pub struct RemoteTask<T> {
    shared: Arc<Shared<T>>,
    way: Way,
    /// Where the task was created, which is the nearest place to the wait that a future can know.
    site: &'static Location<'static>,
}

/// The way to the loop.
enum Way {
    /// The loop counts it.
    Handle(corio_core::Remote),
    /// To the loop with this number, if it is still alive.
    Number(u64),
}

impl Way {
    fn number(&self) -> u64 {
        match self {
            Way::Handle(remote) => remote.number(),
            Way::Number(number) => *number,
        }
    }

    /// A loop that is closed or gone has ended the task.
    fn call_soon(&self, callback: impl FnOnce() + Send + 'static) {
        let _ = match self {
            Way::Handle(remote) => remote.call_soon(callback),
            Way::Number(number) => match corio_core::Remote::of(*number) {
                Some(remote) => remote.call_soon(callback),
                None => Ok(()),
            },
        };
    }

    /// Nobody else can use this one, so the loop need not count it any more.
    fn let_go(&mut self) {
        *self = Way::Number(self.number());
    }
}

impl<T> RemoteTask<T> {
    /// Waits for the outcome, blocking the calling thread.
    ///
    /// A virtual clock jumps while a job of [`to_thread`](crate::to_thread()) waits so for its own loop, unless there are other handles:
    /// a [`Remote`] that the job keeps has to be dropped before.
    ///
    /// # Errors
    ///
    /// When the task was cancelled or panicked, or its loop was closed.
    ///
    /// # Panics
    ///
    /// When it is called on a thread where a loop is running: that would block the loop. Await the `RemoteTask` there.
    pub fn wait(mut self) -> Result<T, TaskError> {
        assert!(
            Scheduler::with_current(|scheduler| scheduler.is_none()),
            "`RemoteTask::wait` would block the event loop of this thread: await the `RemoteTask` instead"
        );
        self.way.let_go();
        let laid_down = self.lay_down();
        let mut state = self.shared.state.lock();
        while !state.over {
            self.shared.ended.wait(&mut state);
        }
        let outcome = state.outcome.take();
        let stake = state.stake.take();
        drop(state);
        if let (Some(job), Some(stake)) = (laid_down, stake) {
            job.take_up(stake);
        }
        outcome.expect("the outcome is taken once")
    }

    /// A job of the loop that waits for the loop does nothing before that has ended the task.
    fn lay_down(&self) -> Option<Arc<dyn blocking::Stake>> {
        let stake = blocking::stake_here()?;
        let mut state = self.shared.state.lock();
        if state.over {
            return None;
        }
        // Said before it is done, or the task might end in between and not know.
        state.laid_down = true;
        drop(state);
        stake.lay_down(self.way.number()).then_some(stake)
    }

    /// The task has ended.
    pub fn done(&self) -> bool {
        self.shared.state.lock().over
    }

    /// Asks the task to cancel.
    pub fn cancel(&self) {
        let task = {
            let mut state = self.shared.state.lock();
            state.cancelled = true;
            state.task
        };
        if let Some(id) = task {
            let cancel = move || {
                let task = Scheduler::with_current(|scheduler| scheduler?.find_task(id));
                task.as_ref().map(AnyTask::cancel);
            };
            self.way.call_soon(cancel);
        }
    }
}

impl<T> Drop for RemoteTask<T> {
    fn drop(&mut self) {
        let unseen = {
            let mut state = self.shared.state.lock();
            state.abandoned = true;
            match &state.outcome {
                Some(Err(TaskError::Panicked(_))) => state.outcome.take(),
                _ => None,
            }
        };
        if let Some(Err(error)) = unseen {
            // A loop that is closed has no reporter any more.
            self.way
                .call_soon(move || report_unseen(Err::<(), _>(error)));
        }
    }
}

impl<T> Future for RemoteTask<T> {
    type Output = Result<T, TaskError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        if let Way::Handle(remote) = &self.way {
            let number = remote.number();
            if Scheduler::with_current(|here| here.is_some_and(|here| here.number() == number)) {
                self.way.let_go();
            }
        }
        let waker = cx.waker().clone();
        let mut state = self.shared.state.lock();
        if state.over {
            let outcome = state.outcome.take();
            drop(state);
            return Poll::Ready(outcome.expect("a finished remote task was polled again"));
        }
        let old = state.waker.replace(waker);
        drop(state);
        drop(old);
        waiting::note(&REMOTE_TASK, self.site);
        Poll::Pending
    }
}

impl<T> fmt::Debug for RemoteTask<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RemoteTask")
            .field("done", &self.done())
            .finish_non_exhaustive()
    }
}
