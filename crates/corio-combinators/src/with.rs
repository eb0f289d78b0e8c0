//! `with`: work on a thing, and the clean-up that gets the thing afterwards.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use pin_project_lite::pin_project;

use crate::cleanup::{Attempt, Cleanup};

/// Lends `resource` to `work`, and gives it to `cleanup` when the work has ended or was cancelled: [`finally`](crate::finally())
/// for work and clean-up that need the same thing.
///
/// # Cancel safety
///
/// As [`finally`](crate::finally()): the clean-up runs after a value and after a cancellation, which then goes on. Dropped by
/// foreign code before its end, it drops what it holds where it stands.
///
/// ```
/// use corio_combinators::with;
/// use corio_core::Scheduler;
///
/// let scheduler = Scheduler::new(|| {});
/// let task = scheduler.create_task(with(
///     vec!["open"],
///     async |log: &mut Vec<_>| {
///         log.push("used");
///         log.len()
///     },
///     async |log: Vec<_>| assert_eq!(log, ["open", "used"]),
/// ));
/// scheduler.run(1);
/// assert_eq!(*task.result().unwrap(), 2);
/// # scheduler.close();
/// ```
#[doc(alias = "bracket")]
#[doc(alias = "context_manager")]
pub fn with<R, T, W, C>(
    resource: R,
    work: W,
    cleanup: C,
) -> With<impl Future<Output = T> + use<R, T, W, C>>
where
    W: AsyncFnOnce(&mut R) -> T,
    C: AsyncFnOnce(R),
{
    let future = async move {
        let mut resource = resource;
        let attempted = Attempt::new(work(&mut resource)).await;
        Cleanup::new(attempted, async move { cleanup(resource).await }).await
    };
    With { future }
}

pin_project! {
    /// The future of [`with`].
    #[must_use = "a future does nothing unless it is awaited"]
    pub struct With<F> {
        #[pin]
        future: F,
    }
}

impl<F: Future> Future for With<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        self.project().future.poll(cx)
    }
}

impl<F> fmt::Debug for With<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("With").finish_non_exhaustive()
    }
}
