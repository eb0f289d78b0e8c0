//! Where the time comes from: the system, or the loop's own account.

use std::cell::Cell;
use std::time::{Duration, Instant};

use corio_core::time::{Moment, nanos};
use parking_lot::{Condvar, MutexGuard};

pub(crate) struct Clock {
    source: Source,
    /// The reading of a step, and the step it belongs to.
    reading: Cell<(u64, Moment)>,
}

enum Source {
    /// The system's clock, from this instant on.
    System(Instant),
    /// The time of a virtual clock.
    Own(Cell<Moment>),
    /// In the place of the system's clock, for tests: one that goes wrong.
    #[cfg(test)]
    Wrong(Box<dyn Fn() -> Moment>),
}

impl Clock {
    fn of(source: Source) -> Clock {
        Clock {
            source,
            reading: Cell::new((u64::MAX, Moment::NEVER)),
        }
    }

    pub(crate) fn real() -> Clock {
        Clock::of(Source::System(Moment::origin()))
    }

    /// A clock that stands still where it was made, until it is told to go on.
    pub(crate) fn virtual_from_now() -> Clock {
        let now = Clock::real().now();
        Clock::of(Source::Own(Cell::new(now)))
    }

    pub(crate) fn is_virtual(&self) -> bool {
        matches!(self.source, Source::Own(_))
    }

    #[inline]
    pub(crate) fn now(&self) -> Moment {
        match &self.source {
            Source::System(origin) => Moment::from_nanos(nanos(origin.elapsed())),
            Source::Own(now) => now.get(),
            #[cfg(test)]
            Source::Wrong(read) => read(),
        }
    }

    /// The time, read once in the step with this number.
    #[inline]
    pub(crate) fn step_now(&self, step: u64) -> Moment {
        let (of_step, reading) = self.reading.get();
        if of_step == step {
            return reading;
        }
        let now = self.now();
        self.reading.set((step, now));
        now
    }

    /// A virtual clock goes on to a time; it never goes back.
    pub(crate) fn advance_to(&self, time: Moment) {
        if let Source::Own(now) = &self.source {
            now.set(now.get().max(time));
        }
    }
}

/// How long a thread may wait for another one, by the system's clock.
pub(crate) struct WaitLimit(Option<Instant>);

impl WaitLimit {
    pub(crate) fn new(limit: Duration) -> WaitLimit {
        WaitLimit(Instant::now().checked_add(limit))
    }

    /// Waits once. False: the time is over.
    pub(crate) fn wait<T>(&self, condition: &Condvar, guard: &mut MutexGuard<'_, T>) -> bool {
        match self.0 {
            Some(deadline) => !condition.wait_until(guard, deadline).timed_out(),
            None => {
                condition.wait(guard);
                true
            }
        }
    }

    /// What is left of it.
    pub(crate) fn left(&self) -> Duration {
        match self.0 {
            Some(deadline) => deadline.saturating_duration_since(Instant::now()),
            None => Duration::MAX,
        }
    }
}

#[cfg(test)]
mod tests;
