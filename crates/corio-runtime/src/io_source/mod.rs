//! `IoSource`: a handle of the operating system, joined to the loop that polls it.

mod attempt;
mod futures;
pub(crate) mod here;
mod place;
mod primitive;
mod refusal;
mod waiter;

use std::fmt;
use std::io;
use std::panic::Location;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll};

use corio_core::waiting::WaitKind;
use corio_reactor::{AsSource, Direction, Reactor, ReadyFlags, SourceKey};

pub use self::futures::{IoReady, TryIo};
use self::place::{Left, Place};
use self::refusal::Refusal;
pub use self::waiter::IoWaiter;

/// A non-blocking socket, pipe or other handle, joined to the reactor of the loop that polls it.
///
/// It is `Send` and `Sync` whenever `S` is: it holds the number of a loop and a key, not a pointer. It joins a loop when it is
/// first polled there, and may be made, moved and dropped anywhere. Polled on another loop later it joins that one and leaves
/// the first; whoever still waits at the first is woken with an error of kind [`NotConnected`](io::ErrorKind::NotConnected).
/// For use by two loops at the same time, give each a duplicate of the handle.
///
/// An operation is tried first and waits only if it would block. Any number of tasks may wait for the same direction.
///
/// ```
/// use corio_runtime::{self as corio, IoSource};
/// use std::net::UdpSocket;
///
/// let socket = UdpSocket::bind("127.0.0.1:0")?;
/// socket.set_nonblocking(true)?;
/// socket.connect(socket.local_addr()?)?;
/// let socket = IoSource::new(socket);
/// corio::run(async {
///     socket.write_io(|socket| socket.send(b"to myself")).await?;
///     let mut buffer = [0; 16];
///     let length = socket.read_io(|socket| socket.recv(&mut buffer)).await?;
///     assert_eq!(&buffer[..length], b"to myself");
///     std::io::Result::Ok(())
/// })?;
/// # std::io::Result::Ok(())
/// ```
#[doc(alias = "AsyncFd")]
#[doc(alias = "Async")]
pub struct IoSource<S: AsSource> {
    place: Place,
    /// What the first loop knows about the readiness; see `attempt.rs`.
    flags: OnceLock<Arc<ReadyFlags>>,
    /// There may be duplicates of the handle, so that closing it need not end the watch. Never taken back.
    is_shared: AtomicBool,
    /// It joins no loop, and so nothing is ever tried.
    refusal: Option<Refusal>,
    /// Absent only while it goes.
    source: Option<S>,
}

static READ: WaitKind = WaitKind::new("IoSource::read");
static WRITE: WaitKind = WaitKind::new("IoSource::write");

impl<S: AsSource> IoSource<S> {
    /// Takes a handle. Nothing is asked of the operating system, and no loop is needed.
    ///
    /// The handle has to be in non-blocking mode already; otherwise an operation blocks the whole loop.
    pub fn new(source: S) -> IoSource<S> {
        IoSource::nowhere(source, true)
    }

    /// As [`new`](IoSource::new), for a handle whose preparation may have failed, most often the switch to non-blocking mode; `outcome`
    /// is what came of it.
    ///
    /// After a failure no operation is tried, for it might block the loop. The first one gives the error, as does each that follows;
    /// what is kept of the error is its number, or else its kind.
    pub fn prepared(source: S, outcome: io::Result<()>) -> IoSource<S> {
        let mut prepared = IoSource::nowhere(source, true);
        prepared.refusal = outcome.err().map(|error| Refusal::of(&error));
        prepared
    }

    /// As [`new`](IoSource::new), for a handle of which there is no duplicate: one that has just come from the operating system.
    /// Where closing such a handle ends its watch, that is left to the close, which spares a system call for each connection.
    ///
    /// Whoever makes it [lends](IoSource::lend) the handle to those who might duplicate it. A duplicate that comes into being
    /// otherwise does no harm but this: after the source is gone, what the duplicate receives wakes the loop for nothing.
    pub fn unshared(source: S) -> IoSource<S> {
        IoSource::nowhere(source, false)
    }

    fn nowhere(source: S, is_shared: bool) -> IoSource<S> {
        IoSource {
            place: Place::nowhere(),
            flags: OnceLock::new(),
            is_shared: AtomicBool::new(is_shared),
            refusal: None,
            source: Some(source),
        }
    }

    /// The handle, for somebody who may duplicate it.
    pub fn lend(&self) -> &S {
        // Whoever has a duplicate on another thread has got it there in a way that orders this store before.
        self.is_shared.store(true, Ordering::Relaxed);
        self.get_ref()
    }

    /// The handle. Operations on it that fail because they would block have to go through this source, so that it learns of it.
    #[inline]
    pub fn get_ref(&self) -> &S {
        self.source.as_ref().expect("present until it goes")
    }

    /// The handle. It must not be replaced by another one while it is registered: then neither is reported any more.
    pub fn get_mut(&mut self) -> &mut S {
        *self.is_shared.get_mut() = true;
        self.source.as_mut().expect("present until it goes")
    }

    /// Leaves the loop and gives the handle back, in non-blocking mode.
    pub fn into_inner(mut self) -> S {
        self.leave(false);
        self.source.take().expect("present until it goes")
    }

    /// Tries `op`, and again whenever the handle is ready to be read, until it does something else than block.
    ///
    /// For implementations of `poll_..` methods. The waker stays with the source until the next event, also if the caller loses
    /// interest; a future of its own takes it back, see [`read_io`](IoSource::read_io) and
    /// [`poll_io_as`](IoSource::poll_io_as).
    ///
    /// # Errors
    ///
    /// Those of `op` except [`WouldBlock`](io::ErrorKind::WouldBlock) and [`Interrupted`](io::ErrorKind::Interrupted), and those
    /// of registering the handle: the operating system cannot watch it, a limit is reached, or it was not
    /// [prepared](IoSource::prepared).
    ///
    /// # Panics
    ///
    /// When no loop is running on this thread.
    #[track_caller]
    #[inline]
    pub fn poll_read_io<R>(
        &self,
        cx: &mut Context<'_>,
        op: impl FnMut(&S) -> io::Result<R>,
    ) -> Poll<io::Result<R>> {
        self.poll_anonymous(Direction::Read, cx, op, |_| false)
    }

    /// Tries `op`, and again whenever the handle is ready to be written. Otherwise as [`poll_read_io`](IoSource::poll_read_io).
    ///
    /// # Errors
    ///
    /// As [`poll_read_io`](IoSource::poll_read_io).
    ///
    /// # Panics
    ///
    /// When no loop is running on this thread.
    #[track_caller]
    #[inline]
    pub fn poll_write_io<R>(
        &self,
        cx: &mut Context<'_>,
        op: impl FnMut(&S) -> io::Result<R>,
    ) -> Poll<io::Result<R>> {
        self.poll_anonymous(Direction::Write, cx, op, |_| false)
    }

    /// As [`poll_read_io`](IoSource::poll_read_io) and [`poll_write_io`](IoSource::poll_write_io), for an `op` that moves at
    /// most `len` bytes of a **stream socket** and consumes what it moves. Where the system reports readiness by edges, one that
    /// moved fewer is taken to have met the end of what there is or of the room there is, which spares the attempt that would
    /// only say "would block".
    ///
    /// That is wrong for whatever keeps the borders of messages, such as datagrams or descriptors that are passed along with
    /// bytes.
    ///
    /// # Errors
    ///
    /// As [`poll_read_io`](IoSource::poll_read_io).
    ///
    /// # Panics
    ///
    /// When no loop is running on this thread.
    #[track_caller]
    #[inline]
    pub fn poll_bytes(
        &self,
        direction: Direction,
        cx: &mut Context<'_>,
        len: usize,
        op: impl FnMut(&S) -> io::Result<usize>,
    ) -> Poll<io::Result<usize>> {
        self.poll_anonymous(direction, cx, op, |moved| 0 < *moved && *moved < len)
    }

    /// Tries `op`, and again whenever the handle is ready in this direction, for a leaf future that has a waiter. The waker is taken
    /// back when the waiter is dropped, and while it waits, task lists show what it is.
    ///
    /// # Errors
    ///
    /// As [`poll_read_io`](IoSource::poll_read_io), and [`NotConnected`](io::ErrorKind::NotConnected) if the source has gone to
    /// another loop while this operation waited.
    ///
    /// # Panics
    ///
    /// When no loop is running on this thread.
    #[track_caller]
    #[inline]
    pub fn poll_io_as<R>(
        &self,
        direction: Direction,
        waiter: &mut IoWaiter,
        cx: &mut Context<'_>,
        op: impl FnMut(&S) -> io::Result<R>,
    ) -> Poll<io::Result<R>> {
        let shown = waiter.shown();
        self.poll_op(direction, Some(waiter), shown, cx, op, |_| false)
    }

    /// As [`poll_io_as`](IoSource::poll_io_as), for bytes of a stream socket: see [`poll_bytes`](IoSource::poll_bytes).
    ///
    /// # Errors
    ///
    /// As [`poll_io_as`](IoSource::poll_io_as).
    ///
    /// # Panics
    ///
    /// When no loop is running on this thread.
    #[track_caller]
    #[inline]
    pub fn poll_bytes_as(
        &self,
        direction: Direction,
        waiter: &mut IoWaiter,
        cx: &mut Context<'_>,
        len: usize,
        op: impl FnMut(&S) -> io::Result<usize>,
    ) -> Poll<io::Result<usize>> {
        let shown = waiter.shown();
        let drained = |moved: &usize| 0 < *moved && *moved < len;
        self.poll_op(direction, Some(waiter), shown, cx, op, drained)
    }

    #[track_caller]
    #[inline]
    fn poll_anonymous<R>(
        &self,
        direction: Direction,
        cx: &mut Context<'_>,
        op: impl FnMut(&S) -> io::Result<R>,
        drained: impl Fn(&R) -> bool,
    ) -> Poll<io::Result<R>> {
        let kind = match direction {
            Direction::Read => &READ,
            Direction::Write => &WRITE,
        };
        let shown = (kind, Location::caller());
        self.poll_op(direction, None, shown, cx, op, drained)
    }

    /// The key at the running loop.
    #[inline]
    fn join(&self, number: u64, reactor: &Reactor) -> io::Result<SourceKey> {
        match self.place.key_at(number) {
            Some(key) => Ok(key),
            None => self.join_anew(number, reactor),
        }
    }

    #[cold]
    fn join_anew(&self, number: u64, reactor: &Reactor) -> io::Result<SourceKey> {
        if let Some(refusal) = self.refusal {
            return Err(refusal.error());
        }
        // Asked for before the lock is held: whatever it is, it is foreign code.
        let handle = handle(self.get_ref());
        let (left, joined) = self.place.change(
            number,
            |left| detach(left, handle, false),
            || {
                let key = reactor.register(handle)?;
                // Kept from the first time on; those of later loops are not looked for here.
                let _ = self.flags.set(reactor.flags(key)?);
                Ok((key, reactor.detacher()))
            },
        );
        if let Some(left) = left {
            here::at_loop(left.of_loop, move |reactor| {
                reactor.forget(left.key);
            });
        }
        joined
    }

    /// `closes`: the handle is closed next.
    fn leave(&mut self, closes: bool) {
        let (Some(left), Some(source)) = (self.place.take(), &self.source) else {
            return;
        };
        detach(&left, source, closes && !*self.is_shared.get_mut());
        here::at_loop(left.of_loop, move |reactor| {
            reactor.forget(left.key);
        });
    }
}

impl<S: AsSource> Drop for IoSource<S> {
    fn drop(&mut self) {
        self.leave(true);
    }
}

impl<S: AsSource + fmt::Debug> fmt::Debug for IoSource<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("IoSource")
            .field("source", &self.source)
            .field("of_loop", &self.place.of_loop())
            .finish_non_exhaustive()
    }
}

/// Ends the watch, or leaves that to the close of the only handle. An error says that there is none, or that the loop is going
/// away itself; both are as good.
fn detach(left: &Left, source: impl AsSource, closes: bool) {
    let _ = if closes {
        left.detacher.detach_closing(source)
    } else {
        left.detacher.detach(source)
    };
}

#[cfg(unix)]
fn handle(source: &impl AsSource) -> std::os::fd::BorrowedFd<'_> {
    source.as_fd()
}

#[cfg(windows)]
fn handle(source: &impl AsSource) -> std::os::windows::io::BorrowedSocket<'_> {
    source.as_socket()
}
