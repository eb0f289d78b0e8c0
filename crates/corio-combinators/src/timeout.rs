//! `timeout`, `timeout_at` and `move_on_after`: work with a time limit.

use std::any::type_name;
use std::fmt;
use std::future::{Future, IntoFuture};
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use pin_project_lite::pin_project;

use crate::error::TimeoutError;
use crate::limited::Limited;

/// Gives `work` so much time, counted from the first poll. When it is up, the work is cancelled, and `Err(TimeoutError)` comes
/// when its clean-up has ended. The clock is read when that poll has ended and the work has to wait, so what computes for long in
/// its first step gets that time for nothing; [`timeout_at`] and [`CancelScope`](crate::CancelScope) have their end before it.
///
/// The cancellation is a request like any other: catchers inside see it, owned tasks are cancelled and waited for. If the work
/// returns a value all the same, that value is the result. A request from outside stays a cancellation: it is never turned into a
/// timeout. Of nested limits that are up at the same time the outer one reports.
///
/// `Duration::MAX` is no limit. `Duration::ZERO` is no time at all, as with asyncio's `wait_for`: a future is dropped without
/// ever running; but a task (or anything else that is not a future itself, and only becomes one in an `.await`) may have
/// finished, and then its result is the result; if it has not, it is cancelled and waited for.
///
/// # Errors
///
/// [`TimeoutError`] when the time was up.
///
/// # Panics
///
/// When it has to wait on a thread where no loop with a clock runs.
///
/// # Cancel safety
///
/// Cancelled or dropped, it cancels or drops the work. `timeout(d, &mut work)` leaves the work half run. It
/// may be awaited again, but if something in it has passed the cancellation on (a `propagate`, a `finally`), that panics, since it
/// could never end.
///
/// ```
/// # use std::time::Duration;
/// use corio_combinators::timeout;
///
/// # async fn example() -> Result<(), corio_combinators::TimeoutError> {
/// let answer = timeout(Duration::from_secs(5), async { 42 }).await?;
/// assert_eq!(answer, 42);
/// # Ok(())
/// # }
/// # let scheduler = corio_core::Scheduler::new(|| {});
/// # let task = scheduler.create_task(example());
/// # scheduler.run(1);
/// # task.result().unwrap().as_ref().unwrap();
/// # scheduler.close();
/// ```
#[doc(alias = "wait_for")]
#[doc(alias = "fail_after")]
#[inline]
#[track_caller]
pub fn timeout<F: IntoFuture>(duration: Duration, work: F) -> Timeout<F::IntoFuture> {
    Timeout {
        limited: Limited::for_duration(work.into_future(), duration, is_started::<F>),
    }
}

/// The same with a point in time. A time that has come ends the work at its first wait.
///
/// # Errors
///
/// [`TimeoutError`] when the time was up.
///
/// # Panics
///
/// As [`timeout`].
///
/// # Cancel safety
///
/// As [`timeout`].
#[doc(alias = "fail_at")]
#[track_caller]
pub fn timeout_at<F: IntoFuture>(deadline: Instant, work: F) -> Timeout<F::IntoFuture> {
    Timeout {
        limited: Limited::until(work.into_future(), deadline),
    }
}

/// Gives `work` so much time, and goes on with `None` when it is up: [`timeout`] where that is no error.
///
/// # Panics
///
/// As [`timeout`].
///
/// # Cancel safety
///
/// As [`timeout`].
///
/// ```
/// # use std::time::Duration;
/// use corio_combinators::move_on_after;
///
/// # async fn example() {
/// match move_on_after(Duration::from_millis(100), async { "fresh" }).await {
///     Some(news) => println!("{news}"),
///     None => println!("nothing new"),
/// }
/// # }
/// ```
#[inline]
#[track_caller]
pub fn move_on_after<F: IntoFuture>(duration: Duration, work: F) -> MoveOnAfter<F::IntoFuture> {
    MoveOnAfter {
        limited: Limited::for_duration(work.into_future(), duration, is_started::<F>),
    }
}

/// What is not a future itself goes on without being polled, as a task does. Every future is its own `IntoFuture`.
fn is_started<F: IntoFuture>() -> bool {
    type_name::<F>() != type_name::<F::IntoFuture>()
}

pin_project! {
    /// The future of [`timeout`] and [`timeout_at`].
    #[must_use = "a future does nothing unless it is awaited"]
    pub struct Timeout<F> {
        #[pin]
        limited: Limited<F>,
    }
}

impl<F: Future> Future for Timeout<F> {
    type Output = Result<F::Output, TimeoutError>;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let limited = self.project().limited;
        limited
            .poll(cx)
            .map(|output| output.ok_or(TimeoutError::new()))
    }
}

impl<F> fmt::Debug for Timeout<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Timeout")
            .field("open", &self.limited.is_open())
            .finish()
    }
}

pin_project! {
    /// The future of [`move_on_after`].
    #[must_use = "a future does nothing unless it is awaited"]
    pub struct MoveOnAfter<F> {
        #[pin]
        limited: Limited<F>,
    }
}

impl<F: Future> Future for MoveOnAfter<F> {
    type Output = Option<F::Output>;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        self.project().limited.poll(cx)
    }
}

impl<F> fmt::Debug for MoveOnAfter<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MoveOnAfter")
            .field("open", &self.limited.is_open())
            .finish()
    }
}
