//! The seam to a clock and its timers, which the loop provides.

use std::cell::OnceCell;
use std::rc::Rc;
use std::task::Waker;
use std::time::Instant;

use crate::callback::Handle;
use crate::cancel::ScopeEntry;
use crate::current::relay;
use crate::scheduler::Scheduler;

/// A clock with timers. A loop gives one to its scheduler, and leaves and combinators find it there.
pub trait Timers {
    /// The time, read now.
    fn now(&self) -> Instant;

    /// The time, read once per step: nested deadlines that begin in one step begin at the same instant.
    fn step_now(&self) -> Instant {
        self.now()
    }

    /// Rings `alarm` at `deadline`, or as soon as possible after it, and never before. The key is never zero.
    fn arm(&self, deadline: Instant, alarm: Alarm) -> u64;

    /// Moves a timer. False: it has rung or was disarmed.
    fn rearm(&self, key: u64, deadline: Instant) -> bool;

    /// Replaces what a timer wakes, if it is one that wakes another task now. False: it has rung or was disarmed.
    fn rewake(&self, key: u64, waker: &Waker) -> bool;

    /// Takes a timer back. False: it has rung or was disarmed.
    fn disarm(&self, key: u64) -> bool;
}

/// What a timer does when it is due.
#[derive(Debug)]
pub enum Alarm {
    /// Wakes a task, by way of the ready queue as a timer callback of asyncio does.
    Wake(Waker),
    /// A request to cancel enters here.
    Cancel(ScopeEntry),
    /// Queues a callback.
    Call(Handle),
}

impl Alarm {
    /// The time has come. To be called outside of every borrow.
    pub fn ring(self, scheduler: &Scheduler) {
        match self {
            Alarm::Wake(waker) => relay(waker),
            Alarm::Call(handle) => handle.queue(),
            Alarm::Cancel(entry) => {
                scheduler.call_soon(move || {
                    entry.request(None);
                });
            }
        }
    }
}

pub(crate) type TimersSlot = OnceCell<Rc<dyn Timers>>;

impl Scheduler {
    /// Gives the scheduler its clock. Once.
    ///
    /// # Panics
    ///
    /// When it has one.
    pub fn set_timers(&self, timers: Rc<dyn Timers>) {
        assert!(
            self.inner().timers.set(timers).is_ok(),
            "the timers are given once"
        );
    }

    /// The clock, if the loop has one.
    pub fn timers(&self) -> Option<&Rc<dyn Timers>> {
        self.inner().timers.get()
    }
}
