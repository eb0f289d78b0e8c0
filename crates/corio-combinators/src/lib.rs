//! gather, wait, as_completed, shield, timeouts and task groups for corio tasks.

#![deny(missing_docs)]
#![forbid(unsafe_code)]

mod arrivals;
mod as_completed;
mod as_completed_within;
mod cancel_scope;
mod catch;
mod cleanup;
mod completions;
mod deadline;
mod error;
mod finally;
mod gather;
mod gather_macro;
mod gather_results;
mod gathering;
mod limit;
mod limited;
mod round;
mod scope_state;
mod set;
mod settle;
mod shield;
mod task_group;
mod timeout;
mod timer;
mod try_gather;
mod wait;
mod with;

pub use as_completed::{AsCompleted, NextCompleted, as_completed};
pub use as_completed_within::{AsCompletedWithin, NextCompletedWithin};
pub use cancel_scope::{CancelScope, RunScope};
pub use catch::{CatchCancel, catch_cancel};
pub use deadline::deadline;
pub use error::TimeoutError;
pub use finally::{Finally, finally};
pub use gather::{Gather, gather};
#[doc(hidden)]
pub use gather_macro::gather_set;
pub use gather_results::GatherResults;
pub use shield::{Shield, shield};
pub use task_group::{
    ChildOutput, Failure, Failures, GroupError, GroupScope, Readiness, Start, TaskGroup, task_group,
};
pub use timeout::{MoveOnAfter, Timeout, move_on_after, timeout, timeout_at};
pub use try_gather::{TryGather, try_gather};
pub use wait::{ReturnWhen, Wait, try_wait, wait};
pub use with::{With, with};
