//! Why a run gave no value.

use std::error::Error;
use std::fmt;
use std::io;

use corio_core::{Cancelled, Panic, TaskError};

/// A run ended without a value.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum RunError {
    /// Ctrl-C.
    #[doc(alias = "KeyboardInterrupt")]
    Interrupted,
    /// The loop was stopped before the target had ended.
    Stopped,
    /// The target was cancelled.
    Cancelled(Cancelled),
    /// The target, a task, panicked.
    Panicked(Panic),
    /// The target, a child of a group, ended with an error that is with its group.
    Failed,
}

impl RunError {
    pub(crate) fn of(error: TaskError) -> RunError {
        match error {
            TaskError::Cancelled(cancelled) => RunError::Cancelled(cancelled),
            TaskError::Panicked(panic) => RunError::Panicked(panic),
            TaskError::NotDone => RunError::Stopped,
            _ => RunError::Failed,
        }
    }
}

impl fmt::Display for RunError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            RunError::Interrupted => f.write_str("interrupted by Ctrl-C"),
            RunError::Stopped => {
                f.write_str("the event loop was stopped before the target had ended")
            }
            RunError::Cancelled(cancelled) => fmt::Display::fmt(cancelled, f),
            RunError::Panicked(panic) => write!(f, "the task {panic}"),
            RunError::Failed => f.write_str("the task failed, and its error is with its group"),
        }
    }
}

impl Error for RunError {}

impl From<RunError> for io::Error {
    fn from(error: RunError) -> io::Error {
        io::Error::other(error)
    }
}
