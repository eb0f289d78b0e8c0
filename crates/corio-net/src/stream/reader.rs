//! `StreamReader`.

use std::fmt;
use std::io;
use std::panic::Location;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready};

use corio_core::waiting::{self, WaitKind};
use futures_io::{AsyncBufRead, AsyncRead};

use super::connection::Connection;
use super::error::LastingError;
use super::feeder::{Feed, StreamFeeder};
use super::incoming::{AT_ONCE, Incoming};
use super::lines::Lines;
use super::reads::{Read, ReadExactly, ReadLine, ReadToEnd, ReadUntil, Separators};

/// The reading side of a connection, with a buffer.
///
/// Made with its [`StreamWriter`](crate::StreamWriter) by [`open_connection`](crate::open_connection), by
/// [`start_server`](crate::start_server) or by [`StreamOptions`](crate::StreamOptions), or alone by [`fed`](StreamReader::fed).
/// It asks its transport only when somebody reads, so a peer that sends faster than this side reads has to wait.
///
/// Every method is safe to cancel: what had arrived is in the buffer, and the next read begins with it. When the connection has
/// failed, every later read gives the same error. When it is closed from this side, reading gives what had arrived, and the end.
///
/// It implements `AsyncRead` and `AsyncBufRead` of futures-io. Like its connection it stays on its thread.
///
/// Dropped before the writer, it leaves the connection open. If that is one of a server, what still arrives is then read and thrown
/// away, so that the server hears of its loss, as in asyncio.
///
/// ```
/// # use corio_runtime as corio;
/// use corio_net::StreamReader;
///
/// corio::run(async {
///     let (mut reader, feeder) = StreamReader::fed(1024);
///     feeder.feed_data(b"GET / HTTP/1.1\r\nhost: here\r\n\r\n");
///     assert_eq!(reader.readuntil(b"\r\n").await?, b"GET / HTTP/1.1\r\n");
///     assert_eq!(reader.readexactly(4).await?, b"host");
///     feeder.feed_eof();
///     assert_eq!(reader.read_to_end().await?, b": here\r\n\r\n");
///     assert!(reader.at_eof());
///     std::io::Result::Ok(())
/// })?;
/// # std::io::Result::Ok(())
/// ```
pub struct StreamReader {
    pub(super) incoming: Incoming,
    pub(super) limit: usize,
    source: Source,
    eof: bool,
    error: Option<LastingError>,
}

enum Source {
    Connection(Rc<Connection>),
    Feed(Rc<Feed>),
}

/// How much a line may have, unless told otherwise.
pub(super) const LIMIT: usize = 64 * 1024;

static FILL: WaitKind = WaitKind::new("StreamReader::poll_fill_buf");

impl StreamReader {
    pub(super) fn of_connection(connection: Rc<Connection>, limit: usize) -> StreamReader {
        StreamReader::new(Source::Connection(connection), limit)
    }

    /// A reader of what its feeder is given: for tests, and for protocols that carry streams inside of others.
    #[doc(alias = "feed_data")]
    pub fn fed(limit: usize) -> (StreamReader, StreamFeeder) {
        let feed = Rc::new(Feed::default());
        let feeder = StreamFeeder::new(feed.clone(), limit);
        (StreamReader::new(Source::Feed(feed), limit), feeder)
    }

    fn new(source: Source, limit: usize) -> StreamReader {
        StreamReader {
            incoming: Incoming::default(),
            limit,
            source,
            eof: false,
            error: None,
        }
    }

    /// Reads what there is, up to `n` bytes; nothing at the end of the stream. Waits only while there is nothing.
    ///
    /// With `n` 0 it gives nothing at once. The limit of the stream has no say here.
    ///
    /// # Errors
    ///
    /// Those of the connection.
    ///
    /// # Panics
    ///
    /// When it has to wait on a thread where no loop is running.
    ///
    /// # Cancel safety
    ///
    /// Dropped before it is ready, it has taken no byte.
    #[track_caller]
    pub fn read(&mut self, n: usize) -> Read<'_> {
        Read::new(self, n, Location::caller())
    }

    /// Reads to the end of the stream: asyncio's `read(-1)`.
    ///
    /// # Errors
    ///
    /// Those of the connection.
    ///
    /// # Panics
    ///
    /// When it has to wait on a thread where no loop is running.
    ///
    /// # Cancel safety
    ///
    /// Dropped before it is ready, it has taken no byte: what has arrived stays in the buffer.
    #[track_caller]
    pub fn read_to_end(&mut self) -> ReadToEnd<'_> {
        ReadToEnd::new(self, Location::caller())
    }

    /// Reads `n` bytes, neither more nor fewer.
    ///
    /// # Errors
    ///
    /// [`Incomplete`](crate::ReadError::Incomplete) with what there was, when the stream ends before; and those of the connection.
    ///
    /// # Panics
    ///
    /// When it has to wait on a thread where no loop is running.
    ///
    /// # Cancel safety
    ///
    /// Dropped before it is ready, it has taken no byte.
    #[doc(alias = "read_exact")]
    #[track_caller]
    pub fn readexactly(&mut self, n: usize) -> ReadExactly<'_> {
        ReadExactly::new(self, n, Location::caller())
    }

    /// Reads up to a separator and with it.
    ///
    /// # Errors
    ///
    /// [`Incomplete`](crate::ReadError::Incomplete) with what there was, when the stream ends before;
    /// [`LimitOverrun`](crate::ReadError::LimitOverrun) when there are more bytes before the separator than the limit allows,
    /// which then stay in the stream; and those of the connection.
    ///
    /// # Panics
    ///
    /// When the separator is empty, or it has to wait on a thread where no loop is running.
    ///
    /// # Cancel safety
    ///
    /// Dropped before it is ready, it has taken no byte.
    #[track_caller]
    pub fn readuntil<'a>(
        &'a mut self,
        separator: &'a (impl AsRef<[u8]> + ?Sized),
    ) -> ReadUntil<'a> {
        let separators = Separators::one(separator.as_ref());
        ReadUntil::new(self, separators, Location::caller())
    }

    /// Reads up to that one of several separators which ends first, and with it.
    ///
    /// ```
    /// # use corio_runtime as corio;
    /// # corio::run(async {
    /// # let (mut reader, feeder) = corio_net::StreamReader::fed(1024);
    /// feeder.feed_data(b"one\r\ntwo\n");
    /// assert_eq!(reader.readuntil_any(&[b"\r\n", b"\n"]).await?, b"one\r\n");
    /// assert_eq!(reader.readuntil_any(&[b"\r\n", b"\n"]).await?, b"two\n");
    /// # std::io::Result::Ok(())
    /// # })?;
    /// # std::io::Result::Ok(())
    /// ```
    ///
    /// # Errors
    ///
    /// As [`readuntil`](StreamReader::readuntil).
    ///
    /// # Panics
    ///
    /// When there is no separator or an empty one, or it has to wait on a thread where no loop is running.
    ///
    /// # Cancel safety
    ///
    /// Dropped before it is ready, it has taken no byte.
    #[track_caller]
    pub fn readuntil_any<'a>(&'a mut self, separators: &'a [&'a [u8]]) -> ReadUntil<'a> {
        ReadUntil::new(self, Separators::any(separators), Location::caller())
    }

    /// Reads a line with its `\n`. At the end of the stream it gives the rest, which has none, and then nothing.
    ///
    /// # Errors
    ///
    /// [`LimitOverrun`](crate::ReadError::LimitOverrun) for a line that is longer than the limit. It is dropped, as far as it has
    /// arrived, and the next read begins behind it. Otherwise those of the connection.
    ///
    /// # Panics
    ///
    /// When it has to wait on a thread where no loop is running.
    ///
    /// # Cancel safety
    ///
    /// Dropped before it is ready, it has taken no byte.
    #[doc(alias = "read_line")]
    #[track_caller]
    pub fn readline(&mut self) -> ReadLine<'_> {
        ReadLine::new(self, Location::caller())
    }

    /// The lines up to the end of the stream, each with its `\n`: a stream, and what `async for` reads in asyncio.
    ///
    /// # Errors
    ///
    /// The items are those of [`readline`](StreamReader::readline).
    ///
    /// # Cancel safety
    ///
    /// Dropped, it has taken no byte of a line that it has not given.
    #[track_caller]
    pub fn lines(&mut self) -> Lines<'_> {
        Lines::new(self, Location::caller())
    }

    /// The stream has ended, and all of it was read.
    pub fn at_eof(&self) -> bool {
        self.eof && self.incoming.data().is_empty()
    }

    /// What has arrived and was not read yet.
    pub fn buffer(&self) -> &[u8] {
        self.incoming.data()
    }

    /// The error that every read gives from now on, if there is one.
    pub fn exception(&self) -> Option<io::Error> {
        let own = self.error.as_ref().map(LastingError::again);
        own.or_else(|| match &self.source {
            Source::Connection(_) => None,
            Source::Feed(feed) => feed.error(),
        })
    }

    #[cfg(feature = "tls")]
    pub(super) fn is_of(&self, connection: &Rc<Connection>) -> bool {
        matches!(&self.source, Source::Connection(own) if Rc::ptr_eq(own, connection))
    }

    /// At the beginning of every read: an error that lasts comes before what is in the buffer.
    pub(super) fn check(&self) -> io::Result<()> {
        match self.exception() {
            Some(error) => Err(error),
            None => Ok(()),
        }
    }

    /// Waits for more. False: there is no more.
    pub(super) fn poll_more(
        &mut self,
        cx: &mut Context<'_>,
        kind: &'static WaitKind,
        site: &'static Location<'static>,
    ) -> Poll<io::Result<bool>> {
        self.check()?;
        if self.eof {
            return Poll::Ready(Ok(false));
        }
        let source = &self.source;
        let filled = self.incoming.fill(|buf| source.poll_read(cx, buf));
        let Poll::Ready(result) = filled else {
            waiting::note(kind, site);
            return Poll::Pending;
        };
        self.heed(&result);
        Poll::Ready(result.map(|count| count > 0))
    }

    /// Remembers an end and an error.
    fn heed(&mut self, result: &io::Result<usize>) {
        match result {
            Ok(0) => self.eof = true,
            Ok(_) => {}
            Err(error) => self.error = Some(LastingError::of(error)),
        }
    }
}

impl Source {
    fn poll_read(&self, cx: &mut Context<'_>, buf: &mut [u8]) -> Poll<io::Result<usize>> {
        match self {
            Source::Connection(connection) => connection.poll_read(cx, buf),
            Source::Feed(feed) => feed.poll_read(cx, buf),
        }
    }
}

impl AsyncRead for StreamReader {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        if buf.is_empty() {
            return Poll::Ready(Ok(0));
        }
        this.check()?;
        if buf.len() >= AT_ONCE && this.incoming.data().is_empty() && !this.eof {
            // As much as would be buffered, so it need not be.
            let result = ready!(this.source.poll_read(cx, buf));
            this.heed(&result);
            return Poll::Ready(result);
        }
        let data = ready!(Pin::new(&mut *this).poll_fill_buf(cx))?;
        let count = data.len().min(buf.len());
        buf[..count].copy_from_slice(&data[..count]);
        this.incoming.consume(count);
        Poll::Ready(Ok(count))
    }
}

impl AsyncBufRead for StreamReader {
    #[track_caller]
    fn poll_fill_buf(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<&[u8]>> {
        let this = self.get_mut();
        this.check()?;
        if this.incoming.data().is_empty() {
            ready!(this.poll_more(cx, &FILL, Location::caller()))?;
        }
        Poll::Ready(Ok(this.incoming.data()))
    }

    fn consume(mut self: Pin<&mut Self>, amount: usize) {
        self.incoming.consume(amount);
    }
}

impl Drop for StreamReader {
    fn drop(&mut self) {
        if let (Source::Connection(connection), false) = (&self.source, self.eof) {
            connection.reader_goes();
        }
    }
}

impl fmt::Debug for StreamReader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut debug = f.debug_struct("StreamReader");
        if let Source::Connection(connection) = &self.source {
            debug.field("connection", connection);
        }
        debug
            .field("buffered", &self.incoming.data().len())
            .field("eof", &self.eof)
            .field("exception", &self.exception())
            .finish_non_exhaustive()
    }
}
