//! `interval`: ticks at a fixed distance.

use std::future::Future;
use std::panic::Location;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use corio_core::Scheduler;
use corio_core::time::{Moment, nanos};
use corio_core::waiting::{self, WaitKind};

use crate::sleep::Sleep;

static INTERVAL: WaitKind = WaitKind::new("interval");

/// Ticks at a fixed distance: the first one `period` after the first wait began. Also a `Stream`.
///
/// Whoever comes too late gets the tick that was due first, at once. Those that were due behind it are skipped, and the phase is
/// kept. For a pause between the end of one piece of work and the begin of the next, call [`sleep`](crate::sleep()) in a loop.
///
/// The time is that of the loop's clock. Should the system's clock go back, against what it promises, ticks come early or late by as
/// much as it was wrong, maybe several of them in a row, and none comes twice.
///
/// ```
/// use std::time::Duration;
/// # use corio_runtime as corio;
/// corio::run(async {
///     let mut beat = corio::interval(Duration::from_millis(1));
///     let first = beat.tick().await;
///     assert!(beat.tick().await >= first + Duration::from_millis(1));
/// });
/// ```
///
/// # Panics
///
/// When `period` is zero: that would be [`yield_now`](crate::yield_now()).
#[track_caller]
pub fn interval(period: Duration) -> Interval {
    assert!(
        !period.is_zero(),
        "the period of an interval is zero: use `yield_now`"
    );
    Interval {
        period,
        next: None,
        site: Location::caller(),
    }
}

/// The ticks of [`interval`].
#[derive(Debug)]
#[must_use = "ticks come only to those who wait for them"]
pub struct Interval {
    period: Duration,
    next: Option<Sleep>,
    site: &'static Location<'static>,
}

impl Interval {
    /// Waits for the next tick, and gives the instant for which it was planned.
    ///
    /// # Panics
    ///
    /// When it is polled on a thread where no loop is running.
    ///
    /// # Cancel safety
    ///
    /// A wait that is cancelled or dropped leaves the tick for the next one.
    #[doc(alias = "next")]
    #[track_caller]
    pub fn tick(&mut self) -> Tick<'_> {
        Tick {
            interval: self,
            site: Location::caller(),
        }
    }

    /// The distance of two ticks.
    pub fn period(&self) -> Duration {
        self.period
    }

    /// Ready with the planned instant of the next tick.
    pub fn poll_tick(&mut self, cx: &mut Context<'_>) -> Poll<Instant> {
        self.poll_at(cx, self.site)
    }

    fn poll_at(&mut self, cx: &mut Context<'_>, site: &'static Location<'static>) -> Poll<Instant> {
        let now = || Scheduler::with_current(|s| s.and_then(Scheduler::timers).map(|t| t.now()));
        if self.next.is_none() {
            let now = now().unwrap_or_else(|| crate::current::no_loop("interval"));
            self.next = Some(Sleep::at(now.after(nanos(self.period)), self.site));
        }
        let Some(sleep) = &mut self.next else {
            return Poll::Pending;
        };
        if Pin::new(&mut *sleep).poll(cx).is_pending() {
            waiting::note(&INTERVAL, site);
            return Poll::Pending;
        }
        let planned = sleep.moment().unwrap_or(Moment::NEVER);
        let late = now().unwrap_or(planned).since(planned);
        let period = nanos(self.period);
        let next = planned.after((late / period).saturating_add(1).saturating_mul(period));
        self.next = Some(Sleep::at(next, self.site));
        Poll::Ready(planned.instant())
    }
}

impl futures_core::Stream for Interval {
    type Item = Instant;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Instant>> {
        self.poll_tick(cx).map(Some)
    }
}

/// The future of [`Interval::tick`].
#[derive(Debug)]
#[must_use = "a future does nothing unless it is awaited"]
pub struct Tick<'a> {
    interval: &'a mut Interval,
    site: &'static Location<'static>,
}

impl Future for Tick<'_> {
    type Output = Instant;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Instant> {
        let site = self.site;
        self.interval.poll_at(cx, site)
    }
}
