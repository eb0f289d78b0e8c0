//! Locks, events, conditions, semaphores, barriers and queues for one thread, under any executor.

#![deny(missing_docs)]
#![forbid(unsafe_code)]

mod closed;
mod guard;
mod handle;
mod name;
mod permits;
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
