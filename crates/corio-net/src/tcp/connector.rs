//! `TcpConnector`: the options of a connection that is to be made.

use std::io;
use std::net::{self, SocketAddr};
use std::panic::Location;
use std::time::Duration;

use socket2::{Domain, TcpKeepalive, Type};

use super::Connect;
use crate::ToSocketAddrs;
use crate::bind::nonblocking_socket;

/// How a [`TcpStream`](crate::TcpStream) is connected.
///
/// ```
/// # use corio_runtime as corio;
/// use corio_net::{TcpConnector, TcpListener};
/// use std::time::Duration;
///
/// corio::run(async {
///     let listener = TcpListener::bind("127.0.0.1:0").await?;
///     let connector = TcpConnector::new()
///         .keepalive(Some(Duration::from_secs(60)))
///         .happy_eyeballs_delay(Some(Duration::from_millis(100)));
///     let stream = connector.connect(listener.local_addr()?).await?;
///     assert!(stream.keepalive()?);
///     std::io::Result::Ok(())
/// })?;
/// # std::io::Result::Ok(())
/// ```
#[derive(Clone, Debug)]
#[doc(alias = "TcpSocket")]
#[must_use = "options do nothing until something is connected with them"]
pub struct TcpConnector {
    pub(super) delay: Option<Duration>,
    pub(super) interleave: bool,
    local: Vec<SocketAddr>,
    nodelay: bool,
    reuse_address: bool,
    keepalive: Option<Duration>,
    send_buffer: Option<usize>,
    receive_buffer: Option<usize>,
}

/// RFC 8305, section 8.
const DELAY: Duration = Duration::from_millis(250);

impl TcpConnector {
    /// What [`TcpStream::connect`](crate::TcpStream::connect) uses.
    pub fn new() -> TcpConnector {
        TcpConnector {
            delay: Some(DELAY),
            interleave: true,
            local: Vec::new(),
            nodelay: true,
            reuse_address: false,
            keepalive: None,
            send_buffer: None,
            receive_buffer: None,
        }
    }

    /// Connects to an address, or to the first of several that answers.
    ///
    /// # Errors
    ///
    /// As [`TcpStream::connect`](crate::TcpStream::connect), and those of setting an option.
    ///
    /// # Panics
    ///
    /// When it is polled on a thread where no loop is running.
    ///
    /// # Cancel safety
    ///
    /// Dropped before it is ready, attempts under way are given up and their sockets closed.
    #[track_caller]
    pub fn connect(&self, addr: impl ToSocketAddrs) -> Connect {
        Connect::new(addr.lookup(), self.clone(), Location::caller())
    }

    /// How long an attempt may take before the next address is tried beside it. 250 ms, unless told otherwise. `None` tries an
    /// address only when the one before it has failed.
    pub fn happy_eyeballs_delay(mut self, delay: Option<Duration>) -> Self {
        self.delay = delay;
        self
    }

    /// Whether addresses of the two families are tried in turns, beginning with that of the first. Unless told otherwise they are;
    /// else the order is that of the look-up.
    pub fn interleave(mut self, interleave: bool) -> Self {
        self.interleave = interleave;
        self
    }

    /// From which address to connect. Called twice, it serves both families: each attempt takes the first one of its own. Port 0 is
    /// any free one.
    pub fn local_addr(mut self, local: SocketAddr) -> Self {
        self.local.push(local);
        self
    }

    /// Whether small writes go out at once. They do, unless told otherwise.
    pub fn nodelay(mut self, nodelay: bool) -> Self {
        self.nodelay = nodelay;
        self
    }

    /// Whether the local address may be one that an earlier connection still has in its last phase. Not unless it is asked for.
    pub fn reuse_address(mut self, reuse: bool) -> Self {
        self.reuse_address = reuse;
        self
    }

    /// After how long of silence the system asks the peer whether it is still there. Never, unless told otherwise.
    pub fn keepalive(mut self, idle: Option<Duration>) -> Self {
        self.keepalive = idle;
        self
    }

    /// How many bytes the system keeps that are still to be sent. The system may take it as a hint.
    pub fn send_buffer_size(mut self, size: usize) -> Self {
        self.send_buffer = Some(size);
        self
    }

    /// How many bytes the system keeps that were received. The system may take it as a hint.
    pub fn receive_buffer_size(mut self, size: usize) -> Self {
        self.receive_buffer = Some(size);
        self
    }

    /// Begins to connect. The outcome is known when the socket can be written.
    pub(super) fn begin(&self, addr: SocketAddr) -> io::Result<net::TcpStream> {
        let socket = nonblocking_socket(Domain::for_address(addr), Type::STREAM)?;
        if self.nodelay {
            socket.set_tcp_nodelay(true)?;
        }
        if self.reuse_address {
            socket.set_reuse_address(true)?;
        }
        if let Some(idle) = self.keepalive {
            socket.set_tcp_keepalive(&TcpKeepalive::new().with_time(idle))?;
        }
        // Before the connection, since the window that is offered depends on it.
        if let Some(size) = self.send_buffer {
            socket.set_send_buffer_size(size)?;
        }
        if let Some(size) = self.receive_buffer {
            socket.set_recv_buffer_size(size)?;
        }
        self.bind_local(&socket, addr)?;
        match socket.connect(&addr.into()) {
            Err(error) if !is_under_way(&error) => Err(error),
            _ => Ok(socket.into()),
        }
    }

    fn bind_local(&self, socket: &socket2::Socket, remote: SocketAddr) -> io::Result<()> {
        if self.local.is_empty() {
            return Ok(());
        }
        let local = self
            .local
            .iter()
            .find(|local| local.is_ipv4() == remote.is_ipv4());
        match local {
            Some(local) => socket.bind(&(*local).into()),
            None => Err(io::Error::new(
                io::ErrorKind::AddrNotAvailable,
                "no local address of the family of the peer was given",
            )),
        }
    }
}

impl Default for TcpConnector {
    fn default() -> TcpConnector {
        TcpConnector::new()
    }
}

#[cfg(unix)]
fn is_under_way(error: &io::Error) -> bool {
    error.raw_os_error() == Some(rustix::io::Errno::INPROGRESS.raw_os_error())
        || error.kind() == io::ErrorKind::Interrupted
}

#[cfg(windows)]
fn is_under_way(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::WouldBlock
}
