//! The futures of an `IoSource`.

use std::fmt;
use std::future::Future;
use std::io;
use std::panic::Location;
use std::pin::Pin;
use std::task::{Context, Poll};

use corio_core::waiting::WaitKind;
use corio_reactor::{AsSource, Direction};

use super::{IoSource, IoWaiter, READ, WRITE};

static READABLE: WaitKind = WaitKind::new("IoSource::readable");
static TRY: WaitKind = WaitKind::new("IoSource::try_io");
static WRITABLE: WaitKind = WaitKind::new("IoSource::writable");

impl<S: AsSource> IoSource<S> {
    /// Tries `op`, and again whenever the handle is ready to be read, until it does something else than block.
    ///
    /// # Errors
    ///
    /// As [`poll_io_as`](IoSource::poll_io_as).
    ///
    /// # Panics
    ///
    /// When it is polled on a thread where no loop is running.
    ///
    /// # Cancel safety
    ///
    /// Dropped before it is ready, `op` has not succeeded: the last call of it, if there was one, would have blocked.
    #[track_caller]
    pub fn read_io<R, F>(&self, op: F) -> TryIo<'_, S, F>
    where
        F: FnMut(&S) -> io::Result<R>,
    {
        TryIo {
            source: self,
            direction: Direction::Read,
            waiter: IoWaiter::new(&READ, Location::caller()),
            op,
        }
    }

    /// Tries `op`, and again whenever the handle is ready to be written, until it does something else than block.
    ///
    /// # Errors
    ///
    /// As [`poll_io_as`](IoSource::poll_io_as).
    ///
    /// # Panics
    ///
    /// When it is polled on a thread where no loop is running.
    ///
    /// # Cancel safety
    ///
    /// Dropped before it is ready, `op` has not succeeded: the last call of it, if there was one, would have blocked.
    #[track_caller]
    pub fn write_io<R, F>(&self, op: F) -> TryIo<'_, S, F>
    where
        F: FnMut(&S) -> io::Result<R>,
    {
        TryIo {
            source: self,
            direction: Direction::Write,
            waiter: IoWaiter::new(&WRITE, Location::caller()),
            op,
        }
    }

    /// Waits until reading may not block. A handle counts as ready until [`try_read_io`](IoSource::try_read_io) or another
    /// operation of this source has found otherwise, so the two are used in turns.
    ///
    /// ```
    /// # use corio_runtime::{self as corio, IoSource};
    /// # use std::io::{self, Read, Write};
    /// async fn read(source: &IoSource<std::net::TcpStream>, buffer: &mut [u8]) -> io::Result<usize> {
    ///     loop {
    ///         source.readable().await?;
    ///         match source.try_read_io(|mut stream| stream.read(buffer)) {
    ///             Err(error) if error.kind() == io::ErrorKind::WouldBlock => continue,
    ///             result => return result,
    ///         }
    ///     }
    /// }
    /// # let listener = std::net::TcpListener::bind("127.0.0.1:0")?;
    /// # let mut client = std::net::TcpStream::connect(listener.local_addr()?)?;
    /// # let (server, _) = listener.accept()?;
    /// # server.set_nonblocking(true)?;
    /// # let sender = std::thread::spawn(move || client.write_all(b"hi"));
    /// # let source = IoSource::new(server);
    /// # let mut buffer = [0; 8];
    /// # assert_eq!(corio::run(read(&source, &mut buffer))?, 2);
    /// # sender.join().unwrap()?;
    /// # io::Result::Ok(())
    /// ```
    ///
    /// # Errors
    ///
    /// As [`poll_io_as`](IoSource::poll_io_as).
    ///
    /// # Panics
    ///
    /// When it is polled on a thread where no loop is running.
    ///
    /// # Cancel safety
    ///
    /// Safe: readiness is not consumed by waiting for it.
    #[track_caller]
    pub fn readable(&self) -> IoReady<'_, S> {
        IoReady {
            source: self,
            direction: Direction::Read,
            waiter: IoWaiter::new(&READABLE, Location::caller()),
        }
    }

    /// Waits until writing may not block. Otherwise as [`readable`](IoSource::readable).
    ///
    /// # Errors
    ///
    /// As [`poll_io_as`](IoSource::poll_io_as).
    ///
    /// # Panics
    ///
    /// When it is polled on a thread where no loop is running.
    ///
    /// # Cancel safety
    ///
    /// Safe: readiness is not consumed by waiting for it.
    #[track_caller]
    pub fn writable(&self) -> IoReady<'_, S> {
        IoReady {
            source: self,
            direction: Direction::Write,
            waiter: IoWaiter::new(&WRITABLE, Location::caller()),
        }
    }

    /// Tries to read once. If that would block, the next [`readable`](IoSource::readable) waits.
    ///
    /// # Errors
    ///
    /// Those of `op`, [`WouldBlock`](io::ErrorKind::WouldBlock) among them, and those of registering the handle.
    ///
    /// # Panics
    ///
    /// When no loop is running on this thread.
    #[track_caller]
    pub fn try_read_io<R>(&self, op: impl FnOnce(&S) -> io::Result<R>) -> io::Result<R> {
        self.try_io(Direction::Read, op)
    }

    /// Tries to write once. If that would block, the next [`writable`](IoSource::writable) waits.
    ///
    /// # Errors
    ///
    /// Those of `op`, [`WouldBlock`](io::ErrorKind::WouldBlock) among them, and those of registering the handle.
    ///
    /// # Panics
    ///
    /// When no loop is running on this thread.
    #[track_caller]
    pub fn try_write_io<R>(&self, op: impl FnOnce(&S) -> io::Result<R>) -> io::Result<R> {
        self.try_io(Direction::Write, op)
    }

    #[track_caller]
    fn try_io<R>(
        &self,
        direction: Direction,
        op: impl FnOnce(&S) -> io::Result<R>,
    ) -> io::Result<R> {
        let (number, reactor) = super::here::running(&TRY);
        let key = self.join(number, &reactor)?;
        let ticket = reactor.ticket(key, direction);
        let result = op(self.get_ref());
        if let (Err(error), Some(ticket)) = (&result, ticket) {
            if error.kind() == io::ErrorKind::WouldBlock {
                reactor.clear_ready(key, direction, ticket);
            }
        }
        result
    }
}

/// Tries an operation until it does not block. Made by [`IoSource::read_io`] and [`IoSource::write_io`].
#[must_use = "a future does nothing unless it is awaited"]
pub struct TryIo<'a, S: AsSource, F> {
    source: &'a IoSource<S>,
    direction: Direction,
    waiter: IoWaiter,
    op: F,
}

/// The operation is called, never pinned.
impl<S: AsSource, F> Unpin for TryIo<'_, S, F> {}

impl<S, R, F> Future for TryIo<'_, S, F>
where
    S: AsSource,
    F: FnMut(&S) -> io::Result<R>,
{
    type Output = io::Result<R>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<R>> {
        let this = &mut *self;
        this.source
            .poll_io_as(this.direction, &mut this.waiter, cx, &mut this.op)
    }
}

impl<S: AsSource, F> fmt::Debug for TryIo<'_, S, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("TryIo").field(&self.waiter).finish()
    }
}

/// Waits until a source is ready in one direction. Made by [`IoSource::readable`] and [`IoSource::writable`].
#[must_use = "a future does nothing unless it is awaited"]
pub struct IoReady<'a, S: AsSource> {
    source: &'a IoSource<S>,
    direction: Direction,
    waiter: IoWaiter,
}

impl<S: AsSource> Future for IoReady<'_, S> {
    type Output = io::Result<()>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = &mut *self;
        this.source
            .poll_io_as(this.direction, &mut this.waiter, cx, |_| Ok(()))
    }
}

impl<S: AsSource> fmt::Debug for IoReady<'_, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("IoReady").field(&self.waiter).finish()
    }
}
