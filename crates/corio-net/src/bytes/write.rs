//! The futures that write.

use std::fmt;
use std::future::Future;
use std::io::{self, IoSlice};
use std::panic::Location;
use std::pin::Pin;
use std::task::{Context, Poll};

use corio_reactor::Direction;
use corio_runtime::IoWaiter;

use super::{ByteStream, StreamSocket, goal, vectored_goal};

/// Writes as much of a buffer as there is room for. Made by `write` of a stream or of its half.
///
/// # Cancel safety
///
/// Dropped before it is ready, it has written no byte.
#[must_use = "a future does nothing unless it is awaited"]
pub struct WriteSome<'a, S: ByteStream> {
    pub(super) stream: &'a S,
    pub(super) buf: &'a [u8],
    waiter: IoWaiter,
}

/// Writes from several buffers, one after the other. Made by `write_vectored` of a stream or of its half.
///
/// # Cancel safety
///
/// Dropped before it is ready, it has written no byte.
#[must_use = "a future does nothing unless it is awaited"]
pub struct WriteVectored<'a, 'b, S: ByteStream> {
    stream: &'a S,
    bufs: &'a [IoSlice<'b>],
    waiter: IoWaiter,
}

impl<'a, S: ByteStream> WriteSome<'a, S> {
    pub(crate) fn new(
        stream: &'a S,
        buf: &'a [u8],
        site: &'static Location<'static>,
    ) -> WriteSome<'a, S> {
        WriteSome {
            stream,
            buf,
            waiter: IoWaiter::new(&S::kinds().write, site),
        }
    }
}

impl<'a, 'b, S: ByteStream> WriteVectored<'a, 'b, S> {
    pub(crate) fn new(
        stream: &'a S,
        bufs: &'a [IoSlice<'b>],
        site: &'static Location<'static>,
    ) -> WriteVectored<'a, 'b, S> {
        WriteVectored {
            stream,
            bufs,
            waiter: IoWaiter::new(&S::kinds().write, site),
        }
    }
}

impl<S: ByteStream> Future for WriteSome<'_, S> {
    type Output = io::Result<usize>;

    #[inline]
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<usize>> {
        let this = &mut *self;
        if this.buf.is_empty() {
            return Poll::Ready(Ok(0));
        }
        let goal = goal::<S::Os>(Direction::Write, this.buf.len());
        let source = this.stream.source();
        source.poll_bytes_as(Direction::Write, &mut this.waiter, cx, goal, |os| {
            os.transmit(this.buf)
        })
    }
}

impl<S: ByteStream> Future for WriteVectored<'_, '_, S> {
    type Output = io::Result<usize>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<usize>> {
        let this = &mut *self;
        let lens = this.bufs.iter().map(|buf| buf.len());
        let (total, goal) = vectored_goal::<S::Os>(Direction::Write, lens);
        if total == 0 {
            return Poll::Ready(Ok(0));
        }
        let source = this.stream.source();
        source.poll_bytes_as(Direction::Write, &mut this.waiter, cx, goal, |os| {
            os.transmit_vectored(this.bufs)
        })
    }
}

impl<S: ByteStream> fmt::Debug for WriteSome<'_, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("WriteSome").field(&self.waiter).finish()
    }
}

impl<S: ByteStream> fmt::Debug for WriteVectored<'_, '_, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("WriteVectored").field(&self.waiter).finish()
    }
}
