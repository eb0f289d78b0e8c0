//! How a task can end without a value, and the error of setting a promise twice.

use std::any::Any;
use std::error::Error;
use std::fmt;
use std::io;
use std::panic::resume_unwind;
use std::sync::Arc;

use parking_lot::Mutex;

pub(crate) use crate::cancel::Cancelled;

/// Why a task has no value to give.
#[derive(Clone, Debug)]
#[non_exhaustive]
#[doc(alias = "JoinError")]
pub enum TaskError {
    /// The task has not ended yet, or a done callback of it is still queued or running.
    NotDone,
    /// The task was cancelled.
    Cancelled(Cancelled),
    /// The task panicked.
    Panicked(Panic),
    /// The task was the child of a group and ended with an error, which has moved into the group.
    Failed,
}

impl TaskError {
    /// The task has not ended yet.
    pub fn is_not_done(&self) -> bool {
        matches!(self, TaskError::NotDone)
    }

    /// The task was cancelled.
    pub fn is_cancelled(&self) -> bool {
        matches!(self, TaskError::Cancelled(_))
    }

    /// The task panicked.
    pub fn is_panic(&self) -> bool {
        matches!(self, TaskError::Panicked(_))
    }
}

impl fmt::Display for TaskError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            TaskError::NotDone => f.write_str("the task is not done"),
            TaskError::Cancelled(cancelled) => fmt::Display::fmt(cancelled, f),
            TaskError::Panicked(panic) => fmt::Display::fmt(panic, f),
            TaskError::Failed => f.write_str("the task failed, and its error is with its group"),
        }
    }
}

impl Error for TaskError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            TaskError::Cancelled(cancelled) => Some(cancelled),
            _ => None,
        }
    }
}

impl From<TaskError> for io::Error {
    fn from(error: TaskError) -> io::Error {
        let kind = match error {
            TaskError::Cancelled(_) => io::ErrorKind::Interrupted,
            TaskError::NotDone => io::ErrorKind::WouldBlock,
            _ => io::ErrorKind::Other,
        };
        // `Interrupted` would be retried by everything that reads in a loop, which a cancelled task must not be.
        let kind = if kind == io::ErrorKind::Interrupted {
            io::ErrorKind::Other
        } else {
            kind
        };
        io::Error::new(kind, error)
    }
}

/// The panic of a task: its message, and its payload for whoever wants to go on with it.
#[derive(Clone)]
pub struct Panic(Arc<PanicInfo>);

struct PanicInfo {
    message: String,
    payload: Mutex<Option<Box<dyn Any + Send>>>,
}

impl Panic {
    pub(crate) fn new(payload: Box<dyn Any + Send>) -> Panic {
        let message = if let Some(text) = payload.downcast_ref::<&str>() {
            (*text).to_owned()
        } else if let Some(text) = payload.downcast_ref::<String>() {
            text.clone()
        } else {
            "a payload that is not a string".to_owned()
        };
        Panic(Arc::new(PanicInfo {
            message,
            payload: Mutex::new(Some(payload)),
        }))
    }

    /// A panic made from the payload that `std::panic::catch_unwind` gave.
    pub fn from_payload(payload: Box<dyn Any + Send>) -> Panic {
        Panic::new(payload)
    }

    /// What the panic said.
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// Goes on with the panic on this thread, with the original payload the first time and with the message after that.
    ///
    /// # Panics
    ///
    /// Always; that is what it is for. The panic hook is not called again.
    pub fn resume(self) -> ! {
        let payload = self.0.payload.lock().take();
        match payload {
            Some(payload) => resume_unwind(payload),
            None => resume_unwind(Box::new(self.0.message.clone())),
        }
    }
}

impl fmt::Debug for Panic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Panic").field(&self.0.message).finish()
    }
}

impl fmt::Display for Panic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "panicked: {}", self.0.message)
    }
}

impl Error for Panic {}

/// A promise already had its outcome when another one was given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[doc(alias = "InvalidStateError")]
pub struct InvalidState;

impl fmt::Display for InvalidState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the promise already has an outcome")
    }
}

impl Error for InvalidState {}
