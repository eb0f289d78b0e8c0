//! `open_connection(..).tls(..)`, and the same in the Unix domain.

use std::fmt;
use std::future::{Future, IntoFuture};
use std::io;
use std::panic::Location;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use futures_rustls::rustls::pki_types::ServerName;

use self::sealed::Open;
use super::connector::TlsConnector;
use super::handshake::TlsHandshake;
use crate::stream::{OpenConnection, StreamOptions, StreamReader, StreamWriter};
use crate::{Connect, TcpStream};
#[cfg(unix)]
use crate::{OpenUnixConnection, UnixConnect, UnixStream};

/// A connection with TLS that is to be opened. Made by [`OpenConnection::tls`] or `OpenUnixConnection::tls`, and awaited.
#[derive(Debug)]
#[must_use = "it does nothing unless it is awaited"]
pub struct OpenTls<O = OpenConnection> {
    open: O,
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
        OpenTls::new(self, connector.into())
    }
}

#[cfg(unix)]
impl OpenUnixConnection {
    /// With TLS: the peer has to prove that it is the host that [`server_name`](OpenTls::server_name) says, which has to be said,
    /// since a path is no name of a host. It takes a `rustls::ClientConfig` or a [`TlsConnector`].
    ///
    /// To await it has the errors of connecting and of [`TlsConnector::connect`], and
    /// [`InvalidInput`](io::ErrorKind::InvalidInput) if it was not said what the host is called.
    #[doc(alias = "ssl")]
    pub fn tls(self, connector: impl Into<TlsConnector>) -> OpenTls<OpenUnixConnection> {
        OpenTls::new(self, connector.into())
    }
}

impl<O> OpenTls<O> {
    fn new(open: O, connector: TlsConnector) -> OpenTls<O> {
        OpenTls {
            open,
            connector,
            name: None,
        }
    }

    /// What the peer has to be called in its certificate: a host name, or an address in digits.
    #[doc(alias = "server_hostname")]
    pub fn server_name(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }
}

impl<O: Open> IntoFuture for OpenTls<O> {
    type Output = io::Result<(StreamReader, StreamWriter)>;
    type IntoFuture = OpeningTls<O>;

    #[track_caller]
    fn into_future(self) -> OpeningTls<O> {
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
#[must_use = "a future does nothing unless it is awaited"]
pub struct OpeningTls<O: Open = OpenConnection> {
    stage: Stage<O>,
    /// Absent when it was used.
    name: Option<io::Result<ServerName<'static>>>,
    connector: TlsConnector,
    options: StreamOptions,
    site: &'static Location<'static>,
}

enum Stage<O: Open> {
    Connecting(Box<O::Connect>),
    ShakingHands(Box<TlsHandshake<O::Socket>>),
}

mod sealed {
    use super::{Future, StreamOptions, io};
    use futures_io::{AsyncRead, AsyncWrite};

    /// What connects first.
    pub trait Open {
        type Socket: AsyncRead + AsyncWrite + Unpin + 'static;
        type Connect: Future<Output = io::Result<Self::Socket>> + Unpin;

        #[track_caller]
        fn begin(self) -> (Self::Connect, StreamOptions);

        /// What the host is called, if that is known.
        fn host(&self) -> Option<String>;
    }
}

impl Open for OpenConnection {
    type Socket = TcpStream;
    type Connect = Connect;

    #[track_caller]
    fn begin(self) -> (Connect, StreamOptions) {
        OpenConnection::begin(self)
    }

    fn host(&self) -> Option<String> {
        OpenConnection::host(self)
    }
}

#[cfg(unix)]
impl Open for OpenUnixConnection {
    type Socket = UnixStream;
    type Connect = UnixConnect;

    #[track_caller]
    fn begin(self) -> (UnixConnect, StreamOptions) {
        OpenUnixConnection::begin(self)
    }

    fn host(&self) -> Option<String> {
        None
    }
}

impl<O: Open> Future for OpeningTls<O> {
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
        let message = "of a path or several addresses it is not known what the host is called: say it with `server_name`";
        return Err(invalid(message.into()));
    };
    let message = format!("{name:?} is not the name of a host");
    ServerName::try_from(name).map_err(|_| invalid(message))
}

impl<O: Open> fmt::Debug for OpeningTls<O> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let stage = match self.stage {
            Stage::Connecting(_) => "connecting",
            Stage::ShakingHands(_) => "shaking hands",
        };
        f.debug_struct("OpeningTls")
            .field("stage", &stage)
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}
