//! [`Get`] and [`Items`]: waiting for an item, once or again and again.

use std::fmt;
use std::future::Future;
use std::panic::Location;
use std::pin::Pin;
use std::task::{Context, Poll};

use futures_core::Stream;

use super::{GetNowaitError, Order, OrderedQueue, QueueShutDown};
use crate::handle::Handle;
use crate::observe;
use crate::waiters::{Left, Ticket};

/// The future of [`OrderedQueue::get`] and [`OrderedQueue::get_owned`].
#[must_use = "futures do nothing unless awaited"]
pub struct Get<'a, T, O: Order<T>> {
    place: Place<'a, T, O>,
}

/// The stream of [`OrderedQueue::items`] and [`OrderedQueue::items_owned`].
///
/// It ends when the queue has been shut down and emptied.
///
/// # Cancel safety
///
/// A stream that is dropped, and a poll that is not followed by another, take no item.
#[must_use = "streams do nothing unless polled"]
pub struct Items<'a, T, O: Order<T>> {
    place: Place<'a, T, O>,
}

/// The future of [`Items::next`].
#[must_use = "futures do nothing unless awaited"]
pub struct Next<'s, 'a, T, O: Order<T>> {
    items: &'s mut Items<'a, T, O>,
}

/// A place in the line of those who wait for an item.
struct Place<'a, T, O: Order<T>> {
    queue: Handle<'a, OrderedQueue<T, O>>,
    ticket: Option<Ticket>,
    location: &'static Location<'static>,
}

impl<'a, T, O: Order<T>> Get<'a, T, O> {
    #[inline]
    pub(super) fn new(
        queue: Handle<'a, OrderedQueue<T, O>>,
        location: &'static Location<'static>,
    ) -> Self {
        Get {
            place: Place {
                queue,
                ticket: None,
                location,
            },
        }
    }
}

impl<'a, T, O: Order<T>> Items<'a, T, O> {
    pub(super) fn new(
        queue: Handle<'a, OrderedQueue<T, O>>,
        location: &'static Location<'static>,
    ) -> Self {
        Items {
            place: Place {
                queue,
                ticket: None,
                location,
            },
        }
    }

    /// The next item; `None` when the queue has been shut down and emptied.
    ///
    /// # Cancel safety
    ///
    /// A future that is dropped has taken nothing.
    #[doc(alias = "anext")]
    #[allow(clippy::should_implement_trait, reason = "the name every stream uses")]
    #[track_caller]
    pub fn next(&mut self) -> Next<'_, 'a, T, O> {
        self.place.location = Location::caller();
        Next { items: self }
    }
}

impl<T, O: Order<T>> Place<'_, T, O> {
    #[inline]
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Result<T, QueueShutDown>> {
        self.queue.poll_get(&mut self.ticket, self.location, cx)
    }

    fn leave(&mut self) {
        self.queue.leave_getters(&mut self.ticket);
    }
}

impl<T, O: Order<T>> OrderedQueue<T, O> {
    /// One poll for an item, `ticket` being the place in the line.
    #[inline]
    pub(crate) fn poll_get(
        &self,
        ticket: &mut Option<Ticket>,
        location: &'static Location<'static>,
        cx: &mut Context<'_>,
    ) -> Poll<Result<T, QueueShutDown>> {
        if ticket.is_none() {
            if let Some(taken) = self.try_get() {
                return Poll::Ready(taken);
            }
        }
        self.wait_get(ticket, location, cx)
    }

    /// The part of [`poll_get`](Self::poll_get) that waits.
    #[inline(never)]
    fn wait_get(
        &self,
        ticket: &mut Option<Ticket>,
        location: &'static Location<'static>,
        cx: &mut Context<'_>,
    ) -> Poll<Result<T, QueueShutDown>> {
        let waker = cx.waker();
        if ticket.is_none_or(|place| self.getters.claim(place, waker)) {
            *ticket = None;
            // Somebody else may have been faster; then the wait begins anew.
            let entered = self.getters.enter(ticket, waker, (), || self.try_get());
            if entered.is_ready() {
                return entered;
            }
        }
        observe::waits(&self.kinds.get, self.name.get(), location);
        Poll::Pending
    }

    /// Leaves the line, passing on a wake-up that was not made use of.
    #[inline(never)]
    pub(crate) fn leave_getters(&self, ticket: &mut Option<Ticket>) {
        if let Some(ticket) = ticket.take() {
            let chosen = self.getters.leave(ticket) == Left::Chosen;
            if chosen && !self.is_empty() {
                self.getters.wake_one();
            }
        }
    }

    /// An item, or the end; `None` if there is nothing yet.
    #[inline]
    fn try_get(&self) -> Option<Result<T, QueueShutDown>> {
        match self.get_nowait() {
            Ok(item) => Some(Ok(item)),
            Err(GetNowaitError::ShutDown) => Some(Err(QueueShutDown(()))),
            Err(GetNowaitError::Empty) => None,
        }
    }
}

impl<T, O: Order<T>> Future for Get<'_, T, O> {
    type Output = Result<T, QueueShutDown>;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        self.get_mut().place.poll(cx)
    }
}

impl<T, O: Order<T>> Stream for Items<'_, T, O> {
    type Item = T;

    #[inline]
    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<T>> {
        self.get_mut().place.poll(cx).map(Result::ok)
    }
}

impl<T, O: Order<T>> Future for Next<'_, '_, T, O> {
    type Output = Option<T>;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<T>> {
        self.get_mut().items.place.poll(cx).map(Result::ok)
    }
}

impl<T, O: Order<T>> Drop for Next<'_, '_, T, O> {
    /// A stream whose `next` was given up is not being waited on: it must not hold a place in the line.
    fn drop(&mut self) {
        self.items.place.leave();
    }
}

impl<T, O: Order<T>> Drop for Place<'_, T, O> {
    #[inline]
    fn drop(&mut self) {
        if self.ticket.is_some() {
            self.leave();
        }
    }
}

impl<T, O: Order<T>> fmt::Debug for Get<'_, T, O> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Get")
            .field("queue", &*self.place.queue)
            .finish_non_exhaustive()
    }
}

impl<T, O: Order<T>> fmt::Debug for Items<'_, T, O> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Items")
            .field("queue", &*self.place.queue)
            .finish_non_exhaustive()
    }
}

impl<T, O: Order<T>> fmt::Debug for Next<'_, '_, T, O> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Next").field("items", &self.items).finish()
    }
}
