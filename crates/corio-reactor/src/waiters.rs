//! Who waits for one direction of one source.

use std::task::Waker;

/// One waiter's place in the list of those who wait for a direction.
///
/// A future that may be dropped while it waits keeps one, passes it to
/// [`Reactor::poll_ready_as`](crate::Reactor::poll_ready_as), and gives it to
/// [`Reactor::stop_waiting`](crate::Reactor::stop_waiting) when it is dropped, so that nothing of it stays behind.
#[derive(Debug, Default)]
pub struct WaitToken {
    /// Zero until the first time this waiter really waits.
    pub(crate) id: u64,
}

impl WaitToken {
    /// A waiter that waits for nothing yet.
    pub const fn new() -> WaitToken {
        WaitToken { id: 0 }
    }
}

/// The id of waiters without a token: they are told apart by their wakers.
pub(crate) const ANONYMOUS: u64 = 0;

/// The wakers of one direction. One is kept in place, which is all that most sources ever need.
#[derive(Debug, Default)]
pub(crate) struct WaitList {
    first: Option<Waiter>,
    more: Vec<Waiter>,
}

#[derive(Debug)]
struct Waiter {
    id: u64,
    waker: Waker,
}

impl WaitList {
    pub(crate) fn is_empty(&self) -> bool {
        self.first.is_none() && self.more.is_empty()
    }

    pub(crate) fn len(&self) -> usize {
        usize::from(self.first.is_some()) + self.more.len()
    }

    /// Whether this waiter is already in the list with this very waker. Runs no foreign code.
    pub(crate) fn holds(&self, id: u64, waker: &Waker) -> bool {
        self.iter()
            .any(|waiter| waiter.id == id && waiter.waker.will_wake(waker))
    }

    /// Puts in a waiter that [`holds`](WaitList::holds) does not know, or gives it its new waker. Returns the waker that is no longer needed, which the caller
    /// drops once nothing is borrowed.
    #[must_use]
    pub(crate) fn insert(&mut self, id: u64, waker: Waker) -> Option<Waker> {
        let known = self
            .iter_mut()
            .find(|waiter| waiter.id == id && id != ANONYMOUS);
        if let Some(known) = known {
            return Some(std::mem::replace(&mut known.waker, waker));
        }
        let waiter = Waiter { id, waker };
        if self.first.is_none() {
            self.first = Some(waiter);
        } else {
            self.more.push(waiter);
        }
        None
    }

    /// Takes the waiter with this token out. Returns its waker, for the caller to drop once nothing is borrowed.
    #[must_use]
    pub(crate) fn remove(&mut self, id: u64) -> Option<Waker> {
        if self.first.as_ref().is_some_and(|waiter| waiter.id == id) {
            return self.first.take().map(|waiter| waiter.waker);
        }
        let at = self.more.iter().position(|waiter| waiter.id == id)?;
        Some(self.more.remove(at).waker)
    }

    /// Moves all wakers to `wakers`, in the order in which they came. The list keeps its memory.
    pub(crate) fn drain_into(&mut self, wakers: &mut Vec<Waker>) {
        if let Some(first) = self.first.take() {
            wakers.push(first.waker);
        }
        // To begin and end a drain costs more than all of the above.
        if !self.more.is_empty() {
            wakers.extend(self.more.drain(..).map(|waiter| waiter.waker));
        }
    }

    fn iter(&self) -> impl Iterator<Item = &Waiter> {
        self.first.iter().chain(&self.more)
    }

    fn iter_mut(&mut self) -> impl Iterator<Item = &mut Waiter> {
        self.first.iter_mut().chain(&mut self.more)
    }
}
