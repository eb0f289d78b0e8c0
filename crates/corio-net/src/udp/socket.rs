//! `UdpSocket`.

use std::fmt;
use std::io;
use std::net::{self, SocketAddr};
use std::panic::Location;

use corio_core::waiting::WaitKind;
use corio_runtime::{IoReady, IoSource};
use socket2::Type;

use super::UdpConnect;
use crate::ToSocketAddrs;
use crate::bind::{Bind, BindOptions};
use crate::datagrams::{
    DatagramKinds, DatagramSocket, Recv, RecvFrom, SendOne, SendTo, Take, sealed,
};

/// A UDP socket. Dropping it closes it.
///
/// Several tasks may send and receive at the same time through `&UdpSocket`. It may be made, moved and dropped on any thread, and
/// joins the loop that polls it, see [`IoSource`].
///
/// ```
/// # use corio_runtime as corio;
/// use corio_net::UdpSocket;
///
/// corio::run(async {
///     let a = UdpSocket::bind("127.0.0.1:0").await?;
///     let b = UdpSocket::bind("127.0.0.1:0").await?;
///     a.send_to(b"hello", b.local_addr()?).await?;
///     let mut buffer = [0; 16];
///     let (length, from) = b.recv_from(&mut buffer).await?;
///     assert_eq!((&buffer[..length], from), (&b"hello"[..], a.local_addr()?));
///     std::io::Result::Ok(())
/// })?;
/// # std::io::Result::Ok(())
/// ```
#[doc(alias = "create_datagram_endpoint")]
pub struct UdpSocket {
    pub(super) source: IoSource<net::UdpSocket>,
}

static KINDS: DatagramKinds = DatagramKinds {
    receive: WaitKind::new("UdpSocket::recv"),
    send: WaitKind::new("UdpSocket::send"),
};

impl UdpSocket {
    /// Makes a socket with an address; of several, with the first that is to be had. Port 0 is any free one.
    ///
    /// # Errors
    ///
    /// That of the look-up, or of the address: in use, not of this machine, not allowed.
    ///
    /// # Panics
    ///
    /// When it is polled on a thread where no loop is running and a name has to be looked up.
    ///
    /// # Cancel safety
    ///
    /// Dropped before it is ready, nothing is bound.
    #[track_caller]
    pub fn bind(addr: impl ToSocketAddrs) -> Bind<UdpSocket> {
        UdpSocket::bind_with(addr, &BindOptions::new())
    }

    /// As [`bind`](UdpSocket::bind), with options.
    ///
    /// # Errors
    ///
    /// As [`bind`](UdpSocket::bind).
    ///
    /// # Panics
    ///
    /// As [`bind`](UdpSocket::bind).
    ///
    /// # Cancel safety
    ///
    /// Dropped before it is ready, nothing is bound.
    #[track_caller]
    pub fn bind_with(addr: impl ToSocketAddrs, options: &BindOptions) -> Bind<UdpSocket> {
        Bind::new(addr.lookup(), options.clone(), bind_now)
    }

    /// Takes a socket of the standard library, and switches it to non-blocking mode. No loop is needed.
    ///
    /// # Errors
    ///
    /// When the mode cannot be switched. `From` takes the socket without asking, and has the first operation say so.
    pub fn from_std(socket: net::UdpSocket) -> io::Result<UdpSocket> {
        UdpSocket::prepare(&socket)?;
        Ok(UdpSocket::of_source(IoSource::new(socket)))
    }

    fn prepare(socket: &net::UdpSocket) -> io::Result<()> {
        socket.set_nonblocking(true)
    }

    /// The socket is prepared, or the source knows that it is not.
    fn of_source(source: IoSource<net::UdpSocket>) -> UdpSocket {
        UdpSocket { source }
    }

    /// Leaves the loop and gives the socket back, in **non-blocking** mode.
    pub fn into_std(self) -> net::UdpSocket {
        self.source.into_inner()
    }

    /// Fixes the peer: [`send`](UdpSocket::send) sends to it, and nothing is received from others. No packet is sent for that. Of
    /// several addresses the first is taken to which there is a way.
    ///
    /// # Errors
    ///
    /// That of the look-up, or that there is no way to the address.
    ///
    /// # Panics
    ///
    /// When it is polled on a thread where no loop is running and a name has to be looked up.
    ///
    /// # Cancel safety
    ///
    /// Dropped before it is ready, the peer is as it was.
    pub fn connect(&self, addr: impl ToSocketAddrs) -> UdpConnect<'_> {
        UdpConnect::new(self, addr.lookup())
    }

    /// Sends a message to the [peer](UdpSocket::connect).
    ///
    /// # Errors
    ///
    /// That there is no peer, that the message is too long for a packet, or what became of an earlier message
    /// ([`ConnectionRefused`](io::ErrorKind::ConnectionRefused): nobody listens there).
    ///
    /// # Panics
    ///
    /// When it is polled on a thread where no loop is running.
    ///
    /// # Cancel safety
    ///
    /// Dropped before it is ready, it has sent nothing.
    #[track_caller]
    pub fn send<'a>(&'a self, buf: &'a [u8]) -> SendOne<'a, UdpSocket> {
        SendOne::new(self, buf, Location::caller())
    }

    /// Sends a message to an address.
    ///
    /// # Errors
    ///
    /// As [`send`](UdpSocket::send).
    ///
    /// # Panics
    ///
    /// As [`send`](UdpSocket::send).
    ///
    /// # Cancel safety
    ///
    /// Dropped before it is ready, it has sent nothing.
    #[track_caller]
    pub fn send_to<'a>(
        &'a self,
        buf: &'a [u8],
        addr: impl Into<SocketAddr>,
    ) -> SendTo<'a, UdpSocket> {
        SendTo::new(self, buf, Ok(addr.into()), Location::caller())
    }

    /// Receives a message from the [peer](UdpSocket::connect). What does not fit into the buffer is lost.
    ///
    /// # Errors
    ///
    /// What became of an earlier message ([`ConnectionRefused`](io::ErrorKind::ConnectionRefused): nobody listens there).
    ///
    /// # Panics
    ///
    /// As [`send`](UdpSocket::send).
    ///
    /// # Cancel safety
    ///
    /// Dropped before it is ready, it has taken no message.
    #[track_caller]
    pub fn recv<'a>(&'a self, buf: &'a mut [u8]) -> Recv<'a, UdpSocket> {
        Recv::new(self, buf, Take::Yes, Location::caller())
    }

    /// Receives a message, and says from whom. What does not fit into the buffer is lost.
    ///
    /// # Errors
    ///
    /// As [`recv`](UdpSocket::recv).
    ///
    /// # Panics
    ///
    /// As [`send`](UdpSocket::send).
    ///
    /// # Cancel safety
    ///
    /// Dropped before it is ready, it has taken no message.
    #[track_caller]
    pub fn recv_from<'a>(&'a self, buf: &'a mut [u8]) -> RecvFrom<'a, UdpSocket> {
        RecvFrom::new(self, buf, Take::Yes, Location::caller())
    }

    /// Looks at the next message of the [peer](UdpSocket::connect) and leaves it there.
    ///
    /// # Errors
    ///
    /// As [`recv`](UdpSocket::recv).
    ///
    /// # Panics
    ///
    /// As [`send`](UdpSocket::send).
    ///
    /// # Cancel safety
    ///
    /// It takes no message, dropped or not.
    #[track_caller]
    pub fn peek<'a>(&'a self, buf: &'a mut [u8]) -> Recv<'a, UdpSocket> {
        Recv::new(self, buf, Take::Peek, Location::caller())
    }

    /// Looks at the next message, says from whom it is, and leaves it there.
    ///
    /// # Errors
    ///
    /// As [`recv`](UdpSocket::recv).
    ///
    /// # Panics
    ///
    /// As [`send`](UdpSocket::send).
    ///
    /// # Cancel safety
    ///
    /// It takes no message, dropped or not.
    #[track_caller]
    pub fn peek_from<'a>(&'a self, buf: &'a mut [u8]) -> RecvFrom<'a, UdpSocket> {
        RecvFrom::new(self, buf, Take::Peek, Location::caller())
    }

    /// Waits until receiving may not block; see [`IoSource::readable`].
    ///
    /// # Errors
    ///
    /// When the socket cannot be watched.
    ///
    /// # Panics
    ///
    /// As [`send`](UdpSocket::send).
    ///
    /// # Cancel safety
    ///
    /// Safe: readiness is not consumed by waiting for it.
    #[track_caller]
    pub fn readable(&self) -> IoReady<'_, net::UdpSocket> {
        self.source.readable()
    }

    /// Receives a message if one is there, and says from whom.
    ///
    /// # Errors
    ///
    /// [`WouldBlock`](io::ErrorKind::WouldBlock) if there is none, and those of [`recv`](UdpSocket::recv).
    ///
    /// # Panics
    ///
    /// When no loop is running on this thread.
    #[track_caller]
    pub fn try_recv_from(&self, buf: &mut [u8]) -> io::Result<(usize, SocketAddr)> {
        self.source.try_read_io(|socket| socket.recv_from(buf))
    }

    /// The address of this socket.
    ///
    /// # Errors
    ///
    /// What the operating system says.
    #[doc(alias = "getsockname")]
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.source.get_ref().local_addr()
    }

    /// The address of the [peer](UdpSocket::connect).
    ///
    /// # Errors
    ///
    /// [`NotConnected`](io::ErrorKind::NotConnected) if there is none.
    #[doc(alias = "getpeername")]
    pub fn peer_addr(&self) -> io::Result<SocketAddr> {
        self.source.get_ref().peer_addr()
    }

    /// Whether messages may be sent to all of a network.
    ///
    /// # Errors
    ///
    /// What the operating system says.
    pub fn broadcast(&self) -> io::Result<bool> {
        self.source.get_ref().broadcast()
    }

    /// Lets messages be sent to all of a network.
    ///
    /// # Errors
    ///
    /// What the operating system says.
    pub fn set_broadcast(&self, broadcast: bool) -> io::Result<()> {
        self.source.get_ref().set_broadcast(broadcast)
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

    /// The error that an earlier message has met and nobody was told of, and forgets it.
    ///
    /// # Errors
    ///
    /// What the operating system says about the question.
    pub fn take_error(&self) -> io::Result<Option<io::Error>> {
        self.source.get_ref().take_error()
    }
}

fn bind_now(addr: SocketAddr, options: &BindOptions) -> io::Result<UdpSocket> {
    let socket = options.socket(addr, Type::DGRAM, false)?;
    socket.bind(&addr.into())?;
    let socket = net::UdpSocket::from(socket);
    Ok(UdpSocket::of_source(IoSource::new(socket)))
}

impl DatagramSocket for net::UdpSocket {
    type Addr = SocketAddr;

    const FULL_RECEIVER_IS_SILENT: bool = false;

    fn receive(&self, buf: &mut [u8], how: Take) -> io::Result<usize> {
        match how {
            Take::Yes => self.recv(buf),
            Take::Peek => self.peek(buf),
        }
    }

    fn receive_from(&self, buf: &mut [u8], how: Take) -> io::Result<(usize, SocketAddr)> {
        match how {
            Take::Yes => self.recv_from(buf),
            Take::Peek => self.peek_from(buf),
        }
    }

    fn transmit(&self, buf: &[u8]) -> io::Result<usize> {
        self.send(buf)
    }

    fn transmit_to(&self, buf: &[u8], addr: &SocketAddr) -> io::Result<usize> {
        self.send_to(buf, addr)
    }
}

impl sealed::Datagrams for UdpSocket {
    type Os = net::UdpSocket;

    fn source(&self) -> &IoSource<net::UdpSocket> {
        &self.source
    }

    fn kinds() -> &'static DatagramKinds {
        &KINDS
    }
}

crate::handles::handle_traits!(UdpSocket, net::UdpSocket);

impl fmt::Debug for UdpSocket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut debug = f.debug_struct("UdpSocket");
        if let Ok(addr) = self.local_addr() {
            debug.field("local", &addr);
        }
        if let Ok(addr) = self.peer_addr() {
            debug.field("peer", &addr);
        }
        debug.finish_non_exhaustive()
    }
}
