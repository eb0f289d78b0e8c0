//! Locks, events, conditions, semaphores, barriers and queues for one thread, under any executor.

#![deny(missing_docs)]
#![forbid(unsafe_code)]
