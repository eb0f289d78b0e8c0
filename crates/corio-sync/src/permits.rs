//! Counting with a fair line: what the lock, the semaphores, the reader-writer lock and the limiter share.
//!
//! Permits that come free go straight to the waiter in front, if they are enough for it. Whoever
//! comes while others wait, or while one that was granted has not run yet, joins the end of the line;
//! so nobody overtakes, not even a task that gives a permit back and asks again at once.

use std::cell::Cell;
use std::task::Waker;

use crate::waiters::{Left, Ticket, Waiters};

/// A number of permits and those who wait for some of them.
pub(crate) struct Permits {
    /// Permits nobody has. Below zero only where a limit was lowered under what is taken.
    available: Cell<isize>,
    /// Each waiter with the number of permits it needs.
    waiters: Waiters<usize>,
}

/// The most permits there can be, so that sums stay in range.
pub(crate) const MOST: usize = isize::MAX as usize / 2;

impl Permits {
    pub(crate) const fn new(permits: usize) -> Self {
        assert!(permits <= MOST, "more permits than can be counted");
        Permits {
            available: Cell::new(permits as isize),
            waiters: Waiters::new(),
        }
    }

    pub(crate) fn available(&self) -> usize {
        self.available.get().max(0) as usize
    }

    pub(crate) fn waiting(&self) -> usize {
        self.waiters.waiting()
    }

    /// Whether somebody waits, or was granted what it waited for and has not run yet.
    pub(crate) fn is_contended(&self) -> bool {
        !self.waiters.is_empty()
    }

    /// Takes `count` if they are free and nobody is in front. None at all can always be had.
    #[inline]
    pub(crate) fn try_acquire(&self, count: usize) -> bool {
        let available = self.available.get();
        let free = count == 0 || (available >= count as isize && self.waiters.is_empty());
        if free {
            self.available.set(available - count as isize);
        }
        free
    }

    /// Takes `count` if they are free, or were granted to this ticket, which is empty before the wait and after it.
    #[inline]
    pub(crate) fn poll_fast(&self, ticket: &mut Option<Ticket>, count: usize) -> bool {
        match *ticket {
            None => self.try_acquire(count),
            Some(place) => {
                let granted = self.waiters.claim_chosen(place);
                if granted {
                    *ticket = None;
                    // Those who came while this one was granted but had not run may go on now.
                    self.grant();
                }
                granted
            }
        }
    }

    /// Waits on, or joins the line; unless the clone of the waker, which is foreign code, has made that needless, and they are
    /// taken. Those who need not wait do not meet with this: its callers keep it out of their polls.
    #[inline]
    pub(crate) fn wait(&self, ticket: &mut Option<Ticket>, count: usize, waker: &Waker) -> bool {
        if let Some(place) = *ticket {
            return self.waiters.renew(place, waker) && self.poll_fast(ticket, count);
        }
        let waker = waker.clone();
        if self.try_acquire(count) {
            return true;
        }
        *ticket = Some(self.waiters.enqueue(waker, count));
        false
    }

    /// Gives up the wait for `count`. If they had been granted, they go to the next in line.
    #[inline(never)]
    pub(crate) fn cancel(&self, ticket: Ticket, count: usize) {
        match self.waiters.leave(ticket) {
            Left::Waiting => self.grant(),
            Left::Chosen => self.release(count),
        }
    }

    /// Gives `count` back.
    #[inline]
    pub(crate) fn release(&self, count: usize) {
        if self.is_contended() {
            self.adjust(count as isize);
        } else {
            self.available.set(self.available.get() + count as isize);
        }
    }

    /// Changes how many there are; what is taken away counts against what comes back.
    #[inline(never)]
    pub(crate) fn adjust(&self, change: isize) {
        let available = &self.available;
        available.set(available.get() + change);
        if available.get() > 0 {
            self.waiters.wake_while(
                |&count| count as isize <= available.get(),
                |_, &count| available.set(available.get() - count as isize),
            );
        }
    }

    /// Takes what is left, for ever or for a while, without waiting.
    pub(crate) fn take_available(&self, most: usize) -> usize {
        let taken = self.available().min(most);
        self.available.set(self.available.get() - taken as isize);
        taken
    }

    /// Hands what is free to those in front, as far as it reaches, and wakes them.
    #[inline]
    fn grant(&self) {
        if self.available.get() > 0 && self.is_contended() {
            self.adjust(0);
        }
    }
}
