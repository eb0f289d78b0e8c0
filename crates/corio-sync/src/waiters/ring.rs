//! Those who wait behind the first, and those who have been chosen and are to be woken.

use std::collections::VecDeque;
use std::task::Waker;

use super::Ticket;

/// Waiters in the order of their numbers.
pub(super) struct Ring<D> {
    pub(super) entries: VecDeque<Entry<D>>,
    /// How many entries inside the ring are of waiters that have gone.
    pub(super) gaps: usize,
}

pub(super) struct Entry<D> {
    pub(super) ticket: Ticket,
    /// `None` if the waiter has gone.
    pub(super) waker: Option<Waker>,
    pub(super) data: D,
}

impl<D> Ring<D> {
    pub(super) const fn new() -> Self {
        Ring {
            entries: VecDeque::new(),
            gaps: 0,
        }
    }

    pub(super) fn find(&mut self, ticket: Ticket) -> Option<&mut Entry<D>> {
        let index = self
            .entries
            .binary_search_by_key(&ticket, |entry| entry.ticket)
            .ok()?;
        self.entries.get_mut(index)
    }

    /// Takes the first entry out; its waker, unless the waiter has gone.
    pub(super) fn pop(&mut self) -> Option<Waker> {
        let waker = self.entries.pop_front()?.waker;
        self.gaps -= usize::from(waker.is_none());
        waker
    }

    /// Takes gaps out at the ends, and everywhere once they are more than the waiters: so the ring
    /// stays small and a departure costs little on average.
    pub(super) fn tidy(&mut self) {
        while self
            .entries
            .back()
            .is_some_and(|entry| entry.waker.is_none())
        {
            self.entries.pop_back();
            self.gaps -= 1;
        }
        while self
            .entries
            .front()
            .is_some_and(|entry| entry.waker.is_none())
        {
            self.entries.pop_front();
            self.gaps -= 1;
        }
        if self.gaps > self.entries.len() / 2 {
            self.entries.retain(|entry| entry.waker.is_some());
            self.gaps = 0;
        }
    }
}
