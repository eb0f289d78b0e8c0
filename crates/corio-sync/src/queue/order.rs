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
        type Store: Store<T> + Default;
    }

    /// Items in some order.
    pub trait Store<T> {
        fn len(&self) -> usize;
        fn push(&mut self, item: T);
        fn pop(&mut self) -> Option<T>;
    }
}

use sealed::Store;

impl<T> sealed::Order<T> for Fifo {
    type Store = VecDeque<T>;
}

impl<T> sealed::Order<T> for Lifo {
    type Store = Vec<T>;
}

impl<T: Ord> sealed::Order<T> for Smallest {
    type Store = Heap<T>;
}

impl<T> Store<T> for VecDeque<T> {
    #[inline]
    fn len(&self) -> usize {
        VecDeque::len(self)
    }

    #[inline]
    fn push(&mut self, item: T) {
        self.push_back(item);
    }

    #[inline]
    fn pop(&mut self) -> Option<T> {
        self.pop_front()
    }
}

impl<T> Store<T> for Vec<T> {
    #[inline]
    fn len(&self) -> usize {
        Vec::len(self)
    }

    #[inline]
    fn push(&mut self, item: T) {
        Vec::push(self, item);
    }

    #[inline]
    fn pop(&mut self) -> Option<T> {
        Vec::pop(self)
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

impl<T: Ord> Store<T> for Heap<T> {
    #[inline]
    fn len(&self) -> usize {
        self.entries.len()
    }

    fn push(&mut self, item: T) {
        self.entries.push(Entry {
            item,
            number: self.count,
        });
        self.count += 1;
    }

    fn pop(&mut self) -> Option<T> {
        self.entries.pop().map(|entry| entry.item)
    }
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
