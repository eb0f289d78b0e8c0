//! The time limit of a wait, armed at its first poll.

use std::task::Waker;
use std::time::Duration;

use corio_core::Scheduler;
use corio_core::time::{Alarm, Moment, nanos};

/// A timer that is taken back when this is dropped.
#[derive(Debug)]
pub(crate) struct Expiry {
    scheduler: Scheduler,
    key: u64,
}

impl Expiry {
    /// Rings `alarm` after `duration`; `None` if that is further away than the clock can tell, which is never.
    ///
    /// # Panics
    ///
    /// When the loop has no clock.
    pub(crate) fn new(scheduler: &Scheduler, duration: Duration, alarm: Alarm) -> Option<Expiry> {
        let timers = scheduler
            .timers()
            .expect("this event loop has no timers, so nothing can have a time limit in it");
        let (key, deadline) = timers.arm_after(nanos(duration), alarm);
        (deadline != Moment::NEVER).then(|| Expiry {
            key,
            scheduler: scheduler.clone(),
        })
    }

    /// Makes `waker` the one that is woken. True: the time was up before.
    pub(crate) fn is_up(&self, waker: &Waker) -> bool {
        let timers = self.scheduler.timers();
        timers.is_some_and(|timers| !timers.rewake(self.key, waker))
    }
}

impl Drop for Expiry {
    fn drop(&mut self) {
        if let Some(timers) = self.scheduler.timers() {
            timers.disarm(self.key);
        }
    }
}
