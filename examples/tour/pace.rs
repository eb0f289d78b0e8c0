//! How long things take: as long as the programs say, or just long enough to see their order.

use std::time::Duration;

pub(crate) struct Pace {
    quick: bool,
}

impl Pace {
    pub(crate) fn new(quick: bool) -> Pace {
        Pace { quick }
    }

    /// A time in seconds at this pace.
    pub(crate) fn of(&self, seconds: f64) -> f64 {
        if self.quick { seconds / 10.0 } else { seconds }
    }

    pub(crate) fn each<const N: usize>(&self, seconds: [f64; N]) -> [f64; N] {
        seconds.map(|seconds| self.of(seconds))
    }

    /// Times of which no one passes, because Ctrl-C comes before. Where they are not for looking at they may be so long that it
    /// comes before on the busiest of machines.
    pub(crate) fn interrupted<const N: usize>(&self, seconds: [f64; N]) -> [f64; N] {
        seconds.map(|seconds| if self.quick { seconds * 60.0 } else { seconds })
    }

    /// How long after its start a program is interrupted. Before it listens the interrupt would be the end of the tour, so there is
    /// time for the busiest of machines to get it going where nobody looks on.
    pub(crate) fn before_interrupt(&self) -> Duration {
        Duration::from_millis(if self.quick { 3_000 } else { 500 })
    }

    /// How many coroutines are many.
    pub(crate) fn crowd(&self) -> usize {
        if self.quick { 10_000 } else { 1_000_000 }
    }
}
