//! How time passes: rounds, cascades, runs.
//!
//! ```text
//!           expire(now)
//!   idle ----------------> in a round: late list -> ready
//!    ^                       |  ^
//!    |                       |  |   fire what is due in ready and near, merged
//!    |  nothing left         v  |
//!    +---- up to now ------ refill: level 0 -> ready, level 1 -> near, coarser -> finer
//! ```

use crate::geometry::{Place, Tick};
use crate::key::TimerKey;
use crate::slab::NONE;
use crate::wheel::Wheel;

impl<T> Wheel<T> {
    /// Fires the next timer of the round, beginning one if need be. `now` is not before `self.now`.
    pub(crate) fn next_due(&mut self, now: u64) -> Option<(TimerKey, u64, T)> {
        loop {
            if let Some(index) = self.pop_due() {
                return self.slab.remove(index);
            }
            if self.in_round {
                if self.refill() {
                    continue;
                }
                self.in_round = false;
                if now == self.now {
                    return None;
                }
            }
            self.now = now;
            self.in_round = true;
            self.collect(Place::LATE);
            self.refill();
        }
    }

    /// The next timer of the two runs. With equal deadlines that of `near` is the older: what is on level 0 came there
    /// after the slot was taken.
    fn pop_due(&mut self) -> Option<u32> {
        let ready = self.ready.peek(&self.slab);
        match self.near.peek(&self.slab) {
            Some(near) if near <= self.now && ready.is_none_or(|ready| near <= ready) => {
                self.near.pop()
            }
            _ => self.ready.pop(),
        }
    }

    /// Moves the position on towards `now` until the runs hold what is due next; if nothing is, to the tick of `now`.
    /// Returns whether there is something.
    ///
    /// A round begins with this even if `near` has something due, since level 0 may have something earlier. After that
    /// level 0 gets nothing that is due in this round. The position leaves a slot of level 1 only when `near`, which came from there, is used up.
    fn refill(&mut self) -> bool {
        let target = Tick::of(self.now);
        if self.ready.is_empty() && self.position == target && self.now < self.outlook.bound() {
            return false;
        }
        let nothing_before = loop {
            let slot = match self.slots.first(self.position) {
                Some(slot) if slot.begins <= target => slot,
                other => break other.map_or(u64::MAX, |slot| slot.begins.start()),
            };
            if slot.level > 0 && self.has_due() {
                break 0;
            }
            self.position = slot.begins;
            match slot.level {
                0 => {
                    if let Some(rest) = self.collect(slot.place) {
                        break rest;
                    }
                }
                1 => self.approach(slot.place),
                _ => self.cascade(slot.place),
            }
        };
        self.ready.sort();
        self.raise_outlook(nothing_before);
        if self.has_due() {
            return true;
        }
        self.position = target;
        false
    }

    fn has_due(&mut self) -> bool {
        !self.ready.is_empty()
            || self
                .near
                .peek(&self.slab)
                .is_some_and(|near| near <= self.now)
    }

    /// Records that no slot has a deadline before `bound`; `near` and the late list may have.
    fn raise_outlook(&mut self, bound: u64) {
        if self.slots.head(Place::LATE) == NONE {
            let near = self.near.peek(&self.slab).unwrap_or(u64::MAX);
            self.outlook.raise(bound.min(near));
        }
    }

    /// Takes what is due out of a list, in order, into `ready`, and returns the earliest deadline of what stays there.
    fn collect(&mut self, place: Place) -> Option<u64> {
        let mut rest = None;
        let mut ordinal = 0;
        let (mut index, _) = self.slots.take(place);
        while index != NONE {
            let entry = self.slab.entry(index);
            let (deadline, next) = (entry.deadline, entry.next);
            if deadline <= self.now {
                self.ready.push(&mut self.slab, index, ordinal);
                ordinal += 1;
            } else {
                rest = Some(rest.map_or(deadline, |rest: u64| rest.min(deadline)));
                self.slots.push_back(&mut self.slab, index, place);
            }
            index = next;
        }
        rest
    }

    /// Takes a slot of level 1 that the position has just reached into `near`.
    ///
    /// The list is walked from both ends: each step waits for memory, and two steps that do not depend on each other wait
    /// together.
    fn approach(&mut self, place: Place) {
        debug_assert!(
            self.near.is_empty(),
            "the position has left a slot whose timers have not fired"
        );
        let (mut front, mut back) = self.slots.take(place);
        let mut ordinal = 0;
        loop {
            let after = self.slab.entry(front).next;
            let before = self.slab.entry(back).prev;
            self.near.push(&mut self.slab, front, ordinal);
            if front == back {
                break;
            }
            self.near.push(&mut self.slab, back, !ordinal);
            if after == back {
                break;
            }
            (front, back) = (after, before);
            ordinal += 1;
        }
        self.near.sort();
    }

    /// Moves the entries of a coarser slot that the position has just reached to finer slots, in order.
    ///
    /// Before this the finer slots of the same span are empty, because seen from any earlier position their entries
    /// belong here. So what was inserted first stays first.
    fn cascade(&mut self, place: Place) {
        let (mut index, _) = self.slots.take(place);
        while index != NONE {
            let entry = self.slab.entry(index);
            let next = entry.next;
            let finer = Place::in_wheel(self.position, entry.deadline);
            self.slots.push_back(&mut self.slab, index, finer);
            index = next;
        }
    }
}
