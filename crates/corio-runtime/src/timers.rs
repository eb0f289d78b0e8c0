//! The timers of a loop: the wheel, and what each entry does when it is due.

use std::cell::{Cell, RefCell};
use std::num::NonZeroU64;
use std::task::Waker;

use corio_core::Scheduler;
use corio_core::cancel::ScopeEntry;
use corio_core::time::{Alarm, Moment, Nanos, Timers, WakeKey};
use corio_timer::{TimerKey, Wheel};

use crate::clock::Clock;

pub(crate) struct LoopTimers {
    pub(crate) clock: Clock,
    wheel: RefCell<Wheel<Packed>>,
    others: RefCell<Others>,
    /// A timer was armed for a time that had come: the loop looks at the wheel in its next turn.
    due: Cell<bool>,
    /// How many have fired since the loop last waited.
    pub(crate) fired: Cell<usize>,
}

/// An alarm in one word, by its two lowest bits: the key of a task, the place of a node, or the number of one of the others.
#[derive(Clone, Copy)]
struct Packed(NonZeroU64);

const TAG: u64 = 3;
const KEY: u64 = 1;
const OTHER: u64 = 2;
const ENTRY: u64 = 3;

impl Packed {
    #[inline]
    fn entry(entry: ScopeEntry) -> Packed {
        // The number of a place has 62 bits.
        Packed(NonZeroU64::MIN | (entry.to_bits() << 2 | ENTRY))
    }

    #[inline]
    fn wake_key(self) -> Option<WakeKey> {
        (self.0.get() & TAG == KEY).then(|| WakeKey::from_bits(self.0))
    }
}

/// How many tasks are woken at a time.
const TOGETHER: usize = 32;

/// Callbacks, and what does not fit into a word.
#[derive(Default)]
struct Others {
    alarms: Vec<Option<Alarm>>,
    free: Vec<usize>,
}

impl LoopTimers {
    pub(crate) fn new(clock: Clock) -> LoopTimers {
        let mut wheel = Wheel::new();
        // There is nothing in it: this only tells it the time.
        wheel.expire(clock.now().as_nanos());
        LoopTimers {
            clock,
            wheel: RefCell::new(wheel),
            others: RefCell::default(),
            due: Cell::new(false),
            fired: Cell::new(0),
        }
    }

    /// The loop looks at the wheel in its next turn.
    pub(crate) fn look_soon(&self) {
        self.due.set(true);
    }

    /// A timer is known to be due.
    #[inline]
    pub(crate) fn is_due(&self) -> bool {
        self.due.get()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.wheel.borrow().is_empty()
    }

    /// When to fire next.
    pub(crate) fn next_wake(&self) -> Option<Moment> {
        self.wheel.borrow_mut().next_wake().map(Moment::from_nanos)
    }

    /// Rings what is due, in the order of (deadline, sequence).
    pub(crate) fn fire(&self, scheduler: &Scheduler, now: Moment) {
        self.due.set(false);
        let fired = self.ring_due(scheduler, now);
        self.fired.set(self.fired.get().saturating_add(fired));
    }

    /// Returns how many there were.
    fn ring_due(&self, scheduler: &Scheduler, now: Moment) -> usize {
        let mut fired = 0;
        // Most alarms wake a task of this loop, which runs no foreign code. Those are taken together.
        let mut together = [const { None }; TOGETHER];
        loop {
            let mut count = 0;
            let mut last = None;
            {
                let mut wheel = self.wheel.borrow_mut();
                while count < TOGETHER {
                    last = wheel.expire(now.as_nanos());
                    match last.and_then(Packed::wake_key) {
                        Some(key) if key.loop_id() == scheduler.id() => together[count] = Some(key),
                        _ => break,
                    }
                    count += 1;
                }
            }
            fired += count;
            WakeKey::ring_all(scheduler, together[..count].iter().flatten().copied());
            if count == TOGETHER {
                continue;
            }
            let Some(packed) = last else {
                return fired;
            };
            fired += 1;
            if let Some(alarm) = self.unpack(packed) {
                alarm.ring(scheduler);
            }
        }
    }

    /// Drops all timers, because the loop is closed.
    pub(crate) fn clear(&self) {
        let wheel = std::mem::take(&mut *self.wheel.borrow_mut());
        let others = self.others.take();
        drop((wheel, others));
    }

    #[inline]
    fn pack(&self, alarm: Alarm) -> Packed {
        let bits = match &alarm {
            Alarm::Wake(waker) => WakeKey::of(waker).map(WakeKey::to_bits),
            Alarm::Cancel(entry) => Some(Packed::entry(*entry).0),
            Alarm::Call(_) => None,
        };
        match bits {
            Some(bits) => Packed(bits),
            None => self.pack_other(alarm),
        }
    }

    fn pack_other(&self, alarm: Alarm) -> Packed {
        let mut others = self.others.borrow_mut();
        let index = match others.free.pop() {
            Some(index) => index,
            None => {
                others.alarms.push(None);
                others.alarms.len() - 1
            }
        };
        others.alarms[index] = Some(alarm);
        let bits = NonZeroU64::new((index as u64) << 2 | OTHER);
        Packed(bits.expect("the tag is not zero"))
    }

    /// The alarm of a timer that has left the wheel.
    fn unpack(&self, packed: Packed) -> Option<Alarm> {
        let bits = packed.0.get();
        match bits & TAG {
            KEY => Some(Alarm::Wake(WakeKey::from_bits(packed.0).waker())),
            ENTRY => Some(Alarm::Cancel(ScopeEntry::from_bits(bits >> 2))),
            OTHER => {
                let index = (bits >> 2) as usize;
                let mut others = self.others.borrow_mut();
                others.free.push(index);
                others.alarms[index].take()
            }
            _ => None,
        }
    }

    #[inline]
    fn arm_packed(&self, deadline: Moment, packed: Packed) -> u64 {
        let mut wheel = self.wheel.borrow_mut();
        let nanos = deadline.as_nanos();
        if nanos <= wheel.now() || (self.clock.is_virtual() && deadline <= self.clock.now()) {
            self.due.set(true);
        }
        // The number of a key is never zero, which is no timer for our callers.
        wheel.insert(nanos, packed).to_bits()
    }
}

impl Timers for LoopTimers {
    fn now(&self) -> Moment {
        self.clock.now()
    }

    fn step_now(&self) -> Moment {
        let step = Scheduler::with_current(|scheduler| scheduler.map_or(0, Scheduler::steps));
        self.clock.step_now(step)
    }

    fn arm(&self, deadline: Moment, alarm: Alarm) -> u64 {
        self.arm_packed(deadline, self.pack(alarm))
    }

    fn limit(&self, after: Nanos, entry: ScopeEntry) -> (u64, Moment) {
        let deadline = self.step_now().after(after);
        if deadline == Moment::NEVER {
            return (0, deadline);
        }
        (self.arm_packed(deadline, Packed::entry(entry)), deadline)
    }

    fn rearm(&self, key: u64, deadline: Moment) -> bool {
        if deadline <= self.clock.now() {
            self.due.set(true);
        }
        self.wheel
            .borrow_mut()
            .reset(TimerKey::from_bits(key), deadline.as_nanos())
    }

    fn rewake(&self, key: u64, waker: &Waker) -> bool {
        let key = TimerKey::from_bits(key);
        let Some(packed) = self.wheel.borrow().get(key).copied() else {
            return false;
        };
        if WakeKey::of(waker).is_some_and(|new| new.to_bits() == packed.0) {
            return true;
        }
        self.rewake_other(key, packed, waker);
        true
    }

    fn disarm(&self, key: u64) -> bool {
        let packed = self.wheel.borrow_mut().cancel(TimerKey::from_bits(key));
        if let Some(Packed(bits)) = packed.filter(|packed| packed.0.get() & TAG == OTHER) {
            drop(self.unpack(Packed(bits)));
        }
        packed.is_some()
    }
}

impl LoopTimers {
    /// The waker has changed, or does not fit into a word.
    #[cold]
    fn rewake_other(&self, key: TimerKey, packed: Packed, waker: &Waker) {
        if packed.0.get() & TAG == OTHER {
            let index = (packed.0.get() >> 2) as usize;
            let same = match self.others.borrow().alarms.get(index) {
                Some(Some(Alarm::Wake(old))) => old.will_wake(waker),
                _ => true,
            };
            if same {
                return;
            }
        } else if packed.0.get() & TAG == ENTRY {
            return;
        }
        let new = self.pack(Alarm::Wake(waker.clone()));
        let old = self
            .wheel
            .borrow_mut()
            .get_mut(key)
            .map(|place| std::mem::replace(place, new));
        // A clone of a waker is foreign code, which may have disarmed the timer.
        drop(self.unpack(old.unwrap_or(new)));
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use corio_combinators::timeout;

    use crate::{EventLoop, sleep, yield_now};

    /// Neither the head of the line has to come nor a great many timers to be cancelled before they go.
    #[test]
    fn a_timer_that_is_cancelled_leaves_the_loop_at_once() {
        let event_loop = EventLoop::builder().virtual_clock().build().unwrap();
        let timers = event_loop.inner.timers.clone();
        let count = || timers.wheel.borrow().len();
        let second = Duration::from_secs(1);
        let handles: Vec<_> = (1..=200)
            .map(|time| event_loop.call_later(time * second, || ()))
            .collect();
        let tasks: Vec<_> = (1..=200)
            .map(|time| event_loop.create_task(timeout(time * second, sleep(time * 2 * second))))
            .collect();
        event_loop.run_until_complete(yield_now()).unwrap();
        assert_eq!(count(), 600);
        for (cancelled, handle) in handles.iter().rev().enumerate() {
            handle.cancel();
            assert_eq!(count(), 599 - cancelled);
        }
        let others = timers.others.borrow();
        assert_eq!(others.free.len(), others.alarms.len());
        assert!(others.alarms.iter().all(Option::is_none));
        drop(others);
        for task in &tasks {
            task.cancel();
        }
        event_loop.run_until_complete(yield_now()).unwrap();
        assert_eq!(count(), 0);
    }
}
