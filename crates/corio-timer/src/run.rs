//! A sorted run of timers that have left their list.

use crate::geometry::Place;
use crate::slab::Slab;

/// One timer: the order of firing is that of `(deadline, ordinal)`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Item {
    deadline: u64,
    ordinal: u32,
    index: u32,
}

/// Timers in order of firing, the next one last. The storage is kept from run to run.
///
/// Nothing is taken out of the middle: a timer that is cancelled or reset leaves its item behind, which is stale from
/// then on because the entry's place is not that of the run any more. A run is filled only when no item is left, so a
/// stale one cannot come to mean a later timer.
pub(crate) struct Run {
    place: Place,
    items: Vec<Item>,
}

impl Run {
    /// An empty run whose timers are marked with `place`.
    pub(crate) fn new(place: Place) -> Self {
        Run {
            place,
            items: Vec::new(),
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.items.is_empty()
    }

    /// Adds the entry `index`, which fires after those with the same deadline and a lower ordinal.
    pub(crate) fn push<T>(&mut self, slab: &mut Slab<T>, index: u32, ordinal: u32) {
        let entry = slab.entry_mut(index);
        entry.place = self.place;
        self.items.push(Item {
            deadline: entry.deadline,
            ordinal,
            index,
        });
    }

    /// Brings what was pushed into order. The ordinals make an unstable sort stable, which unlike a stable one needs no
    /// memory.
    pub(crate) fn sort(&mut self) {
        self.items.sort_unstable_by(|a, b| b.cmp(a));
    }

    /// The deadline of the next timer, after dropping the stale items before it.
    #[inline]
    pub(crate) fn peek<T>(&mut self, slab: &Slab<T>) -> Option<u64> {
        while let Some(item) = self.items.last() {
            if slab.entry(item.index).place == self.place {
                return Some(item.deadline);
            }
            self.items.pop();
        }
        None
    }

    /// Takes the timer that [`peek`](Run::peek) saw.
    #[inline]
    pub(crate) fn pop(&mut self) -> Option<u32> {
        self.items.pop().map(|item| item.index)
    }
}
