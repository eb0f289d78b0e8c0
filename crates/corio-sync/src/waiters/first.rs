//! The place of a waiter before whom nobody waits.

use std::cell::Cell;
use std::mem;
use std::task::Waker;

/// The one that came when nobody waited, until it is chosen or leaves.
pub(super) struct First<D> {
    place: Cell<Option<(Waker, D)>>,
}

impl<D: Copy> First<D> {
    pub(super) const fn new() -> Self {
        First {
            place: Cell::new(None),
        }
    }

    pub(super) fn is_taken(&self) -> bool {
        let here = self.leave();
        let taken = here.is_some();
        self.put(here);
        taken
    }

    /// Takes the place, in which nobody is.
    #[inline]
    pub(super) fn enter(&self, waker: Waker, data: D) {
        self.put(Some((waker, data)));
    }

    /// The one that leaves, if one is here.
    #[inline]
    pub(super) fn leave(&self) -> Option<(Waker, D)> {
        self.place.take()
    }

    /// Gives the waker back that is to be kept no longer: the one before, if somebody is here.
    pub(super) fn replace_waker(&self, waker: Waker) -> Waker {
        match self.leave() {
            Some((before, data)) => {
                self.enter(waker, data);
                before
            }
            None => waker,
        }
    }

    #[inline]
    pub(super) fn will_wake(&self, waker: &Waker) -> bool {
        let here = self.leave();
        let same = here
            .as_ref()
            .is_some_and(|(known, _)| known.will_wake(waker));
        self.put(here);
        same
    }

    /// The place is empty: forgetting that spares the check.
    #[inline]
    fn put(&self, here: Option<(Waker, D)>) {
        mem::forget(self.place.replace(here));
    }
}
