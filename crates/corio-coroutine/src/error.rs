//! How a resume, and a close, can fail.

use std::error::Error;
use std::fmt;

use crate::Thrown;

/// Why a resume brought no yielded value.
///
/// The common one is the orderly end, [`Returned`](ResumeError::Returned), which carries what the body returned.
///
/// ```
/// use corio_coroutine::{Generator, ResumeError};
///
/// let once = Generator::new(async |co| {
///     co.yield_(1).await;
///     "that was all"
/// });
/// assert_eq!(once.next().unwrap(), 1);
/// assert!(matches!(once.next(), Err(ResumeError::Returned("that was all"))));
/// assert!(matches!(once.next(), Err(ResumeError::Exhausted)));
/// ```
#[doc(alias = "StopIteration")]
#[doc(alias = "StopAsyncIteration")]
#[derive(Debug)]
#[non_exhaustive]
pub enum ResumeError<R = ()> {
    /// The body ended during this resume, with this value. It is given out once.
    Returned(R),
    /// The coroutine had ended before. Nothing ran.
    Exhausted,
    /// An error left the body: thrown in and not caught there, or raised by the body itself. The coroutine is closed.
    Thrown(Thrown),
    /// A value was sent where no yield waits for one: to a coroutine that has not started, or that is
    /// [`Blocked`](ResumeError::Blocked). Nothing ran, the value is dropped, the coroutine is as it was.
    NotAtYield,
    /// The coroutine was resumed from inside its own body. Nothing ran and nothing changed.
    Running,
    /// The body awaits something that is not ready and nobody is there to wait with it. The coroutine stays
    /// suspended; a later `next` looks again. Only an [`AsyncCoroutine`](crate::AsyncCoroutine) can wait.
    Blocked,
}

impl<R> ResumeError<R> {
    /// What the body returned, if this is how it ended.
    pub fn returned(self) -> Option<R> {
        match self {
            ResumeError::Returned(value) => Some(value),
            _ => None,
        }
    }

    /// Whether the coroutine is at its end: it returned now or before.
    pub fn is_end(&self) -> bool {
        matches!(self, ResumeError::Returned(_) | ResumeError::Exhausted)
    }
}

impl<R> fmt::Display for ResumeError<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            ResumeError::Returned(_) => "the coroutine returned",
            ResumeError::Exhausted => "the coroutine has ended before",
            ResumeError::Thrown(thrown) => {
                return write!(f, "an error left the coroutine: {thrown}");
            }
            ResumeError::NotAtYield => {
                "a value was sent to a coroutine that does not wait at a yield"
            }
            ResumeError::Running => "the coroutine is already running",
            ResumeError::Blocked => "the coroutine awaits something that is not ready",
        })
    }
}

impl<R: fmt::Debug> Error for ResumeError<R> {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            ResumeError::Thrown(thrown) => thrown.source(),
            _ => None,
        }
    }
}

/// Why `close` was not a quiet end. Except after [`Running`](CloseError::Running), the coroutine is closed all the same.
#[derive(Debug)]
#[non_exhaustive]
pub enum CloseError {
    /// The body caught the close and yielded again. The value and the body were dropped.
    Yielded,
    /// The body caught the close and let an error out.
    Thrown(Thrown),
    /// The body caught the close and awaited something that was not ready. The body was dropped there.
    Blocked,
    /// The coroutine was closed from inside its own body. Nothing changed.
    Running,
}

impl fmt::Display for CloseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            CloseError::Yielded => "the coroutine yielded while it was being closed",
            CloseError::Thrown(thrown) => {
                return write!(
                    f,
                    "an error left the coroutine while it was being closed: {thrown}"
                );
            }
            CloseError::Blocked => {
                "the coroutine awaited something that is not ready while it was being closed"
            }
            CloseError::Running => "the coroutine is already running",
        })
    }
}

impl Error for CloseError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            CloseError::Thrown(thrown) => thrown.source(),
            _ => None,
        }
    }
}
