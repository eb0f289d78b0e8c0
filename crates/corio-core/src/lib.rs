//! The future and task state machine of corio, for whoever writes a loop: task cells, wakers, promises, joins and the
//! cancellation tree. It knows no clock and no I/O.
//!
//! ```text
//!              wake (a number, from any thread)
//!                   │ own thread             │ another thread
//!                   ▼                        ▼
//!   create_task ─▶ ready queue ◀──────── inbox ──▶ notify: the loop's wait returns
//!                   │ run(n): n steps, in order
//!                   ▼
//!               one step of a cell: poll the future ─▶ Pending │ outcome ─▶ tell who waits
//! ```
//!
//! # The smallest loop
//!
//! ```
//! use corio_core::Scheduler;
//!
//! let scheduler = Scheduler::new(|| {});
//! let task = scheduler.create_task(async { 1 + 1 });
//! while scheduler.ready() > 0 {
//!     scheduler.run(scheduler.ready());
//! }
//! assert_eq!(*task.result().unwrap(), 2);
//! scheduler.close();
//! ```
//!
//! # Where to find what
//!
//! | module | noun |
//! | --- | --- |
//! | `scheduler`, `steps` | [`Scheduler`]: creating, running, ending tasks |
//! | `ready`, `table`, `prefetch`, `current`, `wakes` | the ready queue and the table of unfinished tasks; which loop and which task run on a thread, and wakes |
//! | `state` | the state word of a cell, its edges, and what each asks of its caller |
//! | `cell`, `stage`, `pool` | the block of memory that is a task: its header, its typed half, and where it comes from |
//! | `key`, `waker` | the number that a waker is |
//! | `task`, `join` | [`Task`], [`AnyTask`], and waiting for them |
//! | `done_callback`, `describe` | callbacks of the end; names and `Debug` |
//! | `waiters`, `observer` | who is told of an end, in which order; waits for many tasks at once |
//! | `promise` | [`Promise`] |
//! | `callback` | [`Handle`]: callbacks in the ready queue |
//! | `remote` | [`Remote`]: what comes from other threads |
//! | [`cancel`] | the cancellation tree |
//! | [`waiting`] | what a task waits for |
//! | [`time`] | the seam to a clock |
//! | `report` | outcomes that nobody awaited |
//! | `combine` | the traits by which combinators take tasks and futures alike |
//!
//! # What is promised
//!
//! * A future is polled and dropped on the thread of its scheduler only, whoever wakes or drops a waker.
//! * Nothing on that thread is atomic: not a wake, a poll, a join, a callback.
//! * A task that has been woken is polled once for all the wakes that came before the poll, in the order of the first of them.
//! * No foreign code runs while anything is borrowed or locked.
//! * A panic is an outcome, and reaches a waiter or the reporter, once.

#![deny(missing_docs)]

pub mod cancel;
pub mod combine;
pub mod time;
pub mod waiting;

mod callback;
mod caught;
mod cell;
mod current;
mod describe;
mod done_callback;
mod error;
mod extras;
mod join;
mod key;
mod lent;
mod main_task;
mod moment;
mod observer;
mod pool;
mod prefetch;
mod primitive;
mod promise;
mod ready;
mod remote;
mod remote_handle;
mod report;
mod scheduler;
mod scoped;
mod slab;
mod stage;
mod state;
mod steps;
mod table;
mod task;
mod waiters;
mod waker;
mod wakes;

pub use callback::Handle;
pub use cancel::{Cancelled, OrPropagate, Propagate};
pub use current::{Whereabouts, find_scheduler, relay};
pub use done_callback::CallbackId;
pub use error::{InvalidState, Panic, TaskError};
pub use extras::{ContextMap, current_context};
pub use join::{EndWait, OwnedWait, Watch};
pub use lent::LentFuture;
pub use observer::{Observer, ObserverId};
pub use promise::{Promise, PromiseCallbackId, PromiseWait, PromiseWatch};
pub use remote::{LoopClosed, Notify};
pub use remote_handle::Remote;
pub use report::{Report, Reporter};
pub use scheduler::Scheduler;
pub use scoped::{ScopedTask, ScopedWait, ScopedWatch};
pub use task::{AnyTask, Task, TaskId, TaskState};
