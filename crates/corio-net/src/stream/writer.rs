//! `StreamWriter`.

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::panic::Location;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready};

use futures_io::AsyncWrite;

use super::connection::{Connection, Phase};
use super::writes::{ConnectionClosed, Drain};
use crate::wake_list::WakePlace;

/// The writing side of a connection, with a buffer, and the handle by which it is closed.
///
/// Made with its [`StreamReader`](crate::StreamReader) by [`open_connection`](crate::open_connection), by
/// [`start_server`](crate::start_server) or by [`StreamOptions`](crate::StreamOptions).
///
/// [`write`](StreamWriter::write) never waits: it sends what can be sent at once and keeps the rest, which a task of the connection
/// sends in the background. [`drain`](StreamWriter::drain) waits while there is too much of it. Errors are told by `drain` and
/// [`wait_closed`](StreamWriter::wait_closed). All methods take `&self`, so several tasks may share a writer in an `Rc`.
///
/// Dropped without [`close`](StreamWriter::close), it closes the connection all the same: what is buffered is still sent, and the
/// reader comes to its end. So keep the writer while you read. At the end of the loop what nobody holds a writer of is not sent
/// any more.
///
/// It implements `AsyncWrite` of futures-io, where writing waits as `drain` does, and `poll_close` closes and waits for it. Like its
/// connection it stays on its thread.
///
/// ```
/// # use corio_runtime as corio;
/// use corio_net::{open_connection, start_server};
///
/// corio::run(async {
///     let server = start_server(
///         async |mut reader, writer| {
///             writer.write(&reader.readline().await?);
///             writer.drain().await
///         },
///         "127.0.0.1:0",
///     )
///     .await?;
///     let (mut reader, writer) = open_connection(server.local_addrs()).await?;
///     writer.write(b"hello\n");
///     writer.drain().await?;
///     assert_eq!(reader.readline().await?, b"hello\n");
///     writer.close();
///     writer.wait_closed().await?;
///     std::io::Result::Ok(())
/// })?;
/// # std::io::Result::Ok(())
/// ```
pub struct StreamWriter {
    connection: Rc<Connection>,
    /// Of the futures-io trait, which has no future of its own to keep it in.
    place: WakePlace,
}

impl StreamWriter {
    pub(super) fn new(connection: Rc<Connection>) -> StreamWriter {
        StreamWriter {
            connection,
            place: WakePlace::default(),
        }
    }

    pub(crate) fn connection(&self) -> &Rc<Connection> {
        &self.connection
    }

    /// Sends these bytes behind those that were written before: at once as far as possible, and the rest in the background.
    ///
    /// What is written to a connection that has failed or is closing is dropped. What is written after
    /// [`write_eof`](StreamWriter::write_eof) is dropped too, and an error of `drain`.
    pub fn write(&self, bytes: &[u8]) {
        if !bytes.is_empty() {
            self.connection.write(bytes);
        }
    }

    /// Writes several pieces as one.
    pub fn writelines<I>(&self, pieces: I)
    where
        I: IntoIterator,
        I::Item: AsRef<[u8]>,
    {
        let mut pieces = pieces.into_iter();
        let Some(first) = pieces.next() else { return };
        let Some(second) = pieces.next() else {
            return self.write(first.as_ref());
        };
        let mut bytes = [first.as_ref(), second.as_ref()].concat();
        for piece in pieces {
            bytes.extend_from_slice(piece.as_ref());
        }
        self.write(&bytes);
    }

    /// Waits until it makes sense to write more: while there was more in the buffer than the high-water mark, and since then there
    /// is more than the low one. Any number of tasks may wait.
    ///
    /// On a connection that is closing it gives the other tasks a turn first, so that a loop of `write` and `drain` that does not
    /// notice the end spins for nobody.
    ///
    /// # Errors
    ///
    /// How the connection has failed, in reading or writing; [`ConnectionReset`](io::ErrorKind::ConnectionReset) once it is closed;
    /// [`BrokenPipe`](io::ErrorKind::BrokenPipe) if something was written after `write_eof`.
    ///
    /// # Cancel safety
    ///
    /// It only waits.
    #[track_caller]
    pub fn drain(&self) -> Drain<'_> {
        Drain::new(&self.connection, Location::caller())
    }

    /// Ends what is written, behind what is buffered: the peer reads to the end of it. Reading goes on.
    ///
    /// Where [`can_write_eof`](StreamWriter::can_write_eof) is false nothing happens.
    #[doc(alias = "shutdown")]
    pub fn write_eof(&self) {
        if self.can_write_eof() {
            self.connection.write_eof();
        }
    }

    /// What is written may end while reading goes on: for TCP and Unix sockets, and not for TLS.
    pub fn can_write_eof(&self) -> bool {
        self.connection.facts.half_close
    }

    /// Closes the connection: what is buffered is still sent, in the background, and then the transport is dropped. The reader comes
    /// to its end at once.
    pub fn close(&self) {
        self.connection.close();
    }

    /// Closes the connection now. What is buffered is lost.
    pub fn abort(&self) {
        self.connection.abort();
    }

    /// It was closed, by [`close`](StreamWriter::close) or [`abort`](StreamWriter::abort).
    pub fn is_closing(&self) -> bool {
        self.connection.phase() != Phase::Open
    }

    /// Waits until the connection is closed, everything sent and the transport dropped. Somebody has to close it first.
    ///
    /// A peer that does not read may make it wait for ever: `timeout(limit, writer.wait_closed())`, and then
    /// [`abort`](StreamWriter::abort).
    ///
    /// # Errors
    ///
    /// How the connection has failed.
    ///
    /// # Cancel safety
    ///
    /// It only waits.
    #[track_caller]
    pub fn wait_closed(&self) -> ConnectionClosed<'_> {
        ConnectionClosed::new(&self.connection, Location::caller())
    }

    /// When [`drain`](StreamWriter::drain) begins to wait, and when it ends: when there are more than `high` bytes in the buffer, and
    /// at most `low`. 64 KiB and 16 KiB, unless told otherwise. With only one of them given, `high` is four times `low`; with neither,
    /// they are as at the beginning.
    ///
    /// # Panics
    ///
    /// When `low` is above `high`.
    #[track_caller]
    pub fn set_write_buffer_limits(&self, high: Option<usize>, low: Option<usize>) {
        let high = high.unwrap_or_else(|| low.map_or(64 * 1024, |low| low.saturating_mul(4)));
        let low = low.unwrap_or(high / 4);
        assert!(
            low <= high,
            "the low-water mark is above the high-water mark"
        );
        self.connection.set_limits(low, high);
    }

    /// The low-water and the high-water mark.
    pub fn write_buffer_limits(&self) -> (usize, usize) {
        self.connection.outgoing.borrow().limits()
    }

    /// How many bytes wait to be sent.
    pub fn write_buffer_size(&self) -> usize {
        self.connection.outgoing.borrow().len()
    }

    /// The address of the peer; on a server, the one that was accepted. `None`: it has none, as in the Unix domain, or had gone when the
    /// streams of a client were made.
    #[doc(alias = "get_extra_info")]
    #[doc(alias = "peername")]
    pub fn peer_addr(&self) -> Option<SocketAddr> {
        self.connection.facts.peer
    }

    /// The address of this side. `None`: it has none, as in the Unix domain.
    #[doc(alias = "sockname")]
    pub fn local_addr(&self) -> Option<SocketAddr> {
        self.connection.facts.local
    }

    /// Lends the transport, for options and questions. `None`: it is of another type, or the connection is closed.
    ///
    /// ```
    /// # use corio_runtime as corio;
    /// # corio::run(async {
    /// # let server = corio_net::start_server(async |_, _| {}, "127.0.0.1:0").await?;
    /// # let (reader, writer) = corio_net::open_connection(server.local_addrs()).await?;
    /// use corio_net::TcpStream;
    /// writer.with_transport(|stream: &mut TcpStream| stream.set_nodelay(false));
    /// # std::io::Result::Ok(())
    /// # })?;
    /// # std::io::Result::Ok(())
    /// ```
    #[doc(alias = "get_extra_info")]
    #[doc(alias = "transport")]
    pub fn with_transport<T: 'static, R>(&self, look: impl FnOnce(&mut T) -> R) -> Option<R> {
        self.connection.with_transport_as(look)
    }

    /// Waits until `ready`, or the connection has failed or, if that is not what is waited for, is closed.
    fn poll_until(
        &mut self,
        cx: &mut Context<'_>,
        ready: impl Fn(&Connection) -> bool,
        closed: io::Result<()>,
    ) -> Poll<io::Result<()>> {
        let connection = &self.connection;
        let result = match connection.error() {
            Some(error) => Err(error),
            None if connection.phase() == Phase::Closed => closed,
            None if ready(connection) => Ok(()),
            None => {
                connection.waiting.wait(&mut self.place, cx.waker());
                return Poll::Pending;
            }
        };
        connection.waiting.leave(&mut self.place);
        Poll::Ready(result)
    }
}

impl AsyncWrite for StreamWriter {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let roomy = |connection: &Connection| !connection.outgoing.borrow().is_paused();
        ready!(self.poll_until(cx, roomy, Err(io::ErrorKind::ConnectionReset.into())))?;
        let (_, high) = self.write_buffer_limits();
        let bytes = &bytes[..bytes.len().min(high.max(1))];
        self.write(bytes);
        // A failure is told at once, since whoever writes so does not ask `drain`.
        match self.connection.error() {
            Some(error) => Poll::Ready(Err(error)),
            None => Poll::Ready(Ok(bytes.len())),
        }
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.poll_until(cx, Connection::is_idle, Ok(()))
    }

    fn poll_close(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.close();
        self.poll_until(cx, |_| false, Ok(()))
    }
}

impl Drop for StreamWriter {
    fn drop(&mut self) {
        self.connection.waiting.leave(&mut self.place);
        self.connection.writer_goes();
    }
}

impl fmt::Debug for StreamWriter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("StreamWriter")
            .field(&self.connection)
            .finish()
    }
}
