//! How often the loop looks at the clock and the reactor while there is work.

use std::cell::Cell;

use corio_core::time::{Moment, Nanos};

/// Steps between two visits, at most.
const MOST_STEPS: usize = 1024;
/// Steps between two visits, to begin with.
const FIRST_STEPS: usize = 64;
/// What the steps between two visits should take together, if there are not as many steps queued.
const VISIT_EVERY: Nanos = 10_000;
/// What they may take together, if there are.
const VISIT_AT_LEAST_EVERY: Nanos = 1_000_000;

/// The *visit budget*: halved when the steps between two visits took longer than they should, doubled when they were short. So
/// many short steps share one system call, and after a few long ones every step is followed by a visit.
///
/// What was queued by the end of a visit is run before the next one, even if it takes longer: what that would find could only be
/// queued behind. A server with fifty requests at hand so asks for more after the fiftieth, not after each. This too has its bounds,
/// since signals and other threads are looked at between visits: 1,024 steps, and a millisecond by the length of the last steps.
pub(crate) struct Pace {
    budget: Cell<usize>,
    /// Steps that were queued by the end of the last visit, as far as they are to be run before the next.
    queued: Cell<usize>,
    /// Steps since the last visit.
    steps: Cell<usize>,
    /// What a step took before the last visit, on average.
    step: Cell<Nanos>,
    visited: Cell<Moment>,
}

impl Pace {
    pub(crate) fn new() -> Pace {
        Pace {
            budget: Cell::new(FIRST_STEPS),
            queued: Cell::new(0),
            steps: Cell::new(0),
            step: Cell::new(0),
            visited: Cell::new(Moment::from_nanos(0)),
        }
    }

    /// Steps that may be made before the next visit, at least one.
    pub(crate) fn share(&self) -> usize {
        self.stretch().saturating_sub(self.steps.get()).max(1)
    }

    /// Counts steps. True: a visit is due.
    pub(crate) fn made(&self, steps: usize) -> bool {
        self.steps.set(self.steps.get() + steps);
        self.steps.get() >= self.stretch()
    }

    /// Steps between the last visit and the next.
    fn stretch(&self) -> usize {
        self.budget.get().max(self.queued.get())
    }

    /// A visit at this time.
    pub(crate) fn visit(&self, now: Moment) {
        let took = now.since(self.visited.replace(now));
        let steps = self.steps.replace(0);
        let budget = self.budget.get();
        if steps > 0 {
            self.step.set(took / steps as Nanos);
        }
        if took > 2 * VISIT_EVERY {
            self.budget.set((budget / 2).max(1));
        } else if took < VISIT_EVERY / 2 && steps >= budget {
            self.budget.set((budget * 2).min(MOST_STEPS));
        }
    }

    /// The visit ends, with this many steps queued.
    pub(crate) fn leave(&self, queued: usize) {
        let in_time = VISIT_AT_LEAST_EVERY / self.step.get().max(1);
        let most = MOST_STEPS.min(usize::try_from(in_time).unwrap_or(MOST_STEPS));
        self.queued.set(queued.min(most));
    }

    /// A visit that found nothing to look at, and so did not ask for the time.
    pub(crate) fn pass(&self) {
        self.steps.set(0);
        self.queued.set(0);
    }

    /// Time asleep, or outside of the loop, says nothing about the length of steps.
    pub(crate) fn woke(&self, now: Moment) {
        self.visited.set(now);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Makes as many steps as are allowed before a visit, which took this long.
    fn stretch(pace: &Pace, now: &mut Nanos, took: Nanos) -> usize {
        let steps = pace.share();
        assert!(pace.made(steps), "a visit is due when the share is used up");
        *now += took;
        pace.visit(Moment::from_nanos(*now));
        pace.leave(1);
        steps
    }

    /// The same where a step takes so long, and the visit leaves so many of them queued.
    fn stretch_of(pace: &Pace, now: &mut Nanos, step: Nanos, queued: usize) -> usize {
        let steps = pace.share();
        assert!(pace.made(steps), "a visit is due when the share is used up");
        *now += step * steps as Nanos;
        pace.visit(Moment::from_nanos(*now));
        pace.leave(queued);
        steps
    }

    #[test]
    fn short_steps_never_put_a_visit_off_beyond_the_bound() {
        let (pace, mut now) = (Pace::new(), 0);
        let stretches: Vec<usize> = (0..20).map(|_| stretch(&pace, &mut now, 100)).collect();
        assert_eq!(stretches.iter().max(), Some(&MOST_STEPS));
        assert_eq!(stretches.last(), Some(&MOST_STEPS));
    }

    #[test]
    fn long_steps_come_to_a_visit_after_every_one_of_them() {
        let (pace, mut now) = (Pace::new(), 0);
        let stretches: Vec<usize> = (0..20)
            .map(|_| stretch(&pace, &mut now, 1_000_000))
            .collect();
        assert!(stretches.windows(2).all(|pair| pair[1] <= pair[0]));
        assert_eq!(stretches.last(), Some(&1));
    }

    #[test]
    fn what_is_queued_is_run_before_the_next_visit_while_that_is_not_long() {
        let (pace, mut now) = (Pace::new(), 0);
        let stretches: Vec<usize> = (0..20)
            .map(|_| stretch_of(&pace, &mut now, 8_000, 50))
            .collect();
        assert!(stretches[8..].iter().all(|&steps| steps == 50));
    }

    #[test]
    fn neither_a_long_queue_nor_long_steps_put_a_visit_off_beyond_the_bounds() {
        for (step, most) in [
            (100, MOST_STEPS),
            (8_000, 125),
            (100_000, 10),
            (5_000_000, 1),
        ] {
            let (pace, mut now) = (Pace::new(), 0);
            let stretches: Vec<usize> = (0..20)
                .map(|_| stretch_of(&pace, &mut now, step, 1_000_000))
                .collect();
            assert!(
                stretches[8..].iter().all(|&steps| steps == most),
                "{step} ns: {stretches:?}"
            );
        }
    }
}
