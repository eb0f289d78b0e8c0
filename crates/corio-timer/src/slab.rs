//! The store of all timers: one vector of entries, the unused ones chained into a free list.

use std::mem;
use std::num::NonZeroU32;

use crate::geometry::Place;
use crate::key::TimerKey;

/// The index that no entry has: the end of every chain.
pub(crate) const NONE: u32 = u32::MAX;

/// One timer, or an unused entry (`value` is `None`, `next` is the link of the free list). 24 bytes beside the value.
pub(crate) struct Entry<T> {
    pub(crate) deadline: u64,
    pub(crate) prev: u32,
    pub(crate) next: u32,
    generation: NonZeroU32,
    pub(crate) place: Place,
    value: Option<T>,
}

/// Entries by index, timers by key.
pub(crate) struct Slab<T> {
    entries: Vec<Entry<T>>,
    free: u32,
    len: usize,
}

impl<T> Slab<T> {
    pub(crate) fn with_capacity(capacity: usize) -> Self {
        Slab {
            entries: Vec::with_capacity(capacity),
            free: NONE,
            len: 0,
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.len
    }

    pub(crate) fn capacity(&self) -> usize {
        self.entries.capacity()
    }

    /// Stores a timer; the caller links it into a list.
    pub(crate) fn insert(&mut self, deadline: u64, value: T) -> TimerKey {
        let index = self.free;
        match self.entries.get_mut(index as usize) {
            Some(entry) => {
                self.free = entry.next;
                self.len += 1;
                entry.deadline = deadline;
                // The old value is `None`; forgetting it spares the test whether it has to be dropped.
                mem::forget(entry.value.replace(value));
                TimerKey {
                    index,
                    generation: entry.generation,
                }
            }
            None => self.grow(deadline, value),
        }
    }

    /// The entry `index`, which the caller knows to exist.
    #[inline]
    pub(crate) fn entry(&self, index: u32) -> &Entry<T> {
        &self.entries[index as usize]
    }

    /// The entry `index`, which the caller knows to exist.
    #[inline]
    pub(crate) fn entry_mut(&mut self, index: u32) -> &mut Entry<T> {
        &mut self.entries[index as usize]
    }

    /// The timer that `key` names, if it is alive.
    #[inline]
    pub(crate) fn find(&self, key: TimerKey) -> Option<&Entry<T>> {
        let entry = self.entries.get(key.index as usize)?;
        (entry.generation == key.generation && entry.value.is_some()).then_some(entry)
    }

    #[inline]
    pub(crate) fn value(&self, key: TimerKey) -> Option<&T> {
        self.find(key)?.value.as_ref()
    }

    #[inline]
    pub(crate) fn value_mut(&mut self, key: TimerKey) -> Option<&mut T> {
        self.find(key)?;
        self.entry_mut(key.index).value.as_mut()
    }

    /// Takes out a timer that is linked nowhere any more; `None` if the entry is unused.
    ///
    /// An entry whose generations are used up is never used again: 24 bytes and a value lost after four thousand million
    /// timers, in return for keys that are unique.
    #[inline]
    pub(crate) fn remove(&mut self, index: u32) -> Option<(TimerKey, u64, T)> {
        let entry = &mut self.entries[index as usize];
        let value = entry.value.take()?;
        let key = TimerKey {
            index,
            generation: entry.generation,
        };
        let deadline = entry.deadline;
        entry.place = Place::FREE;
        if let Some(generation) = entry.generation.checked_add(1) {
            entry.generation = generation;
            entry.next = self.free;
            self.free = index;
        }
        self.len -= 1;
        Some((key, deadline, value))
    }

    #[cold]
    #[inline(never)]
    fn grow(&mut self, deadline: u64, value: T) -> TimerKey {
        let index = u32::try_from(self.entries.len()).unwrap_or(NONE);
        assert!(index != NONE, "more than 2^32 - 1 timers");
        let generation = NonZeroU32::MIN;
        self.entries.push(Entry {
            deadline,
            prev: NONE,
            next: NONE,
            generation,
            place: Place::FREE,
            value: Some(value),
        });
        self.len += 1;
        TimerKey { index, generation }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_takes_24_bytes_beside_its_value() {
        assert_eq!(size_of::<Entry<std::task::Waker>>(), 40);
        assert_eq!(size_of::<Entry<Box<u8>>>(), 32);
        assert_eq!(size_of::<Entry<()>>(), 24);
    }

    #[test]
    fn an_entry_retires_when_its_generations_are_used_up() {
        let mut slab = Slab::with_capacity(1);
        let first = slab.insert(1, 'a');
        slab.remove(first.index);
        slab.entry_mut(first.index).generation = NonZeroU32::MAX;

        let last = slab.insert(2, 'b');
        assert_eq!(
            (last.index, last.generation),
            (first.index, NonZeroU32::MAX)
        );
        assert_eq!(slab.remove(last.index), Some((last, 2, 'b')));

        let next = slab.insert(3, 'c');
        assert_ne!(
            next.index, last.index,
            "a generation beyond the last would repeat an old key"
        );
        assert!(slab.find(first).is_none() && slab.find(last).is_none());
        assert_eq!(slab.value(next), Some(&'c'));
        assert_eq!(slab.len(), 1);
    }

    #[test]
    fn the_generation_of_an_unused_entry_is_no_key() {
        let mut slab = Slab::with_capacity(1);
        let key = slab.insert(1, ());
        slab.remove(key.index);
        let forged = TimerKey {
            index: 0,
            generation: slab.entry(0).generation,
        };
        assert!(slab.find(forged).is_none());
        assert!(slab.remove(forged.index).is_none());
    }
}
