//! `gather(..).return_exceptions()`: every outcome.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use crate::gathering::Gathering;
use crate::set::{HandleSet, TaskSet};

/// The future of [`Gather::return_exceptions`](crate::Gather::return_exceptions): all outcomes, in the order of the
/// arguments: a list, or with [`gather!`](macro@crate::gather) a tuple.
///
/// # Cancel safety
///
/// As [`Gather`](crate::Gather).
#[must_use = "a future does nothing unless it is awaited"]
pub struct GatherResults<S: TaskSet> {
    inner: Gathering<S>,
}

impl<S: TaskSet> GatherResults<S> {
    pub(crate) fn new(mut inner: Gathering<S>) -> GatherResults<S> {
        inner.wait_for_all();
        GatherResults { inner }
    }

    /// Asks every task to cancel, those given by reference too, see [`Gather::cancel`](crate::Gather::cancel). The list then
    /// says of each how it ended.
    pub fn cancel(&self) -> bool {
        self.inner.cancel()
    }
}

impl<S: TaskSet> Future for GatherResults<S> {
    type Output = <S::Handles as HandleSet>::Outcomes;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        ready!(self.inner.poll_over(cx));
        let (handles, _) = self.inner.finish();
        Poll::Ready(handles.outcomes())
    }
}

impl<S: TaskSet> fmt::Debug for GatherResults<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("GatherResults").field(&self.inner).finish()
    }
}
