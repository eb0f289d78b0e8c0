//! A crowd: waiters who are all woken together.

use std::task::{Poll, Waker};

use super::line::Line;
use super::ring::Entry;
use super::ticket::{Ticket, enter};

/// A line in which every call serves everybody. What one of them was told is nobody else's loss, so nothing has to be known of those
/// who were served.
pub(crate) struct Crowd {
    /// In front of the ring stand those who were served and are about to be woken.
    line: Line<()>,
}

impl Crowd {
    pub(crate) const fn new() -> Self {
        Crowd { line: Line::new() }
    }

    /// Those who wait.
    pub(crate) fn waiting(&self) -> usize {
        let waits = |entry: &&Entry<()>| entry.waker.is_some() && !self.is_told(entry.ticket);
        let in_ring = self.line.ring.borrow().entries.iter().filter(waits).count();
        usize::from(self.line.first.is_taken()) + in_ring
    }

    /// One poll of a wait: whether `at_once` says so if the wait has not begun, else whether the waiter was
    /// told. `ticket` is empty before the wait and after it.
    #[inline]
    pub(crate) fn poll(
        &self,
        ticket: &mut Option<Ticket>,
        waker: &Waker,
        mut at_once: impl FnMut() -> bool,
    ) -> Poll<()> {
        match *ticket {
            None => self.enter(ticket, waker, || at_once().then_some(())),
            Some(place) if self.is_told(place) || self.renew(place, waker) => {
                *ticket = None;
                Poll::Ready(())
            }
            Some(_) => Poll::Pending,
        }
    }

    /// What `at_once` says, or else a place in the crowd, see [`enter`].
    #[inline]
    pub(crate) fn enter<R>(
        &self,
        ticket: &mut Option<Ticket>,
        waker: &Waker,
        at_once: impl FnMut() -> Option<R>,
    ) -> Poll<R> {
        enter(ticket, waker, at_once, |waker| self.join(waker))
    }

    /// Joins the crowd.
    #[inline]
    pub(crate) fn join(&self, waker: Waker) -> Ticket {
        if !self.line.is_served_up() {
            return self.join_others(waker);
        }
        self.line.first.enter(waker, ());
        self.line.draw()
    }

    #[inline(never)]
    fn join_others(&self, waker: Waker) -> Ticket {
        let ticket = self.line.draw();
        self.line.push(ticket, waker, ());
        ticket
    }

    /// Whether this waiter was told.
    #[inline]
    pub(crate) fn is_told(&self, ticket: Ticket) -> bool {
        self.line.is_served(ticket)
    }

    /// `waker` is the one to wake from now on. Its clone is foreign code: true if that has let this waiter be told.
    #[inline]
    pub(crate) fn renew(&self, ticket: Ticket, waker: &Waker) -> bool {
        self.line.renew(ticket, waker)
    }

    /// A waiter goes, before or after it was told.
    #[inline]
    pub(crate) fn forget(&self, ticket: Option<Ticket>) {
        if let Some(ticket) = ticket {
            self.leave(ticket);
        }
    }

    #[inline(never)]
    fn leave(&self, ticket: Ticket) {
        if self.is_told(ticket) {
            // It may be among those who are about to be woken.
            return drop(self.line.take_out_of_ring(ticket));
        }
        let waker = self.line.take_out(ticket);
        self.begin_anew_if_empty();
        drop(waker);
    }

    fn begin_anew_if_empty(&self) {
        if self.line.ring.borrow().entries.is_empty() && !self.line.first.is_taken() {
            self.line.begin_anew();
        }
    }

    /// Wakes everybody who waits, in the order in which they came. Who waits again meanwhile is not woken by this call.
    #[inline]
    pub(crate) fn wake_all(&self) {
        let waiting = self.line.next.get() - self.line.served.get();
        if waiting == 0 {
            return;
        }
        self.line.begin_anew();
        match self.line.first.leave() {
            Some((waker, ())) if waiting == 1 => waker.wake(),
            first => self.wake_many(first.map(|(waker, ())| waker)),
        }
    }

    #[inline(never)]
    fn wake_many(&self, first: Option<Waker>) {
        /// Also when a waker panics: the others have been told, and would not be woken for that again.
        struct Rest<'a>(&'a Crowd);
        impl Drop for Rest<'_> {
            fn drop(&mut self) {
                while let Some(waker) = self.0.next_unwoken() {
                    waker.wake();
                }
                self.0.begin_anew_if_empty();
            }
        }
        // As long as somebody is left to be woken, a number that nobody has keeps those who come out of the place of the first.
        let _ = self.line.draw();
        let rest = Rest(self);
        if let Some(first) = first {
            first.wake();
        }
        drop(rest);
    }

    /// The waker of the next who was told and is still to be woken, out of the ring.
    fn next_unwoken(&self) -> Option<Waker> {
        let mut ring = self.line.ring.borrow_mut();
        loop {
            let front = ring.entries.front()?;
            if !self.is_told(front.ticket) {
                return None;
            }
            if let Some(waker) = ring.pop() {
                return Some(waker);
            }
        }
    }
}

impl Default for Crowd {
    fn default() -> Self {
        Crowd::new()
    }
}
