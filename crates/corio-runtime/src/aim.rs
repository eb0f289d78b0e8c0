//! When a loop that waits for a timer asks to be woken.
//!
//! The system wakes a thread later than it was asked to: by a few microseconds on bare metal, by a hundred and more in a virtual
//! machine. The loop sees how late, and asks for so much earlier. What is then left until the deadline it looks instead of
//! sleeping, which takes the processor for no longer than `MOST_LEAD` and, mostly, for a few microseconds.

use std::cell::Cell;

use corio_core::time::{Moment, Nanos};

/// Falling asleep and waking up costs more than a shorter wait would last. Where timers stand this close to one another, several are
/// fired in one visit.
const SHORTEST_WAIT: Nanos = 20_000;
/// So much longer for each timer that has fired since the last wait: the denser they stand, the more of them share a wake-up.
const WAIT_PER_TIMER: Nanos = 1_000;
/// .. but not longer than this, which is as late as a crowd makes a timer.
const CROWD_WAIT: Nanos = 100_000;

/// The loop asks to be woken before its deadline by no more than this.
const MOST_LEAD: Nanos = 100_000;
/// How far the lead grows with a wake-up that it did not make up for.
const LATE_STEP: Nanos = 2_000;
/// How far it shrinks with one that came before the deadline. The lead comes to rest where the steps outweigh each other: with one
/// wake-up before the deadline for every three after it.
const EARLY_STEP: Nanos = 6_000;

/// How much earlier than its deadline the loop asks to be woken: a quarter of the latest wake-ups were less late than this.
///
/// It goes by small steps, whatever a wake-up was late by, so a machine that was asleep or a thread that had to wait for its core
/// does not move it far. It begins with nothing.
pub(crate) struct Aim {
    lead: Cell<Nanos>,
}

impl Aim {
    pub(crate) fn new() -> Aim {
        Aim { lead: Cell::new(0) }
    }

    /// When to be woken for a timer, if so many have fired since the last wait. One that is due is not waited for.
    pub(crate) fn at(&self, next: Moment, now: Moment, fired: usize) -> Moment {
        let crowd = (fired as Nanos).saturating_mul(WAIT_PER_TIMER);
        let shortest = crowd.saturating_add(SHORTEST_WAIT).min(CROWD_WAIT);
        match next.since(now) {
            0 => now,
            left => now.after(left.saturating_sub(self.lead.get()).max(shortest)),
        }
    }

    /// The system has woken the loop at `now` because it was asked to at `at`.
    pub(crate) fn woken(&self, at: Moment, now: Moment) {
        let lead = self.lead.get();
        self.lead.set(if now.since(at) < lead {
            lead.saturating_sub(EARLY_STEP)
        } else {
            (lead + LATE_STEP).min(MOST_LEAD)
        });
    }
}

#[cfg(test)]
mod tests {
    use std::thread;
    use std::time::{Duration, Instant};

    use proptest::prelude::*;

    use super::*;
    use crate::{EventLoop, create_task, get_running_loop, sleep};

    const fn at(nanos: Nanos) -> Moment {
        Moment::from_nanos(nanos)
    }

    /// After so many wake-ups that were this late, in turns.
    fn after(wakes: usize, late: &[Nanos]) -> Aim {
        let aim = Aim::new();
        for late in late.iter().cycle().take(wakes) {
            aim.woken(at(1_000), at(1_000 + late));
        }
        aim
    }

    #[test]
    fn a_timer_that_is_due_is_not_waited_for_and_a_near_one_a_little_longer() {
        let wait = |next, now| Aim::new().at(at(next), at(now), 0).since(at(now));
        assert_eq!(wait(5, 7), 0);
        assert_eq!(wait(7, 7), 0);
        assert_eq!(wait(8, 7), SHORTEST_WAIT);
        assert_eq!(wait(1_000_007, 7), 1_000_000);
    }

    #[test]
    fn timers_in_a_crowd_share_a_wait_that_has_a_bound() {
        for aim in [Aim::new(), after(100, &[80_000])] {
            let wait = |left, fired| aim.at(at(left), at(0), fired).as_nanos();
            assert_eq!(wait(1, 1), SHORTEST_WAIT + WAIT_PER_TIMER);
            assert_eq!(wait(1, 50), SHORTEST_WAIT + 50 * WAIT_PER_TIMER);
            assert_eq!(wait(1, 80), CROWD_WAIT);
            assert_eq!(wait(1, usize::MAX), CROWD_WAIT);
            assert_eq!(wait(0, 50), 0);
            assert_eq!(wait(1_000_000, 50), 1_000_000 - aim.lead.get());
        }
    }

    #[test]
    fn the_lead_comes_to_rest_at_a_quarter_of_the_latenesses() {
        for machine in [
            [5_000, 6_000, 7_000, 8_000],
            [30_000, 80_000, 100_000, 3_000_000],
        ] {
            let lead = after(1_000, &machine).lead.get();
            assert!(lead + EARLY_STEP >= machine[0], "{lead} of {machine:?}");
            assert!(lead <= machine[1] + EARLY_STEP, "{lead} of {machine:?}");
        }
    }

    #[test]
    fn a_machine_that_was_asleep_for_an_hour_moves_the_lead_by_one_step() {
        let aim = after(1_000, &[40_000]);
        let lead = aim.lead.get();
        aim.woken(at(0), at(3_600_000_000_000));
        assert_eq!(aim.lead.get(), lead + LATE_STEP);
    }

    /// A loop is told of a machine that is later than this one, so that it is woken before its deadlines.
    fn exaggerate(aim: &Aim) {
        for _ in 0..MOST_LEAD / LATE_STEP {
            aim.woken(at(0), Moment::NEVER);
        }
    }

    #[test]
    fn a_loop_that_is_woken_too_early_rings_no_timer_early_and_hears_other_threads() {
        let event_loop = EventLoop::new().unwrap();
        let remote = event_loop.remote();
        let sender = thread::spawn(move || {
            for _ in 0..100 {
                let work = remote.create_task(async || sleep(Duration::from_micros(130)).await);
                work.wait().unwrap();
            }
            remote.call_soon(|| get_running_loop().stop()).unwrap();
        });
        let sleeps = event_loop.create_task(async {
            for micros in (150..1_000).cycle().step_by(37) {
                exaggerate(&get_running_loop().inner.aim);
                let (begin, time) = (Instant::now(), Duration::from_micros(micros));
                create_task(sleep(time)).await.unwrap();
                assert!(begin.elapsed() >= time);
            }
        });
        event_loop.run_forever().unwrap();
        sender.join().unwrap();
        assert!(!sleeps.done(), "a sleep was early");
    }

    proptest! {
        #[test]
        fn the_loop_aims_at_the_deadline_or_before_it_by_no_more_than_the_bound(
            history in prop::collection::vec((any::<u64>(), any::<u64>()), 0..200),
            next: u64,
            now: u64,
            fired: usize,
        ) {
            let aim = Aim::new();
            for (asked, woken) in history {
                aim.woken(at(asked), at(woken));
                prop_assert!(aim.lead.get() <= MOST_LEAD);
            }
            let (next, now) = (at(next), at(now));
            let asked = aim.at(next, now, fired);
            prop_assert!(asked >= now);
            prop_assert!(asked <= next.max(now.after(CROWD_WAIT)));
            prop_assert!(next.since(asked) <= MOST_LEAD);
            prop_assert_eq!(asked == now, next <= now);
        }
    }
}
