//! The order of the line while it moves, and its batches.

use std::panic::Location;

use super::*;
use crate::scheduler::Scheduler;

fn callback(scheduler: &Scheduler) -> CellRef {
    CellRef::callback(|| {}, Location::caller(), scheduler.clone())
}

/// A queue of callbacks that do nothing.
struct Callbacks {
    // It goes before the scheduler of what is in it.
    ready: Ready,
    scheduler: Scheduler,
}

impl Callbacks {
    fn new() -> Callbacks {
        Callbacks {
            ready: Ready::new(),
            scheduler: Scheduler::new(|| {}),
        }
    }

    fn push(&self) {
        self.ready.push_callback(callback(&self.scheduler));
    }

    /// Takes the next one of the stretch. False: there is none.
    fn take(&self) -> bool {
        self.ready.take_next().map(Queued::into_owned).is_some()
    }
}

impl Drop for Callbacks {
    fn drop(&mut self) {
        self.scheduler.close();
    }
}

#[test]
fn the_order_stays_while_the_line_moves_and_grows() {
    let scheduler = Scheduler::new(|| {});
    let ready = Ready::new();
    let mut next = 0_u32;
    let mut taken = 0_u32;
    let push = |number: &mut u32| {
        let cell = callback(&scheduler);
        cell.wait_kind.set(*number as u16);
        ready.push_callback(cell);
        *number += 1;
    };
    for round in 0..200_u32 {
        for _ in 0..(round * 7) % 40 {
            push(&mut next);
        }
        while ready.len() > (round as usize * 3) % 30 {
            assert!(ready.begin_stretch(3, false) > 0);
            while let Some(queued) = ready.take_next() {
                let cell = queued.into_owned();
                assert_eq!(cell.wait_kind.get(), taken as u16);
                taken += 1;
                if taken % 5 == 0 {
                    push(&mut next);
                }
            }
        }
        assert_eq!(ready.taken(), u64::from(taken));
        ready.rest();
    }
    assert!(taken > 1000);
    drop(ready);
    scheduler.close();
}

#[test]
fn a_batch_is_what_was_queued_when_it_began() {
    let line = Callbacks::new();
    let ready = &line.ready;
    line.push();
    line.push();
    assert_eq!(ready.begin_stretch(1, false), 1);
    line.push();
    assert!(line.take());
    assert!(!line.take());
    assert_eq!(ready.left(), 1);
    assert_eq!(ready.begin_stretch(u64::MAX, true), 1);
    assert!(line.take());
    assert_eq!(ready.begin_stretch(u64::MAX, true), 0);
    assert_eq!(ready.begin_stretch(u64::MAX, false), 1);
}

#[test]
fn a_large_buffer_goes_back_when_it_has_not_been_needed_for_a_while() {
    let scheduler = Scheduler::new(|| {});
    let ready = Ready::new();
    for _ in 0..10_000 {
        ready.push_callback(callback(&scheduler));
    }
    while ready.pop_owned().is_some() {}
    assert!(ready.room() >= 10_000);
    for _ in 0..=PATIENCE + 1 {
        ready.rest();
    }
    assert_eq!(ready.room(), 0);
    assert_eq!(ready.taken(), 10_000);
    drop(ready);
    scheduler.close();
}

#[test]
fn a_batch_begins_without_asking_only_if_it_is_granted_as_a_whole() {
    let line = Callbacks::new();
    let ready = &line.ready;
    line.push();
    line.push();
    assert!(!ready.begin_granted(), "nothing was granted");
    ready.grant(3);
    assert!(ready.begin_granted());
    line.push();
    assert!(line.take() && line.take() && !line.take());
    assert!(ready.begin_granted());
    assert!(line.take() && !line.take());
    assert!(!ready.begin_granted(), "an empty batch is none");
    line.push();
    assert!(!ready.begin_granted(), "all that was granted is used up");
    ready.grant(1);
    line.push();
    assert!(!ready.begin_granted(), "only a part of it is granted");
    ready.grant(2);
    ready.grant(0);
    assert!(!ready.begin_granted(), "the grant was taken back");
}

#[test]
fn nothing_is_granted_within_a_batch() {
    let line = Callbacks::new();
    let ready = &line.ready;
    line.push();
    line.push();
    assert_eq!(ready.begin_stretch(1, false), 1);
    ready.grant(100);
    assert!(line.take() && !line.take());
    assert!(!ready.begin_granted(), "one of the batch is left");
    assert_eq!(ready.begin_stretch(1, false), 1);
    ready.grant(100);
    line.push();
    assert!(line.take() && !line.take());
    assert!(ready.begin_granted(), "the batch was over with the stretch");
    assert!(line.take());
    ready.grant(100);
    line.push();
    assert_eq!(ready.begin_stretch(1, false), 1);
    line.push();
    assert!(line.take() && !line.take());
    assert!(
        !ready.begin_granted(),
        "a stretch that was asked for ends what was granted"
    );
}

#[test]
fn what_is_granted_moves_with_the_line() {
    let line = Callbacks::new();
    let ready = &line.ready;
    line.push();
    let room = ready.room();
    assert_eq!(ready.begin_stretch(1, false), 1);
    ready.grant(3 * room as u64);
    assert!(line.take() && !line.take());
    for length in [room, room * 2] {
        for _ in 0..length {
            line.push();
        }
        assert!(ready.room() >= length);
        assert!(ready.begin_granted());
        for _ in 0..length {
            assert!(line.take());
        }
    }
    assert!(!line.take());
    line.push();
    assert!(
        !ready.begin_granted(),
        "as many as were granted, and no more"
    );
}
