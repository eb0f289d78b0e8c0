//! The one error that is the reactor's own.

use std::error::Error;
use std::fmt;
use std::io;

/// The key names no source of this reactor: it was deregistered, or never registered here.
///
/// It arrives inside an [`io::Error`] of kind [`io::ErrorKind::NotConnected`], which is what a task sees that waited
/// for a source while another one deregistered it.
///
/// ```
/// use corio_reactor::{Direction, NotRegistered, Reactor, SourceKey};
/// use std::task::{Context, Poll, Waker};
///
/// let reactor = Reactor::new()?;
/// let nothing = SourceKey::from_bits(0);
/// let mut cx = Context::from_waker(Waker::noop());
/// let Poll::Ready(Err(error)) = reactor.poll_ready(nothing, Direction::Read, &mut cx) else { unreachable!() };
/// assert_eq!(error.kind(), std::io::ErrorKind::NotConnected);
/// assert!(NotRegistered::is_cause_of(&error));
/// # std::io::Result::Ok(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct NotRegistered;

impl NotRegistered {
    /// Whether `error` is this one, and not an error of the operating system of the same kind.
    pub fn is_cause_of(error: &io::Error) -> bool {
        error
            .get_ref()
            .is_some_and(|inner| inner.is::<NotRegistered>())
    }
}

impl fmt::Display for NotRegistered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the source is not registered with this reactor")
    }
}

impl Error for NotRegistered {}

impl From<NotRegistered> for io::Error {
    fn from(error: NotRegistered) -> io::Error {
        io::Error::new(io::ErrorKind::NotConnected, error)
    }
}
