//! What can be registered, and what is kept about it.

use std::io;
#[cfg(unix)]
use std::os::fd::{AsFd, AsRawFd, RawFd};
#[cfg(windows)]
use std::os::windows::io::{AsRawSocket, AsSocket, RawSocket};
use std::sync::Arc;
use std::task::Waker;

use crate::direction::{Direction, Directions};
use crate::flags::ReadyFlags;
use crate::readiness::Tidings;
use crate::waiters::WaitList;

/// Something the operating system can report readiness of: whatever has a file descriptor.
#[cfg(unix)]
pub trait AsSource: AsFd {}
#[cfg(unix)]
impl<T: AsFd + ?Sized> AsSource for T {}

/// Something the operating system can report readiness of: whatever has a socket.
#[cfg(windows)]
pub trait AsSource: AsSocket {}
#[cfg(windows)]
impl<T: AsSocket + ?Sized> AsSource for T {}

#[cfg(unix)]
pub(crate) type RawSource = RawFd;
#[cfg(windows)]
pub(crate) type RawSource = RawSocket;

/// The number under which the operating system knows the source.
pub(crate) fn raw(source: &(impl AsSource + ?Sized)) -> RawSource {
    #[cfg(unix)]
    return source.as_fd().as_raw_fd();
    #[cfg(windows)]
    return source.as_socket().as_raw_socket();
}

/// A registered source: the table's entry.
#[derive(Debug)]
pub(crate) struct Source {
    pub(crate) raw: RawSource,
    /// In one-shot mode, what the operating system has been asked to report and has not reported yet.
    pub(crate) armed: Directions,
    failure: Option<Failure>,
    pub(crate) flags: Arc<ReadyFlags>,
    read: WaitList,
    write: WaitList,
}

/// An error of the operating system, in a form that every waiter can get a copy of.
#[derive(Debug, Clone, Copy)]
enum Failure {
    Os(i32),
    Kind(io::ErrorKind),
}

impl Source {
    /// The flags say what has to be reckoned with before the first event.
    pub(crate) fn new(raw: RawSource, flags: Arc<ReadyFlags>) -> Source {
        Source {
            raw,
            armed: Directions::NONE,
            failure: None,
            flags,
            read: WaitList::default(),
            write: WaitList::default(),
        }
    }

    #[inline]
    pub(crate) fn waiters(&mut self, direction: Direction) -> &mut WaitList {
        match direction {
            Direction::Read => &mut self.read,
            Direction::Write => &mut self.write,
        }
    }

    /// The directions somebody waits for.
    pub(crate) fn wanted(&self) -> Directions {
        Directions {
            read: !self.read.is_empty(),
            write: !self.write.is_empty(),
        }
    }

    /// How many wait, in both directions.
    pub(crate) fn waiting(&self) -> usize {
        self.read.len() + self.write.len()
    }

    /// An event came: the direction is ready, and whoever waited for it goes to `wakers`.
    #[inline(always)]
    pub(crate) fn event(&mut self, ready: Directions, tidings: Tidings, wakers: &mut Vec<Waker>) {
        if ready.read {
            self.flags.event(Direction::Read, tidings);
            self.read.drain_into(wakers);
        }
        if ready.write {
            self.flags.event(Direction::Write, tidings);
            self.write.drain_into(wakers);
        }
    }

    /// The source will not report anything any more: whoever waits must hear of it, and whoever asks. Neither direction is ready
    /// from here on, so that only those who are about to wait look for a failure.
    pub(crate) fn fail(&mut self, error: &io::Error, wakers: &mut Vec<Waker>) {
        self.failure = Some(match error.raw_os_error() {
            Some(code) => Failure::Os(code),
            None => Failure::Kind(error.kind()),
        });
        self.flags.end();
        self.drain_into(wakers);
    }

    /// All waiters of both directions go to `wakers`.
    pub(crate) fn drain_into(&mut self, wakers: &mut Vec<Waker>) {
        self.read.drain_into(wakers);
        self.write.drain_into(wakers);
    }

    pub(crate) fn failure(&self) -> Option<io::Error> {
        self.failure.map(|failure| match failure {
            Failure::Os(code) => io::Error::from_raw_os_error(code),
            Failure::Kind(kind) => kind.into(),
        })
    }
}
