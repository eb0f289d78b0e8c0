//! `gather`: several tasks, one list of values.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use corio_core::TaskError;
use corio_core::combine::IntoTask;

use crate::gather_results::GatherResults;
use crate::gathering::Gathering;
use crate::member::error_of;
use crate::set::{HandleSet, TaskSet};

/// Runs futures and tasks together and gives their values in the order of the arguments.
///
/// Futures become tasks: at the call if a loop runs on this thread, else at the first poll. Tasks may be given by value, which
/// owns them, or by reference; the same `&task` may be given several times.
///
/// The first failure (a panic, or a task that was cancelled on its own) ends the wait with that error. The others run on, and
/// if they fail later that is not reported. Nothing given, or everything finished already: it does not suspend.
///
/// ```
/// # let scheduler = corio_core::Scheduler::new(|| {});
/// # let main = scheduler.create_task(async {
/// use corio_combinators::gather;
///
/// let squares = gather([1, 2, 3].map(|n| async move { n * n })).await?;
/// assert_eq!(squares, [1, 4, 9]);
/// # Ok::<(), corio_core::TaskError>(())
/// # });
/// # while scheduler.ready() > 0 { scheduler.run(scheduler.ready()); }
/// # main.into_result().unwrap().unwrap();
/// # scheduler.close();
/// ```
///
/// # Panics
///
/// When a task belongs to another loop. The future, when its first poll makes the tasks and no loop runs on the thread.
///
/// # Cancel safety
///
/// Cancelling the waiter cancels the tasks that are owned; the cancellation goes on when all of these have ended, and their
/// values are dropped. Tasks given by reference are left alone. See [`Gather`] for what dropping does.
#[doc(alias = "join_all")]
#[doc(alias = "try_join_all")]
#[track_caller]
pub fn gather<I>(tasks: I) -> Gather<Vec<I::Item>>
where
    I: IntoIterator<Item: IntoTask>,
{
    Gather {
        inner: Gathering::of_iter(tasks, HandleSet::lineup),
    }
}

/// The future of [`gather`](gather()) and [`gather!`](macro@crate::gather).
///
/// # Cancel safety
///
/// Cancelling the waiter cancels the tasks that are owned and goes on when they have ended. Dropped by foreign code after its
/// first poll, before it is done, it asks them once to cancel and waits for nobody. Dropped unpolled, it leaves them running.
#[must_use = "a future does nothing unless it is awaited"]
pub struct Gather<S: TaskSet> {
    inner: Gathering<S>,
}

impl Gather<()> {
    #[track_caller]
    pub(crate) fn of_nothing() -> Gather<()> {
        Gather {
            inner: Gathering::of_nothing(),
        }
    }
}

impl<S: TaskSet> Gather<S> {
    /// Every outcome instead of the first failure: panics and cancelled tasks are in the list, or in the tuple of
    /// [`gather!`](macro@crate::gather).
    ///
    /// A cancellation of the waiter is not turned into a list: it goes on, as without this.
    #[doc(alias = "allSettled")]
    pub fn return_exceptions(self) -> GatherResults<S> {
        GatherResults::new(self.inner)
    }

    #[track_caller]
    pub(crate) fn of_set(set: S) -> Gather<S> {
        Gather {
            inner: Gathering::of_set(set),
        }
    }

    /// Asks every task to cancel, those given by reference too. The wait then ends when all have ended, with the first error.
    /// False, and nothing is done, when it is over already or no task is left to cancel.
    pub fn cancel(&self) -> bool {
        self.inner.cancel()
    }
}

impl<S: TaskSet> Future for Gather<S> {
    type Output = Result<<S::Handles as HandleSet>::Values, TaskError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        ready!(self.inner.poll_over(cx));
        let (handles, round) = self.inner.finish();
        if let Some(round) = round {
            if let Some(error) = round.culprit().and_then(|i| error_of(&round.members()[i])) {
                round.mark_seen();
                return Poll::Ready(Err(error));
            }
        }
        Poll::Ready(handles.values())
    }
}

impl<S: TaskSet> fmt::Debug for Gather<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Gather").field(&self.inner).finish()
    }
}
