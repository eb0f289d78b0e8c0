//! A future that is part of another one, and goes before it.

use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::task::{Context, Poll};

use corio_core::Panic;

/// The part has not gone. This asks through the pinned place: by the rules that Miri checks, a shared look at all of an async block
/// would end the borrows that the block has of itself.
#[inline]
pub(crate) fn is_there<F>(part: Pin<&mut Option<F>>) -> bool {
    part.as_pin_mut().is_some()
}

/// Polls a part whose panic is an end like others: there is somebody to wait for before it may go on.
pub(crate) fn poll_caught<F: Future>(
    part: Pin<&mut F>,
    cx: &mut Context<'_>,
) -> Poll<Result<F::Output, Panic>> {
    match catch_unwind(AssertUnwindSafe(|| part.poll(cx))) {
        Ok(polled) => polled.map(Ok),
        Err(payload) => Poll::Ready(Err(Panic::from_payload(payload))),
    }
}
