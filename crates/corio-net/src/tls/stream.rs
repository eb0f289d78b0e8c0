//! `TlsStream`: a stream that others cannot read.
//!
//! ```text
//!   Open ──poll_close──▶ Saying ──close_notify is sent──▶ Listening ──the peer has ended too──▶ Over
//!                          └───────────── the limit is over, or an error ─────────────────────────▲
//! ```

use std::fmt;
use std::future::Future;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use corio_runtime::{Sleep, sleep};
use futures_io::{AsyncRead, AsyncWrite};
use futures_rustls::rustls::CommonState;

use crate::TcpStream;

/// A stream with TLS on it. It implements `AsyncRead` and `AsyncWrite` of futures-io; `compat::Hyper` around it is for hyper.
///
/// What is written may stay in it until it is flushed.
///
/// Closing it tells the peer that this is the end and not a break, and then waits for the same from the peer, so that nothing that is
/// still on its way is lost. What the peer sends meanwhile is thrown away. **Dropping** it without closing is a break: the peer's
/// reading fails. A [`StreamWriter`](crate::StreamWriter) closes.
pub struct TlsStream<S = TcpStream> {
    inner: futures_rustls::TlsStream<S>,
    phase: Phase,
    shutdown_timeout: Duration,
}

#[derive(Debug)]
enum Phase {
    Open,
    /// The end is being sent, with everything before it.
    Saying(Sleep),
    /// The peer is to say the same.
    Listening(Sleep),
    Over,
}

/// How much is thrown away at a time.
const CHUNK: usize = 1024;

/// After so many of them it is the turn of others.
const CHUNKS_IN_A_ROW: u32 = 64;

impl<S> TlsStream<S> {
    pub(super) fn new(
        inner: futures_rustls::TlsStream<S>,
        shutdown_timeout: Duration,
    ) -> TlsStream<S> {
        TlsStream {
            inner,
            phase: Phase::Open,
            shutdown_timeout,
        }
    }

    /// The stream below.
    pub fn get_ref(&self) -> &S {
        self.inner.get_ref().0
    }

    /// What the sides have agreed on: the protocol that was chosen by ALPN, the version, the certificates of the peer.
    #[doc(alias = "get_extra_info")]
    #[doc(alias = "selected_alpn_protocol")]
    #[doc(alias = "getpeercert")]
    pub fn tls(&self) -> &CommonState {
        self.inner.get_ref().1
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> TlsStream<S> {
    fn poll_end(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        loop {
            match &mut self.phase {
                Phase::Open => self.phase = Phase::Saying(sleep(self.shutdown_timeout)),
                Phase::Saying(timer) => {
                    match Pin::new(&mut self.inner).poll_close(cx) {
                        Poll::Ready(result) => result?,
                        Poll::Pending => return poll_limit(timer, cx),
                    }
                    if let Phase::Saying(timer) = std::mem::replace(&mut self.phase, Phase::Over) {
                        self.phase = Phase::Listening(timer);
                    }
                }
                Phase::Listening(timer) => {
                    if poll_to_end(&mut self.inner, cx).is_pending() {
                        return poll_limit(timer, cx);
                    }
                    self.phase = Phase::Over;
                }
                Phase::Over => return Poll::Ready(Ok(())),
            }
        }
    }
}

/// Throws away what comes. How the peer ends is its own affair now: many do not say it.
fn poll_to_end<S: AsyncRead + Unpin>(stream: &mut S, cx: &mut Context<'_>) -> Poll<()> {
    let mut chunk = [0; CHUNK];
    for _ in 0..CHUNKS_IN_A_ROW {
        match ready!(Pin::new(&mut *stream).poll_read(cx, &mut chunk)) {
            Ok(0) => return Poll::Ready(()),
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(_) => return Poll::Ready(()),
        }
    }
    cx.waker().wake_by_ref();
    Poll::Pending
}

fn poll_limit(timer: &mut Sleep, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
    ready!(Pin::new(timer).poll(cx));
    let message = "the peer did not end the TLS connection in time";
    Poll::Ready(Err(io::Error::new(io::ErrorKind::TimedOut, message)))
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncRead for TlsStream<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        match self.phase {
            Phase::Open => Pin::new(&mut self.inner).poll_read(cx, buf),
            _ => Poll::Ready(Ok(0)),
        }
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncWrite for TlsStream<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        match self.phase {
            Phase::Open => Pin::new(&mut self.inner).poll_write(cx, buf),
            _ => Poll::Ready(Err(io::ErrorKind::BrokenPipe.into())),
        }
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        match self.phase {
            Phase::Open => Pin::new(&mut self.inner).poll_write_vectored(cx, bufs),
            _ => Poll::Ready(Err(io::ErrorKind::BrokenPipe.into())),
        }
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_flush(cx)
    }

    /// Ends the connection in both directions, see [`TlsStream`].
    fn poll_close(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let ended = ready!(self.poll_end(cx));
        self.phase = Phase::Over;
        Poll::Ready(ended)
    }
}

impl<S: fmt::Debug> fmt::Debug for TlsStream<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TlsStream")
            .field("inner", self.get_ref())
            .field("phase", &self.phase)
            .finish_non_exhaustive()
    }
}
