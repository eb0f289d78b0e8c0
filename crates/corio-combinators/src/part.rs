//! A future that is part of another one, and goes before it.

use std::pin::Pin;

/// The part has not gone. This asks through the pinned place: by the rules that Miri checks, a shared look at all of an async block
/// would end the borrows that the block has of itself.
#[inline]
pub(crate) fn is_there<F>(part: Pin<&mut Option<F>>) -> bool {
    part.as_pin_mut().is_some()
}
