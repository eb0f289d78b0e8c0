//! [`Join`]: waiting until everything that was put has been dealt with.

use std::fmt;
use std::future::Future;
use std::panic::Location;
use std::pin::Pin;
use std::task::{Context, Poll};

use super::{Order, OrderedQueue};
use crate::handle::Handle;
use crate::observe::{self, kind};
use crate::waiters::Ticket;

/// The future of [`OrderedQueue::join`].
#[must_use = "futures do nothing unless awaited"]
pub struct Join<'a, T, O: Order<T>> {
    queue: Handle<'a, OrderedQueue<T, O>>,
    ticket: Option<Ticket>,
    location: &'static Location<'static>,
}

impl<'a, T, O: Order<T>> Join<'a, T, O> {
    pub(super) fn new(
        queue: Handle<'a, OrderedQueue<T, O>>,
        location: &'static Location<'static>,
    ) -> Self {
        Join {
            queue,
            ticket: None,
            location,
        }
    }
}

impl<T, O: Order<T>> Future for Join<'_, T, O> {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let this = self.get_mut();
        let queue = &*this.queue;
        let polled = queue
            .joiners
            .poll(&mut this.ticket, cx.waker(), || queue.unfinished.get() == 0);
        if polled.is_pending() {
            observe::waits(kind!("Queue::join"), queue.name.get(), this.location);
        }
        polled
    }
}

impl<T, O: Order<T>> Drop for Join<'_, T, O> {
    fn drop(&mut self) {
        self.queue.joiners.forget(self.ticket);
    }
}

impl<T, O: Order<T>> fmt::Debug for Join<'_, T, O> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Join")
            .field("queue", &*self.queue)
            .finish_non_exhaustive()
    }
}
