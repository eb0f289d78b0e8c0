//! `TlsConnector`: the side that connects.

use std::panic::Location;
use std::sync::Arc;
use std::time::Duration;

use futures_io::{AsyncRead, AsyncWrite};
use futures_rustls::rustls::ClientConfig;
use futures_rustls::rustls::pki_types::ServerName;

use super::Limits;
use super::handshake::TlsHandshake;

/// Makes TLS of a stream, on the side of the client. Cloning it is cheap.
///
/// For TCP [`OpenConnection::tls`](crate::OpenConnection::tls) is shorter.
///
/// ```no_run
/// # use corio_runtime as corio;
/// # async fn example(config: corio_net::tls::rustls::ClientConfig) -> std::io::Result<()> {
/// use corio_net::TcpStream;
/// use corio_net::tls::TlsConnector;
///
/// let connector = TlsConnector::new(config);
/// let stream = TcpStream::connect("example.org:443").await?;
/// let stream = connector.connect("example.org".try_into().unwrap(), stream).await?;
/// println!("{:?}", stream.tls().protocol_version());
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct TlsConnector {
    config: Arc<ClientConfig>,
    limits: Limits,
}

impl TlsConnector {
    /// With what rustls is told: what is trusted, and what this side shows of itself.
    pub fn new(config: impl Into<Arc<ClientConfig>>) -> TlsConnector {
        TlsConnector {
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

    /// Shakes hands with a server, which has to prove that it has this name.
    ///
    /// # Errors
    ///
    /// [`InvalidData`](std::io::ErrorKind::InvalidData), with an error of rustls inside, when the sides do not agree or the certificate
    /// is not to be trusted; [`UnexpectedEof`](std::io::ErrorKind::UnexpectedEof) when the peer breaks off;
    /// [`TimedOut`](std::io::ErrorKind::TimedOut) after the limit; and those of the stream.
    ///
    /// # Panics
    ///
    /// When it has to wait on a thread where no loop is running.
    ///
    /// # Cancel safety
    ///
    /// Dropped before it is ready, it drops the stream.
    #[track_caller]
    pub fn connect<S>(&self, name: ServerName<'static>, stream: S) -> TlsHandshake<S>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        self.connect_at(name, stream, Location::caller())
    }

    pub(super) fn connect_at<S>(
        &self,
        name: ServerName<'static>,
        stream: S,
        site: &'static Location<'static>,
    ) -> TlsHandshake<S>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        let connect = futures_rustls::TlsConnector::from(self.config.clone()).connect(name, stream);
        TlsHandshake::of_client(connect, self.limits, site)
    }
}

impl From<ClientConfig> for TlsConnector {
    fn from(config: ClientConfig) -> TlsConnector {
        TlsConnector::new(config)
    }
}

impl From<Arc<ClientConfig>> for TlsConnector {
    fn from(config: Arc<ClientConfig>) -> TlsConnector {
        TlsConnector::new(config)
    }
}
