//! The futures that move a whole buffer.

use std::fmt;
use std::future::Future;
use std::io;
use std::mem;
use std::panic::Location;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use super::{ByteStream, OwnedReadHalf, OwnedWriteHalf, ReadHalf, ReadSome, WriteHalf, WriteSome};
use crate::tcp::TcpStream;
#[cfg(unix)]
use crate::unix::UnixStream;

/// Fills a buffer. Made by `read_exact` of a stream or of its half.
///
/// # Cancel safety
///
/// Dropped before it is ready, it has taken a part of what has arrived, and nobody knows how much. Where that matters,
/// [`StreamReader::readexactly`](crate::StreamReader::readexactly) takes all or nothing.
#[must_use = "a future does nothing unless it is awaited"]
pub struct ReadExact<'a, S: ByteStream> {
    next: ReadSome<'a, S>,
    site: &'static Location<'static>,
}

/// Writes all of a buffer. Made by `write_all` of a stream or of its half.
///
/// # Cancel safety
///
/// Dropped before it is ready, it has written a part of the buffer, and nobody knows how much.
#[must_use = "a future does nothing unless it is awaited"]
pub struct WriteAll<'a, S: ByteStream> {
    next: WriteSome<'a, S>,
    site: &'static Location<'static>,
}

impl<'a, S: ByteStream> ReadExact<'a, S> {
    fn new(stream: &'a S, buf: &'a mut [u8], site: &'static Location<'static>) -> ReadExact<'a, S> {
        ReadExact {
            next: ReadSome::new(stream, buf, site),
            site,
        }
    }
}

impl<'a, S: ByteStream> WriteAll<'a, S> {
    fn new(stream: &'a S, buf: &'a [u8], site: &'static Location<'static>) -> WriteAll<'a, S> {
        WriteAll {
            next: WriteSome::new(stream, buf, site),
            site,
        }
    }
}

impl<S: ByteStream> Future for ReadExact<'_, S> {
    type Output = io::Result<()>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = &mut *self;
        while !this.next.buf.is_empty() {
            let length = ready!(Pin::new(&mut this.next).poll(cx))?;
            if length == 0 {
                return Poll::Ready(Err(io::ErrorKind::UnexpectedEof.into()));
            }
            let rest = &mut mem::take(&mut this.next.buf)[length..];
            this.next = ReadSome::new(this.next.stream, rest, this.site);
        }
        Poll::Ready(Ok(()))
    }
}

impl<S: ByteStream> Future for WriteAll<'_, S> {
    type Output = io::Result<()>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = &mut *self;
        while !this.next.buf.is_empty() {
            let length = ready!(Pin::new(&mut this.next).poll(cx))?;
            if length == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            let rest = &this.next.buf[length..];
            this.next = WriteSome::new(this.next.stream, rest, this.site);
        }
        Poll::Ready(Ok(()))
    }
}

impl<S: ByteStream> fmt::Debug for ReadExact<'_, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("ReadExact").field(&self.next).finish()
    }
}

impl<S: ByteStream> fmt::Debug for WriteAll<'_, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("WriteAll").field(&self.next).finish()
    }
}

macro_rules! reads_exact {
    ($([$($generics:tt)*] $type:ty, $stream:ty, |$self:ident| $of:expr;)+) => {$(
        impl<$($generics)*> $type {
            /// Fills the buffer.
            ///
            /// # Errors
            ///
            /// Those of the connection; [`UnexpectedEof`](io::ErrorKind::UnexpectedEof) when it ends before the buffer is full.
            ///
            /// # Panics
            ///
            /// When it is polled on a thread where no loop is running.
            ///
            /// # Cancel safety
            ///
            /// Dropped before it is ready, it has taken a part of what has arrived, and nobody knows how much.
            #[doc(alias = "readexactly")]
            #[track_caller]
            pub fn read_exact<'a>(&'a $self, buf: &'a mut [u8]) -> ReadExact<'a, $stream> {
                ReadExact::new($of, buf, Location::caller())
            }
        }
    )+};
}

macro_rules! writes_all {
    ($([$($generics:tt)*] $type:ty, $stream:ty, |$self:ident| $of:expr;)+) => {$(
        impl<$($generics)*> $type {
            /// Writes all of the buffer.
            ///
            /// # Errors
            ///
            /// Those of the connection.
            ///
            /// # Panics
            ///
            /// When it is polled on a thread where no loop is running.
            ///
            /// # Cancel safety
            ///
            /// Dropped before it is ready, it has written a part of the buffer, and nobody knows how much.
            #[doc(alias = "sendall")]
            #[track_caller]
            pub fn write_all<'a>(&'a $self, buf: &'a [u8]) -> WriteAll<'a, $stream> {
                WriteAll::new($of, buf, Location::caller())
            }
        }
    )+};
}

reads_exact! {
    [] TcpStream, TcpStream, |self| self;
    [S: ByteStream] ReadHalf<'_, S>, S, |self| self.stream();
    [S: ByteStream] OwnedReadHalf<S>, S, |self| self.stream();
}

writes_all! {
    [] TcpStream, TcpStream, |self| self;
    [S: ByteStream] WriteHalf<'_, S>, S, |self| self.stream();
    [S: ByteStream] OwnedWriteHalf<S>, S, |self| self.stream();
}

#[cfg(unix)]
reads_exact! {
    [] UnixStream, UnixStream, |self| self;
}

#[cfg(unix)]
writes_all! {
    [] UnixStream, UnixStream, |self| self;
}
