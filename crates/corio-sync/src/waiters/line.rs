//! A line of waiters with numbers, served from the front.

use std::cell::{Cell, RefCell};
use std::mem;
use std::task::Waker;

use super::first::First;
use super::ring::{Entry, Ring};
use super::ticket::Ticket;

/// Waiters in the order of their numbers. It wakes nobody, and runs no foreign code but the clone of a waker in
/// [`renew`](Line::renew), with nothing borrowed.
pub(super) struct Line<D> {
    /// The number of the next to come, from 1.
    pub(super) next: Cell<u64>,
    /// Everybody with a lower number has been served, or has gone.
    pub(super) served: Cell<u64>,
    /// The one that came when nobody waited, until it is served: in front of all who wait in the ring. Its
    /// number is that of `served`.
    pub(super) first: First<D>,
    pub(super) ring: RefCell<Ring<D>>,
}

impl<D: Copy> Line<D> {
    pub(super) const fn new() -> Self {
        Line {
            next: Cell::new(1),
            served: Cell::new(1),
            first: First::new(),
            ring: RefCell::new(Ring::new()),
        }
    }

    /// Whether everybody who came has been served, or has gone.
    #[inline]
    pub(super) fn is_served_up(&self) -> bool {
        self.served.get() == self.next.get()
    }

    /// The next number, for one more.
    #[inline]
    pub(super) fn draw(&self) -> Ticket {
        let number = self.next.get();
        self.next.set(number + 1);
        Ticket::of(number)
    }

    /// Serves the one in the place of the first.
    #[inline]
    pub(super) fn serve(&self) -> Ticket {
        let number = self.served.get();
        self.served.set(number + 1);
        Ticket::of(number)
    }

    #[inline]
    pub(super) fn push(&self, ticket: Ticket, waker: Waker, data: D) {
        self.ring.borrow_mut().entries.push_back(Entry {
            ticket,
            waker: Some(waker),
            data,
        });
    }

    /// Whether this waiter was served.
    #[inline]
    pub(super) fn is_served(&self, ticket: Ticket) -> bool {
        ticket.number() < self.served.get()
    }

    /// Whether the next to be served, unless it has gone, is this one.
    #[inline]
    fn is_next(&self, ticket: Ticket) -> bool {
        ticket.number() == self.served.get()
    }

    /// Whether this waiter has the place of the first.
    fn is_first(&self, ticket: Ticket) -> bool {
        self.is_next(ticket) && self.first.is_taken()
    }

    /// Keeps `waker` in the place of the one before, if that is another. Its clone is foreign code: true
    /// if that has let this waiter be served.
    #[inline]
    pub(super) fn renew(&self, ticket: Ticket, waker: &Waker) -> bool {
        if self.is_next(ticket) && self.first.will_wake(waker) {
            return false;
        }
        self.renew_other(ticket, waker)
    }

    #[inline(never)]
    fn renew_other(&self, ticket: Ticket, waker: &Waker) -> bool {
        let same = |known: &Waker| known.will_wake(waker);
        let known = |entry: &mut Entry<D>| entry.waker.as_ref().is_some_and(same);
        if self.ring.borrow_mut().find(ticket).is_some_and(known) {
            return false;
        }
        let spare = waker.clone();
        if self.is_first(ticket) {
            drop(self.first.replace_waker(spare));
            return self.is_served(ticket);
        }
        let mut spare = Some(spare);
        if let Some(entry) = self.ring.borrow_mut().find(ticket) {
            mem::swap(&mut entry.waker, &mut spare);
        }
        // The one that is left over is dropped after the borrow.
        drop(spare);
        self.is_served(ticket)
    }

    /// Takes a waiter out that was not served, with its waker.
    pub(super) fn take_out(&self, ticket: Ticket) -> Option<Waker> {
        if self.is_first(ticket) {
            return self.first.leave().map(|(waker, _)| waker);
        }
        self.take_out_of_ring(ticket)
    }

    /// Takes one out that is in the ring, if it is still there.
    pub(super) fn take_out_of_ring(&self, ticket: Ticket) -> Option<Waker> {
        let mut ring = self.ring.borrow_mut();
        let waker = ring.find(ticket).and_then(|entry| entry.waker.take());
        if waker.is_some() {
            ring.gaps += 1;
            ring.tidy();
        }
        waker
    }

    /// Nobody is in the line any more: whoever comes next is the first.
    pub(super) fn begin_anew(&self) {
        self.served.set(self.next.get());
    }
}
