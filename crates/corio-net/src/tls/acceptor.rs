//! `TlsAcceptor`: the side that is connected to.

use std::panic::Location;
use std::sync::Arc;
use std::time::Duration;

use futures_io::{AsyncRead, AsyncWrite};
use futures_rustls::rustls::ServerConfig;

use super::Limits;
use super::handshake::TlsHandshake;

/// Makes TLS of a stream, on the side of the server. Cloning it is cheap.
///
/// For readers and writers [`StartServer::tls`](crate::StartServer::tls) is shorter. This is for others, such as hyper:
///
/// ```no_run
/// # use corio_runtime as corio;
/// # fn example(listener: corio_net::TcpListener, config: corio_net::tls::rustls::ServerConfig) {
/// use corio_net::tls::TlsAcceptor;
///
/// let acceptor = TlsAcceptor::new(config);
/// let server = corio_net::serve(listener, async move |stream, _peer| {
///     // In the task of the connection: a client that is slow to shake hands holds up nobody else.
///     let stream = acceptor.accept(stream).await?;
///     // hyper: serve_connection(compat::Hyper::new(stream), service)
///     # drop(stream);
///     std::io::Result::Ok(())
/// });
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct TlsAcceptor {
    config: Arc<ServerConfig>,
    limits: Limits,
}

impl TlsAcceptor {
    /// With what rustls is told: the certificate, its key, and whether clients have to show one.
    pub fn new(config: impl Into<Arc<ServerConfig>>) -> TlsAcceptor {
        TlsAcceptor {
            config: config.into(),
            limits: Limits::USUAL,
        }
    }

    /// How long the handshake may take. 60 s, unless told otherwise.
    pub fn handshake_timeout(mut self, limit: Duration) -> Self {
        self.limits.handshake = limit;
        self
    }

    /// How long closing waits for the end of the peer. 30 s, unless told otherwise.
    pub fn shutdown_timeout(mut self, limit: Duration) -> Self {
        self.limits.shutdown = limit;
        self
    }

    /// Shakes hands with a client.
    ///
    /// # Errors
    ///
    /// [`InvalidData`](std::io::ErrorKind::InvalidData), with an error of rustls inside, when the sides do not agree;
    /// [`UnexpectedEof`](std::io::ErrorKind::UnexpectedEof) when the peer breaks off; [`TimedOut`](std::io::ErrorKind::TimedOut) after
    /// the limit; and those of the stream.
    ///
    /// # Panics
    ///
    /// When it has to wait on a thread where no loop is running.
    ///
    /// # Cancel safety
    ///
    /// Dropped before it is ready, it drops the stream.
    #[track_caller]
    pub fn accept<S>(&self, stream: S) -> TlsHandshake<S>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        let accept = futures_rustls::TlsAcceptor::from(self.config.clone()).accept(stream);
        TlsHandshake::of_server(accept, self.limits, Location::caller())
    }
}

impl From<ServerConfig> for TlsAcceptor {
    fn from(config: ServerConfig) -> TlsAcceptor {
        TlsAcceptor::new(config)
    }
}

impl From<Arc<ServerConfig>> for TlsAcceptor {
    fn from(config: Arc<ServerConfig>) -> TlsAcceptor {
        TlsAcceptor::new(config)
    }
}
