//! Asking whether a source is ready, and waiting until it is.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker, ready};

use crate::direction::Direction;
use crate::error::NotRegistered;
use crate::flags::ReadyFlags;
use crate::key::SourceKey;
use crate::reactor::Reactor;
use crate::readiness::Ticket;
use crate::waiters::{ANONYMOUS, WaitToken};

impl Reactor {
    /// Asks whether the source is ready in one direction; if not, the task is woken when it is.
    ///
    /// `Ready` means that it pays to try. If the operation would block after all, the ticket goes to
    /// [`clear_ready`](Reactor::clear_ready), and the next poll waits. Any number of tasks may wait for the same
    /// direction, and all are woken. A task is remembered once, however often it polls; whoever may stop waiting
    /// before the event uses [`poll_ready_as`](Reactor::poll_ready_as) instead, so that its waker does not stay
    /// until then.
    ///
    /// # Errors
    ///
    /// [`NotRegistered`] for a key whose source is gone; the operating system's error if it can no longer watch it.
    #[inline]
    pub fn poll_ready(
        &self,
        key: SourceKey,
        direction: Direction,
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<Ticket>> {
        match self.ticket(key, direction) {
            Some(ticket) => Poll::Ready(Ok(ticket)),
            None => self.wait_ready(key, direction, None, cx),
        }
    }

    /// As [`poll_ready`](Reactor::poll_ready), for a waiter with a name of its own: a new waker replaces its old
    /// one, and [`stop_waiting`](Reactor::stop_waiting) takes it back.
    ///
    /// A token is for one direction of one source at a time, and for one reactor.
    ///
    /// # Errors
    ///
    /// As [`poll_ready`](Reactor::poll_ready).
    #[inline]
    pub fn poll_ready_as(
        &self,
        key: SourceKey,
        direction: Direction,
        token: &mut WaitToken,
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<Ticket>> {
        match self.ticket(key, direction) {
            Some(ticket) => Poll::Ready(Ok(ticket)),
            None => self.wait_ready(key, direction, Some(token), cx),
        }
    }

    /// As [`poll_ready_as`](Reactor::poll_ready_as), or without a token as [`poll_ready`](Reactor::poll_ready), for a caller
    /// who has just heard from [`ticket`](Reactor::ticket) that the direction is not ready. The answer is right in any case; only
    /// that a waker is cloned, needed or not.
    ///
    /// # Errors
    ///
    /// As [`poll_ready`](Reactor::poll_ready).
    #[inline(never)]
    pub fn wait_ready(
        &self,
        key: SourceKey,
        direction: Direction,
        token: Option<&mut WaitToken>,
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<Ticket>> {
        let id = token.map_or(ANONYMOUS, |token| self.name(token));
        // Cloning runs foreign code, which may change everything: so nothing that was seen before it counts.
        let waker = cx.waker().clone();
        let (not_needed, answer) = self.enlist(key, direction, id, waker);
        drop(not_needed);
        answer
    }

    /// Takes back the waker that [`poll_ready_as`](Reactor::poll_ready_as) left. Does nothing if there is none any
    /// more.
    pub fn stop_waiting(&self, key: SourceKey, direction: Direction, token: &mut WaitToken) {
        let id = std::mem::take(&mut token.id);
        if id == ANONYMOUS {
            return;
        }
        let waker = {
            let mut slots = self.slots.borrow_mut();
            slots
                .get_mut(key)
                .and_then(|source| source.waiters(direction).remove(id))
        };
        drop(waker);
    }

    /// Forgets that a direction is ready, because an operation would have blocked.
    ///
    /// Has no effect if an event came after the ticket was given, or if the source is gone.
    #[inline]
    pub fn clear_ready(&self, key: SourceKey, direction: Direction, ticket: Ticket) {
        if let Some(source) = self.slots.borrow_mut().get_mut(key) {
            source.flags.clear_ready(direction, ticket);
        }
    }

    /// Forgets that a direction of a stream socket is ready, because an operation moved fewer bytes than it could have:
    /// so it has taken all there was, or filled all the room. This spares the attempt that would only say so.
    ///
    /// Only a stream of bytes may say this, of an operation that began after the ticket was given, that moved at least
    /// one byte and consumed what it moved. Has no effect if an event came after the ticket was given; if that event
    /// said more than that bytes can be moved (an end, an error, urgent data), since that comes without a further one;
    /// and where the way of waiting cannot tell.
    #[inline]
    pub fn clear_drained(&self, key: SourceKey, direction: Direction, ticket: Ticket) {
        if let Some(source) = self.slots.borrow_mut().get_mut(key) {
            source.flags.clear_drained(direction, ticket);
        }
    }

    /// The readiness of a direction as far as it is known, for an attempt that does not wait. `None` if it is known not
    /// to be ready, or the source is gone.
    #[inline]
    pub fn ticket(&self, key: SourceKey, direction: Direction) -> Option<Ticket> {
        let mut slots = self.slots.borrow_mut();
        slots.get_mut(key)?.flags.ticket(direction)
    }

    /// What is known about the readiness of a source, to be looked at without the key.
    ///
    /// # Errors
    ///
    /// [`NotRegistered`] for a key whose source is gone.
    pub fn flags(&self, key: SourceKey) -> Result<Arc<ReadyFlags>, NotRegistered> {
        let mut slots = self.slots.borrow_mut();
        let source = slots.get_mut(key).ok_or(NotRegistered)?;
        Ok(source.flags.clone())
    }

    /// Tries a non-blocking operation whenever the source is ready, until it does something else than block.
    ///
    /// `op` is not called while the source is known not to be ready. It is called again after it was interrupted by a
    /// signal. Waiting is that of [`poll_ready`](Reactor::poll_ready).
    ///
    /// # Errors
    ///
    /// Those of `op` except [`WouldBlock`](io::ErrorKind::WouldBlock) and
    /// [`Interrupted`](io::ErrorKind::Interrupted), and those of [`poll_ready`](Reactor::poll_ready).
    pub fn try_io<R>(
        &self,
        key: SourceKey,
        direction: Direction,
        mut op: impl FnMut() -> io::Result<R>,
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<R>> {
        loop {
            let ticket = ready!(self.poll_ready(key, direction, cx))?;
            match op() {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    self.clear_ready(key, direction, ticket);
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                result => return Poll::Ready(result),
            }
        }
    }

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

    /// The id of a waiter, from its first wait on.
    #[inline]
    fn name(&self, token: &mut WaitToken) -> u64 {
        if token.id == ANONYMOUS {
            token.id = self.next_wait_id.get();
            self.next_wait_id.set(token.id + 1);
        }
        token.id
    }

    /// The answer to a poll, for which the waiter is put on the list if need be; in one-shot mode the event is asked for. Returns
    /// the waker that is not needed as well.
    #[inline(always)]
    fn enlist(
        &self,
        key: SourceKey,
        direction: Direction,
        id: u64,
        waker: Waker,
    ) -> (Option<Waker>, Poll<io::Result<Ticket>>) {
        let mut slots = self.slots.borrow_mut();
        let Some(source) = slots.get_mut(key) else {
            return (Some(waker), Poll::Ready(Err(NotRegistered.into())));
        };
        if let Some(error) = source.failure() {
            return (Some(waker), Poll::Ready(Err(error)));
        }
        if let Some(ticket) = source.flags.ticket(direction) {
            return (Some(waker), Poll::Ready(Ok(ticket)));
        }
        if let Err(error) = self.arm(key, source, source.wanted().with(direction)) {
            return (Some(waker), Poll::Ready(Err(error)));
        }
        let not_needed = source.waiters(direction).insert(id, waker);
        (not_needed, Poll::Pending)
    }
}

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
