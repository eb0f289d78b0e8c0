//! The traits of tokio on streams.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// A stream with the traits of futures-io, for what wants those of tokio: `Tokio::new(tls_stream)`. The streams of this crate need
/// it not.
///
/// ```
/// # use corio_runtime as corio;
/// use corio_net::{UnixStream, compat::Tokio};
/// use tokio::io::AsyncWrite;
///
/// fn wants_tokio(_: impl AsyncWrite) {}
///
/// let (a, b) = UnixStream::pair()?;
/// wants_tokio(a);
/// wants_tokio(Tokio::new(futures_lite::io::BufWriter::new(b)));
/// # std::io::Result::Ok(())
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct Tokio<T> {
    inner: T,
}

impl<T> Tokio<T> {
    /// Wraps a stream.
    pub fn new(inner: T) -> Tokio<T> {
        Tokio { inner }
    }

    /// The stream.
    pub fn get_ref(&self) -> &T {
        &self.inner
    }

    /// The stream.
    pub fn get_mut(&mut self) -> &mut T {
        &mut self.inner
    }

    /// The stream, without the wrapper.
    pub fn into_inner(self) -> T {
        self.inner
    }
}

/// Reads into the part of a buffer that is not filled.
fn poll_read(
    buf: &mut ReadBuf<'_>,
    read: impl FnOnce(&mut [u8]) -> Poll<io::Result<usize>>,
) -> Poll<io::Result<()>> {
    let length = ready!(read(buf.initialize_unfilled()))?;
    buf.advance(length);
    Poll::Ready(Ok(()))
}

impl<T: futures_io::AsyncRead + Unpin> AsyncRead for Tokio<T> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let inner = Pin::new(&mut self.inner);
        poll_read(buf, |buf| inner.poll_read(cx, buf))
    }
}

impl<T: futures_io::AsyncWrite + Unpin> AsyncWrite for Tokio<T> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.inner).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_close(cx)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.inner).poll_write_vectored(cx, bufs)
    }
}

macro_rules! own_readers {
    ($([$($generics:tt)*] $reader:ty),+) => {$(
        impl<$($generics)*> AsyncRead for $reader {
            fn poll_read(
                self: Pin<&mut Self>,
                cx: &mut Context<'_>,
                buf: &mut ReadBuf<'_>,
            ) -> Poll<io::Result<()>> {
                poll_read(buf, |buf| futures_io::AsyncRead::poll_read(self, cx, buf))
            }
        }
    )+};
}

macro_rules! own_writers {
    ($([$($generics:tt)*] $writer:ty),+) => {$(
        impl<$($generics)*> AsyncWrite for $writer {
            fn poll_write(
                self: Pin<&mut Self>,
                cx: &mut Context<'_>,
                buf: &[u8],
            ) -> Poll<io::Result<usize>> {
                futures_io::AsyncWrite::poll_write(self, cx, buf)
            }

            fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
                futures_io::AsyncWrite::poll_flush(self, cx)
            }

            fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
                futures_io::AsyncWrite::poll_close(self, cx)
            }

            fn poll_write_vectored(
                self: Pin<&mut Self>,
                cx: &mut Context<'_>,
                bufs: &[IoSlice<'_>],
            ) -> Poll<io::Result<usize>> {
                futures_io::AsyncWrite::poll_write_vectored(self, cx, bufs)
            }

            fn is_write_vectored(&self) -> bool {
                true
            }
        }
    )+};
}

own_readers!([] crate::TcpStream, [S: crate::ByteStream] crate::ReadHalf<'_, S>, [S: crate::ByteStream] crate::OwnedReadHalf<S>);
own_writers!([] crate::TcpStream, [S: crate::ByteStream] crate::WriteHalf<'_, S>, [S: crate::ByteStream] crate::OwnedWriteHalf<S>);
#[cfg(unix)]
own_readers!([] crate::UnixStream);
#[cfg(unix)]
own_writers!([] crate::UnixStream);
