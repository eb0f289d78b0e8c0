//! `Acceptor`: where connections come from.

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::task::{Context, Poll};

use crate::accept::{accept_next, sealed::Listener as _};
use crate::{TcpListener, TcpStream};

/// What a server accepts connections from: the listeners of this crate, or something of your own that is made of them, or a script
/// of a test.
pub trait Acceptor: 'static {
    /// What the handler gets.
    type Connection: 'static;

    /// Who is at the other end. It becomes a part of the name of the connection's task. If it is a [`SocketAddr`], the connection's
    /// [`StreamWriter::peer_addr`](crate::StreamWriter::peer_addr) gives it.
    type Peer: fmt::Debug + 'static;

    /// Waits for the next connection.
    ///
    /// # Errors
    ///
    /// One that concerns a single connection, such as [`ConnectionAborted`](io::ErrorKind::ConnectionAborted), is passed over. After
    /// any other the server makes a pause.
    fn poll_accept(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<(Self::Connection, Self::Peer)>>;

    /// Where it listens, if that is an address.
    fn local_addr(&self) -> Option<SocketAddr> {
        None
    }
}

impl Acceptor for TcpListener {
    type Connection = TcpStream;
    type Peer = SocketAddr;

    fn poll_accept(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<(TcpStream, SocketAddr)>> {
        let source = self.source();
        source.poll_read_io(cx, |os| accept_next::<TcpListener>(os, self.queue()))
    }

    fn local_addr(&self) -> Option<SocketAddr> {
        TcpListener::local_addr(self).ok()
    }
}

#[cfg(unix)]
impl Acceptor for crate::UnixListener {
    type Connection = crate::UnixStream;
    type Peer = std::os::unix::net::SocketAddr;

    fn poll_accept(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<(Self::Connection, Self::Peer)>> {
        let source = self.source();
        source.poll_read_io(cx, |os| {
            accept_next::<crate::UnixListener>(os, self.queue())
        })
    }
}
