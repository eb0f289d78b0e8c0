//! `Transport`: what bytes travel on, whatever its type.

use std::any::Any;
use std::net::SocketAddr;

use futures_io::{AsyncRead, AsyncWrite};

use crate::TcpStream;

/// Anything that reads and writes, behind one type: so readers and writers are the same types for TCP, Unix sockets and TLS.
pub(super) trait Transport: AsyncRead + AsyncWrite + Unpin {
    fn as_any(&self) -> &dyn Any;
    fn as_any_mut(&mut self) -> &mut dyn Any;
}

impl<T: AsyncRead + AsyncWrite + Unpin + 'static> Transport for T {
    fn as_any(&self) -> &dyn Any {
        self
    }

    fn as_any_mut(&mut self) -> &mut dyn Any {
        self
    }
}

/// What is known about a transport.
#[derive(Clone, Debug, Default)]
pub(super) struct Facts {
    /// `poll_close` ends what is written and nothing else, and dropping closes: it is a socket of ours.
    pub(super) plain: bool,
    /// What is written may end while reading goes on.
    pub(super) half_close: bool,
    pub(super) peer: Option<SocketAddr>,
    pub(super) local: Option<SocketAddr>,
}

impl Facts {
    /// A socket is asked for the addresses that are not known, at once: it may not know them any more when the connection has ended.
    pub(super) fn of(
        transport: &dyn Transport,
        peer: Option<SocketAddr>,
        local: Option<SocketAddr>,
    ) -> Facts {
        let any = transport.as_any();
        let tcp = any.downcast_ref::<TcpStream>();
        #[cfg(unix)]
        let is_unix = any.is::<crate::UnixStream>();
        #[cfg(not(unix))]
        let is_unix = false;
        let is_ours = tcp.is_some() || is_unix;
        Facts {
            plain: is_ours,
            half_close: is_ours,
            peer: peer.or_else(|| tcp?.peer_addr().ok()),
            local: local.or_else(|| tcp?.local_addr().ok()),
        }
    }
}
