//! Wakers that were collected while something was borrowed, to be woken when nothing is.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::task::Waker;

/// Wakes every waker and leaves the vector empty, its memory kept. A panic of one does not keep the others from being
/// woken; the first one is returned, to be resumed when the house is in order.
#[must_use]
pub(crate) fn wake_all(wakers: &mut Vec<Waker>) -> Option<Box<dyn Any + Send>> {
    let mut first_panic = None;
    let mut left = wakers.drain(..);
    // One guard for all, since each costs: a panic ends the inner loop, and the outer one goes on behind the waker that panicked.
    // Unwind safety: that waker is consumed, and nothing of the reactor is borrowed or half changed meanwhile.
    while let Err(panic) = catch_unwind(AssertUnwindSafe(|| left.by_ref().for_each(Waker::wake))) {
        if first_panic.is_none() {
            first_panic = Some(panic);
        } else {
            discard(panic);
        }
    }
    first_panic
}

/// A payload may itself panic when it is dropped; what that panic carries is not looked at any more.
fn discard(payload: Box<dyn Any + Send>) {
    if let Err(second) = catch_unwind(AssertUnwindSafe(|| drop(payload))) {
        std::mem::forget(second);
    }
}
