//! A timer that a future holds, wherever it is dropped.

use std::task::Waker;

use corio_core::cancel::ScopeEntry;
use corio_core::time::{Alarm, Moment, Nanos};
use corio_core::{Scheduler, Whereabouts, find_scheduler};

/// At most one timer of one loop. It is taken back when this is dropped, on whatever thread.
#[derive(Debug, Default)]
pub(crate) struct Timer {
    scheduler: u64,
    /// 0 is none, and [`RUNG`] one that needs no timer any more.
    key: u64,
}

/// No timer has this key.
const RUNG: u64 = u64::MAX;

impl Timer {
    pub(crate) const fn new() -> Timer {
        Timer {
            scheduler: 0,
            key: 0,
        }
    }

    /// It was armed, in the loop that runs here.
    #[inline]
    pub(crate) fn is_armed_here(&self) -> bool {
        self.key != 0
            && Scheduler::with_current(|here| {
                here.is_some_and(|here| here.number() == self.scheduler)
            })
    }

    /// Arms it in the loop that runs here, in the place of what it was.
    ///
    /// # Panics
    ///
    /// When no loop runs on this thread, or one without a clock.
    #[inline]
    pub(crate) fn arm(&mut self, deadline: Moment, alarm: Alarm) {
        self.disarm();
        with_timers(|scheduler, timers| {
            self.scheduler = scheduler.number();
            self.key = timers.arm(deadline, alarm);
        });
    }

    /// Arms it for a request to cancel, so long after the time of this step. Returns when that is; for never nothing is armed.
    ///
    /// # Panics
    ///
    /// As [`arm`](Timer::arm).
    #[inline]
    pub(crate) fn limit(&mut self, after: Nanos, entry: ScopeEntry) -> Moment {
        self.disarm();
        with_timers(|scheduler, timers| {
            self.scheduler = scheduler.number();
            let (key, deadline) = timers.limit(after, entry);
            self.key = key;
            deadline
        })
    }

    /// Replaces the waker that it rings. False: it is not armed here, or has rung.
    pub(crate) fn rewake(&self, waker: &Waker) -> bool {
        self.is_armed_here() && with_timers(|_, timers| timers.rewake(self.key, waker))
    }

    /// Rings `alarm` in the next turn, before what is queued from now on.
    pub(crate) fn ring_soon(&mut self, alarm: Alarm) {
        self.disarm();
        with_timers(|scheduler, _| {
            self.scheduler = scheduler.number();
            self.key = RUNG;
            alarm.ring(scheduler);
        });
    }

    #[inline]
    pub(crate) fn disarm(&mut self) {
        let key = std::mem::take(&mut self.key);
        if key == 0 || key == RUNG {
            return;
        }
        let here = Scheduler::with_current(|scheduler| match scheduler {
            Some(scheduler) if scheduler.number() == self.scheduler => {
                disarm(scheduler, key);
                true
            }
            _ => false,
        });
        if !here {
            disarm_elsewhere(self.scheduler, key);
        }
    }
}

impl Drop for Timer {
    #[inline]
    fn drop(&mut self) {
        self.disarm();
    }
}

#[cold]
fn disarm_elsewhere(scheduler: u64, key: u64) {
    match find_scheduler(scheduler) {
        Whereabouts::Here(scheduler) => disarm(&scheduler, key),
        Whereabouts::Elsewhere(remote) => {
            // A loop that has closed has no timers.
            let _ = remote.call_soon(move || {
                Scheduler::with_current(|scheduler| {
                    if let Some(scheduler) = scheduler {
                        disarm(scheduler, key);
                    }
                });
            });
        }
        Whereabouts::Gone => {}
    }
}

fn disarm(scheduler: &Scheduler, key: u64) {
    if let Some(timers) = scheduler.timers() {
        timers.disarm(key);
    }
}

/// Uses the loop that runs here, and its clock.
///
/// # Panics
///
/// When no loop runs on this thread, or one without a clock.
#[inline]
pub(crate) fn with_timers<R>(
    body: impl FnOnce(&Scheduler, &dyn corio_core::time::Timers) -> R,
) -> R {
    Scheduler::with_current(|scheduler| {
        let scheduler = scheduler.expect(
            "a time limit needs the clock of an event loop, and none runs on this thread: \
             await it in a task, or give it to `run`",
        );
        let timers = scheduler
            .timers()
            .expect("this event loop has no timers, so nothing can have a time limit in it");
        body(scheduler, &**timers)
    })
}
