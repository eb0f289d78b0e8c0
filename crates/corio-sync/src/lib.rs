//! Locks, events, conditions, semaphores, barriers and queues for one thread, under any executor.

#![deny(missing_docs)]
#![forbid(unsafe_code)]

mod guard;
mod handle;
mod name;
mod permits;
mod waiters;

pub mod barrier;
pub mod bounded_semaphore;
pub mod condition;
pub mod event;
pub mod limiter;
pub mod lock;
pub mod observe;
pub mod queue;
pub mod rwlock;
pub mod semaphore;

pub use barrier::{Barrier, BrokenBarrier};
pub use bounded_semaphore::{BoundedSemaphore, ReleasedTooOften};
pub use condition::Condition;
pub use event::Event;
pub use guard::{LockGuard, OwnedLockGuard};
pub use limiter::CapacityLimiter;
pub use lock::Lock;
pub use queue::{LifoQueue, PriorityQueue, Queue, QueueShutDown};
pub use rwlock::RwLock;
pub use semaphore::{OwnedPermit, Permit, Semaphore};
