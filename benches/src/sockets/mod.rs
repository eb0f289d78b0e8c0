//! Servers of several runtimes under the same load, each in a process of its own.
//!
//! ```text
//!   the benchmark ──starts──▶ server, on the first core       CPU time: what the system has counted for this process
//!        └─────────starts──▶ load, on the second core         requests, how long each one took
//! ```
//!
//! | module | noun |
//! | --- | --- |
//! | [`servers`] | the contenders: echo and hello in the way of each runtime, and by hand over epoll |
//! | [`load`] | the one program that all of them are asked by |
//! | [`plan`] | which loads there are |
//! | [`measure`] | one contender under one load: the two processes, and what is counted |
//! | [`report`] | all of it, in turns, and the tables |

pub mod load;
pub mod measure;
pub mod plan;
pub mod report;
pub mod servers;

mod cores;
