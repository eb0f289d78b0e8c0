//! `TcpListener`.

use std::fmt;
use std::io;
use std::net::{self, SocketAddr};
use std::panic::Location;

use corio_core::waiting::WaitKind;
use corio_runtime::IoSource;
use socket2::{SockRef, Socket, Type};

use super::TcpStream;
use crate::ToSocketAddrs;
use crate::accept::{Accept, Incoming, Queue, sealed};
use crate::bind::{Bind, BindOptions};

/// Waits for TCP connections. Dropping it ends that; connections that were not accepted are closed.
///
/// ```
/// # use corio_runtime as corio;
/// use corio_net::{TcpListener, TcpStream};
///
/// corio::run(async {
///     let listener = TcpListener::bind("127.0.0.1:0").await?;
///     let addr = listener.local_addr()?;
///     corio::create_task(async move {
///         loop {
///             let (stream, _) = listener.accept().await?;
///             corio::create_task(async move { stream.write(b"welcome").await });
///         }
///         # #[allow(unreachable_code)]
///         std::io::Result::Ok(())
///     });
///     let mut buffer = [0; 16];
///     let length = TcpStream::connect(addr).await?.read(&mut buffer).await?;
///     assert_eq!(&buffer[..length], b"welcome");
///     std::io::Result::Ok(())
/// })?;
/// # std::io::Result::Ok(())
/// ```
pub struct TcpListener {
    source: IoSource<net::TcpListener>,
    queue: Queue,
}

static ACCEPT: WaitKind = WaitKind::new("TcpListener::accept");

impl TcpListener {
    /// Listens at an address; of several, at the first that is to be had. Port 0 is any free one, see
    /// [`local_addr`](TcpListener::local_addr).
    ///
    /// The backlog is 1,024. On Unix an address may be used again at once after the program that had it has ended.
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
    pub fn bind(addr: impl ToSocketAddrs) -> Bind<TcpListener> {
        TcpListener::bind_with(addr, &BindOptions::new())
    }

    /// As [`bind`](TcpListener::bind), with options.
    ///
    /// # Errors
    ///
    /// As [`bind`](TcpListener::bind).
    ///
    /// # Panics
    ///
    /// As [`bind`](TcpListener::bind).
    ///
    /// # Cancel safety
    ///
    /// Dropped before it is ready, nothing is bound.
    #[track_caller]
    pub fn bind_with(addr: impl ToSocketAddrs, options: &BindOptions) -> Bind<TcpListener> {
        Bind::new(addr.lookup(), options.clone(), bind_now)
    }

    /// Takes a listener of the standard library, and switches it to non-blocking mode. No loop is needed.
    ///
    /// # Errors
    ///
    /// When the mode cannot be switched. `From` takes the listener without asking, and has the first `accept` say so.
    pub fn from_std(listener: net::TcpListener) -> io::Result<TcpListener> {
        TcpListener::prepare(&listener)?;
        Ok(TcpListener::of_source(IoSource::new(listener)))
    }

    fn prepare(listener: &net::TcpListener) -> io::Result<()> {
        listener.set_nonblocking(true)?;
        send_at_once(listener)
    }

    /// The listener is prepared, or the source knows that it is not.
    fn of_source(source: IoSource<net::TcpListener>) -> TcpListener {
        let queue = Queue::default();
        TcpListener { source, queue }
    }

    /// Leaves the loop and gives the listener back, in **non-blocking** mode.
    pub fn into_std(self) -> net::TcpListener {
        self.source.into_inner()
    }

    /// Waits for a connection, and gives it with the address of the peer. Nagle's algorithm is off.
    ///
    /// A connection that ended before it was accepted is passed over.
    ///
    /// # Errors
    ///
    /// What the operating system says, foremost that there are no descriptors left. The listener stays usable; a server waits a
    /// moment and tries again.
    ///
    /// # Panics
    ///
    /// When it is polled on a thread where no loop is running.
    ///
    /// # Cancel safety
    ///
    /// Dropped before it is ready, it has accepted nothing: the connection waits for the next `accept`.
    #[track_caller]
    pub fn accept(&self) -> Accept<'_, TcpListener> {
        Accept::new(self, Location::caller())
    }

    /// The connections, one after the other, as a stream without an end.
    ///
    /// # Errors
    ///
    /// As [`accept`](TcpListener::accept).
    ///
    /// # Cancel safety
    ///
    /// As [`accept`](TcpListener::accept).
    #[track_caller]
    pub fn incoming(&self) -> Incoming<'_, TcpListener> {
        Incoming::new(self, Location::caller())
    }

    /// The address, with the port that was found if 0 was asked for.
    ///
    /// # Errors
    ///
    /// What the operating system says.
    #[doc(alias = "getsockname")]
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.source.get_ref().local_addr()
    }

    /// How many routers a packet of an accepted connection may pass.
    ///
    /// # Errors
    ///
    /// What the operating system says.
    pub fn ttl(&self) -> io::Result<u32> {
        self.source.get_ref().ttl()
    }

    /// Sets how many routers a packet of an accepted connection may pass.
    ///
    /// # Errors
    ///
    /// What the operating system says.
    pub fn set_ttl(&self, ttl: u32) -> io::Result<()> {
        self.source.get_ref().set_ttl(ttl)
    }
}

/// Listens at one address.
pub(crate) fn bind_now(addr: SocketAddr, options: &BindOptions) -> io::Result<TcpListener> {
    let socket: Socket = options.socket(addr, Type::STREAM, cfg!(unix))?;
    socket.bind(&addr.into())?;
    socket.listen(options.backlog)?;
    let listener = net::TcpListener::from(socket);
    send_at_once(&listener)?;
    Ok(TcpListener::of_source(IoSource::new(listener)))
}

/// Switches Nagle's algorithm off for the connections, where they have it from the listener.
fn send_at_once(listener: &net::TcpListener) -> io::Result<()> {
    if accept::INHERITS_NODELAY {
        SockRef::from(listener).set_tcp_nodelay(true)?;
    }
    Ok(())
}

/// One system call where the system takes the options along.
#[cfg(any(target_os = "linux", target_os = "android"))]
mod accept {
    use super::{SocketAddr, io, net};
    use rustix::net::{SocketFlags, acceptfrom_with};

    /// An accepted connection has the options of the listener.
    pub(super) const INHERITS_NODELAY: bool = true;

    pub(super) fn nonblocking(
        listener: &net::TcpListener,
    ) -> io::Result<(net::TcpStream, SocketAddr)> {
        let flags = SocketFlags::NONBLOCK | SocketFlags::CLOEXEC;
        let (socket, peer) = acceptfrom_with(listener, flags)?;
        let stream = net::TcpStream::from(socket);
        let peer = match peer.and_then(|peer| SocketAddr::try_from(peer).ok()) {
            Some(peer) => peer,
            None => stream.peer_addr()?,
        };
        Ok((stream, peer))
    }
}

#[cfg(not(any(target_os = "linux", target_os = "android")))]
mod accept {
    use super::{SocketAddr, io, net};

    pub(super) const INHERITS_NODELAY: bool = false;

    pub(super) fn nonblocking(
        listener: &net::TcpListener,
    ) -> io::Result<(net::TcpStream, SocketAddr)> {
        let (stream, peer) = listener.accept()?;
        stream.set_nonblocking(true)?;
        // A peer that has gone by now is seen by the first operation.
        let _ = stream.set_nodelay(true);
        Ok((stream, peer))
    }
}

impl sealed::Listener for TcpListener {
    type Os = net::TcpListener;
    type Stream = TcpStream;
    type Addr = SocketAddr;

    fn source(&self) -> &IoSource<net::TcpListener> {
        &self.source
    }

    fn queue(&self) -> &Queue {
        &self.queue
    }

    fn kind() -> &'static WaitKind {
        &ACCEPT
    }

    fn accept_now(os: &net::TcpListener) -> io::Result<(TcpStream, SocketAddr)> {
        let (stream, peer) = accept::nonblocking(os)?;
        Ok((TcpStream::of_source(IoSource::unshared(stream)), peer))
    }
}

crate::handles::handle_traits!(TcpListener, net::TcpListener);

impl fmt::Debug for TcpListener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut debug = f.debug_struct("TcpListener");
        if let Ok(addr) = self.local_addr() {
            debug.field("local", &addr);
        }
        debug.finish_non_exhaustive()
    }
}
