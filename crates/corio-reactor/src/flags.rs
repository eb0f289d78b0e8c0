//! What is known about the readiness of one source, where its owner can look without asking the reactor.
//!
//! One thread writes: the reactor's, when it notes an event, and when the owner clears. The numbers are atomic so that an owner may
//! carry the flags to other threads, as it may carry the source; nothing is ordered by them.

use std::sync::atomic::{AtomicU64, Ordering};

use crate::direction::Direction;
use crate::readiness::{Readiness, Ticket, Tidings};

/// The readiness of a source, as [`Reactor::flags`](crate::Reactor::flags) lends it to the owner.
///
/// The methods do what those of the [`Reactor`](crate::Reactor) with the same names do, without looking for the source. They are
/// for the reactor's thread; elsewhere the answers are out of date, and what is cleared there may be news. Flags of a source that
/// is gone say that nothing is ready.
#[derive(Debug)]
pub struct ReadyFlags {
    read: AtomicU64,
    write: AtomicU64,
}

impl ReadyFlags {
    pub(crate) fn optimistic(tidings: Tidings) -> ReadyFlags {
        let bits = Readiness::optimistic(tidings).to_bits();
        ReadyFlags {
            read: AtomicU64::new(bits),
            write: AtomicU64::new(bits),
        }
    }

    /// See [`Reactor::ticket`](crate::Reactor::ticket).
    #[inline]
    pub fn ticket(&self, direction: Direction) -> Option<Ticket> {
        let bits = self.of(direction).load(Ordering::Relaxed);
        Readiness::from_bits(bits).ticket()
    }

    /// See [`Reactor::clear_ready`](crate::Reactor::clear_ready).
    #[inline]
    pub fn clear_ready(&self, direction: Direction, ticket: Ticket) {
        self.change(direction, |readiness| readiness.clear(ticket));
    }

    /// See [`Reactor::clear_drained`](crate::Reactor::clear_drained).
    #[inline]
    pub fn clear_drained(&self, direction: Direction, ticket: Ticket) {
        self.change(direction, |readiness| readiness.clear_drained(ticket));
    }

    #[inline]
    pub(crate) fn event(&self, direction: Direction, tidings: Tidings) {
        self.change(direction, |readiness| readiness.event(tidings));
    }

    /// There will be no events any more.
    pub(crate) fn end(&self) {
        self.change(Direction::Read, Readiness::end);
        self.change(Direction::Write, Readiness::end);
    }

    #[inline]
    fn change(&self, direction: Direction, act: impl FnOnce(&mut Readiness)) {
        let bits = self.of(direction);
        let mut readiness = Readiness::from_bits(bits.load(Ordering::Relaxed));
        act(&mut readiness);
        bits.store(readiness.to_bits(), Ordering::Relaxed);
    }

    #[inline]
    fn of(&self, direction: Direction) -> &AtomicU64 {
        match direction {
            Direction::Read => &self.read,
            Direction::Write => &self.write,
        }
    }
}
