//! `open_connection(..).tls(..)`.

use std::future::{Future, IntoFuture};
use std::io;
use std::panic::Location;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use futures_rustls::rustls::pki_types::ServerName;

use super::connector::TlsConnector;
use super::handshake::TlsHandshake;
use crate::stream::{OpenConnection, StreamOptions, StreamReader, StreamWriter};
use crate::{Connect, TcpStream};

/// A connection with TLS that is to be opened. Made by [`OpenConnection::tls`], and awaited.
#[derive(Debug)]
#[must_use = "it does nothing unless it is awaited"]
pub struct OpenTls {
    open: OpenConnection,
    connector: TlsConnector,
    /// Unless it is the host that is connected to.
    name: Option<String>,
}

impl OpenConnection {
    /// With TLS: the peer has to prove that it is the host that was asked for, or the one that
    /// [`server_name`](OpenTls::server_name) says. It takes a `rustls::ClientConfig` or a [`TlsConnector`].
    ///
    /// To await it has the errors of connecting and of [`TlsConnector::connect`], and
    /// [`InvalidInput`](io::ErrorKind::InvalidInput) if it is not known what the host is called.
    #[doc(alias = "ssl")]
    pub fn tls(self, connector: impl Into<TlsConnector>) -> OpenTls {
        OpenTls {
            open: self,
            connector: connector.into(),
            name: None,
        }
    }
}

impl OpenTls {
    /// What the peer has to be called in its certificate: a host name, or an address in digits.
    #[doc(alias = "server_hostname")]
    pub fn server_name(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }
}

impl IntoFuture for OpenTls {
    type Output = io::Result<(StreamReader, StreamWriter)>;
    type IntoFuture = OpeningTls;

    #[track_caller]
    fn into_future(self) -> OpeningTls {
        let name = self.name.or_else(|| self.open.host());
        let (connect, options) = self.open.begin();
        OpeningTls {
            stage: Stage::Connecting(Box::new(connect)),
            name: Some(server_name(name)),
            connector: self.connector,
            options,
            site: Location::caller(),
        }
    }
}

/// The future of [`OpenTls`].
///
/// # Cancel safety
///
/// Dropped before it is ready, attempts under way are given up and their sockets closed.
#[derive(Debug)]
#[must_use = "a future does nothing unless it is awaited"]
pub struct OpeningTls {
    stage: Stage,
    /// Absent when it was used.
    name: Option<io::Result<ServerName<'static>>>,
    connector: TlsConnector,
    options: StreamOptions,
    site: &'static Location<'static>,
}

#[derive(Debug)]
enum Stage {
    Connecting(Box<Connect>),
    ShakingHands(Box<TlsHandshake<TcpStream>>),
}

impl Future for OpeningTls {
    type Output = io::Result<(StreamReader, StreamWriter)>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = &mut *self;
        loop {
            match &mut this.stage {
                Stage::Connecting(connect) => {
                    // A name that is none is told before anything is sent to anybody.
                    if let Some(Err(error)) = this.name.take_if(|name| name.is_err()) {
                        return Poll::Ready(Err(error));
                    }
                    let stream = ready!(Pin::new(connect).poll(cx))?;
                    this.options = this.options.of_socket(&stream);
                    let name = this.name.take().expect("a connection is opened once")?;
                    let handshake = this.connector.connect_at(name, stream, this.site);
                    this.stage = Stage::ShakingHands(Box::new(handshake));
                }
                Stage::ShakingHands(handshake) => {
                    let stream = ready!(Pin::new(handshake).poll(cx))?;
                    return Poll::Ready(Ok(this.options.streams(stream)));
                }
            }
        }
    }
}

fn server_name(name: Option<String>) -> io::Result<ServerName<'static>> {
    let invalid = |message: String| io::Error::new(io::ErrorKind::InvalidInput, message);
    let Some(name) = name else {
        let message = "of several addresses it is not known what the host is called: say it with `server_name`";
        return Err(invalid(message.into()));
    };
    let message = format!("{name:?} is not the name of a host");
    ServerName::try_from(name).map_err(|_| invalid(message))
}
