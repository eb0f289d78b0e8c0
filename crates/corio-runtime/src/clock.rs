//! Where the time comes from: the system, or the loop's own account.

use std::cell::Cell;
use std::time::{Duration, Instant};

use parking_lot::{Condvar, MutexGuard};

/// Nanoseconds since the loop was made, which is what the timer wheel counts.
pub(crate) type Nanos = u64;

#[derive(Debug)]
pub(crate) struct Clock {
    origin: Instant,
    /// The time of a virtual clock; `None` is the system's clock.
    virtual_now: Option<Cell<Nanos>>,
    /// The reading of a step, and the step it belongs to.
    reading: Cell<(u64, Nanos)>,
}

impl Clock {
    pub(crate) fn real() -> Clock {
        Clock {
            origin: Instant::now(),
            virtual_now: None,
            reading: Cell::new((u64::MAX, 0)),
        }
    }

    pub(crate) fn virtual_at_zero() -> Clock {
        Clock {
            virtual_now: Some(Cell::new(0)),
            ..Clock::real()
        }
    }

    pub(crate) fn is_virtual(&self) -> bool {
        self.virtual_now.is_some()
    }

    #[inline]
    pub(crate) fn now(&self) -> Nanos {
        match &self.virtual_now {
            Some(now) => now.get(),
            None => nanos(self.origin.elapsed()),
        }
    }

    /// The time, read once in the step with this number.
    #[inline]
    pub(crate) fn step_now(&self, step: u64) -> Nanos {
        let (of_step, reading) = self.reading.get();
        if of_step == step {
            return reading;
        }
        let now = self.now();
        self.reading.set((step, now));
        now
    }

    /// A virtual clock goes on to a time; it never goes back.
    pub(crate) fn advance_to(&self, time: Nanos) {
        if let Some(now) = &self.virtual_now {
            now.set(now.get().max(time));
        }
    }

    pub(crate) fn instant(&self, time: Nanos) -> Instant {
        // An `Instant` that the platform cannot represent is centuries away, and clamped to one that it can.
        let far = Duration::from_secs(60 * 60 * 24 * 365 * 30);
        self.origin
            .checked_add(Duration::from_nanos(time))
            .unwrap_or_else(|| self.origin + far)
    }

    /// The time of an instant. What is before the loop was made is its beginning; what is centuries away is never.
    #[inline]
    pub(crate) fn nanos_of(&self, instant: Instant) -> Nanos {
        nanos(instant.saturating_duration_since(self.origin))
    }
}

/// A duration as the wheel counts, clamped to some 584 years.
#[inline]
pub(crate) fn nanos(duration: Duration) -> Nanos {
    duration
        .as_secs()
        .saturating_mul(1_000_000_000)
        .saturating_add(u64::from(duration.subsec_nanos()))
}

/// The instant `after` from `start`; `None` when it is too far away to ever come.
#[inline]
pub(crate) fn deadline(start: Instant, after: Duration) -> Option<Instant> {
    if after >= NEVER {
        None
    } else {
        start.checked_add(after)
    }
}

/// A century: what is further away is never.
const NEVER: Duration = Duration::from_secs(60 * 60 * 24 * 365 * 100);

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
