//! The line of waiters that every primitive of this crate keeps.
//!
//! A waiter is a slot in a small pool that belongs to one object; its future keeps the [`Key`] and is
//! the only one to give the slot back, so a key never goes stale. Slots are recycled: once the pool
//! has grown to the largest number of waiters there ever were, waiting allocates nothing.
//!
//! ```text
//!             enqueue              choose                 wake_chosen
//!   (free) ------------> Waiting ----------> Chosen ---------------------> Told
//!      ^                    |                  |    waker taken and woken    |
//!      |                    | leave            | claim or leave              | claim or leave
//!      +--------------------+------------------+-----------------------------+
//! ```
//!
//! All who are to be woken by one call are chosen before the first of them is woken, so that whoever
//! waits again meanwhile is not woken by the same call. No waker is cloned, woken or dropped while
//! the pool is borrowed.

use std::cell::{Cell, RefCell};
use std::task::{Poll, Waker};

/// A waiter's place in the pool, owned by its future.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Key(u32);

/// What a waiter that leaves had come to.
#[derive(Debug)]
#[must_use = "a waiter that had been chosen has to pass its turn on"]
pub(crate) enum Left<D> {
    /// It was still in the line.
    Waiting,
    /// It had been chosen, and does not make use of it.
    Chosen(D),
}

/// A first-in, first-out line of waiters with `D` told to each.
pub(crate) struct Waiters<D> {
    /// Slots in use: waiting, or chosen and not yet gone.
    occupied: Cell<u32>,
    /// Waiters in the line.
    waiting: Cell<u32>,
    /// Waiters that were chosen and whose waker is still to be woken.
    unwoken: Cell<u32>,
    pool: RefCell<Pool<D>>,
}

struct Pool<D> {
    slots: Vec<Slot<D>>,
    free: u32,
    line: Chain,
    chosen: Chain,
}

struct Slot<D> {
    waker: Option<Waker>,
    data: D,
    place: Place,
    next: u32,
    prev: u32,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Free,
    Waiting,
    Chosen,
    Told,
}

struct Chain {
    head: u32,
    tail: u32,
}

const NIL: u32 = u32::MAX;

impl<D: Copy> Waiters<D> {
    pub(crate) const fn new() -> Self {
        Waiters {
            occupied: Cell::new(0),
            waiting: Cell::new(0),
            unwoken: Cell::new(0),
            pool: RefCell::new(Pool {
                slots: Vec::new(),
                free: NIL,
                line: Chain::new(),
                chosen: Chain::new(),
            }),
        }
    }

    /// Waiters in the line.
    #[inline]
    pub(crate) fn waiting(&self) -> usize {
        self.waiting.get() as usize
    }

    /// Whether nobody is here: neither in the line nor chosen and still to run.
    #[inline]
    pub(crate) fn is_empty(&self) -> bool {
        self.occupied.get() == 0
    }

    /// One poll of a wait: what `at_once` says if the wait has not begun, else what the waiter was told
    /// when it was chosen. `key` is empty before the wait and after it.
    #[inline]
    pub(crate) fn poll(
        &self,
        key: &mut Option<Key>,
        waker: &Waker,
        data: D,
        at_once: impl FnMut() -> Option<D>,
    ) -> Poll<D> {
        match *key {
            None => self.enter(key, waker, data, at_once),
            Some(place) => match self.claim(place, waker) {
                Some(told) => {
                    *key = None;
                    Poll::Ready(told)
                }
                None => Poll::Pending,
            },
        }
    }

    /// What `at_once` says, or else a place at the end of the line. It is asked again after the clone of
    /// the waker: that is foreign code, which may have changed the object.
    #[inline]
    pub(crate) fn enter<R>(
        &self,
        key: &mut Option<Key>,
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
        *key = Some(self.enqueue(waker, data));
        Poll::Pending
    }

    /// Joins the end of the line.
    pub(crate) fn enqueue(&self, waker: Waker, data: D) -> Key {
        let mut pool = self.pool.borrow_mut();
        let index = pool.insert(waker, data);
        pool.link(index, Place::Waiting);
        self.occupied.set(self.occupied.get() + 1);
        self.waiting.set(self.waiting.get() + 1);
        Key(index)
    }

    /// What a chosen waiter was told, its slot given back; else `waker` is the one to wake from now on.
    pub(crate) fn claim(&self, key: Key, waker: &Waker) -> Option<D> {
        let mut renewed: Option<Waker> = None;
        loop {
            let mut pool = self.pool.borrow_mut();
            let slot = &mut pool.slots[key.0 as usize];
            if slot.place != Place::Waiting {
                let (data, stale) = self.release(&mut pool, key);
                drop(pool);
                drop(stale);
                return Some(data);
            }
            if let Some(fresh) = renewed.take() {
                let stale = slot.waker.replace(fresh);
                drop(pool);
                drop(stale);
                return None;
            }
            if slot
                .waker
                .as_ref()
                .is_some_and(|known| known.will_wake(waker))
            {
                return None;
            }
            drop(pool);
            renewed = Some(waker.clone());
        }
    }

    /// Gives the slot back before its turn was taken.
    pub(crate) fn leave(&self, key: Key) -> Left<D> {
        let mut pool = self.pool.borrow_mut();
        let was_waiting = pool.slots[key.0 as usize].place == Place::Waiting;
        let (data, waker) = self.release(&mut pool, key);
        drop(pool);
        drop(waker);
        if was_waiting {
            Left::Waiting
        } else {
            Left::Chosen(data)
        }
    }

    /// Gives the slot back where a turn that is not taken is nobody else's loss.
    #[inline]
    pub(crate) fn forget(&self, key: Option<Key>) {
        if let Some(key) = key {
            let _ = self.leave(key);
        }
    }

    /// Chooses from the front as long as `wanted` says so; it may change what the waiter is told.
    /// Nobody is woken before [`wake_chosen`](Self::wake_chosen).
    pub(crate) fn choose_while(&self, mut wanted: impl FnMut(&mut D) -> bool) {
        let mut pool = self.pool.borrow_mut();
        while pool.line.head != NIL {
            let first = pool.line.head;
            if !wanted(&mut pool.slots[first as usize].data) {
                break;
            }
            pool.unlink(first);
            pool.link(first, Place::Chosen);
            self.waiting.set(self.waiting.get() - 1);
            self.unwoken.set(self.unwoken.get() + 1);
        }
    }

    /// Wakes the chosen in their order, each outside of any borrow.
    pub(crate) fn wake_chosen(&self) {
        while self.unwoken.get() > 0 {
            let mut pool = self.pool.borrow_mut();
            let first = pool.chosen.head;
            pool.unlink(first);
            let slot = &mut pool.slots[first as usize];
            slot.place = Place::Told;
            let waker = slot.waker.take();
            self.unwoken.set(self.unwoken.get() - 1);
            drop(pool);
            if let Some(waker) = waker {
                waker.wake();
            }
        }
    }

    /// Chooses and wakes up to `count` from the front.
    pub(crate) fn wake_first(&self, mut count: usize) {
        if self.waiting.get() == 0 {
            return;
        }
        self.choose_while(|_| {
            let go_on = count > 0;
            count = count.saturating_sub(1);
            go_on
        });
        self.wake_chosen();
    }

    /// Chooses and wakes everybody in the line, `tell` saying what each is told.
    pub(crate) fn wake_all(&self, mut tell: impl FnMut(&mut D)) {
        if self.waiting.get() == 0 {
            return;
        }
        self.choose_while(|data| {
            tell(data);
            true
        });
        self.wake_chosen();
    }

    /// Frees the slot; the waker is dropped by the caller, once the borrow has ended.
    fn release(&self, pool: &mut Pool<D>, key: Key) -> (D, Option<Waker>) {
        let place = pool.slots[key.0 as usize].place;
        match place {
            Place::Waiting => self.waiting.set(self.waiting.get() - 1),
            Place::Chosen => self.unwoken.set(self.unwoken.get() - 1),
            Place::Told | Place::Free => {}
        }
        if place != Place::Told {
            pool.unlink(key.0);
        }
        self.occupied.set(self.occupied.get() - 1);
        pool.remove(key.0)
    }
}

impl<D: Copy> Default for Waiters<D> {
    fn default() -> Self {
        Waiters::new()
    }
}

impl<D: Copy> Pool<D> {
    /// Takes a free slot, linked nowhere yet.
    fn insert(&mut self, waker: Waker, data: D) -> u32 {
        if self.free == NIL {
            let index = self.slots.len() as u32;
            assert!(index != NIL, "more than four billion waiters on one object");
            let waker = Some(waker);
            self.slots.push(Slot {
                waker,
                data,
                place: Place::Free,
                next: NIL,
                prev: NIL,
            });
            return index;
        }
        let index = self.free;
        let slot = &mut self.slots[index as usize];
        self.free = slot.next;
        slot.waker = Some(waker);
        slot.data = data;
        index
    }

    /// Puts an unlinked slot back on the free list.
    fn remove(&mut self, index: u32) -> (D, Option<Waker>) {
        let slot = &mut self.slots[index as usize];
        slot.place = Place::Free;
        slot.next = self.free;
        self.free = index;
        (slot.data, slot.waker.take())
    }

    /// Appends a slot to the chain of its new place.
    fn link(&mut self, index: u32, place: Place) {
        let chain = if place == Place::Waiting {
            &mut self.line
        } else {
            &mut self.chosen
        };
        let before = chain.tail;
        chain.tail = index;
        if before == NIL {
            chain.head = index;
        } else {
            self.slots[before as usize].next = index;
        }
        let slot = &mut self.slots[index as usize];
        slot.place = place;
        slot.prev = before;
        slot.next = NIL;
    }

    /// Takes a slot out of the chain it is in.
    fn unlink(&mut self, index: u32) {
        let slot = &self.slots[index as usize];
        let (place, prev, next) = (slot.place, slot.prev, slot.next);
        let chain = if place == Place::Waiting {
            &mut self.line
        } else {
            &mut self.chosen
        };
        if prev == NIL {
            chain.head = next;
        } else {
            self.slots[prev as usize].next = next;
        }
        let chain = if place == Place::Waiting {
            &mut self.line
        } else {
            &mut self.chosen
        };
        if next == NIL {
            chain.tail = prev;
        } else {
            self.slots[next as usize].prev = prev;
        }
    }
}

impl Chain {
    const fn new() -> Self {
        Chain {
            head: NIL,
            tail: NIL,
        }
    }
}
