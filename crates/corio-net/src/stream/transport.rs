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
    pub(super) fn of(transport: &dyn Transport) -> Facts {
        let any = transport.as_any();
        if let Some(stream) = any.downcast_ref::<TcpStream>() {
            return Facts {
                plain: true,
                half_close: true,
                peer: stream.peer_addr().ok(),
                local: stream.local_addr().ok(),
            };
        }
        #[cfg(unix)]
        if any.is::<crate::UnixStream>() {
            return Facts {
                plain: true,
                half_close: true,
                ..Facts::default()
            };
        }
        Facts::default()
    }
}
