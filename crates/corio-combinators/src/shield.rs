//! `shield`: a wait that may be cancelled around work that may not.

use std::fmt;
use std::future::Future;
use std::panic::Location;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

use corio_core::combine::{AsTask, IntoTask};
use corio_core::waiting::{self, WaitKind};
use corio_core::{Scheduler, TaskError};

use crate::member::{Member, Owned};
use crate::round::{Round, Until, running_loop};
use crate::settle::Settle;

static SHIELD: WaitKind = WaitKind::new("shield");

/// Waits for a task without handing a cancellation on to it. A future becomes a task: at the call if a loop runs on this thread,
/// else at the first poll.
///
/// When the task itself is cancelled, the result is [`TaskError::Cancelled`]; the waiter is not cancelled by that.
///
/// ```
/// # let scheduler = corio_core::Scheduler::new(|| {});
/// # let main = scheduler.create_task(async {
/// # async fn commit() -> u32 { 7 }
/// use corio_combinators::shield;
///
/// // Whatever happens to this task, the commit runs to its end.
/// assert_eq!(shield(commit()).await?, 7);
/// # Ok::<(), corio_core::TaskError>(())
/// # });
/// # while scheduler.ready() > 0 { scheduler.run(scheduler.ready()); }
/// # main.into_result().unwrap().unwrap();
/// # scheduler.close();
/// ```
///
/// # Panics
///
/// When the task belongs to another loop. The future, when its first poll makes the task and no loop runs on the thread.
///
/// # Cancel safety
///
/// Cancelling or dropping it leaves the task running. If that panics later and nobody else looks, the panic is reported. The end
/// of the loop still cancels it.
#[track_caller]
pub fn shield<C: IntoTask>(task: C) -> Shield<C> {
    let mut shield = Shield {
        stage: Stage::Given(task),
        round: None,
        settle: Settle::default(),
        site: Location::caller(),
    };
    if let Some(scheduler) = Scheduler::current() {
        shield.start(&scheduler);
    }
    shield
}

/// The future of [`shield`](shield()).
///
/// # Cancel safety
///
/// Cancelling or dropping it leaves the task running.
#[must_use = "a future does nothing unless it is awaited"]
pub struct Shield<C: IntoTask> {
    stage: Stage<C>,
    round: Option<Rc<Round>>,
    settle: Settle,
    site: &'static Location<'static>,
}

enum Stage<C: IntoTask> {
    /// No loop was running at the call.
    Given(C),
    Running(C::Handle),
    Over,
}

impl<C: IntoTask> Shield<C> {
    fn start(&mut self, scheduler: &Scheduler) {
        if let Stage::Given(task) = std::mem::replace(&mut self.stage, Stage::Over) {
            let handle = task.into_task(scheduler, self.site);
            let members = vec![Member::Any(handle.as_any())];
            self.stage = Stage::Running(handle);
            let round = Round::begin(scheduler, members, Owned::Nothing, Until::All);
            round.skip_turn();
            self.round = Some(round);
        }
    }
}

impl<C: IntoTask> Future for Shield<C> {
    type Output = Result<C::Output, TaskError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = &mut *self;
        if let Stage::Given(_) = this.stage {
            this.start(&running_loop("`shield`"));
        }
        let (Stage::Running(handle), Some(round)) = (&this.stage, &this.round) else {
            panic!("a shield that has finished was polled again");
        };
        if !round.is_over() {
            round.set_waker(cx.waker());
            waiting::note(&SHIELD, this.site);
            return Poll::Pending;
        }
        let task = round.members()[0].task();
        if handle.owns() && this.settle.poll(cx, std::iter::once(task)).is_pending() {
            waiting::note(&SHIELD, this.site);
            return Poll::Pending;
        }
        round.forget();
        match std::mem::replace(&mut this.stage, Stage::Over) {
            Stage::Running(handle) => Poll::Ready(handle.outcome()),
            _ => unreachable!("looked at above"),
        }
    }
}

impl<C: IntoTask> Drop for Shield<C> {
    fn drop(&mut self) {
        if let Some(round) = &self.round {
            round.forget();
        }
    }
}

impl<C: IntoTask> Unpin for Shield<C> {}

impl<C: IntoTask> fmt::Debug for Shield<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let task = self.round.as_ref().map(|round| round.members()[0].task());
        f.debug_tuple("Shield").field(&task).finish()
    }
}
