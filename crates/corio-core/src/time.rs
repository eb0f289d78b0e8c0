//! The seam to a clock and its timers, which the loop provides.

use std::cell::OnceCell;
use std::num::NonZeroU64;
use std::rc::Rc;
use std::task::Waker;

use crate::callback::Handle;
use crate::cancel::ScopeEntry;
use crate::caught::caught;
use crate::current::relay;
use crate::key::TaskKey;
use crate::scheduler::Scheduler;
use crate::waker;

pub use crate::moment::{Moment, Nanos, nanos};

/// A clock with timers. A loop gives one to its scheduler, and leaves and combinators find it there.
pub trait Timers {
    /// The time, read now.
    fn now(&self) -> Moment;

    /// The time, read once per step: nested deadlines that begin in one step begin at the same instant.
    fn step_now(&self) -> Moment {
        self.now()
    }

    /// Rings `alarm` at `deadline`, or as soon as possible after it, and never before. The key is never zero.
    fn arm(&self, deadline: Moment, alarm: Alarm) -> u64;

    /// The same, so long after the time of this step, and when that is. Further away than anybody waits there is no timer, and
    /// the key is zero.
    fn arm_after(&self, after: Nanos, alarm: Alarm) -> (u64, Moment) {
        let deadline = self.step_now().after(after);
        if deadline == Moment::NEVER {
            return (0, deadline);
        }
        (self.arm(deadline, alarm), deadline)
    }

    /// The same for the most frequent of all alarms: a request to cancel enters at `entry`.
    fn limit(&self, after: Nanos, entry: ScopeEntry) -> (u64, Moment) {
        self.arm_after(after, Alarm::Cancel(entry))
    }

    /// Moves a timer. False: it has rung or was disarmed.
    fn rearm(&self, key: u64, deadline: Moment) -> bool;

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
            Alarm::Wake(waker) => {
                if let Err(panic) = caught(|| relay(waker)) {
                    scheduler.report_foreign_waker(panic);
                }
            }
            Alarm::Call(handle) => handle.queue(),
            Alarm::Cancel(entry) => {
                scheduler.call_soon(move || {
                    entry.request(None);
                });
            }
        }
    }
}

/// A waker of a task of this crate's making as a number, for those who keep a great many of them. It may be stale: then it wakes
/// nobody, or a task that does not mind.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct WakeKey(TaskKey);

impl WakeKey {
    /// The number in a waker; `None` for the waker of another executor, and where wakers hold a pointer.
    #[inline]
    pub fn of(waker: &Waker) -> Option<WakeKey> {
        waker::key_of(waker).map(WakeKey)
    }

    /// The number. Its two lowest bits are `01`.
    #[inline]
    pub fn to_bits(self) -> NonZeroU64 {
        NonZeroU64::MIN | self.0.to_bits()
    }

    /// What [`to_bits`](WakeKey::to_bits) gave. Any number is safe.
    #[inline]
    pub fn from_bits(bits: NonZeroU64) -> WakeKey {
        WakeKey(TaskKey::from_bits(bits.get()))
    }

    /// Wakes these tasks in their order by way of the ready queue, as [`Alarm::ring`] does. All of them belong to `scheduler`, or
    /// are passed over. No foreign code runs in it.
    pub fn ring_all(scheduler: &Scheduler, keys: impl Iterator<Item = WakeKey> + Clone) {
        scheduler.inner().relay_all(keys.map(|key| key.0));
    }

    /// A waker with this number.
    pub fn waker(self) -> Waker {
        waker::owned(self.0)
    }

    /// The number of the loop that the task belongs to, see [`Scheduler::id`].
    pub fn loop_id(self) -> u32 {
        self.0.loop_id()
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
