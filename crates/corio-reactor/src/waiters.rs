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

/// The wakers of one direction, in the order in which they came. The first is kept in place, which is all that most sources
/// ever need; without a first there are no more.
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
    #[inline]
    pub(crate) fn is_empty(&self) -> bool {
        self.first.is_none()
    }

    pub(crate) fn len(&self) -> usize {
        usize::from(self.first.is_some()) + self.more.len()
    }

    /// Puts in a waiter, unless it is there with this very waker, or gives it its new one. Returns the waker that is not needed,
    /// which the caller drops once nothing is borrowed. Runs no foreign code.
    #[must_use]
    #[inline]
    pub(crate) fn insert(&mut self, id: u64, waker: Waker) -> Option<Waker> {
        if self.first.is_some() {
            return self.insert_among(id, waker);
        }
        self.first = Some(Waiter { id, waker });
        None
    }

    #[inline(never)]
    fn insert_among(&mut self, id: u64, waker: Waker) -> Option<Waker> {
        let is_it = |waiter: &&mut Waiter| {
            waiter.id == id && (id != ANONYMOUS || waiter.waker.will_wake(&waker))
        };
        if let Some(known) = self.iter_mut().find(is_it) {
            return Some(std::mem::replace(&mut known.waker, waker));
        }
        self.more.push(Waiter { id, waker });
        None
    }

    /// Takes the waiter with this token out. Returns its waker, for the caller to drop once nothing is borrowed.
    #[must_use]
    pub(crate) fn remove(&mut self, id: u64) -> Option<Waker> {
        if self.first.as_ref()?.id == id {
            let next = (!self.more.is_empty()).then(|| self.more.remove(0));
            return std::mem::replace(&mut self.first, next).map(|waiter| waiter.waker);
        }
        let at = self.more.iter().position(|waiter| waiter.id == id)?;
        Some(self.more.remove(at).waker)
    }

    /// Moves all wakers to `wakers`, in the order in which they came. The list keeps its memory.
    #[inline]
    pub(crate) fn drain_into(&mut self, wakers: &mut Vec<Waker>) {
        if self.is_empty() {
            return;
        }
        wakers.extend(self.first.take().map(|waiter| waiter.waker));
        // To begin and end a drain costs more than all of the above.
        if !self.more.is_empty() {
            self.drain_more_into(wakers);
        }
    }

    #[inline(never)]
    fn drain_more_into(&mut self, wakers: &mut Vec<Waker>) {
        wakers.extend(self.more.drain(..).map(|waiter| waiter.waker));
    }

    fn iter_mut(&mut self) -> impl Iterator<Item = &mut Waiter> {
        self.first.iter_mut().chain(&mut self.more)
    }
}
