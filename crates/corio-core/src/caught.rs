//! Foreign code and its panics.

use std::mem;
use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::error::Panic;

/// Runs foreign code whose panic is a result.
pub(crate) fn caught<R>(code: impl FnOnce() -> R) -> Result<R, Panic> {
    catch_unwind(AssertUnwindSafe(code)).map_err(Panic::new)
}

/// Drops the second of two panics. Its payload is foreign too, and may panic in its destructor, with a payload of that kind: after
/// a few of them the next one is forgotten.
pub(crate) fn discard(panic: impl Sized) {
    let mut dropped = catch_unwind(AssertUnwindSafe(|| drop(panic)));
    for _ in 0..3 {
        let Err(next) = dropped else { return };
        dropped = catch_unwind(AssertUnwindSafe(|| drop(next)));
    }
    mem::forget(dropped);
}
