//! [`Put`] and [`PutFrom`]: an item that waits for room.

use std::fmt;
use std::future::Future;
use std::panic::Location;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use super::{Order, OrderedQueue, QueueShutDown};
use crate::handle::Handle;
use crate::observe;
use crate::waiters::{Left, Ticket};

/// The future of [`OrderedQueue::put`] and [`OrderedQueue::put_owned`].
#[must_use = "futures do nothing unless awaited"]
pub struct Put<'a, T, O: Order<T>> {
    item: Option<T>,
    place: Place<'a, T, O>,
}

/// The future of [`OrderedQueue::put_from`].
#[must_use = "futures do nothing unless awaited"]
pub struct PutFrom<'a, T, O: Order<T>> {
    slot: &'a mut Option<T>,
    place: Place<'a, T, O>,
}

/// A place in the line of those who wait for room.
struct Place<'a, T, O: Order<T>> {
    queue: Handle<'a, OrderedQueue<T, O>>,
    ticket: Option<Ticket>,
    location: &'static Location<'static>,
}

/// How an attempt to put ended; the item is still there if it was not put.
#[derive(Clone, Copy)]
pub(super) enum Tried {
    Put,
    ShutDown,
}

impl<'a, T, O: Order<T>> Put<'a, T, O> {
    #[inline]
    pub(super) fn new(
        queue: Handle<'a, OrderedQueue<T, O>>,
        item: T,
        location: &'static Location<'static>,
    ) -> Self {
        Put {
            item: Some(item),
            place: Place {
                queue,
                ticket: None,
                location,
            },
        }
    }

    /// Gives up and takes the item back; `None` if it was put, or given back, already.
    pub fn into_item(mut self) -> Option<T> {
        self.item.take()
    }
}

impl<'a, T, O: Order<T>> PutFrom<'a, T, O> {
    pub(super) fn new(
        queue: &'a OrderedQueue<T, O>,
        slot: &'a mut Option<T>,
        location: &'static Location<'static>,
    ) -> Self {
        PutFrom {
            slot,
            place: Place {
                queue: Handle::Borrowed(queue),
                ticket: None,
                location,
            },
        }
    }
}

impl<T, O: Order<T>> Place<'_, T, O> {
    #[inline]
    fn poll(&mut self, item: &mut Option<T>, cx: &mut Context<'_>) -> Poll<Tried> {
        if self.ticket.is_none() {
            if let Some(tried) = self.queue.try_put(item) {
                return Poll::Ready(tried);
            }
        }
        self.wait(item, cx)
    }

    /// The part of [`poll`](Self::poll) that waits.
    #[inline(never)]
    fn wait(&mut self, item: &mut Option<T>, cx: &mut Context<'_>) -> Poll<Tried> {
        let (queue, waker) = (&*self.queue, cx.waker());
        if self
            .ticket
            .is_none_or(|ticket| queue.putters.claim(ticket, waker))
        {
            self.ticket = None;
            // Somebody else may have been faster; then the wait begins anew.
            let put = || queue.try_put(item);
            let entered = queue.putters.enter(&mut self.ticket, waker, (), put);
            if entered.is_ready() {
                return entered;
            }
        }
        observe::waits(&queue.kinds.put, queue.name.get(), self.location);
        Poll::Pending
    }
}

impl<T, O: Order<T>> OrderedQueue<T, O> {
    /// Leaves the line, passing on a wake-up that was not made use of.
    #[inline(never)]
    fn leave_putters(&self, ticket: Ticket) {
        let chosen = self.putters.leave(ticket) == Left::Chosen;
        if chosen && !self.is_full() {
            self.putters.wake_one();
        }
    }

    /// Puts the item out of `item`; `None` if there is no room.
    #[inline]
    pub(super) fn try_put(&self, item: &mut Option<T>) -> Option<Tried> {
        if self.shut_down.get() {
            return Some(Tried::ShutDown);
        }
        let mut store = self.store.borrow_mut();
        if O::len(&store) >= self.room {
            return None;
        }
        O::push(
            &mut store,
            item.take()
                .expect("an item to put; the future was polled after its end"),
        );
        drop(store);
        self.unfinished.set(self.unfinished.get() + 1);
        self.getters.wake_one();
        Some(Tried::Put)
    }
}

impl<T, O: Order<T>> Future for Put<'_, T, O> {
    type Output = Result<(), QueueShutDown<T>>;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.get_mut();
        let tried = ready!(this.place.poll(&mut this.item, cx));
        Poll::Ready(match (tried, this.item.take()) {
            (Tried::ShutDown, Some(item)) => Err(QueueShutDown(item)),
            _ => Ok(()),
        })
    }
}

impl<T, O: Order<T>> Future for PutFrom<'_, T, O> {
    type Output = Result<(), QueueShutDown>;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.get_mut();
        Poll::Ready(match ready!(this.place.poll(this.slot, cx)) {
            Tried::Put => Ok(()),
            Tried::ShutDown => Err(QueueShutDown(())),
        })
    }
}

/// The item is never pinned.
impl<T, O: Order<T>> Unpin for Put<'_, T, O> {}

impl<T, O: Order<T>> Drop for Place<'_, T, O> {
    #[inline]
    fn drop(&mut self) {
        if let Some(ticket) = self.ticket {
            self.queue.leave_putters(ticket);
        }
    }
}

impl<T, O: Order<T>> fmt::Debug for Put<'_, T, O> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Put")
            .field("queue", &*self.place.queue)
            .finish_non_exhaustive()
    }
}

impl<T, O: Order<T>> fmt::Debug for PutFrom<'_, T, O> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PutFrom")
            .field("queue", &*self.place.queue)
            .finish_non_exhaustive()
    }
}
