//! [`Moment`]: a point in time in one word.

use std::sync::OnceLock;
use std::time::{Duration, Instant};

/// A length of time in nanoseconds. The largest, some 584 years, stands for everything from there on.
pub type Nanos = u64;

/// A point in time as clocks and timers pass it on: nanoseconds since an origin that the whole process shares. What lies before
/// the origin is the origin.
///
/// An [`Instant`] says the same in two words that have to be carried over into one another by every operation.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Moment(u64);

static ORIGIN: OnceLock<Instant> = OnceLock::new();

/// An [`Instant`] that the platform cannot represent is further away than this, and clamped to it.
const FAR: Duration = Duration::from_secs(60 * 60 * 24 * 365 * 30);

impl Moment {
    /// So far away that nobody waits for it.
    pub const NEVER: Moment = Moment(u64::MAX);

    /// The instant from which all moments of this process count: the first one at which somebody asked.
    pub fn origin() -> Instant {
        *ORIGIN.get_or_init(Instant::now)
    }

    /// So many nanoseconds after the origin.
    #[inline]
    pub const fn from_nanos(nanos: Nanos) -> Moment {
        Moment(nanos)
    }

    /// Nanoseconds since the origin.
    #[inline]
    pub const fn as_nanos(self) -> Nanos {
        self.0
    }

    /// So much later, or never.
    #[inline]
    pub const fn after(self, length: Nanos) -> Moment {
        Moment(self.0.saturating_add(length))
    }

    /// How much later it is than `earlier`; nothing if it is not.
    #[inline]
    pub const fn since(self, earlier: Moment) -> Nanos {
        self.0.saturating_sub(earlier.0)
    }

    /// The same point in time for the standard library. One that it cannot represent is some decades after the origin.
    pub fn instant(self) -> Instant {
        let origin = Moment::origin();
        origin
            .checked_add(Duration::from_nanos(self.0))
            .unwrap_or_else(|| origin + FAR)
    }
}

impl From<Instant> for Moment {
    fn from(instant: Instant) -> Moment {
        Moment(nanos(instant.saturating_duration_since(Moment::origin())))
    }
}

/// A duration in nanoseconds.
#[inline]
pub const fn nanos(duration: Duration) -> Nanos {
    duration
        .as_secs()
        .saturating_mul(1_000_000_000)
        .saturating_add(duration.subsec_nanos() as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_instant_comes_back_as_it_was() {
        let instant = Moment::origin() + Duration::new(86_400, 7);
        let moment = Moment::from(instant);
        assert_eq!(moment.as_nanos(), 86_400_000_000_007);
        assert_eq!(moment.instant(), instant);
    }

    #[test]
    fn what_was_before_the_origin_is_the_origin() {
        let origin = Moment::origin();
        if let Some(before) = origin.checked_sub(Duration::from_nanos(1)) {
            assert_eq!(Moment::from(before), Moment::from_nanos(0));
        }
        assert_eq!(Moment::from(origin).instant(), origin);
    }

    #[test]
    fn the_end_of_time_is_never_passed() {
        assert_eq!(nanos(Duration::MAX), Nanos::MAX);
        assert_eq!(nanos(Duration::new(1, 2)), 1_000_000_002);
        assert_eq!(Moment::from_nanos(5).after(Nanos::MAX), Moment::NEVER);
        assert_eq!(Moment::from_nanos(5).since(Moment::NEVER), 0);
        assert!(Moment::NEVER.instant() >= Moment::origin() + FAR);
    }
}
