//! What fires in which round, and in which order.

use corio_timer::{TimerKey, Wheel};

/// Everything that one round fires.
fn round<T>(wheel: &mut Wheel<T>, now: u64) -> Vec<T> {
    std::iter::from_fn(|| wheel.expire(now)).collect()
}

#[test]
fn equal_deadlines_fire_in_the_order_of_insertion_on_every_level() {
    for bit in [0, 15, 16, 23, 24, 31, 32, 40, 48, 56, 63] {
        let deadline = 1 << bit;
        let mut wheel = Wheel::new();
        for id in 0..100 {
            wheel.insert(deadline, id);
        }
        assert_eq!(round(&mut wheel, deadline - 1), []);
        assert_eq!(round(&mut wheel, deadline), (0..100).collect::<Vec<_>>());
    }
}

#[test]
fn equal_deadlines_fire_in_order_when_inserted_from_nearer_and_nearer() {
    let deadline = 1 << 50;
    let mut wheel = Wheel::new();
    let mut id = 0;
    for distance in [
        1 << 49,
        1 << 41,
        1 << 33,
        1 << 25,
        1 << 24,
        1 << 17,
        1 << 16,
        1 << 9,
        1,
    ] {
        for _ in 0..3 {
            assert_eq!(round(&mut wheel, deadline - distance), []);
            wheel.insert(deadline, id);
            id += 1;
        }
    }
    assert_eq!(round(&mut wheel, u64::MAX), (0..id).collect::<Vec<_>>());
}

#[test]
fn a_reset_timer_goes_behind_its_equals() {
    let mut wheel = Wheel::new();
    let a = wheel.insert(1_000, 'a');
    wheel.insert(1_000, 'b');
    assert!(wheel.reset(a, 1_000));
    wheel.insert(1_000, 'c');
    assert_eq!(wheel.deadline(a), Some(1_000));
    assert_eq!(round(&mut wheel, 1_000), ['b', 'a', 'c']);
    assert!(!wheel.reset(a, 2_000));
}

#[test]
fn a_timer_never_fires_a_nanosecond_early_nor_late() {
    for deadline in [
        1,
        65_535,
        65_536,
        65_537,
        1 << 24,
        (1 << 24) + 1,
        10_000_000_000,
        u64::MAX,
    ] {
        let mut wheel = Wheel::new();
        wheel.insert(deadline, ());
        assert_eq!(wheel.expire(deadline - 1), None);
        assert_eq!(wheel.expire(deadline), Some(()));
        assert_eq!(wheel.expire(deadline), None);
    }
}

#[test]
fn a_timer_that_is_due_when_inserted_waits_for_the_next_round() {
    let mut wheel = Wheel::new();
    wheel.insert(10, 0);
    let mut fired = Vec::new();
    while let Some(id) = wheel.expire(10) {
        fired.push(id);
        // Without the rule this would never end.
        wheel.insert(10 - id, id + 1);
    }
    assert_eq!(fired, [0]);
    assert_eq!(wheel.next_wake(), Some(10));
    assert_eq!(round(&mut wheel, 10), [1]);
}

#[test]
fn late_timers_fire_in_order_and_before_those_that_became_due_later() {
    let mut wheel = Wheel::new();
    assert_eq!(wheel.expire(1_000), None);
    wheel.insert(1_500, "then");
    wheel.insert(1_000, "now");
    wheel.insert(3, "first");
    wheel.insert(1_000, "now too");
    assert_eq!(
        round(&mut wheel, 2_000),
        ["first", "now", "now too", "then"]
    );
}

#[test]
fn timers_may_be_cancelled_and_moved_in_the_middle_of_a_round() {
    let mut wheel = Wheel::new();
    let keys: Vec<TimerKey> = (0..6).map(|id| wheel.insert(20_000_000 + id, id)).collect();
    assert_eq!(wheel.expire(30_000_000), Some(0));
    assert_eq!(wheel.cancel(keys[1]), Some(1));
    assert!(wheel.reset(keys[2], 40_000_000));
    assert!(wheel.reset(keys[4], 5));
    // These take the entries of 0 and 1, whose place in the round must not pass on to them.
    wheel.insert(50_000_000, 6);
    wheel.insert(6, 7);
    assert_eq!(round(&mut wheel, 30_000_000), [3, 5]);
    assert_eq!(round(&mut wheel, 30_000_000), [4, 7]);
    assert_eq!(round(&mut wheel, 50_000_000), [2, 6]);
}

#[test]
fn an_earlier_time_changes_nothing() {
    let mut wheel = Wheel::new();
    wheel.insert(100, 'a');
    assert_eq!(wheel.expire(50), None);
    assert_eq!(wheel.expire(0), None);
    assert_eq!(wheel.now(), 50);
    assert_eq!(wheel.expire(200), Some('a'));
    assert_eq!(wheel.expire(10), None);
    assert_eq!(wheel.now(), 200);
    wheel.insert(150, 'b');
    assert_eq!(wheel.expire(0), Some('b'));
}

#[test]
fn a_later_time_in_the_middle_of_a_round_begins_the_next() {
    let mut wheel = Wheel::new();
    for id in 0..3 {
        wheel.insert(id * 10, id);
    }
    assert_eq!(wheel.expire(10), Some(0));
    wheel.insert(5, 9);
    assert_eq!(wheel.expire(20), Some(1));
    assert_eq!(wheel.now(), 10);
    assert_eq!(wheel.expire(20), Some(9));
    assert_eq!(wheel.now(), 20);
    assert_eq!(wheel.expire(20), Some(2));
    assert_eq!(wheel.expire(20), None);
}

#[test]
fn the_key_and_the_deadline_come_with_the_value() {
    let mut wheel = Wheel::with_capacity(2);
    let key = wheel.insert(7, "x");
    assert_eq!(wheel.expire_entry(9), Some((key, 7, "x")));
}

#[test]
fn values_are_dropped_by_whoever_takes_them() {
    let value = std::rc::Rc::new(());
    let mut wheel = Wheel::new();
    let key = wheel.insert(1, value.clone());
    wheel.insert(2, value.clone());
    wheel.insert(1 << 40, value.clone());
    let cancelled = wheel.cancel(key);
    let fired = wheel.expire(2);
    assert_eq!(std::rc::Rc::strong_count(&value), 4);
    drop((cancelled, fired));
    assert_eq!(std::rc::Rc::strong_count(&value), 2);
    drop(wheel);
    assert_eq!(std::rc::Rc::strong_count(&value), 1);
}
