//! The steady state allocates nothing, and what was needed at the peak is enough for ever.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

use corio_timer::Wheel;

struct Counting;

thread_local! {
    static ALLOCATIONS: Cell<usize> = const { Cell::new(0) };
}

fn count() {
    // Fails only while the thread ends, when no test is counting.
    let _ = ALLOCATIONS.try_with(|count| count.set(count.get() + 1));
}

// SAFETY: every call goes to the system allocator unchanged; counting allocates nothing.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count();
        // SAFETY: the caller keeps the contract of `alloc`.
        unsafe { System.alloc(layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        count();
        // SAFETY: the caller keeps the contract of `realloc`.
        unsafe { System.realloc(pointer, layout, size) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: the caller keeps the contract of `dealloc`.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

fn allocations(work: impl FnOnce()) -> usize {
    let before = ALLOCATIONS.get();
    work();
    ALLOCATIONS.get() - before
}

#[test]
fn the_counter_counts() {
    assert_eq!(allocations(|| drop(std::hint::black_box(Box::new(1)))), 1);
}

/// Sleeps of all lengths, resets and timeouts that never fire, with up to 1,000 alive.
fn churn(wheel: &mut Wheel<u64>, steps: u64) {
    let mut keys = std::collections::VecDeque::with_capacity(2_000);
    let mut random = 0x2545_f491_4f6c_dd1d_u64;
    for step in 0..steps {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        let now = wheel.now() + random % 40_000;
        while wheel.expire(now).is_some() {}
        if wheel.len() < 1_000 {
            keys.push_back(wheel.insert(now + random % (1 << (step % 26)), step));
            wheel.insert(now, step);
        }
        if keys.len() > 500 {
            let key = keys.pop_front().unwrap();
            if step % 2 == 0 {
                wheel.cancel(key);
            } else {
                wheel.reset(key, now + 1_000_000);
            }
        }
        wheel.next_wake();
    }
}

#[test]
fn the_steady_state_allocates_nothing() {
    let mut wheel = Wheel::with_capacity(1_001);
    churn(&mut wheel, 100_000);
    let capacity = wheel.capacity();
    let churned = allocations(|| churn(&mut wheel, 200_000));
    assert_eq!(churned, 1, "more than the queue of keys in `churn`");
    assert_eq!(wheel.capacity(), capacity);
}

#[test]
fn millions_inserted_and_cancelled_leave_nothing_behind() {
    let mut wheel = Wheel::new();
    let mut keys = Vec::with_capacity(100_000);
    let mut fill_and_empty = |wheel: &mut Wheel<u64>| {
        for n in 0..100_000 {
            keys.push(wheel.insert(wheel.now() + n * 30_011, n));
        }
        for key in keys.drain(..) {
            assert!(wheel.cancel(key).is_some());
        }
    };
    fill_and_empty(&mut wheel);
    let capacity = wheel.capacity();
    let again = allocations(|| {
        for round in 1..20 {
            wheel.expire(round * 1_000_000_000);
            fill_and_empty(&mut wheel);
        }
    });
    assert_eq!(again, 0);
    assert_eq!((wheel.len(), wheel.capacity()), (0, capacity));
    assert_eq!(wheel.next_wake(), None);
}

#[test]
fn a_reserved_wheel_does_not_grow() {
    let mut wheel = Wheel::with_capacity(1_000);
    let inserted = allocations(|| {
        for n in 0..1_000 {
            wheel.insert(n << 20, n);
        }
    });
    assert_eq!(inserted, 0);
}
