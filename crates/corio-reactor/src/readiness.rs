//! What is remembered about one direction of one source: whether it is ready, and since which event.

/// Proof of having seen one direction of a source ready.
///
/// Given back to [`Reactor::clear_ready`](crate::Reactor::clear_ready) when the operation would block after all. It
/// belongs to the key and direction it was given for; it is worth nothing once a newer event has arrived.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Ticket(u64);

/// The number of events seen so far, times two, plus one while the direction counts as ready.
///
/// Sixty-three bits of events do not come round again in the life of a machine, so an old ticket never looks new.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Readiness(u64);

const READY: u64 = 1;
const ONE_EVENT: u64 = 2;

impl Readiness {
    /// A new source is taken to be ready: the operation is tried first, and only its failure makes anybody wait.
    pub(crate) fn optimistic() -> Readiness {
        Readiness(READY)
    }

    /// An event came from the operating system.
    pub(crate) fn event(&mut self) {
        self.0 = self.0.wrapping_add(ONE_EVENT) | READY;
    }

    pub(crate) fn ticket(self) -> Option<Ticket> {
        (self.0 & READY != 0).then_some(Ticket(self.0))
    }

    /// Forgets the readiness that `ticket` saw, unless a newer event has come since.
    pub(crate) fn clear(&mut self, ticket: Ticket) {
        if self.0 == ticket.0 {
            self.0 &= !READY;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_newer_event_survives_the_clearing_at_every_width_a_narrow_counter_would_wrap() {
        for bits in [1, 2, 7, 8, 15, 16, 24, 31, 32, 33, 48, 62] {
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
        let mut readiness = Readiness(u64::MAX);
        let last = readiness.ticket().expect("ready");
        readiness.event();
        readiness.clear(last);
        assert!(readiness.ticket().is_some());
    }

    #[test]
    fn the_same_ticket_clears_once_and_is_harmless_afterwards() {
        let mut readiness = Readiness::optimistic();
        let ticket = readiness.ticket().expect("optimistic");
        readiness.clear(ticket);
        assert_eq!(readiness.ticket(), None);
        readiness.event();
        readiness.clear(ticket);
        assert!(readiness.ticket().is_some());
    }
}
