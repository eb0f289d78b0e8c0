//! The line of waiters that every primitive of this crate keeps.
//!
//! Most objects are waited for by one at a time, who has a place of its own; whoever comes while
//! somebody waits goes into a ring.
//!
//! Waiters are served strictly from the front, so a ticket number says everything: a waiter has been
//! chosen as soon as the counter of served tickets has passed its own. Only those that still have to be
//! woken are in the ring, which allocates nothing once it has grown to the most there ever were.
//!
//! ```text
//!   ring:   | chosen, to be woken now |  waiting, some of them gone  |
//!           ^ pop, wake               ^ served                       ^ next ticket
//! ```
//!
//! All who are to be woken by one call are chosen before the first of them is woken, so that whoever
//! waits again meanwhile is not woken by the same call. No waker is cloned, woken or dropped while
//! the ring is borrowed.

use std::cell::Cell;
use std::task::{Poll, Waker};

mod crowd;
mod first;
mod line;
mod ring;
mod ticket;

pub(crate) use crowd::Crowd;
pub(crate) use ticket::Ticket;

use line::Line;
use ring::Entry;

/// What a waiter that leaves had come to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use = "a waiter that had been chosen has to pass its turn on"]
pub(crate) enum Left {
    /// It was still in the line.
    Waiting,
    /// It had been chosen, and does not make use of it.
    Chosen,
}

/// A first-in, first-out line of waiters, with `D` to decide by who is next.
pub(crate) struct Waiters<D> {
    line: Line<D>,
    /// Those who wait, or were chosen and have not taken their turn yet.
    present: Cell<usize>,
    /// Those who were chosen and whose waker is still in the ring.
    unwoken: Cell<usize>,
}

impl<D: Copy> Waiters<D> {
    pub(crate) const fn new() -> Self {
        Waiters {
            line: Line::new(),
            present: Cell::new(0),
            unwoken: Cell::new(0),
        }
    }

    /// Those who wait.
    pub(crate) fn waiting(&self) -> usize {
        let ring = self.line.ring.borrow();
        let first = usize::from(self.line.first.is_taken());
        first + ring.entries.len() - ring.gaps - self.unwoken.get()
    }

    /// Whether nobody is here: neither in the line nor chosen and still to run.
    #[inline]
    pub(crate) fn is_empty(&self) -> bool {
        self.present.get() == 0
    }

    /// What `at_once` says, or else a place at the end of the line, see [`enter`](ticket::enter).
    #[inline]
    pub(crate) fn enter<R>(
        &self,
        ticket: &mut Option<Ticket>,
        waker: &Waker,
        data: D,
        at_once: impl FnMut() -> Option<R>,
    ) -> Poll<R> {
        ticket::enter(ticket, waker, at_once, |waker| self.join(waker, data))
    }

    /// Joins the end of the line.
    #[inline]
    pub(crate) fn enqueue(&self, waker: Waker, data: D) -> Ticket {
        let nobody_waits = self.nobody_waits();
        let ticket = self.draw();
        if nobody_waits {
            self.line.first.enter(waker, data);
        } else {
            self.line.push(ticket, waker, data);
        }
        ticket
    }

    /// The same, where most often nobody waits.
    #[inline]
    pub(crate) fn join(&self, waker: Waker, data: D) -> Ticket {
        if !self.nobody_waits() {
            return self.join_others(waker, data);
        }
        let ticket = self.draw();
        self.line.first.enter(waker, data);
        ticket
    }

    #[inline(never)]
    fn join_others(&self, waker: Waker, data: D) -> Ticket {
        self.enqueue(waker, data)
    }

    /// Whether everybody has been chosen, and woken too: whoever comes now is in front of the ring.
    #[inline]
    fn nobody_waits(&self) -> bool {
        self.line.is_served_up() && self.unwoken.get() == 0
    }

    /// The next number, for one more.
    #[inline]
    fn draw(&self) -> Ticket {
        self.present.set(self.present.get() + 1);
        self.line.draw()
    }

    /// Takes the turn of a waiter that was chosen; else `waker` is the one to wake from now on.
    #[inline]
    pub(crate) fn claim(&self, ticket: Ticket, waker: &Waker) -> bool {
        self.claim_chosen(ticket) || (self.renew(ticket, waker) && self.claim_chosen(ticket))
    }

    /// Takes the turn of a waiter that was chosen.
    #[inline]
    pub(crate) fn claim_chosen(&self, ticket: Ticket) -> bool {
        let chosen = self.line.is_served(ticket);
        if chosen {
            self.present.set(self.present.get() - 1);
            if self.unwoken.get() > 0 {
                self.remove_unwoken(ticket);
            }
        }
        chosen
    }

    /// Keeps `waker` in the place of the one before, see [`Line::renew`].
    #[inline]
    pub(crate) fn renew(&self, ticket: Ticket, waker: &Waker) -> bool {
        self.line.renew(ticket, waker)
    }

    /// Takes a waiter out, before or after its turn has come.
    pub(crate) fn leave(&self, ticket: Ticket) -> Left {
        if self.claim_chosen(ticket) {
            return Left::Chosen;
        }
        let waker = self.line.take_out(ticket);
        self.present.set(self.present.get() - 1);
        if self.is_empty() {
            self.line.begin_anew();
        }
        drop(waker);
        Left::Waiting
    }

    /// Chooses from the front as long as the next one `fits`, then wakes the chosen in their order.
    #[inline]
    pub(crate) fn wake_while(&self, fits: impl Fn(&D) -> bool, mut choose: impl FnMut(Ticket, &D)) {
        if let Some((waker, data)) = self.line.first.leave() {
            if !fits(&data) {
                return self.line.first.enter(waker, data);
            }
            choose(self.line.serve(), &data);
            // Most often nobody else is here.
            if self.present.get() > 1 {
                self.wake_several(Some(waker), &fits, &mut choose);
            } else {
                waker.wake();
            }
            return;
        }
        let mut ring = self.line.ring.borrow_mut();
        match ring.entries.pop_front() {
            Some(Entry {
                ticket,
                waker: Some(waker),
                data,
            }) if self.unwoken.get() == 0 && fits(&data) => {
                choose(ticket, &data);
                self.line.served.set(ticket.number() + 1);
                // Most often there is nobody else to wake.
                let may_go = |next: &Entry<D>| next.waker.is_none() || fits(&next.data);
                let more = ring.entries.front().is_some_and(may_go);
                drop(ring);
                if more {
                    self.wake_several(Some(waker), &fits, &mut choose);
                } else {
                    waker.wake();
                }
            }
            Some(first) => {
                ring.entries.push_front(first);
                drop(ring);
                self.wake_several(None, &fits, &mut choose);
            }
            None => {}
        }
    }

    /// [`wake_while`](Self::wake_while) where it is more than one, or where gaps have to be skipped. All
    /// are chosen before the first, who is chosen already and out of the ring, is woken.
    #[inline(never)]
    fn wake_several(
        &self,
        first: Option<Waker>,
        fits: &dyn Fn(&D) -> bool,
        choose: &mut dyn FnMut(Ticket, &D),
    ) {
        let mut ring = self.line.ring.borrow_mut();
        ring.tidy();
        let served = self.line.served.get();
        let begin = ring
            .entries
            .partition_point(|entry| entry.ticket.number() < served);
        for entry in ring
            .entries
            .range(begin..)
            .filter(|entry| entry.waker.is_some())
        {
            if !fits(&entry.data) {
                break;
            }
            choose(entry.ticket, &entry.data);
            self.line.served.set(entry.ticket.number() + 1);
            self.unwoken.set(self.unwoken.get() + 1);
        }
        drop(ring);
        if let Some(first) = first {
            first.wake();
        }
        self.wake_chosen();
    }

    /// Wakes the chosen in their order, each outside of any borrow.
    #[inline(never)]
    fn wake_chosen(&self) {
        while self.unwoken.get() > 0 {
            let first = self.line.ring.borrow_mut().pop();
            if let Some(waker) = first {
                self.unwoken.set(self.unwoken.get() - 1);
                waker.wake();
            }
        }
    }

    /// Chooses and wakes the first, if there is one.
    #[inline]
    pub(crate) fn wake_one(&self) {
        if !self.is_empty() {
            self.wake_next();
        }
    }

    #[inline(never)]
    fn wake_next(&self) {
        match self.line.first.leave() {
            Some((waker, _)) => {
                self.line.serve();
                waker.wake();
            }
            None => self.wake_first(1),
        }
    }

    /// Chooses and wakes up to `count` from the front.
    #[inline(never)]
    pub(crate) fn wake_first(&self, count: usize) {
        let left = Cell::new(count);
        self.wake_while(|_| left.get() > 0, |_, _| left.set(left.get() - 1));
    }

    /// Chooses and wakes everybody in the line.
    #[inline]
    pub(crate) fn wake_all(&self) {
        let alone = if self.present.get() == 1 {
            self.line.first.leave()
        } else {
            None
        };
        match alone {
            Some((waker, _)) => {
                self.line.serve();
                waker.wake();
            }
            None if self.is_empty() => {}
            None => self.wake_line(),
        }
    }

    /// [`wake_all`](Self::wake_all) for those in the ring.
    #[inline(never)]
    fn wake_line(&self) {
        self.wake_while(|_| true, |_, _| {});
    }

    /// Takes one out that was chosen, if it is still to be woken.
    #[cold]
    fn remove_unwoken(&self, ticket: Ticket) {
        let waker = self.line.take_out_of_ring(ticket);
        if waker.is_some() {
            self.unwoken.set(self.unwoken.get() - 1);
        }
        drop(waker);
    }
}

impl<D: Copy> Default for Waiters<D> {
    fn default() -> Self {
        Waiters::new()
    }
}
