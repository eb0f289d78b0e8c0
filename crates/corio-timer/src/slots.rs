//! The lists of the wheel: one for each slot of each level and one for late timers, with a bitmap of those that are not empty.
//!
//! A list is doubly linked through the entries by index, so that any entry leaves in constant time. New entries go to the end.

use std::mem;

use crate::geometry::{LEVELS, Place, SLOTS, Tick};
use crate::slab::{NONE, Slab};

const WORD: usize = u64::BITS as usize;

/// The words of the bitmap that are about the wheel; the late list has the one after them.
const WHEEL_WORDS: usize = LEVELS * SLOTS / WORD;
const _: () = assert!(WHEEL_WORDS < u32::BITS as usize);

#[derive(Clone, Copy)]
struct List {
    head: u32,
    tail: u32,
}

impl List {
    const EMPTY: List = List {
        head: NONE,
        tail: NONE,
    };
}

/// All lists. About 12 KiB, allocated once with the wheel.
pub(crate) struct Slots {
    lists: [List; Place::LISTS],
    /// One bit a list: it is not empty.
    occupied: [u64; WHEEL_WORDS + 1],
    /// One bit a word of `occupied`: it is not zero.
    words: u32,
}

/// A slot that is not empty, and when it begins.
#[derive(Clone, Copy)]
pub(crate) struct Occupied {
    pub(crate) level: usize,
    pub(crate) place: Place,
    pub(crate) begins: Tick,
}

impl Slots {
    pub(crate) fn new() -> Box<Slots> {
        Box::new(Slots {
            lists: [List::EMPTY; Place::LISTS],
            occupied: [0; WHEEL_WORDS + 1],
            words: 0,
        })
    }

    /// The first entry of the list `place`, or [`NONE`].
    pub(crate) fn head(&self, place: Place) -> u32 {
        self.lists[place.index()].head
    }

    /// The earliest slot that is not empty.
    ///
    /// Seen from `position` a level holds nothing that lies behind, and everything on it lies before everything on the
    /// next: so the first bit of all is the answer.
    pub(crate) fn first(&self, position: Tick) -> Option<Occupied> {
        let words = self.words & ((1 << WHEEL_WORDS) - 1);
        if words == 0 {
            return None;
        }
        let number = words.trailing_zeros() as usize;
        let bit = number * WORD + self.occupied[number].trailing_zeros() as usize;
        let (level, digit) = (bit / SLOTS, bit % SLOTS);
        Some(Occupied {
            level,
            place: Place::slot(level, digit),
            begins: position.with_digit(level, digit),
        })
    }

    /// Appends an entry that is in no list to the list `place`.
    #[inline]
    pub(crate) fn push_back<T>(&mut self, slab: &mut Slab<T>, index: u32, place: Place) {
        let list = &mut self.lists[place.index()];
        let prev = list.tail;
        list.tail = index;
        let entry = slab.entry_mut(index);
        entry.place = place;
        entry.prev = prev;
        entry.next = NONE;
        if prev == NONE {
            list.head = index;
            self.set_bit(place);
        } else {
            slab.entry_mut(prev).next = index;
        }
    }

    /// Takes an entry out of its list. Returns whether that emptied the list. The entry's own links stay as they were.
    #[inline]
    pub(crate) fn unlink<T>(&mut self, slab: &mut Slab<T>, index: u32) -> bool {
        let entry = slab.entry(index);
        let (prev, next, place) = (entry.prev, entry.next, entry.place);
        let list = &mut self.lists[place.index()];
        if prev == NONE {
            list.head = next;
        } else {
            slab.entry_mut(prev).next = next;
        }
        if next == NONE {
            list.tail = prev;
        } else {
            slab.entry_mut(next).prev = prev;
        }
        let emptied = prev == NONE && next == NONE;
        if emptied {
            self.clear_bit(place);
        }
        emptied
    }

    /// Empties the list `place` and returns its first and its last entry; the entries stay chained to one another.
    pub(crate) fn take(&mut self, place: Place) -> (u32, u32) {
        self.clear_bit(place);
        let list = mem::replace(&mut self.lists[place.index()], List::EMPTY);
        (list.head, list.tail)
    }

    fn set_bit(&mut self, place: Place) {
        let number = place.index() / WORD;
        self.occupied[number] |= 1 << (place.index() % WORD);
        self.words |= 1 << number;
    }

    fn clear_bit(&mut self, place: Place) {
        let number = place.index() / WORD;
        let word = &mut self.occupied[number];
        *word &= !(1 << (place.index() % WORD));
        if *word == 0 {
            self.words &= !(1 << number);
        }
    }
}
