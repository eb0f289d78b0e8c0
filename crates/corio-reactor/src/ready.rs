//! The future of a source becoming ready.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use crate::direction::Direction;
use crate::key::SourceKey;
use crate::reactor::Reactor;
use crate::readiness::Ticket;
use crate::waiters::WaitToken;

/// Waits until a source is ready in one direction. Made by [`Reactor::ready`].
///
/// # Cancel safety
///
/// Dropping it takes its waker back; readiness is not consumed by waiting for it, so nothing is lost.
#[derive(Debug)]
#[must_use = "futures do nothing unless awaited"]
pub struct Ready<'a> {
    reactor: &'a Reactor,
    key: SourceKey,
    direction: Direction,
    token: WaitToken,
}

impl Reactor {
    /// Waits until the source is ready in one direction.
    ///
    /// ```
    /// use corio_reactor::{Direction, Reactor};
    /// use std::io;
    /// use std::net::UdpSocket;
    ///
    /// async fn receive(reactor: &Reactor, socket: &UdpSocket, buffer: &mut [u8]) -> io::Result<usize> {
    ///     let key = reactor.register(socket)?;
    ///     let result = loop {
    ///         let ticket = reactor.ready(key, Direction::Read).await?;
    ///         match socket.recv(buffer) {
    ///             Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
    ///                 reactor.clear_ready(key, Direction::Read, ticket);
    ///             }
    ///             result => break result,
    ///         }
    ///     };
    ///     reactor.deregister(key, socket)?;
    ///     result
    /// }
    /// ```
    ///
    /// # Errors
    ///
    /// As [`poll_ready`](Reactor::poll_ready).
    ///
    /// # Cancel safety
    ///
    /// Safe: see [`Ready`].
    #[doc(alias = "readable")]
    #[doc(alias = "writable")]
    pub fn ready(&self, key: SourceKey, direction: Direction) -> Ready<'_> {
        Ready {
            reactor: self,
            key,
            direction,
            token: WaitToken::new(),
        }
    }
}

impl Future for Ready<'_> {
    type Output = io::Result<Ticket>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<Ticket>> {
        let this = &mut *self;
        this.reactor
            .poll_ready_as(this.key, this.direction, &mut this.token, cx)
    }
}

impl Drop for Ready<'_> {
    fn drop(&mut self) {
        self.reactor
            .stop_waiting(self.key, self.direction, &mut self.token);
    }
}
