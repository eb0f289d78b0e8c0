//! A key reaches its own timer or none.

use std::collections::HashSet;

use corio_timer::{TimerKey, Wheel};

fn is_unknown(wheel: &mut Wheel<u32>, key: TimerKey) {
    assert_eq!(wheel.get(key), None);
    assert_eq!(wheel.get_mut(key), None);
    assert_eq!(wheel.deadline(key), None);
    assert!(!wheel.reset(key, 1));
    assert_eq!(wheel.cancel(key), None);
}

#[test]
fn a_key_is_found_until_its_timer_fires() {
    let mut wheel = Wheel::new();
    let key = wheel.insert(100, 1);
    *wheel.get_mut(key).unwrap() += 1;
    assert_eq!((wheel.get(key), wheel.deadline(key)), (Some(&2), Some(100)));
    assert_eq!(wheel.expire(100), Some(2));
    is_unknown(&mut wheel, key);
}

#[test]
fn a_key_does_not_reach_the_timer_that_took_its_place() {
    let mut wheel = Wheel::new();
    let old = wheel.insert(100, 1);
    wheel.cancel(old);
    let new = wheel.insert(100, 2);
    assert_ne!(old, new);
    is_unknown(&mut wheel, old);
    assert_eq!(wheel.get(new), Some(&2));
}

#[test]
fn no_key_is_given_twice() {
    let mut wheel = Wheel::new();
    let mut seen = HashSet::new();
    for n in 0..10_000u32 {
        let key = wheel.insert(u64::from(n), n);
        assert!(seen.insert(key) && key.to_bits() != 0);
        if n % 3 == 0 {
            wheel.cancel(key);
        } else if n % 5 == 0 {
            wheel.expire(u64::from(n));
        }
    }
}

#[test]
fn any_bits_make_a_key_that_is_safe_to_use() {
    let mut wheel = Wheel::new();
    let key = wheel.insert(1 << 30, 7);
    let removed = wheel.insert(1 << 30, 8);
    wheel.cancel(removed);
    let unused = removed.to_bits() + (1 << 32);
    for bits in [
        0,
        1,
        u64::MAX,
        u64::from(u32::MAX),
        1 << 32 | u64::from(u32::MAX),
        1 << 63,
        unused,
    ] {
        is_unknown(&mut wheel, TimerKey::from_bits(bits));
    }
    assert_eq!(TimerKey::from_bits(key.to_bits()), key);
    assert_eq!((wheel.len(), wheel.get(key)), (1, Some(&7)));
}
