//! From a reader and a writer back to what is under them: for TLS on a connection that is in use.

use std::any::Any;
use std::fmt;
use std::io;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

use futures_io::{AsyncRead, AsyncWrite};

use super::connection::{Connection, Guest};
use super::options::StreamOptions;
use super::reader::StreamReader;
use super::transport::Transport;
use super::writer::StreamWriter;

/// What a connection was on, under the TLS that was [started](StreamWriter::start_tls) on it.
pub struct Upgraded {
    transport: Box<dyn Transport>,
    /// Had arrived and was not read. It is for the upper layer.
    arrived: Vec<u8>,
    /// How much of it was read since.
    read: usize,
}

/// A connection in its parts.
pub(crate) struct Parts {
    pub(crate) transport: Upgraded,
    /// Those of the streams that there were.
    pub(crate) options: StreamOptions,
    pub(crate) guest: Option<Box<dyn Guest>>,
}

/// Takes the transport out of streams that have sent everything.
pub(crate) fn take_apart(mut reader: StreamReader, writer: &StreamWriter) -> io::Result<Parts> {
    let connection = writer.connection();
    if !reader.is_of(connection) {
        let message = "the reader and the writer are not of the same connection";
        return Err(io::Error::new(io::ErrorKind::InvalidInput, message));
    }
    reader.check()?;
    let facts = &connection.facts;
    let options = StreamOptions::new()
        .limit(reader.limit)
        .peer_addr(facts.peer)
        .local_addr(facts.local);
    let Some(left) = connection.dismantle() else {
        let message = "the connection is closed";
        return Err(io::Error::new(io::ErrorKind::NotConnected, message));
    };
    let length = reader.buffer().len();
    let transport = Upgraded {
        transport: left.transport,
        arrived: reader.incoming.take(length),
        read: 0,
    };
    Ok(Parts {
        transport,
        options,
        guest: left.guest,
    })
}

/// Lets the guest of a connection know that it has moved.
pub(crate) fn settle(guest: Option<Box<dyn Guest>>, connection: &Rc<Connection>) {
    if let Some(guest) = guest {
        guest.moves_to(connection);
        connection.set_guest_box(guest);
    }
}

impl Upgraded {
    /// Lends what it is, if it is of this type: a socket, for its options.
    pub fn downcast_ref<T: Any>(&self) -> Option<&T> {
        (*self.transport).as_any().downcast_ref()
    }
}

impl AsyncRead for Upgraded {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        let this = &mut *self;
        let arrived = &this.arrived[this.read..];
        if arrived.is_empty() {
            return Pin::new(&mut *this.transport).poll_read(cx, buf);
        }
        let count = arrived.len().min(buf.len());
        buf[..count].copy_from_slice(&arrived[..count]);
        this.read += count;
        if this.read == this.arrived.len() {
            this.arrived = Vec::new();
            this.read = 0;
        }
        Poll::Ready(Ok(count))
    }
}

impl AsyncWrite for Upgraded {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut *self.transport).poll_write(cx, buf)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut *self.transport).poll_write_vectored(cx, bufs)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut *self.transport).poll_flush(cx)
    }

    fn poll_close(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut *self.transport).poll_close(cx)
    }
}

impl fmt::Debug for Upgraded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Upgraded").finish_non_exhaustive()
    }
}
