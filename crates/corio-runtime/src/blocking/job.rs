//! A job on its way to a thread, and its outcome on the way back.
//!
//! The job and the future that waits for it share an [`Outcome`]. Whoever comes second finds what the first one left: the outcome,
//! or the word that nobody wants it. The job leaves it while it still counts as running, so that who waits for the jobs of a pool
//! waits for their reports too, and hands it over when it does not any more.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use corio_core::{Cancelled, ContextMap, Panic, Remote, Report, Scheduler, TaskError};
use parking_lot::Mutex;

use super::stake::{Stake, with_stake};
use crate::context;

/// What a thread of a pool runs. Dropped, it hands its outcome to who waits for it; without having run it ends cancelled.
pub(crate) trait Work: Send {
    /// Runs the job. Its panic is its outcome.
    fn run(&mut self);
    /// There is no thread to run it.
    fn fail(self: Box<Self>, why: String);
}

pub(crate) struct Job<F, T> {
    work: Option<F>,
    context: Option<ContextMap>,
    outcome: Arc<Outcome<T>>,
    settled: bool,
}

impl<F, T> Job<F, T>
where
    F: FnOnce() -> T + Send + 'static,
    T: Send + 'static,
{
    /// A job that runs with these context variables.
    pub(crate) fn new(work: F, context: Option<ContextMap>, outcome: Arc<Outcome<T>>) -> Job<F, T> {
        Job {
            work: Some(work),
            context,
            outcome,
            settled: false,
        }
    }
}

impl<F, T> Job<F, T> {
    fn settle(&mut self, result: Result<T, TaskError>) {
        if !std::mem::replace(&mut self.settled, true) {
            self.outcome.leave(result);
        }
    }
}

impl<F, T> Work for Job<F, T>
where
    F: FnOnce() -> T + Send + 'static,
    T: Send + 'static,
{
    fn run(&mut self) {
        let Some(work) = self.work.take() else { return };
        context::replace(self.context.take());
        let result = with_stake(self.outcome.clone(), || {
            catch_unwind(AssertUnwindSafe(work))
        });
        context::replace(None);
        let result = result.map_err(|payload| TaskError::Panicked(Panic::from_payload(payload)));
        self.settle(result);
    }

    fn fail(mut self: Box<Self>, why: String) {
        let panic = Panic::from_payload(Box::new(why));
        self.settle(Err(TaskError::Panicked(panic)));
    }
}

impl<F, T> Drop for Job<F, T> {
    fn drop(&mut self) {
        if !self.settled {
            let never = Cancelled::new("the pool was shut down before the job began");
            self.settle(Err(TaskError::Cancelled(never)));
        }
        self.outcome.hand_over();
    }
}

/// Where a job leaves its outcome, and who waits for it leaves a waker.
pub(crate) struct Outcome<T> {
    /// The number of the loop that is told of a panic that nobody looks at.
    of_loop: u64,
    state: Mutex<State<T>>,
}

struct State<T> {
    stage: Stage<T>,
    waker: Option<Waker>,
    /// While this handle exists the loop's virtual clock stands still: the job is work that is outstanding elsewhere.
    remote: Option<Remote>,
}

enum Stage<T> {
    Awaited,
    /// Left by a job that still counts as running: who waits does not see it yet.
    Left(Result<T, TaskError>),
    There(Result<T, TaskError>),
    Taken,
    Abandoned,
}

impl<T: Send> Stake for Outcome<T> {
    fn lay_down(&self, of_loop: u64) -> bool {
        if self.of_loop != of_loop {
            return false;
        }
        let remote = self.state.lock().remote.take();
        remote.is_some()
    }

    fn take_up(&self, remote: Remote) {
        let mut state = self.state.lock();
        if let Stage::Awaited = state.stage {
            let before = state.remote.replace(remote);
            drop(state);
            drop(before);
        }
    }
}

impl<T> Outcome<T> {
    pub(crate) fn new(remote: Remote) -> Arc<Outcome<T>> {
        Arc::new(Outcome {
            of_loop: remote.number(),
            state: Mutex::new(State {
                stage: Stage::Awaited,
                waker: None,
                remote: Some(remote),
            }),
        })
    }

    /// Leaves the outcome. What nobody wants is dropped here.
    fn leave(&self, outcome: Result<T, TaskError>) {
        let mut state = self.state.lock();
        let Stage::Awaited = state.stage else {
            drop(state);
            return self.unread(outcome);
        };
        state.stage = Stage::Left(outcome);
    }

    /// Lets who waits have what was left, and wakes them.
    fn hand_over(&self) {
        let mut state = self.state.lock();
        state.stage = match std::mem::replace(&mut state.stage, Stage::Taken) {
            Stage::Left(outcome) => Stage::There(outcome),
            other => other,
        };
        let (waker, remote) = (state.waker.take(), state.remote.take());
        drop(state);
        if let Some(waker) = waker {
            waker.wake();
        }
        // Behind the wake: a clock that goes on must find its message.
        drop(remote);
    }

    /// Takes the outcome, or leaves a waker.
    pub(crate) fn poll(&self, cx: &mut Context<'_>) -> Poll<Result<T, TaskError>> {
        let waker = cx.waker().clone();
        let mut state = self.state.lock();
        match std::mem::replace(&mut state.stage, Stage::Taken) {
            Stage::There(outcome) => Poll::Ready(outcome),
            stage @ (Stage::Awaited | Stage::Left(_)) => {
                state.stage = stage;
                let before = state.waker.replace(waker);
                drop(state);
                drop(before);
                Poll::Pending
            }
            Stage::Taken | Stage::Abandoned => {
                unreachable!("the only one who takes the outcome forgets it then")
            }
        }
    }

    /// Nobody waits any more.
    pub(crate) fn abandon(&self) {
        let mut state = self.state.lock();
        let stage = std::mem::replace(&mut state.stage, Stage::Abandoned);
        let (waker, remote) = (state.waker.take(), state.remote.take());
        drop(state);
        if let Stage::Left(outcome) | Stage::There(outcome) = stage {
            self.unread(outcome);
        }
        drop((waker, remote));
    }

    pub(crate) fn is_there(&self) -> bool {
        matches!(self.state.lock().stage, Stage::There(_))
    }

    /// Drops an outcome on this thread. A panic is reported on the loop, if it is still there.
    fn unread(&self, outcome: Result<T, TaskError>) {
        let Err(TaskError::Panicked(panic)) = outcome else {
            return;
        };
        let report = Report::new("exception of a job on a thread was never retrieved");
        let report = report.with_panic(panic);
        let here = Scheduler::current().filter(|scheduler| scheduler.number() == self.of_loop);
        if let Some(scheduler) = here {
            return scheduler.report(&report);
        }
        let Some(remote) = Remote::of(self.of_loop) else {
            return;
        };
        // A loop that is closed has no reporter any more.
        let _ = remote.call_soon(move || {
            if let Some(scheduler) = Scheduler::current() {
                scheduler.report(&report);
            }
        });
    }
}
