//! `try_gather`: several tasks of `Result`, and the first error ends the wait.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use corio_core::TaskError;
use corio_core::combine::{AsTask, AsTryTask, IntoTask};

use crate::gathering::Gathering;
use crate::member::{Member, error_of};
use crate::set::Lineup;

/// As [`gather`](crate::gather()), for futures and tasks whose value is a `Result`: the first `Err` ends the wait, and so does
/// the first panic or cancelled task, by way of `E: From<TaskError>`. The others run on.
///
/// ```
/// # let scheduler = corio_core::Scheduler::new(|| {});
/// # let main = scheduler.create_task(async {
/// use std::io;
/// use corio_combinators::try_gather;
///
/// async fn length(text: &str) -> io::Result<usize> {
///     if text.is_empty() { Err(io::ErrorKind::InvalidInput.into()) } else { Ok(text.len()) }
/// }
///
/// assert_eq!(try_gather(["a", "bc"].map(length)).await?, [1, 2]);
/// assert_eq!(try_gather(["a", ""].map(length)).await.unwrap_err().kind(), io::ErrorKind::InvalidInput);
/// # Ok::<(), io::Error>(())
/// # });
/// # while scheduler.ready() > 0 { scheduler.run(scheduler.ready()); }
/// # main.into_result().unwrap().unwrap();
/// # scheduler.close();
/// ```
///
/// # Panics
///
/// As [`gather`](crate::gather()).
///
/// # Cancel safety
///
/// As [`gather`](crate::gather()).
#[doc(alias = "try_join_all")]
#[track_caller]
pub fn try_gather<I, T, E>(tasks: I) -> TryGather<I::Item>
where
    I: IntoIterator<Item: IntoTask<Output = Result<T, E>, Handle: AsTryTask>>,
    E: From<TaskError>,
{
    TryGather {
        inner: Gathering::of_iter(tasks, |handles| {
            Lineup::of(handles, |handle| Member::Try(handle.as_any_try()))
        }),
    }
}

/// The future of [`try_gather`].
///
/// # Cancel safety
///
/// As [`Gather`](crate::Gather).
#[must_use = "a future does nothing unless it is awaited"]
pub struct TryGather<C: IntoTask> {
    inner: Gathering<Vec<C>>,
}

impl<C: IntoTask> TryGather<C> {
    /// Asks every task to cancel, see [`Gather::cancel`](crate::Gather::cancel).
    pub fn cancel(&self) -> bool {
        self.inner.cancel()
    }
}

impl<C, T, E> Future for TryGather<C>
where
    C: IntoTask<Output = Result<T, E>>,
    E: From<TaskError>,
{
    type Output = Result<Vec<T>, E>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        ready!(self.inner.poll_over(cx));
        let (mut handles, round) = self.inner.finish();
        let culprit = round.as_ref().and_then(|round| round.culprit());
        let Some((round, index)) = round.zip(culprit) else {
            return Poll::Ready(handles.into_iter().map(outcome).collect());
        };
        let result = match error_of(&round.members()[index]) {
            Some(error) => Err(E::from(error)),
            None => match outcome(handles.swap_remove(index)) {
                Err(error) => Err(error),
                Ok(_) => unreachable!("the member that ended the wait has an error"),
            },
        };
        round.mark_seen();
        Poll::Ready(result)
    }
}

fn outcome<H, T, E>(handle: H) -> Result<T, E>
where
    H: AsTask<Output = Result<T, E>>,
    E: From<TaskError>,
{
    handle.outcome().map_err(E::from)?
}

impl<C: IntoTask> fmt::Debug for TryGather<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("TryGather").field(&self.inner).finish()
    }
}
