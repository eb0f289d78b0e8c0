//! Work that blocks, on threads of its own.
//!
//! ```text
//!   loop                               pool                          loop
//!   to_thread(f).await ── job ──▶ first in, first out ── outcome ──▶ the waker of who waits
//!                                 a thread takes it
//! ```
//!
//! * `pool`: [`BlockingPool`], its options, and its end
//! * `threads`: the line of jobs and what a thread of the pool does
//! * `job`: a job, and the way of its outcome back to who waits
//! * `stake`: what a job has in a loop while it waits for that loop
//! * `to_thread`: [`to_thread`](to_thread()), [`ToThread`]

mod job;
mod pool;
mod stake;
mod threads;
mod to_thread;

pub use pool::{BlockingPool, BlockingPoolBuilder, JobInfo};
pub use to_thread::{ToThread, to_thread};

pub(crate) use pool::{LoopPool, thread_name};
pub(crate) use stake::{Stake, stake_here};
