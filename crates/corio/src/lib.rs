//! asyncio for Rust: one event loop, and tasks that you can name, await, cancel and look inside.
//!
//! To cancel a task is to deliver a request, not to drop a future: what is cancelled may clean up, with further awaits, and whoever
//! cancelled it can wait for that. A loop is one thread, so `Rc`, `RefCell` and futures that are not `Send` are the normal style.
//!
//! ```text
//!  your async fns    create_task, gather, wait, task_group, timeout, finally ..     this page
//!                      │ a ready queue of steps                ▲ wakes
//!                      ▼                                       │
//!  the loop          steps ──▶ I/O that is ready ──▶ timers that are due ──▶ steps  EventLoop, Runner
//! ```
//!
//! ```
//! use std::time::Duration;
//!
//! async fn do_work(x: u64) -> String {
//!     println!("Waiting: {x}");
//!     corio::sleep(Duration::from_millis(x)).await;
//!     format!("Done after {x}ms")
//! }
//!
//! let results = corio::run(async {
//!     corio::gather([1, 2, 4].map(do_work)).await.unwrap()
//! });
//! assert_eq!(results, ["Done after 1ms", "Done after 2ms", "Done after 4ms"]);
//! ```
//!
//! | where | what |
//! | --- | --- |
//! | here | running, tasks, combining, cancelling |
//! | [`time`] | sleeping and limits in time, all in one place |
//! | [`context`](mod@context) | context variables |
//! | [`inspect`] | which tasks there are, and what they wait for |
//! | [`prelude`] | extension traits |
//! | [`sync`] | locks, events, conditions, semaphores, barriers, queues, channels |
//! | [`coroutine`] | generators, by hand and as streams |
//! | `net` | sockets, buffered streams, servers |
//!
//! | feature | what it brings |
//! | --- | --- |
//! | `macros` | [`#[corio::main]`](macro@main), [`#[corio::test]`](macro@test) |
//! | `sync` | [`sync`] |
//! | `coroutine` | [`coroutine`] |
//! | `net` | `net` |
//! | `tls`, `hyper`, `tokio-io`, not on by default | parts of `net`: TLS, and the traits of others on our streams |
//!
//! # What is promised
//!
//! * A request to cancel is delivered, and never lost. Clean-up in `finally`, `with`, groups and owned tasks is waited for.
//! * Nothing vanishes: the loop owns every task, lists it, and ends it at the end of [`run`].
//! * A panic is an outcome: it reaches who awaits the task, or is reported once.
//! * Ends, callbacks and timeouts are told in the turn in which asyncio 3.14 tells them.
//! * A sleep is never early. Timers fire in the order of (deadline, creation).
//!
#![doc = include_str!("guide.md")]
#![deny(missing_docs)]
#![forbid(unsafe_code)]

pub use corio_combinators::{
    AsCompleted, AsCompletedWithin, CancelScope, CatchCancel, ChildOutput, Failure, Failures,
    Finally, Gather, GatherResults, GroupError, GroupScope, MoveOnAfter, NextCompleted,
    NextCompletedWithin, Readiness, ReturnWhen, RunScope, Scope, ScopeFuture, Shield, Staggered,
    StaggeredRace, Start, TaskGroup, Timeout, TimeoutError, TryGather, Wait, With, as_completed,
    catch_cancel, deadline, finally, gather, move_on_after, scope, shield, staggered_race,
    task_group, timeout, timeout_at, try_gather, try_wait, wait, with,
};
pub use corio_core::combine::{AsTask, AsTryTask, IntoTask, RunTarget};
pub use corio_core::{
    AnyTask, CallbackId, Cancelled, Handle, InvalidState, LoopClosed, OrPropagate, OwnedWait,
    Panic, Promise, PromiseCallbackId, PromiseWait, PromiseWatch, Propagate, Report, ScopedTask,
    ScopedWait, ScopedWatch, Task, TaskError, TaskId, TaskState, Watch,
};
pub use corio_runtime::{
    BlockingPool, BlockingPoolBuilder, ContextVar, EventLoop, EventLoopBuilder, ExitReport,
    Interval, IoReady, IoSource, IoWaiter, JobInfo, Remote, RemoteTask, RunError, Runner,
    RunnerBuilder, Sleep, TaskInfo, Tick, TimerHandle, ToThread, Token, TryIo, YieldNow, all_tasks,
    context, create_task, current_task, get_running_loop, interval, run, sleep, sleep_until,
    to_thread, try_get_running_loop, yield_now,
};
pub use corio_runtime::{signal, workers};

#[cfg(feature = "coroutine")]
pub use corio_coroutine as coroutine;
#[cfg(feature = "macros")]
pub use corio_macros::{main, test};
#[cfg(feature = "net")]
pub use corio_net as net;
#[cfg(feature = "sync")]
pub use corio_sync as sync;

/// Everything about time, in one place.
pub mod time {
    pub use corio_combinators::{
        CancelScope, MoveOnAfter, Timeout, TimeoutError, deadline, move_on_after, timeout,
        timeout_at,
    };
    pub use corio_runtime::{Interval, Sleep, Tick, TimerHandle, interval, sleep, sleep_until};
}

/// Context variables: values that follow a task, its children and its callbacks. They are declared with
/// [`context!`](macro@crate::context).
pub mod context {
    pub use corio_runtime::{ContextVar, Token, With};
}

/// Looking inside: which tasks there are, what they wait for, and what was reported.
pub mod inspect {
    pub use corio_core::waiting::Waiting;
    pub use corio_core::{AnyTask, Report, TaskId, TaskState};
    pub use corio_runtime::{ExitReport, TaskInfo, all_tasks, current_task};
}

/// Extension traits, and nothing that could clash with names of yours.
pub mod prelude {
    pub use corio_core::OrPropagate;
}

/// For the macros.
#[doc(hidden)]
pub mod __private {
    use std::future::IntoFuture;

    /// Runs a test on a virtual clock.
    #[track_caller]
    pub fn run_virtual<M: IntoFuture>(main: M) -> M::Output {
        corio_runtime::run_built(corio_runtime::Runner::builder().virtual_clock(), main)
    }
}

/// Compiles and runs the first program of both READMEs.
#[cfg(all(doctest, feature = "macros"))]
mod readmes {
    #[doc = include_str!("../../../README.md")]
    struct Project;
    #[doc = include_str!("../README.md")]
    struct Crate;
}
