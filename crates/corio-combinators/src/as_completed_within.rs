//! `as_completed(..).timeout(..)`.

use std::fmt;
use std::future::Future;
use std::panic::Location;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use corio_core::combine::IntoTask;
use futures_core::Stream;

use crate::completions::Completions;
use crate::error::TimeoutError;

/// Tasks in the order in which they end, until the time is up, from [`AsCompleted::timeout`](crate::AsCompleted::timeout). It is
/// a `Stream` too.
///
/// # Cancel safety
///
/// Dropping it leaves all tasks running.
#[must_use = "nothing is handed out unless `next` is awaited"]
pub struct AsCompletedWithin<C: IntoTask> {
    inner: Completions<C>,
}

impl<C: IntoTask> AsCompletedWithin<C> {
    pub(crate) fn new(mut inner: Completions<C>, timeout: Duration) -> AsCompletedWithin<C> {
        inner.set_timeout(timeout);
        AsCompletedWithin { inner }
    }

    /// The next task that is done, or a `TimeoutError` for each that was not when the time was up; `None` after the last.
    ///
    /// # Cancel safety
    ///
    /// Nothing is lost: a task that was not handed out is handed out next time.
    #[expect(
        clippy::should_implement_trait,
        reason = "the name is that of every asynchronous iterator"
    )]
    #[track_caller]
    pub fn next(&mut self) -> NextCompletedWithin<'_, C> {
        NextCompletedWithin {
            inner: &mut self.inner,
            site: Location::caller(),
        }
    }

    /// The tasks that were not handed out, in the order of the arguments: also those that came as a `TimeoutError`.
    ///
    /// # Panics
    ///
    /// When futures are still no tasks and no loop runs on this thread.
    pub fn into_pending(self) -> Vec<C::Handle> {
        self.inner.into_pending()
    }
}

impl<C: IntoTask> Stream for AsCompletedWithin<C> {
    type Item = Result<C::Handle, TimeoutError>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let site = self.inner.site();
        self.inner.poll_next(cx, site)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (0, Some(self.inner.left()))
    }
}

impl<C: IntoTask> Unpin for AsCompletedWithin<C> {}

impl<C: IntoTask> fmt::Debug for AsCompletedWithin<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("AsCompletedWithin")
            .field(&self.inner)
            .finish()
    }
}

/// The future of [`AsCompletedWithin::next`].
///
/// # Cancel safety
///
/// Nothing is lost: a task that was not handed out is handed out next time.
#[must_use = "a future does nothing unless it is awaited"]
pub struct NextCompletedWithin<'a, C: IntoTask> {
    inner: &'a mut Completions<C>,
    site: &'static Location<'static>,
}

impl<C: IntoTask> Future for NextCompletedWithin<'_, C> {
    type Output = Option<Result<C::Handle, TimeoutError>>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let site = self.site;
        self.inner.poll_next(cx, site)
    }
}

impl<C: IntoTask> fmt::Debug for NextCompletedWithin<'_, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("NextCompletedWithin")
            .field(&self.inner)
            .finish()
    }
}
