//! The futures that read.

use std::fmt;
use std::future::Future;
use std::io::{self, IoSliceMut};
use std::panic::Location;
use std::pin::Pin;
use std::task::{Context, Poll};

use corio_reactor::Direction;
use corio_runtime::IoWaiter;

use super::sealed::Stream;
use super::{ByteStream, StreamSocket, goal, vectored_goal};
use crate::tcp::TcpStream;

/// Reads into a buffer what there is. Made by `read` of a stream or of its half.
///
/// # Cancel safety
///
/// Dropped before it is ready, it has taken no byte.
#[must_use = "a future does nothing unless it is awaited"]
pub struct ReadSome<'a, S: ByteStream> {
    pub(super) stream: &'a S,
    pub(super) buf: &'a mut [u8],
    waiter: IoWaiter,
}

/// Reads into several buffers, one after the other. Made by `read_vectored` of a stream or of its half.
///
/// # Cancel safety
///
/// Dropped before it is ready, it has taken no byte.
#[must_use = "a future does nothing unless it is awaited"]
pub struct ReadVectored<'a, 'b, S: ByteStream> {
    stream: &'a S,
    bufs: &'a mut [IoSliceMut<'b>],
    waiter: IoWaiter,
}

/// Reads without consuming. Made by [`TcpStream::peek`].
///
/// # Cancel safety
///
/// It takes no byte, dropped or not.
#[must_use = "a future does nothing unless it is awaited"]
pub struct Peek<'a> {
    stream: &'a TcpStream,
    buf: &'a mut [u8],
    waiter: IoWaiter,
}

impl<'a, S: ByteStream> ReadSome<'a, S> {
    pub(crate) fn new(
        stream: &'a S,
        buf: &'a mut [u8],
        site: &'static Location<'static>,
    ) -> ReadSome<'a, S> {
        ReadSome {
            stream,
            buf,
            waiter: IoWaiter::new(&S::kinds().read, site),
        }
    }
}

impl<'a, 'b, S: ByteStream> ReadVectored<'a, 'b, S> {
    pub(crate) fn new(
        stream: &'a S,
        bufs: &'a mut [IoSliceMut<'b>],
        site: &'static Location<'static>,
    ) -> ReadVectored<'a, 'b, S> {
        ReadVectored {
            stream,
            bufs,
            waiter: IoWaiter::new(&S::kinds().read, site),
        }
    }
}

impl<'a> Peek<'a> {
    pub(crate) fn new(
        stream: &'a TcpStream,
        buf: &'a mut [u8],
        site: &'static Location<'static>,
    ) -> Peek<'a> {
        Peek {
            stream,
            buf,
            waiter: IoWaiter::new(&TcpStream::kinds().peek, site),
        }
    }
}

impl<S: ByteStream> Future for ReadSome<'_, S> {
    type Output = io::Result<usize>;

    #[inline]
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<usize>> {
        let this = &mut *self;
        if this.buf.is_empty() {
            return Poll::Ready(Ok(0));
        }
        let goal = goal::<S::Os>(Direction::Read, this.buf.len());
        let source = this.stream.source();
        source.poll_bytes_as(Direction::Read, &mut this.waiter, cx, goal, |os| {
            os.receive(this.buf)
        })
    }
}

impl<S: ByteStream> Future for ReadVectored<'_, '_, S> {
    type Output = io::Result<usize>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<usize>> {
        let this = &mut *self;
        let lens = this.bufs.iter().map(|buf| buf.len());
        let (total, goal) = vectored_goal::<S::Os>(Direction::Read, lens);
        if total == 0 {
            return Poll::Ready(Ok(0));
        }
        let source = this.stream.source();
        source.poll_bytes_as(Direction::Read, &mut this.waiter, cx, goal, |os| {
            os.receive_vectored(this.bufs)
        })
    }
}

impl Future for Peek<'_> {
    type Output = io::Result<usize>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<usize>> {
        let this = &mut *self;
        let source = this.stream.source();
        source.poll_io_as(Direction::Read, &mut this.waiter, cx, |os| {
            os.peek(this.buf)
        })
    }
}

impl<S: ByteStream> fmt::Debug for ReadSome<'_, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("ReadSome").field(&self.waiter).finish()
    }
}

impl<S: ByteStream> fmt::Debug for ReadVectored<'_, '_, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("ReadVectored").field(&self.waiter).finish()
    }
}

impl fmt::Debug for Peek<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Peek").field(&self.waiter).finish()
    }
}
