//! `TcpStream`.

use std::fmt;
use std::io;
use std::net::{self, SocketAddr};
use std::panic::Location;
use std::time::Duration;

use corio_core::waiting::WaitKind;
use corio_runtime::IoSource;
use socket2::{SockRef, TcpKeepalive};

use super::{Connect, TcpConnector};
use crate::ToSocketAddrs;
use crate::bytes::{self, Kinds, Peek};

/// A TCP connection. Dropping it closes it.
///
/// Nagle's algorithm is off ([`set_nodelay`](TcpStream::set_nodelay)): a small write goes out at once, so what belongs together is
/// best written together.
///
/// Several tasks may read and write at the same time through `&TcpStream`; each operation is one system call, so bytes of
/// concurrent writes are mixed at the borders of what one call has taken. It may be made, moved and dropped on any thread, and
/// joins the loop that polls it, see [`IoSource`].
///
/// It implements `AsyncRead` and `AsyncWrite` of futures-io, also by reference.
///
/// ```
/// # use corio_runtime as corio;
/// use corio_net::{TcpListener, TcpStream};
///
/// corio::run(async {
///     let listener = TcpListener::bind("127.0.0.1:0").await?;
///     let client = TcpStream::connect(listener.local_addr()?).await?;
///     let (server, peer) = listener.accept().await?;
///     assert_eq!(peer, client.local_addr()?);
///
///     client.write(b"hello").await?;
///     let mut buffer = [0; 16];
///     let length = server.read(&mut buffer).await?;
///     assert_eq!(&buffer[..length], b"hello");
///     std::io::Result::Ok(())
/// })?;
/// # std::io::Result::Ok(())
/// ```
pub struct TcpStream {
    source: IoSource<net::TcpStream>,
}

static KINDS: Kinds = Kinds {
    read: WaitKind::new("TcpStream::read"),
    write: WaitKind::new("TcpStream::write"),
    peek: WaitKind::new("TcpStream::peek"),
};

impl TcpStream {
    /// Connects to an address, or to the first of several that answers.
    ///
    /// Of several addresses the second is tried when the first has failed or has not answered within 250 ms, and so on, the
    /// families in turns: the "happy eyeballs" of RFC 8305. [`TcpConnector`] has options.
    ///
    /// # Errors
    ///
    /// That of the look-up, or of the connection: refused, unreachable, timed out by the system. The failure of the one address that
    /// was given is the error of the system as it is. When several addresses have failed, or those of a name, the error has the kind
    /// of the first failure and says what became of each, see [`ConnectErrors`](crate::ConnectErrors).
    ///
    /// # Panics
    ///
    /// When it is polled on a thread where no loop is running.
    ///
    /// # Cancel safety
    ///
    /// Dropped before it is ready, attempts under way are given up and their sockets closed.
    #[doc(alias = "create_connection")]
    #[track_caller]
    pub fn connect(addr: impl ToSocketAddrs) -> Connect {
        TcpConnector::new().connect(addr)
    }

    /// Options for connecting.
    pub fn connector() -> TcpConnector {
        TcpConnector::new()
    }

    /// Takes a connection of the standard library, and switches it to non-blocking mode. Other options are left as they are. No
    /// loop is needed.
    ///
    /// # Errors
    ///
    /// When the mode cannot be switched. `From` takes the connection without asking, and has the first operation say so.
    pub fn from_std(stream: net::TcpStream) -> io::Result<TcpStream> {
        TcpStream::prepare(&stream)?;
        Ok(TcpStream::of_source(IoSource::new(stream)))
    }

    fn prepare(stream: &net::TcpStream) -> io::Result<()> {
        stream.set_nonblocking(true)
    }

    /// The connection is prepared, or the source knows that it is not. It may be registered already.
    pub(super) fn of_source(source: IoSource<net::TcpStream>) -> TcpStream {
        TcpStream { source }
    }

    /// Leaves the loop and gives the connection back, in **non-blocking** mode.
    pub fn into_std(self) -> net::TcpStream {
        self.source.into_inner()
    }
}

bytes::stream_methods!(TcpStream, net::TcpStream);

impl TcpStream {
    /// Reads what there is and leaves it there for the next read.
    ///
    /// # Errors
    ///
    /// As [`read`](TcpStream::read).
    ///
    /// # Panics
    ///
    /// As [`read`](TcpStream::read).
    ///
    /// # Cancel safety
    ///
    /// It takes no byte, dropped or not.
    #[track_caller]
    pub fn peek<'a>(&'a self, buf: &'a mut [u8]) -> Peek<'a> {
        Peek::new(self, buf, Location::caller())
    }

    /// The address of this end.
    ///
    /// # Errors
    ///
    /// What the operating system says.
    #[doc(alias = "getsockname")]
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.source.get_ref().local_addr()
    }

    /// The address of the other end.
    ///
    /// # Errors
    ///
    /// [`NotConnected`](io::ErrorKind::NotConnected) after the connection has ended.
    #[doc(alias = "getpeername")]
    pub fn peer_addr(&self) -> io::Result<SocketAddr> {
        self.source.get_ref().peer_addr()
    }

    /// Whether small writes go out at once.
    ///
    /// # Errors
    ///
    /// What the operating system says.
    pub fn nodelay(&self) -> io::Result<bool> {
        self.source.get_ref().nodelay()
    }

    /// Makes small writes go out at once (as they do, unless told otherwise) or be collected while bytes are on their way.
    ///
    /// # Errors
    ///
    /// What the operating system says.
    pub fn set_nodelay(&self, nodelay: bool) -> io::Result<()> {
        self.source.get_ref().set_nodelay(nodelay)
    }

    /// Has the system ask an idle peer whether it is still there, first after `idle`; `None` switches that off.
    ///
    /// # Errors
    ///
    /// What the operating system says.
    pub fn set_keepalive(&self, idle: Option<Duration>) -> io::Result<()> {
        let socket = SockRef::from(self.source.get_ref());
        match idle {
            Some(idle) => socket.set_tcp_keepalive(&TcpKeepalive::new().with_time(idle)),
            None => socket.set_keepalive(false),
        }
    }

    /// Whether the system asks an idle peer whether it is still there.
    ///
    /// # Errors
    ///
    /// What the operating system says.
    pub fn keepalive(&self) -> io::Result<bool> {
        SockRef::from(self.source.get_ref()).keepalive()
    }

    /// What a close does with bytes that have not arrived: `None` is to deliver them in the background; zero is to throw them away
    /// and reset the connection. Any other time makes the close **block the loop** for up to that long.
    ///
    /// # Errors
    ///
    /// What the operating system says.
    pub fn set_linger(&self, linger: Option<Duration>) -> io::Result<()> {
        SockRef::from(self.source.get_ref()).set_linger(linger)
    }

    /// What a close does with bytes that have not arrived, see [`set_linger`](TcpStream::set_linger).
    ///
    /// # Errors
    ///
    /// What the operating system says.
    pub fn linger(&self) -> io::Result<Option<Duration>> {
        SockRef::from(self.source.get_ref()).linger()
    }

    /// How many routers a packet may pass.
    ///
    /// # Errors
    ///
    /// What the operating system says.
    pub fn ttl(&self) -> io::Result<u32> {
        self.source.get_ref().ttl()
    }

    /// Sets how many routers a packet may pass.
    ///
    /// # Errors
    ///
    /// What the operating system says.
    pub fn set_ttl(&self, ttl: u32) -> io::Result<()> {
        self.source.get_ref().set_ttl(ttl)
    }
}

impl bytes::sealed::Stream for TcpStream {
    type Os = net::TcpStream;

    #[inline]
    fn source(&self) -> &IoSource<net::TcpStream> {
        &self.source
    }

    #[inline]
    fn kinds() -> &'static Kinds {
        &KINDS
    }
}

// A read of a TCP stream gives all there is up to the buffer's length; only urgent data ends it early, and that is an event of
// its own kind.
bytes::stream_socket!(net::TcpStream, short_read_drains: true);

crate::handles::handle_traits!(TcpStream, net::TcpStream);

impl fmt::Debug for TcpStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut debug = f.debug_struct("TcpStream");
        if let Ok(addr) = self.local_addr() {
            debug.field("local", &addr);
        }
        if let Ok(addr) = self.peer_addr() {
            debug.field("peer", &addr);
        }
        debug.finish_non_exhaustive()
    }
}
