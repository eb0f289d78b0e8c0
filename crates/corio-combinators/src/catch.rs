//! `catch_cancel`: the await after which a cancellation can be dealt with.

use std::fmt;
use std::future::{Future, IntoFuture};
use std::pin::Pin;
use std::task::{Context, Poll};

use corio_core::Cancelled;
use corio_core::cancel::{Kind, Node};
use pin_project_lite::pin_project;

/// Runs `work`, and comes back with `Err(Cancelled)` when it is cancelled.
///
/// When a request to cancel arrives, `work` is dropped where it stands, its destructors run, and the code after the await goes
/// on: it may clean up, with awaits if need be. The request is taken. Say `cancelled.propagate().await` (or
/// [`or_propagate`](corio_core::OrPropagate::or_propagate) on the result) to let it go on; leaving that out swallows it, and the
/// task runs on.
///
/// Clean-up that must not be lost goes into [`finally`](crate::finally()): the code after a `catch_cancel` is in no scope, so that
/// others who are cancelled by the same request do not wait for it.
///
/// # Cancel safety
///
/// The request goes to the innermost catcher, so this one sees it when nothing inside of `work` takes it. What `work` had done
/// is for its own destructors to undo. Dropped by foreign code, it drops `work`, and nothing is caught.
///
/// ```
/// use corio_combinators::catch_cancel;
/// use corio_core::{OrPropagate, Scheduler};
///
/// let scheduler = Scheduler::new(|| {});
/// let task = scheduler.create_task(async {
///     match catch_cancel(std::future::pending::<()>()).await {
///         Ok(()) => "done",
///         Err(cancelled) if cancelled.reason() == Some("skip this one") => "skipped",
///         Err(cancelled) => cancelled.propagate().await,
///     }
/// });
/// scheduler.run(1);
/// task.cancel_with("skip this one");
/// scheduler.run(1);
/// assert_eq!(*task.result().unwrap(), "skipped");
/// # scheduler.close();
/// ```
#[doc(alias = "try")]
#[doc(alias = "except")]
#[inline]
#[track_caller]
pub fn catch_cancel<F: IntoFuture>(work: F) -> CatchCancel<F::IntoFuture> {
    CatchCancel {
        work: Some(work.into_future()),
        node: Node::new(Kind::Catch),
    }
}

pin_project! {
    /// The future of [`catch_cancel`].
    #[must_use = "a future does nothing unless it is awaited"]
    pub struct CatchCancel<F> {
        #[pin]
        work: Option<F>,
        // After the work, so that what is inside leaves first.
        node: Node,
    }
}

impl<F: Future> Future for CatchCancel<F> {
    type Output = Result<F::Output, Cancelled>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        if !this.node.enter(cx) {
            let work = this.work.as_mut().as_pin_mut();
            let work = work.expect("a finished catch_cancel was polled again");
            if let Poll::Ready(output) = this.node.inside(|| work.poll(cx)) {
                this.work.set(None);
                this.node.leave();
                return Poll::Ready(Ok(output));
            }
            if !this.node.look() {
                return Poll::Pending;
            }
        }
        let taken = this.node.take(|| this.work.set(None));
        this.node.leave();
        Poll::Ready(Err(taken.into_cancelled()))
    }
}

impl<F> fmt::Debug for CatchCancel<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CatchCancel").finish_non_exhaustive()
    }
}
