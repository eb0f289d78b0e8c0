//! gather, wait, as_completed, shield, timeouts and task groups for corio tasks.

#![deny(missing_docs)]
#![forbid(unsafe_code)]

mod arrivals;
mod as_completed;
mod as_completed_within;
mod completions;
mod error;
mod gather;
mod gather_macro;
mod gather_results;
mod gathering;
mod limit;
mod round;
mod set;
mod settle;
mod shield;
mod try_gather;
mod wait;

pub use as_completed::{AsCompleted, NextCompleted, as_completed};
pub use as_completed_within::{AsCompletedWithin, NextCompletedWithin};
pub use error::TimeoutError;
pub use gather::{Gather, gather};
#[doc(hidden)]
pub use gather_macro::gather_set;
pub use gather_results::GatherResults;
pub use shield::{Shield, shield};
pub use try_gather::{TryGather, try_gather};
pub use wait::{ReturnWhen, Wait, try_wait, wait};
