//! `open_connection` and `open_unix_connection`.

use std::future::{Future, IntoFuture};
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use super::options::StreamOptions;
use super::reader::StreamReader;
use super::writer::StreamWriter;
use crate::{Connect, Lookup, TcpConnector, ToSocketAddrs};

/// Connects to an address and gives a reader and a writer.
///
/// It is awaited as it is, or after options. Several addresses are tried as [`TcpStream::connect`](crate::TcpStream::connect) does.
///
/// ```
/// # use corio_runtime as corio;
/// use corio_net::{open_connection, start_server};
///
/// corio::run(async {
///     let server = start_server(async |_, writer| writer.write(b"welcome\n"), "127.0.0.1:0").await?;
///     let (mut reader, _writer) = open_connection(server.local_addrs()).limit(1024).await?;
///     assert_eq!(reader.readline().await?, b"welcome\n");
///     std::io::Result::Ok(())
/// })?;
/// # std::io::Result::Ok(())
/// ```
///
/// # Errors
///
/// As [`TcpStream::connect`](crate::TcpStream::connect).
///
/// # Panics
///
/// When it is polled on a thread where no loop is running.
///
/// # Cancel safety
///
/// Dropped before it is ready, attempts under way are given up and their sockets closed.
pub fn open_connection(addr: impl ToSocketAddrs) -> OpenConnection {
    OpenConnection {
        lookup: addr.lookup(),
        connector: TcpConnector::new(),
        options: StreamOptions::new(),
    }
}

/// A connection that is to be opened. Made by [`open_connection`], and awaited.
#[derive(Debug)]
#[must_use = "it does nothing unless it is awaited"]
pub struct OpenConnection {
    lookup: Lookup,
    connector: TcpConnector,
    options: StreamOptions,
}

impl OpenConnection {
    /// How many bytes a line may have. 64 KiB, unless told otherwise.
    pub fn limit(mut self, limit: usize) -> Self {
        self.options = self.options.limit(limit);
        self
    }

    /// From which address to connect, see [`TcpConnector::local_addr`].
    pub fn local_addr(mut self, local: SocketAddr) -> Self {
        self.connector = self.connector.local_addr(local);
        self
    }

    /// How long an attempt may take before the next address is tried beside it, see [`TcpConnector::happy_eyeballs_delay`].
    pub fn happy_eyeballs_delay(mut self, delay: Option<Duration>) -> Self {
        self.connector = self.connector.happy_eyeballs_delay(delay);
        self
    }

    /// Whether addresses of the two families are tried in turns, see [`TcpConnector::interleave`].
    pub fn interleave(mut self, interleave: bool) -> Self {
        self.connector = self.connector.interleave(interleave);
        self
    }

    /// All options of the socket. What was said before about them is forgotten.
    pub fn connector(mut self, connector: TcpConnector) -> Self {
        self.connector = connector;
        self
    }

    #[track_caller]
    pub(crate) fn begin(self) -> (Connect, StreamOptions) {
        (self.connector.connect(self.lookup), self.options)
    }

    /// What the host is called, if that is known.
    #[cfg(feature = "tls")]
    pub(crate) fn host(&self) -> Option<String> {
        self.lookup.name()
    }
}

impl IntoFuture for OpenConnection {
    type Output = io::Result<(StreamReader, StreamWriter)>;
    type IntoFuture = Opening;

    #[track_caller]
    fn into_future(self) -> Opening {
        let (connect, options) = self.begin();
        Opening { connect, options }
    }
}

/// The future of [`open_connection`].
///
/// # Cancel safety
///
/// Dropped before it is ready, attempts under way are given up and their sockets closed.
#[derive(Debug)]
#[must_use = "a future does nothing unless it is awaited"]
pub struct Opening {
    connect: Connect,
    options: StreamOptions,
}

impl Future for Opening {
    type Output = io::Result<(StreamReader, StreamWriter)>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let stream = ready!(Pin::new(&mut self.connect).poll(cx))?;
        Poll::Ready(Ok(self.options.streams(stream)))
    }
}

#[cfg(unix)]
pub use self::unix::{OpenUnixConnection, OpeningUnix, open_unix_connection};

#[cfg(unix)]
mod unix {
    use super::*;
    use crate::{UnixConnect, UnixStream};
    use std::path::{Path, PathBuf};

    /// Connects to a path in the Unix domain and gives a reader and a writer.
    ///
    /// # Errors
    ///
    /// As [`UnixStream::connect`](crate::UnixStream::connect).
    ///
    /// # Panics
    ///
    /// When it is polled on a thread where no loop is running.
    ///
    /// # Cancel safety
    ///
    /// Dropped before it is ready, the attempt is given up and its socket closed.
    pub fn open_unix_connection(path: impl AsRef<Path>) -> OpenUnixConnection {
        OpenUnixConnection {
            path: path.as_ref().to_owned(),
            options: StreamOptions::new(),
        }
    }

    /// A connection that is to be opened. Made by [`open_unix_connection`], and awaited.
    #[derive(Debug)]
    #[must_use = "it does nothing unless it is awaited"]
    pub struct OpenUnixConnection {
        path: PathBuf,
        options: StreamOptions,
    }

    impl OpenUnixConnection {
        /// How many bytes a line may have. 64 KiB, unless told otherwise.
        pub fn limit(mut self, limit: usize) -> Self {
            self.options = self.options.limit(limit);
            self
        }

        #[track_caller]
        pub(crate) fn begin(self) -> (UnixConnect, StreamOptions) {
            (UnixStream::connect(&self.path), self.options)
        }
    }

    impl IntoFuture for OpenUnixConnection {
        type Output = io::Result<(StreamReader, StreamWriter)>;
        type IntoFuture = OpeningUnix;

        #[track_caller]
        fn into_future(self) -> OpeningUnix {
            let (connect, options) = self.begin();
            OpeningUnix { connect, options }
        }
    }

    /// The future of [`open_unix_connection`].
    ///
    /// # Cancel safety
    ///
    /// Dropped before it is ready, the attempt is given up and its socket closed.
    #[derive(Debug)]
    #[must_use = "a future does nothing unless it is awaited"]
    pub struct OpeningUnix {
        connect: UnixConnect,
        options: StreamOptions,
    }

    impl Future for OpeningUnix {
        type Output = io::Result<(StreamReader, StreamWriter)>;

        fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
            let stream = ready!(Pin::new(&mut self.connect).poll(cx))?;
            Poll::Ready(Ok(self.options.streams(stream)))
        }
    }
}
