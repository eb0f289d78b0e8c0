//! `WakeList`: the futures that wait for one thing, on one thread.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::task::Waker;

/// Wakers in the order of coming, each with the number of its place.
#[derive(Default)]
pub(crate) struct WakeList {
    waiting: RefCell<VecDeque<(u64, Waker)>>,
    last: Cell<u64>,
}

/// The place of a future in a list; nowhere before its first wait.
#[derive(Default, Debug)]
pub(crate) struct WakePlace {
    number: u64,
}

impl WakeList {
    /// Keeps the waker until the next wake of the list.
    pub(crate) fn wait(&self, place: &mut WakePlace, waker: &Waker) {
        let same = |entry: &(u64, Waker)| entry.0 == place.number && entry.1.will_wake(waker);
        if self.waiting.borrow().iter().any(same) {
            return;
        }
        self.leave(place);
        let waker = waker.clone();
        self.last.set(self.last.get() + 1);
        place.number = self.last.get();
        self.waiting.borrow_mut().push_back((place.number, waker));
    }

    /// Takes the waker back.
    pub(crate) fn leave(&self, place: &mut WakePlace) {
        if place.number == 0 {
            return;
        }
        let mut waiting = self.waiting.borrow_mut();
        let index = waiting.iter().position(|entry| entry.0 == place.number);
        let entry = index.and_then(|index| waiting.remove(index));
        drop(waiting);
        drop(entry);
        place.number = 0;
    }

    /// Wakes who waits now. Who waits again meanwhile is woken the next time.
    pub(crate) fn wake_all(&self) {
        let count = self.waiting.borrow().len();
        for _ in 0..count {
            let entry = self.waiting.borrow_mut().pop_front();
            let Some((_, waker)) = entry else { return };
            waker.wake();
        }
    }
}
