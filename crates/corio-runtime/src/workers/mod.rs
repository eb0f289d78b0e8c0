//! Several cores: one loop per thread, each running the same program.
//!
//! A loop uses one core. A program that needs more of them runs several loops that share nothing: each has tasks, timers and
//! sockets of its own, and futures need not be `Send`. What has to be shared is sent.
//!
//! ```text
//!   Workers::new(3).start(program)
//!     │      ┌─ thread 0: loop, main = program(Worker 0) ─┐
//!     ├──────┼─ thread 1: loop, main = program(Worker 1) ─┼──▶ WorkersReport: an outcome and an ExitReport each
//!     │      └─ thread 2: loop, main = program(Worker 2) ─┘
//!     └─ wait, shutdown                 ▲
//!                  Worker::remotes: a message is a callback or a task on another loop
//! ```
//!
//! ```
//! # use corio_runtime as corio;
//! use corio::workers::Workers;
//!
//! let report = Workers::new(2).run(async |worker| {
//!     // A message to a loop is a callback or a task on it; here the loop is the worker's own.
//!     let here = &worker.remotes()[worker.index()];
//!     let name = here.create_task(|| async { corio::get_running_loop().name() });
//!     name.await.ok().flatten()
//! })?;
//! let names: Vec<_> = report.into_values().unwrap();
//! assert_eq!(names[1].as_deref(), Some("corio-worker-1"));
//! # std::io::Result::Ok(())
//! ```
//!
//! For a stream of typed messages between loops use a channel whose futures are wakers' work, such as `async-channel`: wakers of a
//! loop may be called from any thread.
//!
//! # The end
//!
//! A worker ends when its main task has ended and everything else on its loop was ended in order, as at the end of
//! [`run`](crate::run()). A panic of a main task shuts the others down and is told in the report. Ctrl-C reaches all workers, wherever
//! they run, and cancels each main task once; a second one drops it. As always a listener of the program, such as
//! [`ctrl_c`](crate::signal::ctrl_c), goes first.

mod builder;
mod crew;
mod pin;
mod report;
mod running;
mod thread;
mod worker;

pub use builder::Workers;
pub use report::{WorkerError, WorkerReport, WorkersReport};
pub use running::RunningWorkers;
pub use worker::Worker;
