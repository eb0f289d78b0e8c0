//! The event loop of corio: it joins the task core, the timer wheel and the reactor.
//!
//! ```text
//!        ┌──────────────────────── one turn ────────────────────────┐
//!        │ 1. the ready queue as it stands: steps and callbacks     │
//!        │ 2. the reactor: wait until the next deadline if nothing  │
//!        │    is ready; what it wakes is queued                     │
//!        │ 3. the timers that are due; what they wake is queued     │
//!        └──────────────────────────────────────────────────────────┘
//! ```
//!
//! While there is work, steps 2 and 3 are not paid per turn but after a bounded number of steps, see `turn.rs`.
//!
//! ```
//! use std::time::Duration;
//! # use corio_runtime as corio;
//!
//! let answer = corio::run(async {
//!     let task = corio::create_task(async {
//!         corio::sleep(Duration::from_millis(1)).await;
//!         42
//!     });
//!     task.await.unwrap()
//! });
//! assert_eq!(answer, 42);
//! ```
//!
//! | module | noun |
//! | --- | --- |
//! | `event_loop`, `builder` | [`EventLoop`] and its options |
//! | `turn`, `pace`, `aim` | the turn, the runs that are made of turns, how often the clock is asked, and when to wake for a timer |
//! | `clock`, `timers` | the system's or the loop's own time, and the wheel |
//! | `sleep`, `interval`, `yield_now` | the leaves |
//! | `io_source` | [`IoSource`]: a handle of the operating system, joined to the loop that polls it |
//! | `current` | [`create_task`], [`get_running_loop`], and what else is found through the thread |
//! | `run`, `runner`, `shut_down`, `exit`, `run_error` | [`run`](run()), [`Runner`], and how they end |
//! | [`signal`], `interrupt` | signals for the program, and what runs themselves do about Ctrl-C |
//! | `remote` | [`Remote`]: the loop, seen from other threads |
//! | `watch`, `recurring` | `add_reader` and its kin, and callbacks that are called many times |
//! | `record` | what locks and queues tell about waits |
//! | `timer_handle` | [`TimerHandle`] |
//! | `context` | context variables |
//! | [`workers`] | several loops, one per core |
//! | `blocking` | [`to_thread`], [`BlockingPool`]: work that blocks |
//!
//! # What is promised
//!
//! * Between the wake of a task and its step there is at most the batch that is running and the one it was queued for.
//! * While there is work, I/O and timers are looked at after at most 1,024 steps, and as a rule after 10 µs of them or once
//!   what was queued at the last look has run.
//! * A sleep is never early. Timers fire in the order of (deadline, creation).
//! * Nothing vanishes: the loop owns every task, lists it, and ends it at the end.

#![deny(missing_docs)]
#![forbid(unsafe_code)]

pub mod signal;
pub mod workers;

mod aim;
mod blocking;
mod builder;
mod clock;
mod context;
mod current;
mod event_loop;
mod exit;
mod interrupt;
mod interval;
mod io_source;
mod pace;
mod record;
mod recurring;
mod remote;
mod run;
mod run_error;
mod runner;
mod shut_down;
mod sleep;
mod timer_handle;
mod timers;
mod turn;
mod watch;
mod yield_now;

pub use blocking::{BlockingPool, BlockingPoolBuilder, JobInfo, ToThread, to_thread};
pub use builder::EventLoopBuilder;
pub use context::{ContextVar, Token, With};
pub use current::{all_tasks, create_task, current_task, get_running_loop, try_get_running_loop};
pub use event_loop::EventLoop;
pub use exit::{ExitReport, TaskInfo};
pub use interval::{Interval, Tick, interval};
pub use io_source::{IoReady, IoSource, IoWaiter, TryIo};
pub use remote::{Remote, RemoteTask};
pub use run::{run, run_built};
pub use run_error::RunError;
pub use runner::{Runner, RunnerBuilder};
pub use sleep::{Sleep, sleep, sleep_until};
pub use timer_handle::TimerHandle;
pub use yield_now::{YieldNow, yield_now};
