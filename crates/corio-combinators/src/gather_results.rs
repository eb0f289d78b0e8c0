//! `gather(..).return_exceptions()`: every outcome.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use corio_core::TaskError;
use corio_core::combine::{AsTask, IntoTask};

use crate::gathering::Gathering;

/// The future of [`Gather::return_exceptions`](crate::Gather::return_exceptions): a list of all outcomes, in the order of the
/// arguments.
///
/// # Cancel safety
///
/// As [`Gather`](crate::Gather).
#[must_use = "a future does nothing unless it is awaited"]
pub struct GatherResults<C: IntoTask> {
    inner: Gathering<Vec<C>>,
}

impl<C: IntoTask> GatherResults<C> {
    pub(crate) fn new(mut inner: Gathering<Vec<C>>) -> GatherResults<C> {
        inner.wait_for_all();
        GatherResults { inner }
    }

    /// Asks every task to cancel, those given by reference too, see [`Gather::cancel`](crate::Gather::cancel). The list then
    /// says of each how it ended.
    pub fn cancel(&self) -> bool {
        self.inner.cancel()
    }
}

impl<C: IntoTask> Future for GatherResults<C> {
    type Output = Vec<Result<C::Output, TaskError>>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        ready!(self.inner.poll_over(cx));
        let (handles, _) = self.inner.finish();
        Poll::Ready(handles.into_iter().map(AsTask::outcome).collect())
    }
}

impl<C: IntoTask> fmt::Debug for GatherResults<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("GatherResults").field(&self.inner).finish()
    }
}
