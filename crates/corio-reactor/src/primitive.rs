//! The atomics of [`sleep`](crate::sleep), behind one path so that a model checker can take their place.

pub(crate) use std::sync::atomic::{AtomicU8, Ordering, fence};
