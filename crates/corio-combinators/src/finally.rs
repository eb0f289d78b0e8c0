//! `finally`: clean-up that awaits, and that the cancellation waits for.

use std::fmt;
use std::future::{Future, IntoFuture};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use pin_project_lite::pin_project;

use crate::cleanup::{Attempt, Cleanup};

/// Runs `work`, and then `cleanup`, whether `work` gave a value or was cancelled; an error is a value here.
///
/// After a value the value is the result. After a cancellation the clean-up runs, with awaits if need be, and then the
/// cancellation goes on. Whoever cancelled waits for the clean-up, and so do the other branches of a `join` or `select` that the
/// same request has reached.
///
/// A request that arrives while the clean-up runs interrupts it, as a second Ctrl-C would. Only the first one that arrives while
/// it cleans up after a *value* lets it end, and then goes on: the value is dropped.
///
/// A panic of `work` is not caught, and the clean-up does not run: nothing can be awaited while a panic unwinds. When the work
/// and its clean-up need the same thing, see [`with`](crate::with()).
///
/// # Cancel safety
///
/// See above. Dropped by foreign code before its end, it drops `work` or `cleanup` where they stand: a drop cannot await.
///
/// Not polled for a while after its clean-up has begun, as in a loop around a `select!` that awaits something else in between, it
/// keeps the cancellation until it is polled again, and the clean-up is not cut. Dropped, it hands the cancellation to what is
/// around it. Kept without either, it holds its task up until a second request.
///
/// ```
/// use std::cell::Cell;
/// use std::rc::Rc;
/// use corio_combinators::finally;
/// use corio_core::Scheduler;
///
/// let scheduler = Scheduler::new(|| {});
/// let closed = Rc::new(Cell::new(false));
/// let task = scheduler.create_task({
///     let closed = closed.clone();
///     async move { finally(std::future::pending::<()>(), async || closed.set(true)).await }
/// });
/// scheduler.run(1);
/// task.cancel();
/// scheduler.run(1);
/// assert!(closed.get() && task.cancelled());
/// # scheduler.close();
/// ```
#[doc(alias = "defer")]
#[track_caller]
pub fn finally<F, C>(
    work: F,
    cleanup: C,
) -> Finally<F::IntoFuture, impl Future<Output = ()> + use<F, C>>
where
    F: IntoFuture,
    C: AsyncFnOnce(),
{
    Finally {
        stage: Stage::Work {
            attempt: Attempt::new(work.into_future()),
        },
        // The call itself waits for its turn too.
        cleanup: Some(async move { cleanup().await }),
    }
}

pin_project! {
    /// The future of [`finally`].
    #[must_use = "a future does nothing unless it is awaited"]
    pub struct Finally<F, C>
    where
        F: Future,
    {
        #[pin]
        stage: Stage<F, C, F::Output>,
        cleanup: Option<C>,
    }
}

pin_project! {
    #[project = StageProject]
    enum Stage<F, C, T> {
        Work { #[pin] attempt: Attempt<F> },
        Cleanup { #[pin] cleanup: Cleanup<C, T> },
    }
}

impl<F: Future, C: Future<Output = ()>> Future for Finally<F, C> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let mut this = self.project();
        loop {
            match this.stage.as_mut().project() {
                StageProject::Work { attempt } => {
                    let attempted = ready!(attempt.poll(cx));
                    let cleanup = this.cleanup.take();
                    let cleanup = cleanup.expect("the clean-up is there until the work has ended");
                    let cleanup = Cleanup::new(attempted, cleanup);
                    this.stage.set(Stage::Cleanup { cleanup });
                }
                StageProject::Cleanup { cleanup } => return cleanup.poll(cx),
            }
        }
    }
}

impl<F: Future, C> fmt::Debug for Finally<F, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let stage = match self.stage {
            Stage::Work { .. } => "work",
            Stage::Cleanup { .. } => "clean-up",
        };
        f.debug_tuple("Finally").field(&stage).finish()
    }
}
