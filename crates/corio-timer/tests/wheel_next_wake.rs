//! When the wheel wants to be asked again: never late, exact where it can be, and always getting somewhere.

use corio_timer::Wheel;

const SECOND: u64 = 1_000_000_000;

/// The times at which a loop that sleeps until `next_wake` wakes up.
fn wakes<T>(wheel: &mut Wheel<T>) -> Vec<u64> {
    let mut wakes = Vec::new();
    while let Some(wake) = wheel.next_wake() {
        wakes.push(wake);
        while wheel.expire(wake).is_some() {}
    }
    wakes
}

#[test]
fn an_empty_wheel_has_none() {
    let mut wheel = Wheel::new();
    assert_eq!(wheel.next_wake(), None);
    let key = wheel.insert(5, ());
    wheel.cancel(key);
    assert_eq!(wheel.next_wake(), None);
    wheel.insert(5, ());
    assert_eq!(wakes(&mut wheel), [5]);
    assert_eq!(wheel.next_wake(), None);
}

#[test]
fn a_lone_timer_wakes_the_loop_once_however_far_it_is() {
    for deadline in [
        1,
        1_000,
        65_537,
        50_000_000,
        10 * SECOND,
        3_600 * SECOND,
        u64::MAX - 1,
        u64::MAX,
    ] {
        let mut wheel = Wheel::new();
        wheel.insert(deadline, ());
        assert_eq!(wakes(&mut wheel), [deadline]);
    }
}

#[test]
fn a_few_timers_in_one_far_slot_wake_the_loop_once_each() {
    let mut wheel = Wheel::new();
    let deadlines: Vec<u64> = (0..32).map(|n| 10 * SECOND + n * 7_000_000).collect();
    for deadline in deadlines.iter().rev() {
        wheel.insert(*deadline, ());
    }
    assert_eq!(wakes(&mut wheel), deadlines);
}

#[test]
fn many_timers_in_one_far_slot_cost_few_wakes_more() {
    let mut wheel = Wheel::new();
    // The wheel knows the minimum of what is inserted; it has to search when the earliest is cancelled.
    let earliest = wheel.insert(SECOND, ());
    let count = 1_000;
    for n in 0..count {
        wheel.insert(3_600 * SECOND + n * 1_000, ());
    }
    wheel.cancel(earliest);
    let wakes = wakes(&mut wheel);
    assert_eq!(
        wakes.len() as u64,
        count + 3,
        "one each for the slots of 18 min, 4 s and 17 ms"
    );
    assert_eq!(*wakes.last().unwrap(), 3_600 * SECOND + (count - 1) * 1_000);
}

#[test]
fn what_is_on_the_finest_level_is_exact_however_many_share_a_slot() {
    let mut wheel = Wheel::new();
    let keys: Vec<_> = (0..1_000)
        .map(|n| wheel.insert(65_536 + (n * 7_919) % 60_000, ()))
        .collect();
    for key in keys {
        let earliest = wheel.next_wake();
        let deadline = wheel.deadline(key);
        assert!(earliest <= deadline);
        wheel.cancel(key);
        if earliest == deadline {
            assert_ne!(wheel.next_wake(), earliest);
        }
    }
}

#[test]
fn cancelling_the_earliest_gives_the_next() {
    let mut wheel = Wheel::new();
    let early = wheel.insert(SECOND, ());
    let middle = wheel.insert(2 * SECOND, ());
    wheel.insert(20 * SECOND, ());
    assert_eq!(wheel.next_wake(), Some(SECOND));
    wheel.cancel(early);
    assert_eq!(wheel.next_wake(), Some(2 * SECOND));
    assert!(wheel.reset(middle, 3 * SECOND));
    assert_eq!(wheel.next_wake(), Some(3 * SECOND));
    assert!(wheel.reset(middle, 30 * SECOND));
    assert_eq!(wheel.next_wake(), Some(20 * SECOND));
}

#[test]
fn timers_that_never_fire_do_not_wake_the_loop() {
    let mut wheel = Wheel::new();
    wheel.insert(60 * SECOND, ());
    for n in 0..10_000 {
        let now = n * 1_000_000;
        assert_eq!(wheel.expire(now), None);
        let timeout = wheel.insert(now + 5_000_000, ());
        assert_eq!(wheel.next_wake(), Some(now + 5_000_000));
        wheel.cancel(timeout);
        assert_eq!(wheel.next_wake(), Some(60 * SECOND));
    }
}

#[test]
fn something_due_gives_a_time_that_has_come() {
    let mut wheel = Wheel::new();
    wheel.expire(1_000);
    wheel.insert(400, ());
    let earlier = wheel.insert(200, ());
    wheel.cancel(earlier);
    let wake = wheel.next_wake().unwrap();
    assert!(wake <= 400);
    assert_eq!(wheel.expire(wake), Some(()));
}

#[test]
fn asking_in_the_middle_of_a_round_does_not_disturb_it() {
    let mut wheel = Wheel::new();
    for n in 0..100u64 {
        wheel.insert(17_000_000 + n * 50_000, n);
        wheel.insert(n, n);
    }
    let mut fired = Vec::new();
    while let Some(n) = wheel.expire(22_000_000) {
        fired.push(n);
        assert!(wheel.next_wake().is_none_or(|wake| wake <= 22_000_000));
    }
    assert_eq!(fired, (0..100).chain(0..100).collect::<Vec<_>>());
}
