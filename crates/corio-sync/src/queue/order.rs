//! In which order a queue gives its items back.

use std::cmp::Ordering;
use std::collections::{BinaryHeap, VecDeque};

/// An order of items: [`Fifo`], [`Lifo`] or [`Smallest`]. Sealed.
pub trait Order<T>: sealed::Order<T> {}

/// First in, first out.
#[derive(Debug, Clone, Copy)]
pub struct Fifo;

/// Last in, first out.
#[derive(Debug, Clone, Copy)]
pub struct Lifo;

/// The smallest first; among equals, the one that came first.
#[derive(Debug, Clone, Copy)]
pub struct Smallest;

impl<T> Order<T> for Fifo {}
impl<T> Order<T> for Lifo {}
impl<T: Ord> Order<T> for Smallest {}

pub(crate) mod sealed {
    /// What a queue asks of its order.
    pub trait Order<T> {
        /// Where the items are.
        type Store: Default;

        fn len(store: &Self::Store) -> usize;
        fn push(store: &mut Self::Store, item: T);
        fn pop(store: &mut Self::Store) -> Option<T>;
    }
}

impl<T> sealed::Order<T> for Fifo {
    type Store = VecDeque<T>;

    #[inline]
    fn len(store: &VecDeque<T>) -> usize {
        store.len()
    }

    #[inline]
    fn push(store: &mut VecDeque<T>, item: T) {
        store.push_back(item);
    }

    #[inline]
    fn pop(store: &mut VecDeque<T>) -> Option<T> {
        store.pop_front()
    }
}

impl<T> sealed::Order<T> for Lifo {
    type Store = Vec<T>;

    #[inline]
    fn len(store: &Vec<T>) -> usize {
        store.len()
    }

    #[inline]
    fn push(store: &mut Vec<T>, item: T) {
        store.push(item);
    }

    #[inline]
    fn pop(store: &mut Vec<T>) -> Option<T> {
        store.pop()
    }
}

impl<T: Ord> sealed::Order<T> for Smallest {
    type Store = Heap<T>;

    #[inline]
    fn len(store: &Heap<T>) -> usize {
        store.entries.len()
    }

    fn push(store: &mut Heap<T>, item: T) {
        store.entries.push(Entry {
            item,
            number: store.count,
        });
        store.count += 1;
    }

    fn pop(store: &mut Heap<T>) -> Option<T> {
        store.entries.pop().map(|entry| entry.item)
    }
}

/// A heap that keeps equals in the order of their coming.
pub struct Heap<T> {
    entries: BinaryHeap<Entry<T>>,
    /// How many have come.
    count: u64,
}

struct Entry<T> {
    item: T,
    number: u64,
}

impl<T: Ord> Default for Heap<T> {
    fn default() -> Self {
        Heap {
            entries: BinaryHeap::new(),
            count: 0,
        }
    }
}

/// Reversed, since the standard heap gives the greatest first.
impl<T: Ord> Ord for Entry<T> {
    fn cmp(&self, other: &Self) -> Ordering {
        other
            .item
            .cmp(&self.item)
            .then(other.number.cmp(&self.number))
    }
}

impl<T: Ord> PartialOrd for Entry<T> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl<T: Ord> PartialEq for Entry<T> {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl<T: Ord> Eq for Entry<T> {}
