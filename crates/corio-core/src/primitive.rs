//! The primitives that threads share, under one name each, so that a model checker can put its own in their place: the models in
//! `tests/loom_inbox.rs` compile the files that use them with another module of this name.

pub(crate) use parking_lot::Mutex;
pub(crate) use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
