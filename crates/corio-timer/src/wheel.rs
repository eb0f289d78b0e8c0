//! [`Wheel`]: what a loop calls. How time passes is in `round.rs`.

use std::fmt;

use crate::geometry::{Place, Tick};
use crate::key::TimerKey;
use crate::outlook::Outlook;
use crate::run::Run;
use crate::slab::{NONE, Slab};
use crate::slots::{Occupied, Slots};

/// How many entries of a far slot [`Wheel::next_wake`] looks at before it settles for the time at which the slot begins.
const LOOK: usize = 32;

/// Timers in order of their deadlines, each with a value that comes back when it fires.
///
/// All times are nanoseconds since an origin of the caller's choice; the wheel starts at time 0 and learns of the
/// passing of time only through [`expire`](Wheel::expire). A deadline of `u64::MAX` is the farthest there is and otherwise like any other.
///
/// [`insert`](Wheel::insert), [`cancel`](Wheel::cancel) and [`reset`](Wheel::reset) take constant time. Memory is
/// allocated when more timers are alive, or come due within the same 17 ms, than ever before; it is kept until the
/// wheel is dropped.
///
/// No method runs code of `T`, not even its destructor: values are moved in and out. Only dropping the wheel drops the values left in it.
#[doc(alias = "TimerWheel")]
#[doc(alias = "DelayQueue")]
pub struct Wheel<T> {
    pub(crate) slab: Slab<T>,
    pub(crate) slots: Box<Slots>,
    /// Timers from the late list and from level 0 that are due, in a round.
    pub(crate) ready: Run,
    /// Timers from the slot of level 1 that `position` is in, due or not.
    pub(crate) near: Run,
    /// What is known about the earliest deadline in `slots` and `near`.
    pub(crate) outlook: Outlook,
    /// The time up to which the current round fires, or the last one fired.
    pub(crate) now: u64,
    /// The tick from which slots are seen; that of `now`, except in a round, when it is the one being fired.
    pub(crate) position: Tick,
    pub(crate) in_round: bool,
}

impl<T> Wheel<T> {
    /// An empty wheel at time 0.
    pub fn new() -> Self {
        Wheel::with_capacity(0)
    }

    /// An empty wheel at time 0 with room for `capacity` timers.
    pub fn with_capacity(capacity: usize) -> Self {
        Wheel {
            slab: Slab::with_capacity(capacity),
            slots: Slots::new(),
            ready: Run::new(Place::READY),
            near: Run::new(Place::NEAR),
            outlook: Outlook::CLEAR,
            now: 0,
            position: Tick::ZERO,
            in_round: false,
        }
    }

    /// The number of timers that were inserted and have neither fired nor been cancelled.
    pub fn len(&self) -> usize {
        self.slab.len()
    }

    /// Whether there are no timers.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The number of timers that can be alive before more memory is needed.
    pub fn capacity(&self) -> usize {
        self.slab.capacity()
    }

    /// The time up to which timers have fired or, between a call of [`expire`](Wheel::expire) that fired something and the one that returns
    /// `None`, are being fired.
    pub fn now(&self) -> u64 {
        self.now
    }

    /// Adds a timer that fires when [`expire`](Wheel::expire) is told a time of `deadline` or later.
    ///
    /// If `deadline` is not after [`now`](Wheel::now), the timer fires in the next round; see [`expire`](Wheel::expire).
    ///
    /// # Panics
    ///
    /// If 2^32 - 1 timers are alive.
    #[doc(alias = "call_at")]
    #[inline]
    pub fn insert(&mut self, deadline: u64, value: T) -> TimerKey {
        let key = self.slab.insert(deadline, value);
        self.link(key.index, deadline);
        key
    }

    /// Takes the timer away and returns its value; `None` if it has fired or was cancelled before.
    #[doc(alias = "remove")]
    #[inline]
    pub fn cancel(&mut self, key: TimerKey) -> Option<T> {
        self.slab.find(key)?;
        self.unlink(key.index);
        self.slab.remove(key.index).map(|(_, _, value)| value)
    }

    /// Gives the timer another deadline and returns whether it was still there.
    ///
    /// The key stays valid. Among timers of the same deadline it counts as the one inserted last.
    #[inline]
    pub fn reset(&mut self, key: TimerKey, deadline: u64) -> bool {
        if self.slab.find(key).is_none() {
            return false;
        }
        self.unlink(key.index);
        self.slab.entry_mut(key.index).deadline = deadline;
        self.link(key.index, deadline);
        true
    }

    /// The value of a timer that has not fired.
    #[inline]
    pub fn get(&self, key: TimerKey) -> Option<&T> {
        self.slab.value(key)
    }

    /// The value of a timer that has not fired, to be changed in place.
    #[inline]
    pub fn get_mut(&mut self, key: TimerKey) -> Option<&mut T> {
        self.slab.value_mut(key)
    }

    /// The deadline of a timer that has not fired.
    #[inline]
    pub fn deadline(&self, key: TimerKey) -> Option<u64> {
        self.slab.find(key).map(|entry| entry.deadline)
    }

    /// When [`expire`](Wheel::expire) should next be called; `None` if there are no timers.
    ///
    /// Never later than the earliest deadline. It is that deadline itself unless the timer is far off (in another 2^24 ns,
    /// about 17 ms) and shares its slot with more than 31 others; then it may be an earlier time, at which `expire` fires
    /// nothing but sorts these timers into finer slots. That happens at most five times in the life of a timer. If
    /// nothing is due, the answer is after [`now`](Wheel::now), so a loop that sleeps until then does not spin.
    ///
    /// The method changes nothing but what the wheel remembers of its own search.
    #[doc(alias = "next_deadline")]
    #[doc(alias = "poll_timeout")]
    pub fn next_wake(&mut self) -> Option<u64> {
        if self.is_empty() {
            return None;
        }
        if let Some(deadline) = self.ready.peek(&self.slab) {
            return Some(deadline.min(self.outlook.bound()));
        }
        if let Some(bound) = self.outlook.settled() {
            return Some(bound);
        }
        if self.slots.head(Place::LATE) != NONE {
            // Something is due: how long ago makes no difference.
            return Some(self.outlook.bound());
        }
        let bound = self.search()?;
        self.outlook.settle(bound);
        Some(bound)
    }

    /// Fires one timer: removes the next that is due at `now` and returns its value; `None` if there is none.
    ///
    /// Call it with the same `now` until it returns `None`; this is a *round*. A round fires every timer with a deadline
    /// of `now` or earlier that was in the wheel when the round began, none before its deadline, in order of the
    /// deadlines, and those with the same deadline in the order in which they were inserted or last reset.
    ///
    /// Between two calls of a round everything is allowed. A timer that is cancelled does not fire. A timer that is
    /// inserted or reset to a deadline that the round has reached waits for the next round, so that timers which set one
    /// another cannot keep a round from ending; the next round is the next call after `None`, and `now` may be the same.
    ///
    /// Time does not go back: an earlier `now` than before counts as [`Wheel::now`]. A later one in the middle of a
    /// round ends this round at its own time and begins the next in the same call.
    ///
    /// ```
    /// # use corio_timer::Wheel;
    /// let mut wheel = Wheel::new();
    /// wheel.insert(20, "b");
    /// wheel.insert(10, "a");
    /// wheel.insert(30, "c");
    ///
    /// assert_eq!(wheel.expire(25), Some("a"));
    /// wheel.insert(5, "late");
    /// assert_eq!(wheel.expire(25), Some("b"));
    /// assert_eq!(wheel.expire(25), None);
    /// assert_eq!(wheel.expire(25), Some("late"));
    /// assert_eq!(wheel.expire(25), None);
    /// ```
    #[doc(alias = "poll_expired")]
    #[doc(alias = "advance")]
    #[inline]
    pub fn expire(&mut self, now: u64) -> Option<T> {
        self.expire_entry(now).map(|(_, _, value)| value)
    }

    /// [`expire`](Wheel::expire), with the key that the timer had and its deadline.
    #[inline]
    pub fn expire_entry(&mut self, now: u64) -> Option<(TimerKey, u64, T)> {
        let now = now.max(self.now);
        if !self.in_round && now < self.outlook.bound() && Tick::of(now) == self.position {
            self.now = now;
            return None;
        }
        self.next_due(now)
    }

    /// Puts an entry that is in no list where its deadline belongs.
    #[inline]
    fn link(&mut self, index: u32, deadline: u64) {
        let place = if deadline <= self.now {
            Place::LATE
        } else {
            Place::in_wheel(self.position, deadline)
        };
        self.slots.push_back(&mut self.slab, index, place);
        self.outlook.added(deadline);
    }

    /// Takes an entry out of its list; in a run its item goes stale.
    #[inline]
    fn unlink(&mut self, index: u32) {
        let entry = self.slab.entry(index);
        let deadline = entry.deadline;
        let emptied = entry.place.is_list() && self.slots.unlink(&mut self.slab, index);
        self.outlook.left(deadline, emptied);
    }

    /// The earliest deadline, or a time before it if that lies in a slot that is both far and full.
    fn search(&mut self) -> Option<u64> {
        let near = self.near.peek(&self.slab);
        match self.slots.first(self.position) {
            Some(slot) if near.is_none_or(|near| slot.begins.start() <= near) => {
                let listed = self.search_slot(slot);
                Some(near.map_or(listed, |near| near.min(listed)))
            }
            _ => near,
        }
    }

    fn search_slot(&self, slot: Occupied) -> u64 {
        let known = self.outlook.bound().max(slot.begins.start());
        let mut look = if slot.level == 0 { usize::MAX } else { LOOK };
        let mut earliest = u64::MAX;
        let mut index = self.slots.head(slot.place);
        while index != NONE {
            if look == 0 {
                return known;
            }
            look -= 1;
            let entry = self.slab.entry(index);
            earliest = earliest.min(entry.deadline);
            if earliest == known {
                break;
            }
            index = entry.next;
        }
        earliest
    }
}

impl<T> Default for Wheel<T> {
    fn default() -> Self {
        Wheel::new()
    }
}

impl<T> fmt::Debug for Wheel<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Wheel")
            .field("len", &self.len())
            .field("capacity", &self.capacity())
            .field("now", &self.now)
            .field("in_round", &self.in_round)
            .field("no_deadline_before", &self.outlook.bound())
            .finish()
    }
}
