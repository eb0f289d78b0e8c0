//! The place of a waiter before whom nobody waits.

use std::cell::Cell;
use std::mem;
use std::task::Waker;

use super::Ticket;

/// The one that came when nobody waited, until it is chosen or leaves.
pub(super) struct First<D> {
    place: Cell<Option<(Ticket, D)>>,
    /// There as long as the place is taken.
    waker: Cell<Option<Waker>>,
}

impl<D: Copy> First<D> {
    pub(super) const fn new() -> Self {
        First {
            place: Cell::new(None),
            waker: Cell::new(None),
        }
    }

    #[inline]
    pub(super) fn ticket(&self) -> Option<Ticket> {
        self.place.get().map(|(ticket, _)| ticket)
    }

    pub(super) fn replace_waker(&self, waker: Option<Waker>) -> Option<Waker> {
        self.waker.replace(waker)
    }

    #[inline]
    pub(super) fn enter(&self, ticket: Ticket, waker: Waker, data: D) {
        self.place.set(Some((ticket, data)));
        // Nobody is here, so there is none to drop.
        mem::forget(self.waker.replace(Some(waker)));
    }

    #[inline]
    pub(super) fn get(&self) -> Option<(Ticket, D)> {
        self.place.get()
    }

    /// The waker of the one that leaves, if one is here.
    #[inline]
    pub(super) fn leave(&self) -> Option<Waker> {
        self.place.set(None);
        self.waker.take()
    }

    #[inline]
    pub(super) fn will_wake(&self, waker: &Waker) -> bool {
        let known = self.waker.take();
        let same = known.as_ref().is_some_and(|known| known.will_wake(waker));
        // There is none now: forgetting that spares the check.
        mem::forget(self.waker.replace(known));
        same
    }
}
