//! What is remembered about one direction of one source: whether it is ready, and since which event.

/// Proof of having seen one direction of a source ready.
///
/// Given back to [`Reactor::clear_ready`](crate::Reactor::clear_ready) when the operation would block after all. It
/// belongs to the key and direction it was given for; it is worth nothing once a newer event has arrived.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Ticket(u64);

/// The number of events seen so far, times four, and two bits: that the direction counts as ready, and that the last
/// event said more than "some bytes can be moved".
///
/// Sixty-two bits of events do not come round again in the life of a machine, so an old ticket never looks new.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Readiness(u64);

const READY: u64 = 1;
const MORE: u64 = 2;
const ONE_EVENT: u64 = 4;

/// What an event says beside its directions, as far as the way of waiting can tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tidings {
    /// Bytes, or room for bytes, and nothing else. What comes later is an event of its own.
    #[cfg_attr(not(any(target_os = "linux", target_os = "android")), allow(dead_code))]
    BytesOnly,
    /// Or else an end, an error or urgent data too, which come without a further event.
    MaybeMore,
}

impl Readiness {
    /// A new source is taken to be ready: the operation is tried first, and only its failure makes anybody wait.
    pub(crate) fn optimistic(tidings: Tidings) -> Readiness {
        Readiness(READY | tidings.bits())
    }

    #[inline]
    pub(crate) fn from_bits(bits: u64) -> Readiness {
        Readiness(bits)
    }

    #[inline]
    pub(crate) fn to_bits(self) -> u64 {
        self.0
    }

    /// An event came from the operating system.
    #[inline]
    pub(crate) fn event(&mut self, tidings: Tidings) {
        self.0 = (self.0 & !MORE).wrapping_add(ONE_EVENT) | READY | tidings.bits();
    }

    #[inline]
    pub(crate) fn ticket(self) -> Option<Ticket> {
        (self.0 & READY != 0).then_some(Ticket(self.0))
    }

    /// Forgets the readiness that `ticket` saw, unless a newer event has come since.
    #[inline]
    pub(crate) fn clear(&mut self, ticket: Ticket) {
        if self.0 == ticket.0 {
            self.0 &= !READY;
        }
    }

    /// As `clear`, after an operation that did a part of what it was asked for. With an end or an error on its way that
    /// proves nothing, and nothing is forgotten.
    #[inline]
    pub(crate) fn clear_drained(&mut self, ticket: Ticket) {
        if ticket.0 & MORE == 0 {
            self.clear(ticket);
        }
    }

    /// There will be no events any more: whoever asks has to be told.
    pub(crate) fn end(&mut self) {
        self.0 &= !READY;
    }
}

impl Tidings {
    #[inline]
    fn bits(self) -> u64 {
        match self {
            Tidings::BytesOnly => 0,
            Tidings::MaybeMore => MORE,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_newer_event_survives_the_clearing_at_every_width_a_narrow_counter_would_wrap() {
        for bits in [1, 2, 7, 8, 15, 16, 24, 31, 32, 33, 48, 61] {
            let start = Readiness(READY);
            let old = start.ticket().expect("optimistic");
            let mut later = Readiness(start.0.wrapping_add(ONE_EVENT << bits));
            later.clear(old);
            assert!(
                later.ticket().is_some(),
                "an event 2^{bits} later was taken for the old one"
            );
        }
    }

    #[test]
    fn the_counter_passes_its_end_without_panic_and_without_losing_the_event() {
        let mut readiness = Readiness(!MORE);
        let last = readiness.ticket().expect("ready");
        readiness.event(Tidings::BytesOnly);
        readiness.clear(last);
        assert!(readiness.ticket().is_some());
    }

    #[test]
    fn the_same_ticket_clears_once_and_is_harmless_afterwards() {
        let mut readiness = Readiness::optimistic(Tidings::BytesOnly);
        let ticket = readiness.ticket().expect("optimistic");
        readiness.clear(ticket);
        assert_eq!(readiness.ticket(), None);
        readiness.event(Tidings::BytesOnly);
        readiness.clear(ticket);
        assert!(readiness.ticket().is_some());
    }

    #[test]
    fn a_part_done_is_proof_only_while_no_end_is_in_sight() {
        for tidings in [Tidings::BytesOnly, Tidings::MaybeMore] {
            for mut readiness in [Readiness::optimistic(tidings), {
                let mut later = Readiness::optimistic(Tidings::BytesOnly);
                later.event(tidings);
                later
            }] {
                let ticket = readiness.ticket().expect("ready");
                readiness.clear_drained(ticket);
                let kept = readiness.ticket().is_some();
                assert_eq!(kept, tidings == Tidings::MaybeMore);
                readiness.clear(ticket);
                assert_eq!(readiness.ticket(), None);
            }
        }
    }

    #[test]
    fn what_an_event_says_is_forgotten_with_the_next_one() {
        let mut readiness = Readiness::optimistic(Tidings::MaybeMore);
        let before = readiness.ticket().expect("optimistic");
        readiness.event(Tidings::BytesOnly);
        let ticket = readiness.ticket().expect("ready");
        assert_ne!(before, ticket);
        readiness.clear_drained(before);
        assert!(readiness.ticket().is_some());
        readiness.clear_drained(ticket);
        assert_eq!(readiness.ticket(), None);
    }
}
