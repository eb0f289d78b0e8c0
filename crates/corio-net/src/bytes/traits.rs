//! The traits of futures-io, on streams and their halves.

use std::io::{self, IoSlice, IoSliceMut};
use std::net::Shutdown;
use std::pin::Pin;
use std::task::{Context, Poll};

use corio_reactor::Direction;
use futures_io::{AsyncRead, AsyncWrite};

use super::{
    ByteStream, OwnedReadHalf, OwnedWriteHalf, ReadHalf, StreamSocket, WriteHalf, goal, shut_down,
    vectored_goal,
};

/// Reads, for implementations of reading traits.
#[inline]
pub(crate) fn poll_read<S: ByteStream>(
    stream: &S,
    cx: &mut Context<'_>,
    buf: &mut [u8],
) -> Poll<io::Result<usize>> {
    if buf.is_empty() {
        return Poll::Ready(Ok(0));
    }
    let goal = goal::<S::Os>(Direction::Read, buf.len());
    let source = stream.source();
    source.poll_bytes(Direction::Read, cx, goal, |os| os.receive(buf))
}

pub(crate) fn poll_read_vectored<S: ByteStream>(
    stream: &S,
    cx: &mut Context<'_>,
    bufs: &mut [IoSliceMut<'_>],
) -> Poll<io::Result<usize>> {
    let lens = bufs.iter().map(|buf| buf.len());
    let (total, goal) = vectored_goal::<S::Os>(Direction::Read, lens);
    if total == 0 {
        return Poll::Ready(Ok(0));
    }
    let source = stream.source();
    source.poll_bytes(Direction::Read, cx, goal, |os| os.receive_vectored(bufs))
}

/// Writes, for implementations of writing traits.
#[inline]
pub(crate) fn poll_write<S: ByteStream>(
    stream: &S,
    cx: &mut Context<'_>,
    buf: &[u8],
) -> Poll<io::Result<usize>> {
    if buf.is_empty() {
        return Poll::Ready(Ok(0));
    }
    let goal = goal::<S::Os>(Direction::Write, buf.len());
    let source = stream.source();
    source.poll_bytes(Direction::Write, cx, goal, |os| os.transmit(buf))
}

pub(crate) fn poll_write_vectored<S: ByteStream>(
    stream: &S,
    cx: &mut Context<'_>,
    bufs: &[IoSlice<'_>],
) -> Poll<io::Result<usize>> {
    let lens = bufs.iter().map(|buf| buf.len());
    let (total, goal) = vectored_goal::<S::Os>(Direction::Write, lens);
    if total == 0 {
        return Poll::Ready(Ok(0));
    }
    let source = stream.source();
    source.poll_bytes(Direction::Write, cx, goal, |os| os.transmit_vectored(bufs))
}

/// Ends what is written. Nothing is buffered here, so this never waits.
pub(crate) fn close<S: ByteStream>(stream: &S) -> io::Result<()> {
    shut_down(stream.source(), Shutdown::Write)
}

macro_rules! reads {
    ([$($generics:tt)*] $reader:ty, |$this:ident| $stream:expr) => {
        impl<$($generics)*> AsyncRead for $reader {
            #[inline]
            fn poll_read(
                self: Pin<&mut Self>,
                cx: &mut Context<'_>,
                buf: &mut [u8],
            ) -> Poll<io::Result<usize>> {
                let $this = self.get_mut();
                poll_read($stream, cx, buf)
            }

            fn poll_read_vectored(
                self: Pin<&mut Self>,
                cx: &mut Context<'_>,
                bufs: &mut [IoSliceMut<'_>],
            ) -> Poll<io::Result<usize>> {
                let $this = self.get_mut();
                poll_read_vectored($stream, cx, bufs)
            }
        }
    };
}

/// `poll_close` ends what is written, as `shutdown` does; the connection itself is closed when it is dropped.
macro_rules! writes {
    ([$($generics:tt)*] $writer:ty, |$this:ident| $stream:expr) => {
        impl<$($generics)*> AsyncWrite for $writer {
            #[inline]
            fn poll_write(
                self: Pin<&mut Self>,
                cx: &mut Context<'_>,
                buf: &[u8],
            ) -> Poll<io::Result<usize>> {
                let $this = self.get_mut();
                poll_write($stream, cx, buf)
            }

            fn poll_write_vectored(
                self: Pin<&mut Self>,
                cx: &mut Context<'_>,
                bufs: &[IoSlice<'_>],
            ) -> Poll<io::Result<usize>> {
                let $this = self.get_mut();
                poll_write_vectored($stream, cx, bufs)
            }

            fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
                Poll::Ready(Ok(()))
            }

            fn poll_close(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
                let $this = self.get_mut();
                Poll::Ready(close($stream))
            }
        }
    };
}

reads!([] crate::TcpStream, |this| &*this);
reads!([] & crate::TcpStream, |this| *this);
writes!([] crate::TcpStream, |this| &*this);
writes!([] & crate::TcpStream, |this| *this);

#[cfg(unix)]
mod unix {
    use super::*;

    reads!([] crate::UnixStream, |this| &*this);
    reads!([] & crate::UnixStream, |this| *this);
    writes!([] crate::UnixStream, |this| &*this);
    writes!([] & crate::UnixStream, |this| *this);
}

reads!([S: ByteStream] ReadHalf<'_, S>, |this| this.stream());
writes!([S: ByteStream] WriteHalf<'_, S>, |this| this.stream());
reads!([S: ByteStream] OwnedReadHalf<S>, |this| this.stream());
writes!([S: ByteStream] OwnedWriteHalf<S>, |this| this.stream());
