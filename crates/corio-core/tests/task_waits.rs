//! Waiting for tasks: who is woken, what is refused, and what a wait sees of the end.

mod support;

use std::cell::RefCell;
use std::rc::Rc;

use corio_core::{EndWait, Task, TaskError};
use support::{
    Bed, Count, Drops, Log, OnDrop, forever, panic_of, poll_once, poll_with, raise, yield_now,
};

#[test]
fn the_last_waker_of_a_wait_is_woken_and_no_other() {
    let bed = Bed::new();
    let task = bed.scheduler.create_task(yield_now());
    let ((first, a), (second, b)) = (Count::new(), Count::new());
    let mut watch = task.watch();
    assert!(poll_with(&mut watch, &a).is_pending());
    assert!(poll_with(&mut watch, &b).is_pending());
    drop(a);
    assert_eq!(
        std::sync::Arc::strong_count(&first),
        1,
        "the first waker was let go"
    );
    bed.settle();
    assert_eq!((first.get(), second.get()), (0, 1));
    assert!(poll_with(&mut watch, &b).is_ready());
}

#[test]
fn a_wait_that_moves_to_another_task_wakes_that_one() {
    let bed = Bed::new();
    let target = bed.scheduler.create_task(async {
        for _ in 0..4 {
            yield_now().await;
        }
        9
    });
    let slot = Rc::new(RefCell::new(Some(target.into_future())));
    let first = bed.scheduler.create_task({
        let slot = slot.clone();
        async move {
            let mut wait = slot.take().unwrap();
            assert!(poll_once(&mut wait).await.is_pending());
            *slot.borrow_mut() = Some(wait);
            forever().await;
        }
    });
    bed.turn();
    let second = bed.scheduler.create_task({
        let slot = slot.clone();
        async move { slot.take().unwrap().await.unwrap() }
    });
    bed.settle();
    assert_eq!(second.into_result().unwrap(), 9);
    assert!(!first.done());
}

#[test]
fn everybody_who_waits_is_woken_in_the_order_of_coming() {
    let bed = Bed::new();
    let log = Log::new();
    let task = Rc::new(bed.scheduler.create_task(async {
        for _ in 0..3 {
            yield_now().await;
        }
        "v"
    }));
    for name in ["a", "b", "c", "d"] {
        let (task, log) = (task.clone(), log.clone());
        bed.scheduler.create_task(async move {
            let value = (&*task).await.unwrap();
            log.add(format!("{name} {value}"));
        });
    }
    bed.turn();
    // One that leaves makes no gap.
    let any = task.any();
    let mut leaving = EndWait::new(&any);
    let (count, waker) = Count::new();
    assert!(
        leaving
            .poll_end(&mut std::task::Context::from_waker(&waker))
            .is_pending()
    );
    drop(leaving);
    bed.settle();
    assert_eq!(log.take(), ["a v", "b v", "c v", "d v"]);
    assert_eq!(count.get(), 0);
}

#[test]
fn waits_that_come_and_go_before_the_end_leave_the_others_alone() {
    let bed = Bed::new();
    let task = bed.scheduler.create_task(async {
        for _ in 0..3 {
            yield_now().await;
        }
    });
    let any = task.any();
    let mut waits: Vec<_> = (0..6).map(|_| EndWait::new(&any)).collect();
    let counts: Vec<_> = (0..6).map(|_| Count::new()).collect();
    for (wait, (_, waker)) in waits.iter_mut().zip(&counts) {
        assert!(poll_with(wait, waker).is_pending());
    }
    for index in [4, 2, 0] {
        drop(waits.remove(index));
    }
    bed.settle();
    let woken: Vec<usize> = counts.iter().map(|(count, _)| count.get()).collect();
    assert_eq!(woken, [0, 1, 0, 1, 0, 1]);
}

#[test]
fn a_task_whose_waits_have_all_gone_is_not_awaited() {
    let bed = Bed::new();
    let task = bed.scheduler.create_task(forever());
    let ((_first, a), (_second, b)) = (Count::new(), Count::new());
    for wakers in [[&a, &b], [&b, &a]] {
        let mut watch = task.watch();
        for waker in wakers {
            assert!(poll_with(&mut watch, waker).is_pending());
        }
        assert!(task.any().is_awaited());
        drop(watch);
        assert!(!task.any().is_awaited());
    }
}

#[test]
fn a_finished_task_is_awaited_without_a_turn() {
    let bed = Bed::new();
    let task = bed.scheduler.create_task(async { 5 });
    let waiter = bed.scheduler.create_task(async move {
        assert_eq!(*(&task).await.unwrap(), 5);
        let steps = corio_core::Scheduler::current().unwrap().steps();
        assert_eq!(*(&task).await.unwrap(), 5);
        task.any().await.unwrap();
        assert_eq!(task.await.unwrap(), 5);
        assert_eq!(corio_core::Scheduler::current().unwrap().steps(), steps);
    });
    bed.settle();
    waiter.into_result().unwrap();
}

#[test]
fn a_panic_reaches_the_waiter_after_the_future_was_dropped() {
    let bed = Bed::new();
    let log = Log::new();
    let task = bed.scheduler.create_task({
        let guard = OnDrop::new({
            let log = log.clone();
            move || log.add("future dropped")
        });
        async move {
            let _guard = guard;
            yield_now().await;
            raise("the payload");
        }
    });
    let waiter = bed.scheduler.create_task({
        let log = log.clone();
        async move {
            let error = task.await.unwrap_err();
            log.add(format!("joined: {error}"));
            error
        }
    });
    bed.settle();
    assert_eq!(
        log.take(),
        ["future dropped", "joined: panicked: the payload"]
    );
    let TaskError::Panicked(panic) = waiter.into_result().unwrap() else {
        panic!("another outcome")
    };
    assert_eq!(panic_of(|| panic.clone().resume()), "the payload");
    assert_eq!(
        panic_of(|| panic.resume()),
        "the payload",
        "the message serves again"
    );
    assert_eq!(bed.take_reports(), [""; 0]);
}

#[test]
fn a_task_that_awaits_itself_is_told_so() {
    let bed = Bed::new();
    let slot = Rc::new(RefCell::new(None::<Task<()>>));
    let task = bed.scheduler.create_task({
        let slot = slot.clone();
        async move {
            let me = slot.take().unwrap();
            me.await.unwrap();
        }
    });
    let any = task.any();
    *slot.borrow_mut() = Some(task.named("narcissus"));
    bed.settle();
    let TaskError::Panicked(panic) = any.result().unwrap_err() else {
        panic!("another outcome")
    };
    assert_eq!(panic.message(), "task 'narcissus' cannot await itself");
}

#[test]
fn a_task_of_another_loop_is_refused_by_name_and_a_finished_one_is_not() {
    let bed = Bed::new();
    let other = Bed::new();
    let foreign = other.scheduler.create_task(async { 3 }).named("stranger");
    let any = foreign.any();
    let waiter = bed
        .scheduler
        .create_task(async move { foreign.await.unwrap() });
    bed.settle();
    let TaskError::Panicked(panic) = waiter.into_result().unwrap_err() else {
        panic!("another outcome")
    };
    assert!(
        panic
            .message()
            .starts_with("task 'stranger' belongs to another event loop")
    );
    other.settle();
    assert!(any.done());
    let waiter = bed.scheduler.create_task(async move { any.await });
    bed.settle();
    waiter.into_result().unwrap().unwrap();
}

#[test]
fn a_finished_wait_is_not_polled_again() {
    let bed = Bed::new();
    let task = bed.scheduler.create_task(async { 3 });
    bed.settle();
    let (_, waker) = Count::new();
    let mut wait = task.into_future();
    assert!(poll_with(&mut wait, &waker).is_ready());
    assert_eq!(
        panic_of(|| poll_with(&mut wait, &waker)),
        "a finished wait was polled again"
    );
    bed.settle();
    assert_eq!(
        panic_of(|| poll_with(&mut wait, &waker)),
        "a finished wait was polled again"
    );
}

#[test]
fn a_cancellation_is_told_with_its_reason_to_whoever_asks_for_the_result() {
    let bed = Bed::new();
    let task = bed
        .scheduler
        .create_task(async { unreachable!("it never began") });
    let waiter = bed.scheduler.create_task(task.any().into_future());
    assert!(task.cancel_with("not today"));
    bed.settle();
    let reason = |result: Result<(), TaskError>| match result {
        Err(TaskError::Cancelled(cancelled)) => cancelled.reason().map(str::to_owned),
        other => panic!("{other:?}"),
    };
    let results = [
        task.result().copied(),
        task.any().result(),
        waiter.into_result().unwrap(),
        task.result().copied(),
        task.into_result(),
    ];
    for result in results {
        assert_eq!(reason(result).as_deref(), Some("not today"));
    }
}

#[test]
fn asking_for_the_result_too_early_is_not_done_and_lets_the_task_run_on() {
    let bed = Bed::new();
    let drops = Drops::new();
    let guard = drops.guard();
    let task = bed.scheduler.create_task(async move {
        yield_now().await;
        drop(guard);
    });
    assert!(task.result().unwrap_err().is_not_done());
    assert!(task.any().result().unwrap_err().is_not_done());
    assert!(task.into_result().unwrap_err().is_not_done());
    bed.settle();
    assert_eq!(drops.count(), 1);
}

#[test]
fn a_wait_outside_of_any_task_works_with_any_waker() {
    let bed = Bed::new();
    let task = bed.scheduler.create_task(async { 3 });
    let (count, waker) = Count::new();
    let mut wait = task.into_future();
    assert!(poll_with(&mut wait, &waker).is_pending());
    bed.settle();
    assert_eq!(count.get(), 1);
    let std::task::Poll::Ready(result) = poll_with(&mut wait, &waker) else {
        panic!("still pending")
    };
    assert_eq!(result.unwrap(), 3);
}

#[test]
fn a_wait_by_value_that_is_dropped_ends_its_task_and_a_watch_does_not() {
    let bed = Bed::new();
    let owned = bed.scheduler.create_task(forever());
    let watched = bed.scheduler.create_task(forever());
    let unpolled = bed.scheduler.create_task(forever());
    let any = [owned.any(), watched.any(), unpolled.any()];
    let (_, waker) = Count::new();
    let mut wait = owned.into_future();
    assert!(poll_with(&mut wait, &waker).is_pending());
    let mut watch = watched.watch();
    assert!(poll_with(&mut watch, &waker).is_pending());
    drop((wait, watch));
    drop(unpolled.into_future());
    bed.settle();
    assert_eq!(any.map(|task| task.cancelled()), [true, false, false]);
}
