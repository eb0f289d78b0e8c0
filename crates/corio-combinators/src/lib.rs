//! What to do with several tasks at once, and how to give up on them in good order.
//!
//! A program that runs more than one thing has two questions: what are they all waiting for, and what becomes of the rest when
//! one of them fails, takes too long or is not wanted any more. Everything here answers the second in the same way: what is
//! *owned* (futures, and tasks given by value) ends with its owner, what is *borrowed* (tasks given by reference) is left alone,
//! and to cancel means to deliver a request and to wait for the clean-up, not to drop.
//!
//! ```text
//!                        what you have ──▶ what you get
//!
//!  many, and all values   gather ──────────▶ Result<Vec<T>, TaskError>     in the order of the arguments
//!  .. some may fail       try_gather, gather(..).return_exceptions()
//!  .. of different types  gather!
//!  many, the first first  as_completed ────▶ handles in the order of their ends
//!  many, until enough     wait ────────────▶ (done, pending)               never cancels, nothing is lost
//!  many, all or nothing   task_group ──────▶ the first failure cancels the others, every failure is kept
//!  one after the other    staggered_race ──▶ the first success
//!  one, for so long       timeout, move_on_after, CancelScope
//!  one, to its end        shield
//!  a clean-up             finally, with, catch_cancel
//! ```
//!
//! # The smallest example
//!
//! ```
//! # let scheduler = corio_core::Scheduler::new(|| {});
//! # let main = scheduler.create_task(async {
//! use corio_combinators::gather;
//!
//! async fn double(n: u32) -> u32 {
//!     n * 2
//! }
//!
//! assert_eq!(gather([double(1), double(2)]).await?, [2, 4]);
//! # Ok::<(), corio_core::TaskError>(())
//! # });
//! # while scheduler.ready() > 0 { scheduler.run(scheduler.ready()); }
//! # main.into_result().unwrap().unwrap();
//! # scheduler.close();
//! ```
//!
//! # Where to find what
//!
//! | module | noun |
//! | --- | --- |
//! | `gather`, `gather_results`, `try_gather`, `gather_macro` | the gather family |
//! | `wait` | [`wait`](wait()), [`try_wait`], [`ReturnWhen`] |
//! | `as_completed`, `as_completed_within` | [`as_completed()`], without and with a time limit |
//! | `shield` | [`shield`](shield()) |
//! | `staggered` | [`staggered_race`] |
//! | `task_group` | [`task_group`](task_group()), [`TaskGroup`], [`GroupError`] |
//! | `timeout`, `cancel_scope`, `deadline` | limits in time, and by hand |
//! | `catch`, `finally`, `with` | code that runs after a cancellation |
//! | `member`, `round`, `arrivals` | inside: counting ends as they happen, telling one turn later |
//! | `set`, `gathering`, `settle`, `completions` | inside: what is given, a gather in progress, values that may leave, handles in order |
//! | `expiry`, `timer`, `turns`, `limited`, `scope_state`, `cleanup` | inside: timers and what hangs on them |
//!
//! # What is promised
//!
//! * Ends are told in the turn and at the place in which asyncio tells them, so races end alike.
//! * A member costs no allocation besides its task and a place in one list; nothing is polled to find out whether it is done.
//! * Every future may be dropped at any moment; what becomes of the tasks then is under `# Cancel safety`.
//! * A panic of a task reaches who waits for it, or is reported.

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
mod expiry;
mod finally;
mod gather;
mod gather_macro;
mod gather_results;
mod gathering;
mod limited;
mod member;
mod part;
mod round;
mod scope;
mod scope_state;
mod set;
mod settle;
mod shield;
mod staggered;
mod task_group;
mod timeout;
mod timer;
mod try_gather;
mod turns;
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
pub use gather_macro::{gather_nothing, gather_set};
pub use gather_results::GatherResults;
pub use scope::{Scope, ScopeFuture, scope};
pub use shield::{Shield, shield};
pub use staggered::{Staggered, StaggeredRace, staggered_race};
pub use task_group::{
    ChildOutput, Failure, Failures, GroupError, GroupScope, Readiness, Start, TaskGroup, task_group,
};
pub use timeout::{MoveOnAfter, Timeout, move_on_after, timeout, timeout_at};
pub use try_gather::{TryGather, try_gather};
pub use wait::{ReturnWhen, Wait, try_wait, wait};
pub use with::{With, with};
