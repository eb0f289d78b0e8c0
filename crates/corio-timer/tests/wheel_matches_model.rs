//! The wheel does what a sorted map of (deadline, sequence) does, whatever happens in whatever order.

use std::collections::BTreeMap;

use corio_timer::{TimerKey, Wheel};
use proptest::prelude::*;

/// What the documentation of `expire` says, in the plainest way.
#[derive(Default)]
struct Model {
    now: u64,
    in_round: bool,
    round: u64,
    sequence: u64,
    /// (deadline, sequence) -> (timer, first round in which it may fire)
    timers: BTreeMap<(u64, u64), (usize, u64)>,
}

impl Model {
    fn insert(&mut self, deadline: u64, id: usize) {
        self.sequence += 1;
        let from = if deadline <= self.now {
            self.round + 1
        } else {
            0
        };
        self.timers.insert((deadline, self.sequence), (id, from));
    }

    fn cancel(&mut self, id: usize) -> bool {
        let found = self
            .timers
            .iter()
            .find(|(_, timer)| timer.0 == id)
            .map(|(at, _)| *at);
        found.is_some_and(|at| self.timers.remove(&at).is_some())
    }

    fn expire(&mut self, now: u64) -> Option<(u64, usize)> {
        let now = now.max(self.now);
        loop {
            if self.in_round {
                let due = self
                    .timers
                    .range(..=(self.now, u64::MAX))
                    .find(|(_, timer)| timer.1 <= self.round);
                if let Some((&at, &(id, _))) = due {
                    self.timers.remove(&at);
                    return Some((at.0, id));
                }
                self.in_round = false;
                if now == self.now {
                    return None;
                }
            }
            self.now = now;
            self.round += 1;
            self.in_round = true;
        }
    }

    fn earliest(&self) -> Option<u64> {
        self.timers.keys().next().map(|at| at.0)
    }
}

#[derive(Clone, Debug)]
enum Time {
    /// So many nanoseconds after now.
    After(u64),
    Before(u64),
    /// The next multiple of 2^bit after now, and so many nanoseconds more, minus 2.
    Boundary(u32, u64),
    /// The deadline of the timer inserted as the n-th, give or take.
    Like(usize, i64),
    Max,
}

#[derive(Clone, Debug)]
enum Step {
    Insert(Time),
    Cancel(usize),
    Reset(usize, Time),
    /// One call of `expire`.
    Fire(Time),
    /// Calls of `expire` until `None`.
    Round(Time),
    /// A round at the time that `next_wake` gives.
    Wake,
    Forge(u64),
}

fn time() -> impl Strategy<Value = Time> {
    prop_oneof![
        4 => (0u32..30, any::<u64>()).prop_map(|(bits, random)| Time::After(random & ((1 << bits) - 1))),
        1 => (0u32..63, any::<u64>()).prop_map(|(bits, random)| Time::After(random & ((1 << bits) - 1))),
        1 => (0u64..1 << 26).prop_map(Time::Before),
        3 => (prop_oneof![Just(16u32), Just(24), Just(32), Just(40), Just(48), Just(56)], 0u64..5)
            .prop_map(|(bit, offset)| Time::Boundary(bit, offset)),
        3 => (any::<usize>(), -1i64..2).prop_map(|(id, offset)| Time::Like(id, offset)),
    ]
}

fn deadline() -> impl Strategy<Value = Time> {
    prop_oneof![30 => time(), 1 => Just(Time::Max)]
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        8 => deadline().prop_map(Step::Insert),
        2 => any::<usize>().prop_map(Step::Cancel),
        3 => (any::<usize>(), deadline()).prop_map(|(id, time)| Step::Reset(id, time)),
        3 => time().prop_map(Step::Fire),
        2 => time().prop_map(Step::Round),
        2 => Just(Step::Wake),
        1 => any::<u64>().prop_map(Step::Forge),
    ]
}

/// Both at once, compared after every step.
#[derive(Default)]
struct Pair {
    wheel: Wheel<usize>,
    model: Model,
    keys: Vec<TimerKey>,
    deadlines: Vec<u64>,
}

impl Pair {
    fn resolve(&self, time: &Time) -> u64 {
        let now = self.model.now;
        match *time {
            Time::After(ns) => now.saturating_add(ns),
            Time::Before(ns) => now.saturating_sub(ns),
            Time::Boundary(bit, offset) => {
                let next = ((now >> bit) + 1)
                    .checked_mul(1 << bit)
                    .unwrap_or(u64::MAX - 4);
                (next - 2).saturating_add(offset)
            }
            Time::Like(id, offset) if !self.keys.is_empty() => {
                self.deadlines[id % self.keys.len()].saturating_add_signed(offset)
            }
            Time::Like(..) => now,
            Time::Max => u64::MAX,
        }
    }

    fn insert(&mut self, deadline: u64) {
        let id = self.keys.len();
        self.keys.push(self.wheel.insert(deadline, id));
        self.deadlines.push(deadline);
        self.model.insert(deadline, id);
    }

    fn reset(&mut self, id: usize, deadline: u64) {
        let found = self.model.cancel(id);
        if found {
            self.model.insert(deadline, id);
            self.deadlines[id] = deadline;
        }
        assert_eq!(self.wheel.reset(self.keys[id], deadline), found);
    }

    fn fire(&mut self, now: u64) -> bool {
        let expected = self.model.expire(now);
        let fired = self.wheel.expire_entry(now);
        assert_eq!(
            fired,
            expected.map(|(deadline, id)| (self.keys[id], deadline, id))
        );
        assert!(
            fired.is_none_or(|(_, deadline, _)| deadline <= self.wheel.now()),
            "early"
        );
        fired.is_some()
    }

    fn check(&mut self) {
        assert_eq!(self.wheel.now(), self.model.now);
        assert_eq!(self.wheel.len(), self.model.timers.len());
        let (wake, earliest) = (self.wheel.next_wake(), self.model.earliest());
        assert_eq!(wake.is_some(), earliest.is_some());
        if let (Some(wake), Some(earliest)) = (wake, earliest) {
            assert!(wake <= earliest, "next_wake is late: {wake} for {earliest}");
            if !self.model.in_round && earliest > self.model.now {
                assert!(wake > self.model.now, "next_wake makes the loop spin");
            }
        }
        for (&(deadline, _), &(id, _)) in &self.model.timers {
            assert_eq!(self.wheel.deadline(self.keys[id]), Some(deadline));
            assert_eq!(self.wheel.get(self.keys[id]), Some(&id));
        }
    }

    fn step(&mut self, step: &Step) {
        match step {
            Step::Insert(time) => self.insert(self.resolve(time)),
            Step::Reset(id, time) if !self.keys.is_empty() => {
                self.reset(id % self.keys.len(), self.resolve(time))
            }
            Step::Cancel(id) if !self.keys.is_empty() => {
                let id = id % self.keys.len();
                let found = self.model.cancel(id);
                assert_eq!(self.wheel.cancel(self.keys[id]), found.then_some(id));
                assert_eq!(self.wheel.cancel(self.keys[id]), None);
            }
            Step::Fire(time) => {
                self.fire(self.resolve(time));
            }
            Step::Round(time) => {
                let now = self.resolve(time);
                while self.fire(now) {}
            }
            Step::Wake => {
                if let Some(wake) = self.wheel.next_wake() {
                    while self.fire(wake) {}
                }
            }
            Step::Forge(bits) => {
                let forged = TimerKey::from_bits(*bits);
                if !self.keys.contains(&forged) {
                    assert_eq!(self.wheel.cancel(forged), None);
                    assert!(!self.wheel.reset(forged, 0));
                }
            }
            Step::Reset(..) | Step::Cancel(_) => {}
        }
    }

    /// Every timer fires, in a number of wakes that is bounded by the number of timers and levels.
    fn run_out(&mut self) {
        let bound = 2 + 6 * self.wheel.len();
        for _ in 0..bound {
            let Some(wake) = self.wheel.next_wake() else {
                break;
            };
            while self.fire(wake) {}
        }
        assert!(self.wheel.is_empty(), "next_wake does not make progress");
        assert!(self.model.timers.is_empty());
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_history_gives_the_firings_of_the_model(steps in prop::collection::vec(step(), 1..120)) {
        let mut pair = Pair::default();
        for step in &steps {
            pair.step(step);
            pair.check();
        }
        pair.run_out();
    }

    /// Without `next_wake`, so that nothing depends on what it remembers; and from a time far from 0.
    #[test]
    fn the_firings_do_not_depend_on_asking(start in any::<u64>(), steps in prop::collection::vec(step(), 1..120)) {
        let mut pair = Pair::default();
        while pair.fire(start) {}
        for step in &steps {
            if !matches!(step, Step::Wake) {
                pair.step(step);
            }
        }
        while pair.fire(u64::MAX) {}
        while pair.fire(u64::MAX) {}
        prop_assert!(pair.wheel.is_empty());
    }

    /// Many timers in few slots: far slots hold more than `next_wake` looks at.
    #[test]
    fn crowded_slots_fire_as_the_model(
        seeds in prop::collection::vec((0u64..4, any::<u64>()), 40..200),
        steps in prop::collection::vec(step(), 0..60),
    ) {
        let mut pair = Pair::default();
        for (kind, random) in seeds {
            pair.insert(match kind {
                0 => random % 4 * 10_000,
                1 => 20_000_000 + random % (1 << 24),
                2 => 5_000_000_000 + random % 8 * 1_000_000,
                _ => (1 << 45) + random % (1 << 34),
            });
        }
        for step in &steps {
            pair.step(step);
            pair.check();
        }
        pair.run_out();
    }
}
