//! What channels with many receivers have in common: both sides are counted, and receivers wait until there
//! is something for them, or nobody is left to send it.

use std::cell::{Cell, OnceCell};
use std::panic::Location;
use std::rc::Rc;
use std::task::{Poll, Waker};

use crate::observe::{self, Kind};
use crate::waiters::{Crowd, Ticket};

/// The counts of a channel, those who wait for something to receive, and the name.
pub(crate) struct Sides {
    pub(crate) senders: Count,
    pub(crate) receivers: Count,
    pub(crate) waiters: Crowd,
    pub(crate) name: OnceCell<Rc<str>>,
}

/// How many ends a side has.
pub(crate) struct Count(Cell<usize>);

impl Sides {
    /// One sender, and no receiver yet.
    pub(crate) fn new() -> Self {
        Sides {
            senders: Count(Cell::new(1)),
            receivers: Count(Cell::new(0)),
            waiters: Crowd::new(),
            name: OnceCell::new(),
        }
    }

    /// A sender goes; with the last one, nobody has anything to wait for.
    pub(crate) fn sender_goes(&self) {
        self.senders.goes();
        if self.senders.get() == 0 {
            self.waiters.wake_all();
        }
    }

    /// One poll of a wait until `look` finds something. A waiter that was woken looks again: what woke it
    /// may be gone.
    pub(crate) fn poll<R>(
        &self,
        ticket: &mut Option<Ticket>,
        waker: &Waker,
        kind: &'static Kind,
        location: &'static Location<'static>,
        look: impl FnMut() -> Option<R>,
    ) -> Poll<R> {
        let crowd = &self.waiters;
        if ticket.is_none_or(|ticket| crowd.is_told(ticket) || crowd.renew(ticket, waker)) {
            *ticket = None;
            if let Poll::Ready(found) = crowd.enter(ticket, waker, look) {
                return Poll::Ready(found);
            }
        }
        observe::waits(kind, self.name.get(), location);
        Poll::Pending
    }
}

impl Count {
    pub(crate) fn get(&self) -> usize {
        self.0.get()
    }

    pub(crate) fn comes(&self) {
        self.0.set(self.0.get() + 1);
    }

    pub(crate) fn goes(&self) {
        self.0.set(self.0.get() - 1);
    }
}
