//! `yield_now`: one turn for the others.

use std::future::Future;
use std::panic::Location;
use std::pin::Pin;
use std::task::{Context, Poll};

use corio_core::waiting;

/// Lets everything that is ready run once, and goes on in the next turn. It works under any executor.
///
/// # Cancel safety
///
/// It holds nothing.
///
/// ```
/// # use corio_runtime as corio;
/// corio::run(async {
///     corio::yield_now().await;
/// });
/// ```
#[doc(alias = "sleep(0)")]
#[track_caller]
pub fn yield_now() -> YieldNow {
    YieldNow {
        yielded: false,
        site: Location::caller(),
    }
}

/// The future of [`yield_now`].
#[derive(Debug)]
#[must_use = "a future does nothing unless it is awaited"]
pub struct YieldNow {
    yielded: bool,
    site: &'static Location<'static>,
}

impl Future for YieldNow {
    type Output = ();

    #[inline]
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        if self.yielded {
            return Poll::Ready(());
        }
        self.yielded = true;
        waiting::note_turn(self.site, cx.waker());
        Poll::Pending
    }
}
