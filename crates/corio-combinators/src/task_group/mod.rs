//! Task groups: children that end with their group, and whose failures are its error.
//!
//! ```text
//!   body: Pending ──▶ children are added, fail, end ──▶ body ended ──▶ waiting for the children ──▶ result
//!     │                        │ first failure: one turn later children and body are asked to end
//!     └── cancelled: the body is dropped, the children are asked to end, and the cancellation goes on after the last
//! ```
//!
//! A child is an ordinary task. The group observes its end, and acts on it one turn later, where asyncio's done callback would.

mod child;
mod error;
mod future;
mod handle;
mod start;
mod state;

pub use child::ChildOutput;
pub use error::{Failure, Failures, GroupError};
pub use future::{GroupScope, task_group};
pub use handle::TaskGroup;
pub use start::{Readiness, Start};
