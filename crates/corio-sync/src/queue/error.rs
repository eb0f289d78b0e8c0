//! What can go wrong with a queue.

use std::error::Error;
use std::fmt;

/// The queue was shut down. [`put`](super::OrderedQueue::put) gives the item back in it.
#[derive(Clone, Copy, PartialEq, Eq)]
#[doc(alias("asyncio.QueueShutDown", "SendError", "RecvError"))]
pub struct QueueShutDown<T = ()>(pub T);

/// Why [`put_nowait`](super::OrderedQueue::put_nowait) did not take the item, which is in it.
#[derive(Clone, Copy, PartialEq, Eq)]
#[doc(alias("QueueFull", "asyncio.QueueFull", "TrySendError"))]
pub enum PutNowaitError<T> {
    /// There is no room.
    Full(T),
    /// The queue was shut down.
    ShutDown(T),
}

/// Why [`get_nowait`](super::OrderedQueue::get_nowait) has no item.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[doc(alias("QueueEmpty", "asyncio.QueueEmpty", "TryRecvError"))]
pub enum GetNowaitError {
    /// There is none at the moment.
    Empty,
    /// There is none, and none will come: the queue was shut down.
    ShutDown,
}

impl<T> QueueShutDown<T> {
    /// The item that was not put.
    pub fn into_inner(self) -> T {
        self.0
    }
}

impl<T> PutNowaitError<T> {
    /// The item that was not put.
    pub fn into_inner(self) -> T {
        match self {
            PutNowaitError::Full(item) | PutNowaitError::ShutDown(item) => item,
        }
    }

    /// Whether there was no room.
    pub fn is_full(&self) -> bool {
        matches!(self, PutNowaitError::Full(_))
    }

    /// Whether the queue was shut down.
    pub fn is_shut_down(&self) -> bool {
        matches!(self, PutNowaitError::ShutDown(_))
    }
}

impl GetNowaitError {
    /// Whether there is no item at the moment.
    pub fn is_empty(&self) -> bool {
        matches!(self, GetNowaitError::Empty)
    }

    /// Whether the queue was shut down.
    pub fn is_shut_down(&self) -> bool {
        matches!(self, GetNowaitError::ShutDown)
    }
}

const SHUT_DOWN: &str = "the queue was shut down";

impl<T> fmt::Debug for QueueShutDown<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("QueueShutDown")
    }
}

impl<T> fmt::Display for QueueShutDown<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(SHUT_DOWN)
    }
}

impl<T> fmt::Debug for PutNowaitError<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.is_full() { "Full" } else { "ShutDown" })
    }
}

impl<T> fmt::Display for PutNowaitError<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.is_full() {
            "the queue is full"
        } else {
            SHUT_DOWN
        })
    }
}

impl fmt::Display for GetNowaitError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.is_empty() {
            "the queue is empty"
        } else {
            SHUT_DOWN
        })
    }
}

impl<T> Error for QueueShutDown<T> {}
impl<T> Error for PutNowaitError<T> {}
impl Error for GetNowaitError {}
