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

use std::cell::{Cell, RefCell};
use std::mem;
use std::task::{Poll, Waker};

mod first;
mod ring;
mod ticket;

pub(crate) use ticket::Ticket;

use first::First;
use ring::{Entry, Ring};

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
    /// The number of the next to come, from 1.
    next: Cell<u64>,
    /// Everybody with a lower number has been chosen, or has gone.
    served: Cell<u64>,
    /// Those who wait, or were chosen and have not taken their turn yet.
    present: Cell<usize>,
    /// Those who were chosen and whose waker is still in the ring.
    unwoken: Cell<usize>,
    /// The one that came when nobody waited, until it is chosen: in front of all who wait in the ring. Its
    /// number is that of `served`.
    first: First<D>,
    ring: RefCell<Ring<D>>,
}

impl<D: Copy> Waiters<D> {
    pub(crate) const fn new() -> Self {
        Waiters {
            next: Cell::new(1),
            served: Cell::new(1),
            present: Cell::new(0),
            unwoken: Cell::new(0),
            first: First::new(),
            ring: RefCell::new(Ring::new()),
        }
    }

    /// Those who wait.
    pub(crate) fn waiting(&self) -> usize {
        let ring = self.ring.borrow();
        let first = usize::from(self.first.is_taken());
        first + ring.entries.len() - ring.gaps - self.unwoken.get()
    }

    /// Whether nobody is here: neither in the line nor chosen and still to run.
    #[inline]
    pub(crate) fn is_empty(&self) -> bool {
        self.present.get() == 0
    }

    /// One poll of a wait: whether `at_once` says so if the wait has not begun, else whether the waiter
    /// was chosen. `ticket` is empty before the wait and after it.
    #[inline]
    pub(crate) fn poll(
        &self,
        ticket: &mut Option<Ticket>,
        waker: &Waker,
        data: D,
        mut at_once: impl FnMut() -> bool,
    ) -> Poll<()> {
        match *ticket {
            None => self.enter(ticket, waker, data, || at_once().then_some(())),
            Some(place) if self.claim(place, waker) => {
                *ticket = None;
                Poll::Ready(())
            }
            Some(_) => Poll::Pending,
        }
    }

    /// What `at_once` says, or else a place at the end of the line. It is asked again after the clone of
    /// the waker: that is foreign code, which may have changed the object.
    #[inline]
    pub(crate) fn enter<R>(
        &self,
        ticket: &mut Option<Ticket>,
        waker: &Waker,
        data: D,
        mut at_once: impl FnMut() -> Option<R>,
    ) -> Poll<R> {
        if let Some(answer) = at_once() {
            return Poll::Ready(answer);
        }
        let waker = waker.clone();
        if let Some(answer) = at_once() {
            return Poll::Ready(answer);
        }
        *ticket = Some(self.join(waker, data));
        Poll::Pending
    }

    /// Joins the end of the line.
    #[inline]
    pub(crate) fn enqueue(&self, waker: Waker, data: D) -> Ticket {
        let nobody_waits = self.nobody_waits();
        let ticket = self.draw();
        if nobody_waits {
            self.first.enter(waker, data);
        } else {
            self.push(Entry {
                ticket,
                waker: Some(waker),
                data,
            });
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
        self.first.enter(waker, data);
        ticket
    }

    #[inline(never)]
    fn join_others(&self, waker: Waker, data: D) -> Ticket {
        self.enqueue(waker, data)
    }

    /// Whether everybody has been chosen, and woken too: whoever comes now is in front of the ring.
    #[inline]
    fn nobody_waits(&self) -> bool {
        self.served.get() == self.next.get() && self.unwoken.get() == 0
    }

    /// The next number, for one more.
    #[inline]
    fn draw(&self) -> Ticket {
        let number = self.next.get();
        self.next.set(number + 1);
        self.present.set(self.present.get() + 1);
        Ticket::of(number)
    }

    /// Chooses the next, who is in the place of the first.
    #[inline]
    fn serve(&self) -> Ticket {
        let number = self.served.get();
        self.served.set(number + 1);
        Ticket::of(number)
    }

    #[inline]
    fn push(&self, entry: Entry<D>) {
        self.ring.borrow_mut().entries.push_back(entry);
    }

    /// Takes the turn of a waiter that was chosen; else `waker` is the one to wake from now on.
    #[inline]
    pub(crate) fn claim(&self, ticket: Ticket, waker: &Waker) -> bool {
        self.claim_chosen(ticket) || (self.renew(ticket, waker) && self.claim_chosen(ticket))
    }

    /// Takes the turn of a waiter that was chosen.
    #[inline]
    pub(crate) fn claim_chosen(&self, ticket: Ticket) -> bool {
        let chosen = self.is_served(ticket);
        if chosen {
            self.present.set(self.present.get() - 1);
            if self.unwoken.get() > 0 {
                self.remove_unwoken(ticket);
            }
        }
        chosen
    }

    /// Whether this waiter was chosen.
    #[inline]
    fn is_served(&self, ticket: Ticket) -> bool {
        ticket.number() < self.served.get()
    }

    /// Whether the next to be chosen, unless it has gone, is this one.
    #[inline]
    fn is_next(&self, ticket: Ticket) -> bool {
        ticket.number() == self.served.get()
    }

    /// Whether this waiter has the place of the first.
    fn is_first(&self, ticket: Ticket) -> bool {
        self.is_next(ticket) && self.first.is_taken()
    }

    /// Keeps `waker` in the place of the one before, if that is another. Its clone is foreign code: true
    /// if that has let this waiter be chosen.
    #[inline]
    pub(crate) fn renew(&self, ticket: Ticket, waker: &Waker) -> bool {
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

    /// Takes a waiter out, before or after its turn has come.
    pub(crate) fn leave(&self, ticket: Ticket) -> Left {
        if self.claim_chosen(ticket) {
            return Left::Chosen;
        }
        let waker = self.take_out(ticket);
        self.present.set(self.present.get() - 1);
        if self.is_empty() {
            self.served.set(self.next.get());
        }
        drop(waker);
        Left::Waiting
    }

    /// Takes a waiter out where a turn that is not taken is nobody else's loss.
    #[inline]
    pub(crate) fn forget(&self, ticket: Option<Ticket>) {
        if let Some(ticket) = ticket {
            let _ = self.leave(ticket);
        }
    }

    /// Chooses from the front as long as the next one `fits`, then wakes the chosen in their order.
    #[inline]
    pub(crate) fn wake_while(&self, fits: impl Fn(&D) -> bool, mut choose: impl FnMut(Ticket, &D)) {
        if let Some((waker, data)) = self.first.leave() {
            if !fits(&data) {
                return self.first.enter(waker, data);
            }
            choose(self.serve(), &data);
            // Most often nobody else is here.
            if self.present.get() > 1 {
                self.wake_several(Some(waker), &fits, &mut choose);
            } else {
                waker.wake();
            }
            return;
        }
        let mut ring = self.ring.borrow_mut();
        match ring.entries.pop_front() {
            Some(Entry {
                ticket,
                waker: Some(waker),
                data,
            }) if self.unwoken.get() == 0 && fits(&data) => {
                choose(ticket, &data);
                self.served.set(ticket.number() + 1);
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
        let mut ring = self.ring.borrow_mut();
        ring.tidy();
        let served = self.served.get();
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
            self.served.set(entry.ticket.number() + 1);
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
            let first = self.ring.borrow_mut().pop();
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
        match self.first.leave() {
            Some((waker, _)) => {
                self.serve();
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
            self.first.leave()
        } else {
            None
        };
        match alone {
            Some((waker, _)) => {
                self.serve();
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

    /// Takes a waiter out of the line, with its waker.
    fn take_out(&self, ticket: Ticket) -> Option<Waker> {
        if self.is_first(ticket) {
            return self.first.leave().map(|(waker, _)| waker);
        }
        let mut ring = self.ring.borrow_mut();
        let waker = ring.find(ticket).and_then(|entry| entry.waker.take());
        ring.gaps += 1;
        ring.tidy();
        waker
    }

    /// Takes one out that was chosen, if it is still to be woken.
    #[cold]
    fn remove_unwoken(&self, ticket: Ticket) {
        let mut ring = self.ring.borrow_mut();
        let waker = ring.find(ticket).and_then(|entry| entry.waker.take());
        if waker.is_some() {
            self.unwoken.set(self.unwoken.get() - 1);
            ring.gaps += 1;
            ring.tidy();
        }
        drop(ring);
        drop(waker);
    }
}

impl<D: Copy> Default for Waiters<D> {
    fn default() -> Self {
        Waiters::new()
    }
}
