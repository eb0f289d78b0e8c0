//! Counts near their ends: they stop there, in debug and in release alike.

mod support;

use std::cell::Cell;
use std::rc::Rc;

use support::{Bed, Log, forever, yield_now};

#[test]
fn a_thousand_requests_before_a_step_are_one_end_and_all_are_counted() {
    let bed = Bed::new();
    let task = bed.scheduler.create_task(forever());
    for count in 1..=1_000 {
        assert!(task.cancel());
        assert_eq!(task.cancelling(), count);
    }
    bed.settle();
    assert!(task.cancelled());
    assert!(!task.cancel());
    for left in (0..1_000).rev() {
        assert_eq!(task.uncancel(), left);
    }
    assert_eq!(task.uncancel(), 0, "never below zero");
    assert!(task.cancelled(), "what has ended stays as it is");
}

#[test]
#[cfg_attr(miri, ignore = "so many take it too long")]
fn a_task_bears_a_great_many_callbacks_handles_and_waits() {
    let bed = Bed::new();
    let called = Rc::new(Cell::new(0));
    let task = bed.scheduler.create_task(yield_now());
    let handles: Vec<_> = (0..100_000).map(|_| task.any()).collect();
    for handle in &handles {
        let called = called.clone();
        handle.add_done_callback(move |_| called.set(called.get() + 1));
    }
    let waits: Vec<_> = handles
        .iter()
        .map(|handle| bed.scheduler.create_task(handle.clone().into_future()))
        .collect();
    bed.settle();
    assert_eq!(called.get(), 100_000);
    assert!(waits.iter().all(corio_core::Task::done));
    assert!(handles.iter().all(corio_core::AnyTask::is_settled));
}

/// Slots and keys come round again; more tasks than a key has generations for one slot.
#[test]
#[cfg_attr(miri, ignore = "so many take it too long")]
fn the_numbers_of_tasks_go_on_where_the_bits_of_their_keys_come_round() {
    let bed = Bed::new();
    let log = Log::new();
    for number in 1..=70_000u64 {
        let task = bed.scheduler.create_task(async {
            yield_now().await;
        });
        assert_eq!(task.id().get(), number);
        bed.settle();
        assert!(task.done());
    }
    let last = bed.scheduler.create_task({
        let log = log.clone();
        async move { log.add("ran") }
    });
    assert_eq!(last.name(), "Task-70001");
    bed.settle();
    assert_eq!(log.take(), ["ran"]);
}

#[test]
fn a_very_large_future_and_an_aligned_one_are_tasks_like_any_other() {
    #[repr(align(256))]
    struct Aligned(u8);
    let bed = Bed::new();
    let large = bed.scheduler.create_task(async {
        let block = [7u8; 40_000];
        yield_now().await;
        block.iter().map(|byte| u64::from(*byte)).sum::<u64>()
    });
    let aligned = bed.scheduler.create_task(async {
        let value = Aligned(3);
        yield_now().await;
        assert_eq!((&raw const value).addr() % 256, 0);
        value
    });
    let nothing = bed.scheduler.create_task(std::future::ready(()));
    bed.settle();
    assert_eq!(large.into_result().unwrap(), 280_000);
    assert_eq!(aligned.into_result().unwrap().0, 3);
    nothing.into_result().unwrap();
}
