//! The error of everything that has a time limit.

use std::error::Error;
use std::fmt;
use std::io;

/// The time was up before the work was done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
#[doc(alias = "Elapsed")]
pub struct TimeoutError;

impl TimeoutError {
    /// The error, for code with time limits of its own.
    pub const fn new() -> TimeoutError {
        TimeoutError
    }
}

impl fmt::Display for TimeoutError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("timed out")
    }
}

impl Error for TimeoutError {}

impl From<TimeoutError> for io::Error {
    fn from(error: TimeoutError) -> io::Error {
        io::Error::new(io::ErrorKind::TimedOut, error)
    }
}
