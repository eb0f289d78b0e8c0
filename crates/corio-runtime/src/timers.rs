//! The timers of a loop: the wheel, and what each entry does when it is due.

use std::cell::{Cell, RefCell};
use std::task::Waker;
use std::time::Instant;

use corio_core::cancel::ScopeEntry;
use corio_core::time::{Alarm, Timers};
use corio_core::{Handle, Scheduler};
use corio_timer::{TimerKey, Wheel};

use crate::clock::{Clock, Nanos};

pub(crate) struct LoopTimers {
    pub(crate) clock: Clock,
    wheel: RefCell<Wheel<Packed>>,
    calls: RefCell<Calls>,
    /// A timer was armed for a time that had come: the loop looks at the wheel in its next turn.
    due: Cell<bool>,
}

/// An alarm in two words: nearly all of them are wakers.
enum Packed {
    Wake(Waker),
    /// A scope entry, or with the top bit the index of a callback.
    Other(u64),
}

const CALL: u64 = 1 << 63;

/// The callbacks of `call_later`.
struct Calls {
    handles: Vec<Option<Handle>>,
    free: Vec<usize>,
}

impl LoopTimers {
    pub(crate) fn new(clock: Clock) -> LoopTimers {
        LoopTimers {
            clock,
            wheel: RefCell::new(Wheel::new()),
            calls: RefCell::new(Calls {
                handles: Vec::new(),
                free: Vec::new(),
            }),
            due: Cell::new(false),
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
    pub(crate) fn next_wake(&self) -> Option<Nanos> {
        self.wheel.borrow_mut().next_wake()
    }

    /// Rings what is due, in the order of (deadline, sequence). Returns how many there were.
    pub(crate) fn fire(&self, scheduler: &Scheduler, now: Nanos) -> usize {
        self.due.set(false);
        let mut fired = 0;
        loop {
            let Some(packed) = self.wheel.borrow_mut().expire(now) else {
                return fired;
            };
            fired += 1;
            match packed {
                Packed::Wake(waker) => Alarm::Wake(waker).ring(scheduler),
                Packed::Other(bits) => {
                    if let Some(alarm) = self.unpack(bits) {
                        alarm.ring(scheduler);
                    }
                }
            }
        }
    }

    /// Drops all timers, because the loop is closed.
    pub(crate) fn clear(&self) {
        let wheel = std::mem::take(&mut *self.wheel.borrow_mut());
        let calls = std::mem::take(&mut self.calls.borrow_mut().handles);
        self.calls.borrow_mut().free.clear();
        drop((wheel, calls));
    }

    fn pack(&self, alarm: Alarm) -> Packed {
        match alarm {
            Alarm::Wake(waker) => Packed::Wake(waker),
            Alarm::Cancel(entry) => {
                let bits = entry.to_bits();
                debug_assert_eq!(bits & CALL, 0);
                Packed::Other(bits)
            }
            Alarm::Call(handle) => {
                let mut calls = self.calls.borrow_mut();
                let index = match calls.free.pop() {
                    Some(index) => index,
                    None => {
                        calls.handles.push(None);
                        calls.handles.len() - 1
                    }
                };
                calls.handles[index] = Some(handle);
                Packed::Other(index as u64 | CALL)
            }
        }
    }

    fn unpack(&self, bits: u64) -> Option<Alarm> {
        if bits & CALL == 0 {
            return Some(Alarm::Cancel(ScopeEntry::from_bits(bits)));
        }
        let index = (bits & !CALL) as usize;
        let mut calls = self.calls.borrow_mut();
        let handle = calls.handles[index].take();
        calls.free.push(index);
        handle.map(Alarm::Call)
    }
}

impl Timers for LoopTimers {
    fn now(&self) -> Instant {
        self.clock.instant(self.clock.now())
    }

    fn step_now(&self) -> Instant {
        let step = Scheduler::with_current(|scheduler| scheduler.map_or(0, Scheduler::steps));
        self.clock.instant(self.clock.step_now(step))
    }

    fn arm(&self, deadline: Instant, alarm: Alarm) -> u64 {
        let deadline = self.clock.nanos_of(deadline);
        let packed = self.pack(alarm);
        let mut wheel = self.wheel.borrow_mut();
        if deadline <= wheel.now() || (self.clock.is_virtual() && deadline <= self.clock.now()) {
            self.due.set(true);
        }
        // The key of the wheel may be zero, and zero is no timer for our callers.
        wheel.insert(deadline, packed).to_bits().wrapping_add(1)
    }

    fn rearm(&self, key: u64, deadline: Instant) -> bool {
        let deadline = self.clock.nanos_of(deadline);
        if deadline <= self.clock.now() {
            self.due.set(true);
        }
        self.wheel.borrow_mut().reset(wheel_key(key), deadline)
    }

    fn rewake(&self, key: u64, waker: &Waker) -> bool {
        {
            let wheel = self.wheel.borrow();
            match wheel.get(wheel_key(key)) {
                None => return false,
                Some(Packed::Wake(old)) if !old.will_wake(waker) => {}
                Some(_) => return true,
            }
        }
        let mut new = waker.clone();
        if let Some(Packed::Wake(old)) = self.wheel.borrow_mut().get_mut(wheel_key(key)) {
            std::mem::swap(old, &mut new);
        }
        drop(new);
        true
    }

    fn disarm(&self, key: u64) -> bool {
        let packed = self.wheel.borrow_mut().cancel(wheel_key(key));
        match packed {
            None => false,
            Some(Packed::Wake(waker)) => {
                drop(waker);
                true
            }
            Some(Packed::Other(bits)) => {
                drop(self.unpack(bits));
                true
            }
        }
    }
}

fn wheel_key(key: u64) -> TimerKey {
    TimerKey::from_bits(key.wrapping_sub(1))
}
