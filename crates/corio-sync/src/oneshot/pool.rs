//! [`Pool`]: channels in memory that is used again.

use std::cell::{Cell, RefCell};
use std::fmt;
use std::mem;
use std::panic::Location;
use std::rc::{Rc, Weak};

use super::slot::{ON_LOAN, Slot};
use super::{Receiver, Sender};

/// Opens channels for one value each, in the memory of channels that are over.
///
/// The ends are those of [`channel`](super::channel): owned, they go where they like and may outlive the
/// pool. When both are gone, in whatever order, their slot goes back to the pool, or is freed if the pool is
/// gone too. Nothing is allocated unless more channels are open at a time than were before, or than there may
/// be idle slots.
///
/// ```
/// use corio_sync::oneshot;
/// # futures_lite::future::block_on(async {
/// let answers = oneshot::Pool::new().named("answer");
/// for question in 0..3 {
///     let (sender, receiver) = answers.channel();
///     sender.send(question * 2).unwrap();
///     assert_eq!(receiver.await, Ok(question * 2));
/// }
/// assert_eq!(answers.statistics().idle, 1);
/// # });
/// ```
#[doc(alias("freelist", "slab", "object pool"))]
pub struct Pool<T> {
    /// The slot that need not come back to be used again, so that channels that follow one another cost next to
    /// nothing.
    at_hand: Cell<Option<Rc<Slot<T>>>>,
    /// How often that one was in use.
    misses: Cell<u32>,
    /// Where another comes from then.
    others: Rc<Others<T>>,
}

/// What [`Pool::statistics`] tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct PoolStatistics {
    /// How many channels could be opened now without an allocation.
    pub idle: usize,
    /// The most that `idle` can be.
    pub max_idle: usize,
}

/// Slots that belong to their ends while they are in use, and come back on their own.
struct Others<T> {
    /// Last in, first out, so that the memory is warm.
    idle: RefCell<Vec<Rc<Slot<T>>>>,
    max_idle: usize,
    name: Option<Rc<str>>,
}

/// What few slots have: a name, and a pool to go back to.
pub(super) struct Origin<T> {
    pub(super) name: Option<Rc<str>>,
    slot: Weak<Slot<T>>,
    others: Weak<Others<T>>,
}

/// A turn of corio's loop has at most so many steps: even if each of them ends a channel, and as many are
/// opened on the next, nothing is allocated. A burst leaves no more behind: 150 KiB, if the values are small.
const MAX_IDLE: usize = 1024;

/// An exchange of the slot at hand costs a little, which is not worth while for channels that overlap.
const PATIENCE: u32 = 8;

impl<T> Pool<T> {
    /// One that keeps up to 1,024 slots that are not in use.
    pub fn new() -> Self {
        Pool::with_max_idle(MAX_IDLE)
    }

    /// One that keeps up to `max_idle` slots that are not in use, and one at least.
    pub fn with_max_idle(max_idle: usize) -> Self {
        Pool::with_name(None, max_idle.saturating_sub(1))
    }

    /// Gives the channels that it will open a name, shown wherever a task is seen waiting for one.
    #[must_use]
    pub fn named(self, name: impl Into<Rc<str>>) -> Self {
        // Slots have the name from their beginning.
        Pool::with_name(Some(name.into()), self.others.max_idle)
    }

    fn with_name(name: Option<Rc<str>>, max_idle: usize) -> Self {
        let others = Rc::new(Others {
            idle: RefCell::default(),
            max_idle,
            name,
        });
        Pool {
            at_hand: Cell::new(Some(others.new_slot())),
            misses: Cell::new(0),
            others,
        }
    }

    /// The name given with [`named`](Self::named).
    pub fn name(&self) -> Option<&str> {
        self.others.name.as_deref()
    }

    /// The two ends of a channel for one value.
    #[track_caller]
    #[inline]
    pub fn channel(&self) -> (Sender<T>, Receiver<T>) {
        let (sender, receiver) = match self.at_hand.take() {
            // Nobody else has a share of it.
            Some(slot) if Rc::strong_count(&slot) == 1 => {
                slot.flags.set(0);
                let shares = (Rc::clone(&slot), Rc::clone(&slot));
                self.keep_at_hand(slot);
                shares
            }
            used => {
                let slot = self.another(used);
                (Rc::clone(&slot), slot)
            }
        };
        let receiver = Receiver {
            slot: receiver,
            location: Location::caller(),
        };
        (Sender { slot: sender }, receiver)
    }

    /// A slot for a channel while the one at hand is in use. That one makes room at last, since its channel may
    /// stay open for long.
    #[inline(never)]
    fn another(&self, used: Option<Rc<Slot<T>>>) -> Rc<Slot<T>> {
        let slot = self.others.take();
        let misses = self.misses.get().wrapping_add(1);
        self.misses.set(misses);
        match used {
            // One that is ending is about to be free, or free but for an end that is being dropped.
            Some(used) if misses < PATIENCE || used.is_ending() => {
                slot.flags.set(ON_LOAN);
                self.keep_at_hand(used);
            }
            used => {
                slot.flags.set(0);
                self.keep_at_hand(Rc::clone(&slot));
                self.misses.set(0);
                if let Some(used) = used {
                    used.raise(ON_LOAN);
                }
            }
        }
        slot
    }

    /// The place is empty: forgetting that spares the check.
    #[inline]
    fn keep_at_hand(&self, slot: Rc<Slot<T>>) {
        mem::forget(self.at_hand.replace(Some(slot)));
    }

    /// How many slots are not in use.
    pub fn statistics(&self) -> PoolStatistics {
        let at_hand = self.at_hand.take().map(|slot| {
            let idle = Rc::strong_count(&slot) == 1;
            self.keep_at_hand(slot);
            usize::from(idle)
        });
        PoolStatistics {
            idle: self.others.idle.borrow().len() + at_hand.unwrap_or_default(),
            max_idle: self.others.max_idle + 1,
        }
    }
}

impl<T> Others<T> {
    /// One that is not in use.
    fn take(self: &Rc<Self>) -> Rc<Slot<T>> {
        let idle = self.idle.borrow_mut().pop();
        idle.unwrap_or_else(|| self.new_slot())
    }

    #[cold]
    #[inline(never)]
    fn new_slot(self: &Rc<Self>) -> Rc<Slot<T>> {
        let slot = Rc::new(Slot::new());
        let _ = slot.origin.set(Box::new(Origin {
            name: self.name.clone(),
            slot: Rc::downgrade(&slot),
            others: Rc::downgrade(self),
        }));
        slot
    }
}

impl<T> Origin<T> {
    /// That of a slot that is no pool's.
    pub(super) fn named(name: Rc<str>) -> Box<Self> {
        Box::new(Origin {
            name: Some(name),
            slot: Weak::new(),
            others: Weak::new(),
        })
    }

    /// Takes the slot back, in which nothing of its channel is left. The last end still has its share, and
    /// drops it next.
    pub(super) fn take_back(&self) {
        if let (Some(others), Some(slot)) = (self.others.upgrade(), self.slot.upgrade()) {
            let mut idle = others.idle.borrow_mut();
            if idle.len() < others.max_idle {
                idle.push(slot);
            }
        }
    }
}

impl<T> Default for Pool<T> {
    fn default() -> Self {
        Pool::new()
    }
}

impl<T> fmt::Debug for Pool<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pool")
            .field("name", &self.name())
            .field("statistics", &self.statistics())
            .finish()
    }
}
