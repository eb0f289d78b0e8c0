//! `IoSource`: a handle of the operating system, joined to the loop that polls it.

mod futures;
mod here;
mod place;
mod primitive;
mod waiter;

use std::fmt;
use std::io;
use std::panic::Location;
use std::rc::Rc;
use std::task::{Context, Poll};

use corio_core::waiting::{self, WaitKind};
use corio_reactor::{AsSource, Direction, Reactor, SourceKey};

pub use self::futures::{IoReady, TryIo};
use self::place::{Left, Place};
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
        IoSource {
            place: Place::nowhere(),
            source: Some(source),
        }
    }

    /// The handle. Operations on it that fail because they would block have to go through this source, so that it learns of it.
    #[inline]
    pub fn get_ref(&self) -> &S {
        self.source.as_ref().expect("present until it goes")
    }

    /// The handle. It must not be replaced by another one while it is registered: then neither is reported any more.
    pub fn get_mut(&mut self) -> &mut S {
        self.source.as_mut().expect("present until it goes")
    }

    /// Leaves the loop and gives the handle back, in non-blocking mode.
    pub fn into_inner(mut self) -> S {
        self.leave();
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
    /// of registering the handle: the operating system cannot watch it, or a limit is reached.
    ///
    /// # Panics
    ///
    /// When no loop is running on this thread.
    #[track_caller]
    pub fn poll_read_io<R>(
        &self,
        cx: &mut Context<'_>,
        mut op: impl FnMut(&S) -> io::Result<R>,
    ) -> Poll<io::Result<R>> {
        let op = || op(self.get_ref());
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
    pub fn poll_write_io<R>(
        &self,
        cx: &mut Context<'_>,
        mut op: impl FnMut(&S) -> io::Result<R>,
    ) -> Poll<io::Result<R>> {
        let op = || op(self.get_ref());
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
    pub fn poll_bytes(
        &self,
        direction: Direction,
        cx: &mut Context<'_>,
        len: usize,
        mut op: impl FnMut(&S) -> io::Result<usize>,
    ) -> Poll<io::Result<usize>> {
        let op = || op(self.get_ref());
        self.poll_anonymous(direction, cx, op, |moved| 0 < *moved && *moved < len)
    }

    /// Tries `op` in the direction of `waiter`, for a leaf future that has one. The waker is taken back when the waiter is
    /// dropped, and while it waits, task lists show what it is.
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
        waiter: &mut IoWaiter,
        cx: &mut Context<'_>,
        mut op: impl FnMut(&S) -> io::Result<R>,
    ) -> Poll<io::Result<R>> {
        self.poll_as(waiter, cx, || op(self.get_ref()), |_| false)
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
        waiter: &mut IoWaiter,
        cx: &mut Context<'_>,
        len: usize,
        mut op: impl FnMut(&S) -> io::Result<usize>,
    ) -> Poll<io::Result<usize>> {
        let drained = |moved: &usize| 0 < *moved && *moved < len;
        self.poll_as(waiter, cx, || op(self.get_ref()), drained)
    }

    #[track_caller]
    fn poll_anonymous<R>(
        &self,
        direction: Direction,
        cx: &mut Context<'_>,
        op: impl FnMut() -> io::Result<R>,
        drained: impl Fn(&R) -> bool,
    ) -> Poll<io::Result<R>> {
        let kind = match direction {
            Direction::Read => &READ,
            Direction::Write => &WRITE,
        };
        let (number, reactor) = here::running(kind.name());
        let key = self.join(number, &reactor)?;
        let result = attempt(&reactor, key, direction, op, drained, || {
            reactor.poll_ready(key, direction, cx)
        });
        if result.is_pending() {
            waiting::note(kind, Location::caller());
        }
        result
    }

    #[track_caller]
    #[inline]
    fn poll_as<R>(
        &self,
        waiter: &mut IoWaiter,
        cx: &mut Context<'_>,
        op: impl FnMut() -> io::Result<R>,
        drained: impl Fn(&R) -> bool,
    ) -> Poll<io::Result<R>> {
        let (number, reactor) = here::running(waiter.kind.name());
        let key = self.join_as(waiter, number, &reactor)?;
        let direction = waiter.direction;
        let result = attempt(&reactor, key, direction, op, drained, || {
            reactor.poll_ready_as(key, direction, &mut waiter.token, cx)
        });
        match &result {
            Poll::Pending => {
                waiter.at = Some((number, key));
                waiting::note(waiter.kind, waiter.site);
            }
            // An event has taken all waiters off the list.
            Poll::Ready(Ok(_)) => waiter.at = None,
            Poll::Ready(Err(_)) => waiter.withdraw(),
        }
        result
    }

    /// The key at the running loop, for an operation that may have waited.
    #[inline]
    fn join_as(
        &self,
        waiter: &mut IoWaiter,
        number: u64,
        reactor: &Reactor,
    ) -> io::Result<SourceKey> {
        match waiter.at {
            Some((of_loop, key)) if of_loop == number => match self.place.key_at(number) {
                Some(now) if now == key => Ok(now),
                Some(now) => {
                    waiter.withdraw();
                    Ok(now)
                }
                // Two loops that take the source from each other would never get anything done.
                None => {
                    waiter.withdraw();
                    Err(moved())
                }
            },
            Some(_) => {
                waiter.withdraw();
                self.join(number, reactor)
            }
            None => self.join(number, reactor),
        }
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
        // Asked for before the lock is held: whatever it is, it is foreign code.
        let handle = handle(self.get_ref());
        let (left, joined) = self.place.change(
            number,
            |left| detach(left, handle),
            || Ok((reactor.register(handle)?, reactor.detacher())),
        );
        if let Some(left) = left {
            here::at_loop(left.of_loop, move |reactor| {
                reactor.forget(left.key);
            });
        }
        joined
    }

    fn leave(&mut self) {
        let (Some(left), Some(source)) = (self.place.take(), &self.source) else {
            return;
        };
        detach(&left, source);
        here::at_loop(left.of_loop, move |reactor| {
            reactor.forget(left.key);
        });
    }
}

impl<S: AsSource> Drop for IoSource<S> {
    fn drop(&mut self) {
        self.leave();
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

/// Tries `op` whenever `poll_ready` says that it pays to.
#[inline]
fn attempt<R>(
    reactor: &Rc<Reactor>,
    key: SourceKey,
    direction: Direction,
    mut op: impl FnMut() -> io::Result<R>,
    drained: impl Fn(&R) -> bool,
    mut poll_ready: impl FnMut() -> Poll<io::Result<corio_reactor::Ticket>>,
) -> Poll<io::Result<R>> {
    loop {
        let ticket = match poll_ready() {
            Poll::Ready(ticket) => ticket?,
            Poll::Pending => return Poll::Pending,
        };
        match op() {
            Ok(result) => {
                if drained(&result) {
                    reactor.clear_drained(key, direction, ticket);
                }
                return Poll::Ready(Ok(result));
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                reactor.clear_ready(key, direction, ticket);
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Poll::Ready(Err(error)),
        }
    }
}

#[cold]
fn moved() -> io::Error {
    io::Error::new(
        io::ErrorKind::NotConnected,
        "the source was taken to another event loop while this operation waited",
    )
}

/// Ends the watch. An error says that there is none, or that the loop is going away itself; both are as good.
fn detach(left: &Left, source: impl AsSource) {
    let _ = left.detacher.detach(source);
}

#[cfg(unix)]
fn handle(source: &impl AsSource) -> std::os::fd::BorrowedFd<'_> {
    source.as_fd()
}

#[cfg(windows)]
fn handle(source: &impl AsSource) -> std::os::windows::io::BorrowedSocket<'_> {
    source.as_socket()
}
