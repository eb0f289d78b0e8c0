//! The place of a waiter who is alone.

use std::cell::Cell;
use std::mem;
use std::task::Waker;

use crate::waiters::Ticket;

/// The one that came when nobody was here, until it is chosen or leaves.
pub(crate) struct First<D> {
    ticket: Cell<Option<Ticket>>,
    waker: Cell<Option<Waker>>,
    data: Cell<Option<D>>,
}

impl<D: Copy> First<D> {
    pub(crate) const fn new() -> Self {
        First {
            ticket: Cell::new(None),
            waker: Cell::new(None),
            data: Cell::new(None),
        }
    }

    #[inline]
    pub(crate) fn ticket(&self) -> Option<Ticket> {
        self.ticket.get()
    }

    pub(crate) fn replace_waker(&self, waker: Option<Waker>) -> Option<Waker> {
        self.waker.replace(waker)
    }

    #[inline]
    pub(crate) fn enter(&self, ticket: Ticket, waker: Waker, data: D) {
        self.ticket.set(Some(ticket));
        self.data.set(Some(data));
        // Nobody is here, so there is none to drop.
        mem::forget(self.waker.replace(Some(waker)));
    }

    #[inline]
    pub(crate) fn get(&self) -> Option<(Ticket, D)> {
        self.ticket.get().zip(self.data.get())
    }

    /// The waker of the one that leaves.
    #[inline]
    pub(crate) fn leave(&self) -> Option<Waker> {
        self.ticket.set(None);
        self.waker.take()
    }

    #[inline]
    pub(crate) fn will_wake(&self, waker: &Waker) -> bool {
        let known = self.waker.take();
        let same = known.as_ref().is_some_and(|known| known.will_wake(waker));
        self.waker.set(known);
        same
    }
}
