//! `StreamOptions`: how a reader and a writer are made of a transport.

use std::any::Any;
use std::net::SocketAddr;
use std::panic::Location;

use futures_io::{AsyncRead, AsyncWrite};

use super::connection::Connection;
use super::reader::{LIMIT, StreamReader};
use super::transport::Facts;
use super::writer::StreamWriter;

/// How a [`StreamReader`] and a [`StreamWriter`] are made of something that reads and writes.
///
/// A connection is best opened with [`open_connection`](crate::open_connection) or accepted by
/// [`start_server`](crate::start_server); this is for transports of other kinds.
///
/// ```
/// # #[cfg(unix)] {
/// # use corio_runtime as corio;
/// use corio_net::{StreamOptions, UnixStream};
///
/// corio::run(async {
///     let (here, there) = UnixStream::pair()?;
///     let (_, writer) = StreamOptions::new().streams(here);
///     let (mut reader, _there) = StreamOptions::new().limit(1024).streams(there);
///     writer.write(b"hello\n");
///     assert_eq!(reader.readline().await?, b"hello\n");
///     std::io::Result::Ok(())
/// })?;
/// # }
/// # std::io::Result::Ok(())
/// ```
#[derive(Clone, Debug)]
#[must_use = "options do nothing until streams are made with them"]
pub struct StreamOptions {
    limit: usize,
    half_close: Option<bool>,
    peer: Option<SocketAddr>,
    local: Option<SocketAddr>,
}

impl StreamOptions {
    /// What is used unless told otherwise.
    pub fn new() -> StreamOptions {
        StreamOptions {
            limit: LIMIT,
            half_close: None,
            peer: None,
            local: None,
        }
    }

    /// How many bytes a line, or what comes before another separator, may have. 64 KiB, unless told otherwise.
    pub fn limit(mut self, limit: usize) -> Self {
        self.limit = limit;
        self
    }

    /// Whether what is written may end while reading goes on: `poll_close` of the transport then does only that. It is so for
    /// [`TcpStream`](crate::TcpStream) and `UnixStream`, and not for others unless told otherwise.
    pub fn half_close(mut self, half_close: bool) -> Self {
        self.half_close = Some(half_close);
        self
    }

    /// What [`peer_addr`](StreamWriter::peer_addr) says, for a transport that is wrapped around a socket.
    pub fn peer_addr(mut self, peer: Option<SocketAddr>) -> Self {
        self.peer = peer;
        self
    }

    /// What [`local_addr`](StreamWriter::local_addr) says, for a transport that is wrapped around a socket.
    pub fn local_addr(mut self, local: Option<SocketAddr>) -> Self {
        self.local = local;
        self
    }

    /// With the addresses of a socket that something is to be wrapped around.
    #[cfg(feature = "tls")]
    pub(crate) fn of_socket<T>(&self, socket: &T) -> StreamOptions
    where
        T: AsyncRead + AsyncWrite + Unpin + 'static,
    {
        let facts = Facts::of(socket, self.peer, self.local);
        let options = self.clone();
        options.peer_addr(facts.peer).local_addr(facts.local)
    }

    /// With the peer that an acceptor has named, if it is an address and no other was given.
    pub(crate) fn of_peer(&self, peer: &dyn Any) -> StreamOptions {
        let named = peer.downcast_ref::<SocketAddr>().copied();
        self.clone().peer_addr(self.peer.or(named))
    }

    /// Makes the reader and the writer of a transport, which belongs to the loop that runs now.
    ///
    /// # Panics
    ///
    /// When no loop is running on this thread.
    #[track_caller]
    pub fn streams<T>(&self, transport: T) -> (StreamReader, StreamWriter)
    where
        T: AsyncRead + AsyncWrite + Unpin + 'static,
    {
        let mut facts = Facts::of(&transport, self.peer, self.local);
        facts.half_close = self.half_close.unwrap_or(facts.half_close);
        let connection = Connection::new(Box::new(transport), facts, Location::caller());
        let reader = StreamReader::of_connection(connection.clone(), self.limit);
        (reader, StreamWriter::new(connection))
    }
}

impl Default for StreamOptions {
    fn default() -> StreamOptions {
        StreamOptions::new()
    }
}
