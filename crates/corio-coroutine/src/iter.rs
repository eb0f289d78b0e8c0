//! A coroutine as an iterator: `&Coroutine` is one, and an owned one turns into one.
//!
//! `Coroutine` itself is not an `Iterator`, because `Iterator::next` would then win over `Coroutine::next` wherever the
//! receiver is a `&mut Coroutine`, and one name would have two results.

use std::iter::FusedIterator;

use crate::Coroutine;

/// Each step is a [`next`](Coroutine::next); what the body returns is kept for [`take_return`](Coroutine::take_return).
///
/// # Panics
///
/// Where a `next` is neither a value nor the end: the body raised an error, awaits something that is not ready, or
/// iterates over itself.
impl<Y, S, R, B: Future<Output = R> + ?Sized> Iterator for &Coroutine<Y, S, R, B> {
    type Item = Y;

    fn next(&mut self) -> Option<Y> {
        self.next_value()
    }
}

impl<Y, S, R, B: Future<Output = R> + ?Sized> FusedIterator for &Coroutine<Y, S, R, B> {}

impl<'a, Y, S, R, B: Future<Output = R> + ?Sized> IntoIterator for &'a mut Coroutine<Y, S, R, B> {
    type Item = Y;
    type IntoIter = &'a Coroutine<Y, S, R, B>;

    fn into_iter(self) -> &'a Coroutine<Y, S, R, B> {
        self
    }
}

impl<Y, S, R, B: Future<Output = R> + ?Sized> IntoIterator for Coroutine<Y, S, R, B> {
    type Item = Y;
    type IntoIter = IntoIter<Y, S, R, B>;

    fn into_iter(self) -> IntoIter<Y, S, R, B> {
        IntoIter { coroutine: self }
    }
}

/// A coroutine as an owned iterator: `coroutine.into_iter()`.
///
/// # Panics
///
/// Where the iterator of `&coroutine` does: the body raised an error or awaits something that is not ready.
#[derive(Debug)]
#[must_use = "iterators are lazy"]
pub struct IntoIter<Y, S, R, B: ?Sized> {
    coroutine: Coroutine<Y, S, R, B>,
}

impl<Y, S, R, B: Future<Output = R> + ?Sized> IntoIter<Y, S, R, B> {
    /// The coroutine, to ask it for its return value or to go on by hand.
    pub fn into_inner(self) -> Coroutine<Y, S, R, B> {
        self.coroutine
    }
}

impl<Y, S, R, B: Future<Output = R> + ?Sized> Iterator for IntoIter<Y, S, R, B> {
    type Item = Y;

    fn next(&mut self) -> Option<Y> {
        self.coroutine.next_value()
    }
}

impl<Y, S, R, B: Future<Output = R> + ?Sized> FusedIterator for IntoIter<Y, S, R, B> {}
