//! `UnixDatagram`.

use std::fmt;
use std::io;
use std::os::unix::net::{self, SocketAddr};
use std::panic::Location;
use std::path::Path;

use corio_core::waiting::WaitKind;
use corio_runtime::{IoReady, IoSource};

use crate::datagrams::{
    DatagramKinds, DatagramSocket, Recv, RecvFrom, SendOne, SendTo, Take, sealed,
};

/// A socket for messages in the Unix domain. Dropping it closes it.
///
/// Messages keep their borders and their order, and none is lost: who sends waits while the receiver has no room. The file at its
/// path is left to who made it; dropping the socket does not remove it.
///
/// ```
/// # use corio_runtime as corio;
/// use corio_net::UnixDatagram;
///
/// let (a, b) = UnixDatagram::pair()?;
/// corio::run(async {
///     a.send(b"hello").await?;
///     let mut buffer = [0; 16];
///     let length = b.recv(&mut buffer).await?;
///     assert_eq!(&buffer[..length], b"hello");
///     std::io::Result::Ok(())
/// })?;
/// # std::io::Result::Ok(())
/// ```
pub struct UnixDatagram {
    source: IoSource<net::UnixDatagram>,
}

static KINDS: DatagramKinds = DatagramKinds {
    receive: WaitKind::new("UnixDatagram::recv"),
    send: WaitKind::new("UnixDatagram::send"),
};

impl UnixDatagram {
    /// Makes a socket at a path, at which a file is made. No loop is needed.
    ///
    /// # Errors
    ///
    /// [`AddrInUse`](io::ErrorKind::AddrInUse) when there is a file at the path, and what else the operating system says.
    pub fn bind(path: impl AsRef<Path>) -> io::Result<UnixDatagram> {
        UnixDatagram::from_std(net::UnixDatagram::bind(path)?)
    }

    /// Makes a socket at an address, which may have an abstract name on Linux. No loop is needed.
    ///
    /// # Errors
    ///
    /// As [`bind`](UnixDatagram::bind).
    pub fn bind_addr(addr: &SocketAddr) -> io::Result<UnixDatagram> {
        UnixDatagram::from_std(net::UnixDatagram::bind_addr(addr)?)
    }

    /// A socket without an address: it can send, and receive once it is connected. No loop is needed.
    ///
    /// # Errors
    ///
    /// When there are no descriptors left.
    pub fn unbound() -> io::Result<UnixDatagram> {
        UnixDatagram::from_std(net::UnixDatagram::unbound()?)
    }

    /// Two connected sockets without addresses. No loop is needed.
    ///
    /// # Errors
    ///
    /// When there are no descriptors left.
    #[doc(alias = "socketpair")]
    pub fn pair() -> io::Result<(UnixDatagram, UnixDatagram)> {
        let (a, b) = net::UnixDatagram::pair()?;
        Ok((UnixDatagram::from_std(a)?, UnixDatagram::from_std(b)?))
    }

    /// Takes a socket of the standard library, and switches it to non-blocking mode. No loop is needed.
    ///
    /// # Errors
    ///
    /// When the mode cannot be switched. `From` takes the socket without asking, and has the first operation say so.
    pub fn from_std(socket: net::UnixDatagram) -> io::Result<UnixDatagram> {
        UnixDatagram::prepare(&socket)?;
        Ok(UnixDatagram::of_source(IoSource::new(socket)))
    }

    fn prepare(socket: &net::UnixDatagram) -> io::Result<()> {
        socket.set_nonblocking(true)
    }

    /// The socket is prepared, or the source knows that it is not.
    fn of_source(source: IoSource<net::UnixDatagram>) -> UnixDatagram {
        UnixDatagram { source }
    }

    /// Leaves the loop and gives the socket back, in **non-blocking** mode.
    pub fn into_std(self) -> net::UnixDatagram {
        self.source.into_inner()
    }

    /// Fixes the peer, which is at a path. Never waits.
    ///
    /// # Errors
    ///
    /// What the operating system says: nothing is there, or nobody receives there any more.
    pub fn connect(&self, path: impl AsRef<Path>) -> io::Result<()> {
        self.source.get_ref().connect(path)
    }

    /// Fixes the peer, which is at an address. Never waits.
    ///
    /// # Errors
    ///
    /// As [`connect`](UnixDatagram::connect).
    pub fn connect_addr(&self, addr: &SocketAddr) -> io::Result<()> {
        self.source.get_ref().connect_addr(addr)
    }

    /// Sends a message to the peer.
    ///
    /// # Errors
    ///
    /// That there is no peer, that it has gone, or that the message is too long.
    ///
    /// # Panics
    ///
    /// When it is polled on a thread where no loop is running.
    ///
    /// # Cancel safety
    ///
    /// Dropped before it is ready, it has sent nothing.
    #[track_caller]
    pub fn send<'a>(&'a self, buf: &'a [u8]) -> SendOne<'a, UnixDatagram> {
        SendOne::new(self, buf, Location::caller())
    }

    /// Sends a message to the socket at a path.
    ///
    /// A receiver without room is tried again after pauses of 1 ms to 50 ms, since the system does not report when it has room.
    ///
    /// # Errors
    ///
    /// That nothing is there, that nobody receives there any more, or that the message is too long.
    ///
    /// # Panics
    ///
    /// As [`send`](UnixDatagram::send).
    ///
    /// # Cancel safety
    ///
    /// Dropped before it is ready, it has sent nothing.
    #[track_caller]
    pub fn send_to<'a>(
        &'a self,
        buf: &'a [u8],
        path: impl AsRef<Path>,
    ) -> SendTo<'a, UnixDatagram> {
        let addr = SocketAddr::from_pathname(path);
        SendTo::new(self, buf, addr, Location::caller())
    }

    /// Sends a message to an address, which may have an abstract name on Linux. Otherwise as [`send_to`](UnixDatagram::send_to).
    ///
    /// # Errors
    ///
    /// As [`send_to`](UnixDatagram::send_to).
    ///
    /// # Panics
    ///
    /// As [`send`](UnixDatagram::send).
    ///
    /// # Cancel safety
    ///
    /// Dropped before it is ready, it has sent nothing.
    #[track_caller]
    pub fn send_to_addr<'a>(
        &'a self,
        buf: &'a [u8],
        addr: &SocketAddr,
    ) -> SendTo<'a, UnixDatagram> {
        SendTo::new(self, buf, Ok(addr.clone()), Location::caller())
    }

    /// Receives a message. What does not fit into the buffer is lost.
    ///
    /// # Errors
    ///
    /// What the operating system says.
    ///
    /// # Panics
    ///
    /// As [`send`](UnixDatagram::send).
    ///
    /// # Cancel safety
    ///
    /// Dropped before it is ready, it has taken no message.
    #[track_caller]
    pub fn recv<'a>(&'a self, buf: &'a mut [u8]) -> Recv<'a, UnixDatagram> {
        Recv::new(self, buf, Take::Yes, Location::caller())
    }

    /// Receives a message, and says from whom. What does not fit into the buffer is lost.
    ///
    /// # Errors
    ///
    /// What the operating system says.
    ///
    /// # Panics
    ///
    /// As [`send`](UnixDatagram::send).
    ///
    /// # Cancel safety
    ///
    /// Dropped before it is ready, it has taken no message.
    #[track_caller]
    pub fn recv_from<'a>(&'a self, buf: &'a mut [u8]) -> RecvFrom<'a, UnixDatagram> {
        RecvFrom::new(self, buf, Take::Yes, Location::caller())
    }

    /// Waits until receiving may not block; see [`IoSource::readable`].
    ///
    /// # Errors
    ///
    /// When the socket cannot be watched.
    ///
    /// # Panics
    ///
    /// As [`send`](UnixDatagram::send).
    ///
    /// # Cancel safety
    ///
    /// Safe: readiness is not consumed by waiting for it.
    #[track_caller]
    pub fn readable(&self) -> IoReady<'_, net::UnixDatagram> {
        self.source.readable()
    }

    /// The address of this socket.
    ///
    /// # Errors
    ///
    /// What the operating system says.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.source.get_ref().local_addr()
    }

    /// The address of the peer.
    ///
    /// # Errors
    ///
    /// [`NotConnected`](io::ErrorKind::NotConnected) if there is none.
    pub fn peer_addr(&self) -> io::Result<SocketAddr> {
        self.source.get_ref().peer_addr()
    }

    /// Ends one direction or both, at once and without waiting.
    ///
    /// # Errors
    ///
    /// What the operating system says.
    pub fn shutdown(&self, how: std::net::Shutdown) -> io::Result<()> {
        self.source.get_ref().shutdown(how)
    }
}

impl DatagramSocket for net::UnixDatagram {
    type Addr = SocketAddr;

    // Only a connected socket is told when its peer has room again.
    const FULL_RECEIVER_IS_SILENT: bool = true;

    // Looking without taking is not stable in the standard library, and nothing here asks for it.
    fn receive(&self, buf: &mut [u8], _: Take) -> io::Result<usize> {
        self.recv(buf)
    }

    fn receive_from(&self, buf: &mut [u8], _: Take) -> io::Result<(usize, SocketAddr)> {
        self.recv_from(buf)
    }

    fn transmit(&self, buf: &[u8]) -> io::Result<usize> {
        self.send(buf)
    }

    fn transmit_to(&self, buf: &[u8], addr: &SocketAddr) -> io::Result<usize> {
        self.send_to_addr(buf, addr)
    }
}

impl sealed::Datagrams for UnixDatagram {
    type Os = net::UnixDatagram;

    fn source(&self) -> &IoSource<net::UnixDatagram> {
        &self.source
    }

    fn kinds() -> &'static DatagramKinds {
        &KINDS
    }
}

crate::handles::handle_traits!(UnixDatagram, net::UnixDatagram);

impl fmt::Debug for UnixDatagram {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut debug = f.debug_struct("UnixDatagram");
        if let Ok(addr) = self.local_addr() {
            debug.field("local", &addr);
        }
        if let Ok(addr) = self.peer_addr() {
            debug.field("peer", &addr);
        }
        debug.finish_non_exhaustive()
    }
}
