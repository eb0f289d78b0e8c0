//! A waiter's number.

use std::num::NonZeroU64;

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
