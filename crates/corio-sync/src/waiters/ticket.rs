//! A waiter's number.

use std::num::NonZeroU64;
use std::task::{Poll, Waker};

/// A waiter's number, owned by its future.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Ticket(NonZeroU64);

impl Ticket {
    #[inline]
    pub(super) fn of(number: u64) -> Ticket {
        // They begin at 1, and nobody lives to see them end.
        Ticket(NonZeroU64::new(number).unwrap_or(NonZeroU64::MIN))
    }

    #[inline]
    pub(super) fn number(self) -> u64 {
        self.0.get()
    }
}

/// What `at_once` says, or else a place in the line that `join` joins. It is asked again after the clone of
/// the waker: that is foreign code, which may have changed the object.
#[inline]
pub(super) fn enter<R>(
    ticket: &mut Option<Ticket>,
    waker: &Waker,
    mut at_once: impl FnMut() -> Option<R>,
    join: impl FnOnce(Waker) -> Ticket,
) -> Poll<R> {
    if let Some(answer) = at_once() {
        return Poll::Ready(answer);
    }
    let waker = waker.clone();
    if let Some(answer) = at_once() {
        return Poll::Ready(answer);
    }
    *ticket = Some(join(waker));
    Poll::Pending
}
