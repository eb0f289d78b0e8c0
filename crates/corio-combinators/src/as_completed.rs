//! `as_completed`: tasks in the order in which they end.

use std::fmt;
use std::future::Future;
use std::panic::Location;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use corio_core::combine::IntoTask;
use futures_core::Stream;

use crate::as_completed_within::AsCompletedWithin;
use crate::completions::Completions;

/// Hands out tasks in the order in which they end.
///
/// Futures become tasks: at the call if a loop runs on this thread, else at the first poll. What comes out are the handles, of
/// tasks that are done: `into_result` on one that was given by value, or made here, has the value. A reference that is given
/// twice comes once.
///
/// It never cancels anything. Leave the loop when you have seen enough, and go on with it later, or take the rest with
/// [`into_pending`](AsCompleted::into_pending).
///
/// ```
/// # let scheduler = corio_core::Scheduler::new(|| {});
/// # let main = scheduler.create_task(async {
/// use corio_combinators::as_completed;
///
/// let mut tasks = as_completed((1..=3).map(|n| async move { n }));
/// let mut sum = 0;
/// while let Some(task) = tasks.next().await {
///     sum += task.into_result()?;
/// }
/// assert_eq!(sum, 6);
/// # Ok::<(), corio_core::TaskError>(())
/// # });
/// # while scheduler.ready() > 0 { scheduler.run(scheduler.ready()); }
/// # main.into_result().unwrap().unwrap();
/// # scheduler.close();
/// ```
///
/// # Panics
///
/// When a task belongs to another loop. The first poll, when it makes the tasks and no loop runs on the thread.
#[doc(alias = "FuturesUnordered")]
#[doc(alias = "JoinSet")]
#[track_caller]
pub fn as_completed<I>(tasks: I) -> AsCompleted<I::Item>
where
    I: IntoIterator<Item: IntoTask>,
{
    AsCompleted {
        inner: Completions::new(tasks),
    }
}

/// Tasks in the order in which they end, from [`as_completed`]. It is a `Stream` too.
///
/// # Cancel safety
///
/// Dropping it leaves all tasks running.
#[must_use = "nothing is handed out unless `next` is awaited"]
pub struct AsCompleted<C: IntoTask> {
    inner: Completions<C>,
}

impl<C: IntoTask> AsCompleted<C> {
    /// The next task that is done; `None` when all have been handed out.
    ///
    /// # Cancel safety
    ///
    /// Nothing is lost: a task that was not handed out is handed out next time.
    #[expect(
        clippy::should_implement_trait,
        reason = "the name is that of every asynchronous iterator"
    )]
    #[track_caller]
    pub fn next(&mut self) -> NextCompleted<'_, C> {
        NextCompleted {
            inner: &mut self.inner,
            site: Location::caller(),
        }
    }

    /// One time limit for the whole run, counted from the first poll: after it every task that is left comes as a
    /// [`TimeoutError`](crate::TimeoutError). The tasks run on. `Duration::MAX` is never.
    pub fn timeout(self, timeout: Duration) -> AsCompletedWithin<C> {
        AsCompletedWithin::new(self.inner, timeout)
    }

    /// The tasks that were not handed out, in the order of the arguments.
    ///
    /// # Panics
    ///
    /// When futures are still no tasks and no loop runs on this thread.
    pub fn into_pending(self) -> Vec<C::Handle> {
        self.inner.into_pending()
    }
}

impl<C: IntoTask> Stream for AsCompleted<C> {
    type Item = C::Handle;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<C::Handle>> {
        // Without a time limit there is no error.
        let site = self.inner.site();
        self.inner.poll_next(cx, site).map(|next| next?.ok())
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (0, Some(self.inner.left()))
    }
}

impl<C: IntoTask> Unpin for AsCompleted<C> {}

impl<C: IntoTask> fmt::Debug for AsCompleted<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("AsCompleted").field(&self.inner).finish()
    }
}

/// The future of [`AsCompleted::next`].
///
/// # Cancel safety
///
/// Nothing is lost: a task that was not handed out is handed out next time.
#[must_use = "a future does nothing unless it is awaited"]
pub struct NextCompleted<'a, C: IntoTask> {
    inner: &'a mut Completions<C>,
    site: &'static Location<'static>,
}

impl<C: IntoTask> Future for NextCompleted<'_, C> {
    type Output = Option<C::Handle>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<C::Handle>> {
        let site = self.site;
        self.inner.poll_next(cx, site).map(|next| next?.ok())
    }
}

impl<C: IntoTask> fmt::Debug for NextCompleted<'_, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("NextCompleted").field(&self.inner).finish()
    }
}
