//! Benchmarks of corio beside its peers: tokio with a `LocalSet`, tokio's `LocalRuntime`, and smol's `LocalExecutor`.
//!
//! A workload is written once, over the [`Handle`] of a runtime, and run by all of them: by criterion for its time, and under
//! callgrind for its instructions. What criterion does not measure (memory, CPU time of a whole process, how late a timer is)
//! is a benchmark of its own that starts one process per runtime and prints a table.
//!
//! | module | noun |
//! | --- | --- |
//! | `runtime` | [`Runtime`], [`Handle`], [`Signal`]: what every runtime is asked to do |
//! | [`runtimes`] | how each one does it, in the way that its users would |
//! | `workload`, [`workloads`] | [`Workload`], and what is measured |
//! | [`compare`] | a workload on all runtimes in one group of criterion |
//! | [`process`] | a table of one process per runtime, and what the system says about each |
//! | `sockets` | servers under load, on Linux |
//!
//! README.md says how to run them.

#![deny(missing_docs)]
#![forbid(unsafe_code)]

pub mod compare;
pub mod process;
pub mod runtimes;
pub mod workloads;

#[cfg(target_os = "linux")]
pub mod sockets;

mod runtime;
mod workload;

pub use runtime::{Handle, Runtime, Signal, Visitor};
pub use workload::{Workload, WorkloadVisitor};
