//! asyncio for Rust: one event loop, and tasks that you can name, await, cancel and look inside.
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

#![deny(missing_docs)]
#![forbid(unsafe_code)]

pub use corio_combinators::*;
pub use corio_core::{
    AnyTask, CallbackId, Cancelled, Handle, InvalidState, LoopClosed, OrPropagate, OwnedWait, Panic,
    Promise, PromiseCallbackId, PromiseWait, PromiseWatch, Propagate, Report, Task, TaskError, TaskId,
    TaskState, Watch,
};
pub use corio_runtime::{
    ContextVar, EventLoop, EventLoopBuilder, ExitReport, Interval, Remote, RemoteTask, RunError, Runner,
    RunnerBuilder, Sleep, TaskInfo, Tick, TimerHandle, Token, With, YieldNow, all_tasks, context,
    create_task, current_task, get_running_loop, interval, run, sleep, sleep_until,
    try_get_running_loop, yield_now,
};

#[cfg(feature = "coroutine")]
pub use corio_coroutine as coroutine;
#[cfg(feature = "macros")]
pub use corio_macros::{main, test};
#[cfg(feature = "sync")]
pub use corio_sync as sync;

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

/// Extension traits, and nothing that could clash with names of yours.
pub mod prelude {
    pub use corio_core::OrPropagate;
}
