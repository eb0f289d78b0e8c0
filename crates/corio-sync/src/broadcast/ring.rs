//! The last values of a broadcast channel and how many receivers still want each.

use std::collections::VecDeque;
use std::rc::Rc;

/// Values in the order of sending, numbered from 0 over the channel's life.
///
/// Later values are wanted by everybody who wants an earlier one, so values are done with from the front.
pub(super) struct Ring<T> {
    /// The number of the front entry.
    first: u64,
    entries: VecDeque<Entry<T>>,
    capacity: usize,
    /// Empty boxes to use again, so that a channel in steady use allocates nothing.
    spare: Vec<Rc<Option<T>>>,
}

struct Entry<T> {
    value: Rc<Option<T>>,
    /// Receivers that have not read it.
    unread: usize,
}

/// What a receiver finds at its place.
pub(super) enum Read<T> {
    /// The value; nobody else wants it.
    Last(T),
    /// The value, which others want too.
    Shared(Rc<Option<T>>),
    /// So many values were overwritten.
    Lost(u64),
    /// Nothing yet.
    Nothing,
}

/// A clone of the value in a box that [`Ring::read`] gave.
pub(super) fn clone_of<T: Clone>(value: &Rc<Option<T>>) -> T {
    T::clone(value.as_ref().as_ref().expect(FILLED))
}

const FILLED: &str = "an entry of the ring has its value";

impl<T> Ring<T> {
    pub(super) fn new(capacity: usize) -> Self {
        Ring {
            first: 0,
            entries: VecDeque::new(),
            capacity,
            spare: Vec::new(),
        }
    }

    /// The number that the next value will have.
    pub(super) fn end(&self) -> u64 {
        self.first + self.entries.len() as u64
    }

    /// Values kept, and how many could be.
    pub(super) fn size(&self) -> (usize, usize) {
        (self.entries.len(), self.capacity)
    }

    /// Appends a value and returns the one it overwrites, to be dropped outside of any borrow.
    pub(super) fn push(&mut self, value: T, unread: usize) -> Option<Taken<T>> {
        let full = self.entries.len() == self.capacity;
        let overwritten = if full { self.pop() } else { None };
        let value = match self.spare.pop() {
            Some(mut spare) => {
                // A spare box has no other share.
                if let Some(place) = Rc::get_mut(&mut spare) {
                    *place = Some(value);
                }
                spare
            }
            None => Rc::new(Some(value)),
        };
        self.entries.push_back(Entry { value, unread });
        overwritten
    }

    /// What the receiver at `number` finds. A value that is found counts as read.
    pub(super) fn read(&mut self, number: u64) -> Read<T> {
        if number < self.first {
            return Read::Lost(self.first - number);
        }
        let Some(entry) = self.entries.get_mut((number - self.first) as usize) else {
            return Read::Nothing;
        };
        entry.unread -= 1;
        if entry.unread > 0 {
            return Read::Shared(Rc::clone(&entry.value));
        }
        match self.pop() {
            Some(Taken::Value(value)) => Read::Last(value),
            Some(Taken::Shared(value)) => Read::Shared(value),
            None => Read::Nothing,
        }
    }

    /// Counts a further receiver at `number`.
    pub(super) fn join(&mut self, number: u64) {
        self.from(number).for_each(|entry| entry.unread += 1);
    }

    /// Counts a receiver at `number` out and returns what nobody wants any more, to be dropped outside of
    /// any borrow.
    pub(super) fn leave(&mut self, number: u64) -> Vec<Taken<T>> {
        self.from(number).for_each(|entry| entry.unread -= 1);
        let mut unwanted = Vec::new();
        while self.entries.front().is_some_and(|entry| entry.unread == 0) {
            unwanted.extend(self.pop());
        }
        unwanted
    }

    fn from(&mut self, number: u64) -> impl Iterator<Item = &mut Entry<T>> {
        let skipped = number.saturating_sub(self.first) as usize;
        self.entries.iter_mut().skip(skipped)
    }

    fn pop(&mut self) -> Option<Taken<T>> {
        let mut value = self.entries.pop_front()?.value;
        self.first += 1;
        match Rc::get_mut(&mut value) {
            Some(place) => {
                let taken = place.take().expect(FILLED);
                self.spare.push(value);
                Some(Taken::Value(taken))
            }
            None => Some(Taken::Shared(value)),
        }
    }
}

/// A value that left the ring; shared if somebody is cloning it at this moment.
pub(super) enum Taken<T> {
    Value(T),
    Shared(Rc<Option<T>>),
}
