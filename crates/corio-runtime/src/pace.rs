//! How often the loop looks at the clock and the reactor while there is work.

use std::cell::Cell;

use crate::clock::Nanos;

/// Steps between two visits, at most.
const MOST_STEPS: usize = 1024;
/// Steps between two visits, to begin with.
const FIRST_STEPS: usize = 64;
/// What the steps between two visits should take together.
const VISIT_EVERY: Nanos = 10_000;

/// The *visit budget*: halved when the steps between two visits took longer than they should, doubled when they were short. So
/// many short steps share one system call, and after a few long ones every step is followed by a visit.
pub(crate) struct Pace {
    budget: Cell<usize>,
    /// Steps since the last visit.
    steps: Cell<usize>,
    visited: Cell<Nanos>,
}

impl Pace {
    pub(crate) fn new() -> Pace {
        Pace {
            budget: Cell::new(FIRST_STEPS),
            steps: Cell::new(0),
            visited: Cell::new(0),
        }
    }

    /// Steps that may be made before the next visit, at least one.
    pub(crate) fn share(&self) -> usize {
        self.budget.get().saturating_sub(self.steps.get()).max(1)
    }

    /// Counts steps. True: a visit is due.
    pub(crate) fn made(&self, steps: usize) -> bool {
        self.steps.set(self.steps.get() + steps);
        self.steps.get() >= self.budget.get()
    }

    /// A visit at this time.
    pub(crate) fn visit(&self, now: Nanos) {
        let took = now.saturating_sub(self.visited.replace(now));
        let steps = self.steps.replace(0);
        let budget = self.budget.get();
        if took > 2 * VISIT_EVERY {
            self.budget.set((budget / 2).max(1));
        } else if took < VISIT_EVERY / 2 && steps >= budget {
            self.budget.set((budget * 2).min(MOST_STEPS));
        }
    }

    /// A visit that found nothing to look at, and so did not ask for the time.
    pub(crate) fn pass(&self) {
        self.steps.set(0);
    }

    /// Time asleep says nothing about the length of steps.
    pub(crate) fn woke(&self, now: Nanos) {
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
        pace.visit(*now);
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
}
