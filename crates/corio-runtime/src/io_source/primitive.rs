//! What threads share in a place, behind one path, so that a model checker can put its own there: `tests/loom_place.rs`.

pub(super) use parking_lot::Mutex;
pub(super) use std::sync::atomic::{AtomicU64, Ordering};
