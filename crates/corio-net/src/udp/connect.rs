//! The future that fixes the peer of a UDP socket.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use super::UdpSocket;
use crate::Lookup;
use crate::bind::first;

/// Fixes the peer of a UDP socket. Made by [`UdpSocket::connect`].
///
/// # Cancel safety
///
/// Dropped before it is ready, the peer is as it was.
#[derive(Debug)]
#[must_use = "a future does nothing unless it is awaited"]
pub struct UdpConnect<'a> {
    socket: &'a UdpSocket,
    lookup: Lookup,
}

impl<'a> UdpConnect<'a> {
    pub(super) fn new(socket: &'a UdpSocket, lookup: Lookup) -> UdpConnect<'a> {
        UdpConnect { socket, lookup }
    }
}

impl Future for UdpConnect<'_> {
    type Output = io::Result<()>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let addresses = ready!(Pin::new(&mut self.lookup).poll(cx))?;
        let socket = self.socket.source.get_ref();
        Poll::Ready(first(addresses, |addr| socket.connect(addr)))
    }
}
