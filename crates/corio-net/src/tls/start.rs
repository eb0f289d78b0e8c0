//! `StreamWriter::start_tls`: TLS on a connection that is in use.

use std::fmt;
use std::future::Future;
use std::io;
use std::panic::Location;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use futures_io::AsyncWrite;
use futures_rustls::rustls::pki_types::ServerName;

use super::acceptor::TlsAcceptor;
use super::connector::TlsConnector;
use super::handshake::TlsHandshake;
use crate::stream::{
    Guest, Parts, StreamOptions, StreamReader, StreamWriter, Upgraded, settle, take_apart,
};

impl StreamWriter {
    /// Goes on with TLS on the same connection, as the client: what protocols call STARTTLS.
    ///
    /// What was written is sent first. The streams go in and others come out, so nobody can go on in plain text by mistake; what
    /// the old reader had in its buffer is taken for the peer's part of the handshake. The transport of the new streams is a
    /// `TlsStream<Upgraded>`. A server goes on counting the connection.
    ///
    /// # Errors
    ///
    /// Those of the connection and of [`TlsConnector::connect`]. The connection is closed then.
    /// [`InvalidInput`](io::ErrorKind::InvalidInput) if reader and writer do not belong together.
    ///
    /// # Panics
    ///
    /// When it has to wait on a thread where no loop is running.
    ///
    /// # Cancel safety
    ///
    /// Dropped before it is ready, it closes the connection.
    #[track_caller]
    pub fn start_tls(
        self,
        reader: StreamReader,
        connector: impl Into<TlsConnector>,
        name: ServerName<'static>,
    ) -> StartTls {
        let side = Side::Client(connector.into(), name);
        StartTls::new(self, reader, side, Location::caller())
    }

    /// Goes on with TLS on the same connection, as the server. See [`start_tls`](StreamWriter::start_tls).
    ///
    /// # Errors
    ///
    /// Those of the connection and of [`TlsAcceptor::accept`]. The connection is closed then.
    /// [`InvalidInput`](io::ErrorKind::InvalidInput) if reader and writer do not belong together.
    ///
    /// # Panics
    ///
    /// When it has to wait on a thread where no loop is running.
    ///
    /// # Cancel safety
    ///
    /// Dropped before it is ready, it closes the connection.
    #[track_caller]
    pub fn start_tls_as_server(
        self,
        reader: StreamReader,
        acceptor: impl Into<TlsAcceptor>,
    ) -> StartTls {
        let side = Side::Server(acceptor.into());
        StartTls::new(self, reader, side, Location::caller())
    }
}

/// The future of [`StreamWriter::start_tls`] and [`StreamWriter::start_tls_as_server`].
///
/// # Cancel safety
///
/// Dropped before it is ready, it closes the connection.
#[must_use = "a future does nothing unless it is awaited, and closes the connection when it is dropped"]
pub struct StartTls {
    stage: Stage,
    site: &'static Location<'static>,
}

enum Stage {
    /// What was written is to be sent first.
    Draining {
        reader: StreamReader,
        writer: StreamWriter,
        side: Box<Side>,
    },
    ShakingHands {
        handshake: Box<TlsHandshake<Upgraded>>,
        options: StreamOptions,
        guest: Option<Box<dyn Guest>>,
    },
    Over,
}

enum Side {
    Client(TlsConnector, ServerName<'static>),
    Server(TlsAcceptor),
}

impl StartTls {
    fn new(
        writer: StreamWriter,
        reader: StreamReader,
        side: Side,
        site: &'static Location<'static>,
    ) -> StartTls {
        let side = Box::new(side);
        let stage = Stage::Draining {
            reader,
            writer,
            side,
        };
        StartTls { stage, site }
    }
}

impl Side {
    fn shake_hands(self, parts: Parts, site: &'static Location<'static>) -> Stage {
        let transport = parts.transport;
        let handshake = match self {
            Side::Client(connector, name) => connector.connect_at(name, transport, site),
            Side::Server(acceptor) => acceptor.accept_at(transport, site),
        };
        Stage::ShakingHands {
            handshake: Box::new(handshake),
            options: parts.options,
            guest: parts.guest,
        }
    }
}

impl Future for StartTls {
    type Output = io::Result<(StreamReader, StreamWriter)>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = &mut *self;
        loop {
            match &mut this.stage {
                Stage::Draining { writer, .. } => {
                    ready!(Pin::new(writer).poll_flush(cx))?;
                }
                Stage::ShakingHands { handshake, .. } => {
                    let stream = ready!(Pin::new(&mut **handshake).poll(cx))?;
                    let stage = std::mem::replace(&mut this.stage, Stage::Over);
                    if let Stage::ShakingHands { options, guest, .. } = stage {
                        let (reader, writer) = options.streams(stream);
                        settle(guest, writer.connection());
                        return Poll::Ready(Ok((reader, writer)));
                    }
                }
                Stage::Over => panic!("a `StartTls` was polled after its end"),
            }
            if let Stage::Draining {
                reader,
                writer,
                side,
            } = std::mem::replace(&mut this.stage, Stage::Over)
            {
                this.stage = side.shake_hands(take_apart(reader, &writer)?, this.site);
            }
        }
    }
}

impl fmt::Debug for StartTls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let stage = match &self.stage {
            Stage::Draining { .. } => "draining",
            Stage::ShakingHands { .. } => "shaking hands",
            Stage::Over => "over",
        };
        f.debug_struct("StartTls").field("stage", &stage).finish()
    }
}
