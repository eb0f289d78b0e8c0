//! Locks, events, conditions, semaphores, barriers, queues and channels for tasks that share one thread,
//! under any executor.
//!
//! Tasks of one thread need no atomics to agree with each other, only an order: who waits, who is next,
//! and that nothing is lost when somebody who was next goes away. That is what these types are. They
//! carry asyncio's names and keep its rules, down to the turn in which a waiter runs.
//!
//! ```text
//!   acquire / get / wait                     release / put / set
//!          |                                         |
//!          v  not now                                v
//!      +-------+-------+-------+   chosen, in    +-------+
//!      |  4th  |  3rd  |  2nd  | --------------> |  1st  |  woken; takes its turn on its next poll,
//!      +-------+-------+-------+    order        +-------+  or is dropped and passes it on
//! ```
//!
//! ```
//! use corio_sync::{Lock, Queue};
//! # use futures_lite::future;
//! # future::block_on(async {
//! let jobs = Queue::bounded(8).named("jobs");
//! let done = Lock::new(Vec::new()).named("done");
//! let worker = async || {
//!     while let Ok(job) = jobs.get().await {
//!         done.acquire().await.push(job);
//!         jobs.task_done();
//!     }
//! };
//! let boss = async {
//!     for job in 0..20 {
//!         jobs.put(job).await.unwrap();
//!     }
//!     jobs.join().await;
//!     jobs.shutdown(false);
//! };
//! future::zip(boss, future::zip(worker(), worker())).await;
//! assert_eq!(done.acquire().await.len(), 20);
//! # });
//! ```
//!
//! | module | what is in it |
//! | --- | --- |
//! | [`lock`] | [`Lock`]: one task at a time; [`LockGuard`], [`OwnedLockGuard`] |
//! | [`rwlock`] | [`RwLock`]: many readers or one writer |
//! | [`condition`] | [`Condition`]: waiting, under a lock, for a change |
//! | [`event`] | [`Event`]: a flag to wait for |
//! | [`semaphore`], [`bounded_semaphore`] | [`Semaphore`], [`BoundedSemaphore`]: a number of permits |
//! | [`limiter`] | [`CapacityLimiter`]: how many at once, adjustable |
//! | [`barrier`] | [`Barrier`]: tasks that wait for each other |
//! | [`queue`] | [`Queue`], [`PriorityQueue`], [`LifoQueue`]: items, with `task_done`, `join` and an end |
//! | [`mod@channel`] | [`channel()`]: a queue with two ends |
//! | [`oneshot`] | one value, once: allocated, of a pool, or in a slot |
//! | [`broadcast`] | every value to every receiver |
//! | [`watch`] | the latest value |
//! | [`observe`] | the hook by which a runtime learns what its tasks wait for |
//!
//! # Guarantees
//!
//! - What need not wait does not suspend and allocates nothing; waiting allocates nothing once the line
//!   has had its length.
//! - First come, first served. Where something is handed over (lock, permit), nobody overtakes, not even
//!   the task that gave it back. A queue gives an item to whoever asks when it is there.
//! - A future may be dropped at any point: what it had been given goes to the next, or back.
//! - A future or guard that is leaked may block others for ever. It breaks nothing else.
//! - No waker, destructor or closure of yours runs while anything is borrowed inside; all of them may use
//!   the object they belong to.
//! - One thread: no type is `Send` or `Sync`, errors excepted. Between threads any channel works.

#![deny(missing_docs)]
#![forbid(unsafe_code)]

mod closed;
mod guard;
mod handle;
mod name;
mod permits;
mod sides;
mod waiters;

pub mod barrier;
pub mod bounded_semaphore;
pub mod broadcast;
pub mod channel;
pub mod condition;
pub mod event;
pub mod limiter;
pub mod lock;
pub mod observe;
pub mod oneshot;
pub mod queue;
pub mod rwlock;
pub mod semaphore;
pub mod watch;

pub use barrier::{Barrier, BrokenBarrier};
pub use bounded_semaphore::{BoundedSemaphore, ReleasedTooOften};
pub use channel::{channel, unbounded_channel};
pub use closed::{Closed, RecvNowaitError, SendError, SendNowaitError};
pub use condition::Condition;
pub use event::Event;
pub use guard::{Guard, LockGuard, OwnedLockGuard, Reacquire};
pub use limiter::CapacityLimiter;
pub use lock::Lock;
pub use queue::{LifoQueue, PriorityQueue, Queue, QueueShutDown};
pub use rwlock::RwLock;
pub use semaphore::{OwnedPermit, Permit, Semaphore};
