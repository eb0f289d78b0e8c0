//! `TlsHandshake`: two sides getting to know each other, within a limit.

use std::fmt;
use std::future::Future;
use std::io;
use std::panic::Location;
use std::pin::Pin;
use std::task::{Context, Poll};

use corio_core::waiting::{self, WaitKind};
use corio_runtime::{Sleep, sleep};
use futures_io::{AsyncRead, AsyncWrite};
use futures_rustls::{Accept, Connect};

use super::Limits;
use super::stream::TlsStream;

/// A handshake under way. Made by [`TlsConnector::connect`](super::TlsConnector::connect) and
/// [`TlsAcceptor::accept`](super::TlsAcceptor::accept).
///
/// # Cancel safety
///
/// Dropped before it is ready, it drops the stream.
#[must_use = "a future does nothing unless it is awaited"]
pub struct TlsHandshake<S> {
    side: Side<S>,
    limits: Limits,
    /// From the first wait on.
    timer: Option<Sleep>,
    site: &'static Location<'static>,
}

enum Side<S> {
    Client(Connect<S>),
    Server(Accept<S>),
}

static HANDSHAKE: WaitKind = WaitKind::new("TlsHandshake");

impl<S> TlsHandshake<S> {
    pub(super) fn of_client(
        connect: Connect<S>,
        limits: Limits,
        site: &'static Location<'static>,
    ) -> TlsHandshake<S> {
        TlsHandshake::new(Side::Client(connect), limits, site)
    }

    pub(super) fn of_server(
        accept: Accept<S>,
        limits: Limits,
        site: &'static Location<'static>,
    ) -> TlsHandshake<S> {
        TlsHandshake::new(Side::Server(accept), limits, site)
    }

    fn new(side: Side<S>, limits: Limits, site: &'static Location<'static>) -> TlsHandshake<S> {
        TlsHandshake {
            side,
            limits,
            timer: None,
            site,
        }
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> Future for TlsHandshake<S> {
    type Output = io::Result<TlsStream<S>>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = &mut *self;
        let shaken = match &mut this.side {
            Side::Client(connect) => Pin::new(connect).poll(cx).map_ok(Into::into),
            Side::Server(accept) => Pin::new(accept).poll(cx).map_ok(Into::into),
        };
        if let Poll::Ready(shaken) = shaken {
            return Poll::Ready(shaken.map(|stream| TlsStream::new(stream, this.limits.shutdown)));
        }
        let limit = this.limits.handshake;
        let timer = this.timer.get_or_insert_with(|| sleep(limit));
        if Pin::new(timer).poll(cx).is_ready() {
            let message = format!("the TLS handshake took longer than {limit:?}");
            let error = io::Error::new(io::ErrorKind::TimedOut, message);
            return Poll::Ready(Err(error));
        }
        waiting::note(&HANDSHAKE, this.site);
        Poll::Pending
    }
}

impl<S> fmt::Debug for TlsHandshake<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let side = match self.side {
            Side::Client(_) => "client",
            Side::Server(_) => "server",
        };
        f.debug_struct("TlsHandshake")
            .field("side", &side)
            .field("limit", &self.limits.handshake)
            .finish_non_exhaustive()
    }
}
