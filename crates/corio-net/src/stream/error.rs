//! What reading from a stream may end with.

use std::error::Error;
use std::fmt;
use std::io;
use std::sync::Arc;

/// The stream has ended before what was asked for was there.
#[derive(Clone, PartialEq, Eq)]
pub struct IncompleteReadError {
    /// What there was. It is not in the stream any more.
    pub partial: Vec<u8>,
    /// How many bytes were asked for, if that was a number.
    pub expected: Option<usize>,
}

/// There are more bytes than the limit of the stream allows, and no separator among them, or one behind them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LimitOverrunError {
    /// How many bytes can be taken without a part of a separator among them. They are in the stream still, unless
    /// [`readline`](crate::StreamReader::readline) says so.
    pub consumed: usize,
    pub(super) found: bool,
}

/// How a read that asks for something particular can fail.
///
/// It becomes an [`io::Error`] by `?`: of the kinds [`UnexpectedEof`](io::ErrorKind::UnexpectedEof) and
/// [`InvalidData`](io::ErrorKind::InvalidData), or the one it is.
#[derive(Debug)]
#[non_exhaustive]
pub enum ReadError {
    /// The stream has ended.
    Incomplete(IncompleteReadError),
    /// The limit was passed.
    LimitOverrun(LimitOverrunError),
    /// The connection has failed.
    Io(io::Error),
}

impl fmt::Debug for IncompleteReadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("IncompleteReadError")
            .field("partial", &self.partial.escape_ascii().to_string())
            .field("expected", &self.expected)
            .finish()
    }
}

impl fmt::Display for IncompleteReadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let partial = self.partial.len();
        match self.expected {
            Some(expected) => write!(
                f,
                "the stream ended after {partial} of {expected} expected bytes"
            ),
            None => write!(
                f,
                "the stream ended after {partial} bytes without a separator"
            ),
        }
    }
}

impl fmt::Display for LimitOverrunError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.found {
            "the separator was found, but behind more bytes than the limit allows"
        } else {
            "the separator was not found within the limit"
        })
    }
}

impl fmt::Display for ReadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ReadError::Incomplete(error) => error.fmt(f),
            ReadError::LimitOverrun(error) => error.fmt(f),
            ReadError::Io(error) => error.fmt(f),
        }
    }
}

impl Error for IncompleteReadError {}

impl Error for LimitOverrunError {}

impl Error for ReadError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            ReadError::Incomplete(_) | ReadError::LimitOverrun(_) => None,
            ReadError::Io(error) => error.source(),
        }
    }
}

impl From<io::Error> for ReadError {
    fn from(error: io::Error) -> ReadError {
        ReadError::Io(error)
    }
}

impl From<ReadError> for io::Error {
    fn from(error: ReadError) -> io::Error {
        match error {
            ReadError::Incomplete(error) => io::Error::new(io::ErrorKind::UnexpectedEof, error),
            ReadError::LimitOverrun(error) => io::Error::new(io::ErrorKind::InvalidData, error),
            ReadError::Io(error) => error,
        }
    }
}

/// An error that is given to everybody who asks.
#[derive(Clone, Debug)]
pub(crate) struct LastingError(Arc<io::Error>);

impl LastingError {
    pub(crate) fn new(error: io::Error) -> LastingError {
        LastingError(Arc::new(error))
    }

    /// An error of which the original goes elsewhere.
    pub(crate) fn of(error: &io::Error) -> LastingError {
        LastingError::new(match error.raw_os_error() {
            Some(number) => io::Error::from_raw_os_error(number),
            None => io::Error::new(error.kind(), error.to_string()),
        })
    }

    /// The error once more: that of the operating system, or one of the same kind that says the same.
    pub(crate) fn again(&self) -> io::Error {
        match self.0.raw_os_error() {
            Some(number) => io::Error::from_raw_os_error(number),
            None => io::Error::new(self.0.kind(), self.clone()),
        }
    }
}

impl fmt::Display for LastingError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl Error for LastingError {
    /// What the error is made of, such as one of TLS.
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        let inner = self.0.get_ref()?;
        Some(inner)
    }
}
