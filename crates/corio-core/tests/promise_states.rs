//! The life of a promise: one outcome, waiters in their order, and no trace when it is never settled.

mod support;

use std::rc::Rc;

use corio_core::{InvalidState, Promise, TaskError, Whereabouts, find_scheduler};
use support::{Bed, Count, Drops, Log, OnDrop, poll_with, raise, yield_now};

fn state<T>(promise: &Promise<T>) -> &'static str {
    match promise.result() {
        Ok(_) => "value",
        Err(TaskError::NotDone) => "not done",
        Err(TaskError::Cancelled(_)) => "cancelled",
        Err(_) => unreachable!("a promise knows no other outcome"),
    }
}

#[test]
fn the_first_outcome_stays() {
    let bed = Bed::new();
    let pending = bed.scheduler.create_promise::<i32>();
    assert_eq!(state(&pending), "not done");
    assert!(!pending.done() && !pending.cancelled());
    assert!(pending.cancel());
    assert!(pending.done() && pending.cancelled());
    assert!(!pending.cancel());
    assert_eq!(pending.set_result(1), Err(InvalidState));
    assert_eq!(state(&pending), "cancelled");

    let set = bed.scheduler.create_promise();
    assert_eq!(set.set_result(3), Ok(()));
    assert_eq!(set.set_result(4), Err(InvalidState));
    assert!(!set.cancel());
    assert_eq!(set.result().unwrap(), &3);
    assert!(set.done() && !set.cancelled());
}

#[test]
fn a_refused_value_is_dropped_and_the_first_one_with_the_last_handle() {
    let bed = Bed::new();
    let (kept, refused) = (Drops::new(), Drops::new());
    let promise = bed.scheduler.create_promise();
    promise.set_result(kept.guard()).unwrap();
    assert!(promise.set_result(refused.guard()).is_err());
    assert_eq!((kept.count(), refused.count()), (0, 1));
    let other = promise.clone();
    drop(promise);
    assert_eq!(kept.count(), 0);
    drop(other);
    assert_eq!(kept.count(), 1);
}

#[test]
fn waiters_and_callbacks_run_in_the_order_in_which_they_came() {
    let bed = Bed::new();
    let log = Log::new();
    let promise = bed.scheduler.create_promise::<i32>();
    let say = |text: &'static str| {
        let log = log.clone();
        move |_: &Promise<i32>| log.add(text)
    };
    let wait = |text: &'static str| {
        let (log, promise) = (log.clone(), promise.clone());
        bed.scheduler.create_task(async move {
            let value = promise.await.unwrap();
            log.add(format!("{text} {value}"));
        });
    };
    promise.add_done_callback(say("cb1"));
    wait("w1");
    bed.turn();
    promise.add_done_callback(say("cb2"));
    wait("w2");
    bed.turn();
    let twice = [
        promise.add_done_callback(say("cb3")),
        promise.add_done_callback(say("cb3")),
    ];
    bed.scheduler.call_soon({
        let log = log.clone();
        move || log.add("queued before")
    });
    promise.set_result(7).unwrap();
    assert_eq!(log.take(), [""; 0], "nobody runs at once");
    promise.add_done_callback(say("cb4"));
    bed.scheduler.call_soon({
        let log = log.clone();
        move || log.add("queued behind")
    });
    assert!(!twice.iter().any(|id| promise.remove_done_callback(*id)));
    bed.turn();
    assert_eq!(
        log.take(),
        [
            "queued before",
            "cb1",
            "w1 7",
            "cb2",
            "w2 7",
            "cb3",
            "cb3",
            "cb4",
            "queued behind"
        ]
    );
    bed.settle();
    assert_eq!(log.take(), [""; 0]);
}

#[test]
fn callbacks_are_taken_back_by_their_own_number_only() {
    let bed = Bed::new();
    let log = Log::new();
    let (one, two) = (
        bed.scheduler.create_promise::<i32>(),
        bed.scheduler.create_promise::<i32>(),
    );
    let waiter = bed.scheduler.create_task({
        let one = one.clone();
        async move { one.await.unwrap() }
    });
    bed.settle();
    let id = two.add_done_callback({
        let log = log.clone();
        move |_| log.add("two")
    });
    assert!(
        !one.remove_done_callback(id),
        "it is not a callback of this promise"
    );
    one.set_result(1).unwrap();
    bed.settle();
    assert!(waiter.done(), "the waiter was taken away instead");
    assert!(two.remove_done_callback(id));
    assert!(!two.remove_done_callback(id));
    two.set_result(2).unwrap();
    bed.settle();
    assert_eq!(log.take(), [""; 0]);
}

#[test]
fn callbacks_that_add_and_remove_while_they_run_skip_nobody() {
    let bed = Bed::new();
    let log = Log::new();
    let promise = bed.scheduler.create_promise::<()>();
    let first = promise.add_done_callback({
        let log = log.clone();
        move |promise| {
            log.add("1");
            promise.add_done_callback(move |_| log.add("3"));
        }
    });
    promise.add_done_callback({
        let log = log.clone();
        move |promise| {
            log.add("2");
            assert!(!promise.remove_done_callback(first));
        }
    });
    promise.set_result(()).unwrap();
    bed.settle();
    assert_eq!(log.take(), ["1", "2", "3"]);
}

#[test]
fn a_callback_that_panics_is_reported_and_the_next_one_runs() {
    let bed = Bed::new();
    let log = Log::new();
    let promise = bed.scheduler.create_promise();
    promise.add_done_callback(|_| raise("boom"));
    promise.add_done_callback({
        let log = log.clone();
        move |_| log.add("still runs")
    });
    promise.set_result(1).unwrap();
    bed.settle();
    assert_eq!(bed.take_reports(), ["exception in callback: boom"]);
    assert_eq!(log.take(), ["still runs"]);
}

#[test]
fn a_promise_that_is_cancelled_cancels_nobody_but_says_so() {
    let bed = Bed::new();
    let promise = bed.scheduler.create_promise::<i32>();
    let waiter = bed.scheduler.create_task({
        let promise = promise.clone();
        async move { promise.await.unwrap_err().is_cancelled() }
    });
    bed.settle();
    promise.cancel();
    bed.settle();
    assert!(waiter.into_result().unwrap());
}

#[test]
fn a_waiter_that_is_cancelled_together_with_its_promise_ends_cancelled() {
    for promise_first in [true, false] {
        let bed = Bed::new();
        let promise = bed.scheduler.create_promise::<i32>();
        let waiter = bed.scheduler.create_task(promise.clone().into_future());
        bed.settle();
        if promise_first {
            promise.cancel();
        }
        assert!(waiter.cancel());
        promise.cancel();
        bed.settle();
        assert!(waiter.cancelled() && promise.cancelled());
        assert!(bed.take_reports().is_empty());
    }
}

#[test]
fn a_cancelled_waiter_leaves_the_promise_alone() {
    let bed = Bed::new();
    let promise = bed.scheduler.create_promise::<i32>();
    let waiters = [(); 3].map(|()| {
        let promise = promise.clone();
        bed.scheduler
            .create_task(async move { promise.await.unwrap() })
    });
    bed.settle();
    waiters[0].cancel();
    waiters[1].cancel();
    bed.settle();
    assert!(!promise.done());
    promise.set_result(4).unwrap();
    bed.settle();
    assert!(waiters[0].cancelled() && waiters[1].cancelled());
    assert_eq!(waiters[2].result().unwrap(), &4);
}

#[test]
fn a_done_promise_is_ready_at_once_by_value_and_by_reference() {
    let bed = Bed::new();
    let promise = bed.scheduler.create_promise();
    promise.set_result(vec![1]).unwrap();
    let task = bed.scheduler.create_task(async move {
        let steps = corio_core::Scheduler::current().unwrap().steps();
        assert_eq!((&promise).await.unwrap(), &[1]);
        assert_eq!(promise.await.unwrap(), [1]);
        assert_eq!(corio_core::Scheduler::current().unwrap().steps(), steps);
    });
    bed.settle();
    task.into_result().unwrap();
}

#[test]
fn a_waiter_that_is_polled_with_another_waker_keeps_its_place() {
    let bed = Bed::new();
    let promise = bed.scheduler.create_promise::<i32>();
    for others in [0, 2] {
        let promise = bed.scheduler.create_promise::<i32>();
        let (first, a) = Count::new();
        let (second, b) = Count::new();
        let mut wait = promise.clone().into_future();
        assert!(poll_with(&mut wait, &a).is_pending());
        let mut rest: Vec<_> = (0..others).map(|_| promise.clone().into_future()).collect();
        for wait in &mut rest {
            assert!(poll_with(wait, &a).is_pending());
        }
        assert!(poll_with(&mut wait, &b).is_pending());
        assert!(rest.iter_mut().all(|wait| poll_with(wait, &b).is_pending()));
        promise.set_result(1).unwrap();
        assert_eq!((first.get(), second.get()), (0, 1 + others));
        assert!(poll_with(&mut wait, &b).is_ready());
    }
    drop(promise);
}

#[test]
fn a_promise_that_is_never_settled_leaves_nothing_behind() {
    let drops = Drops::new();
    let number = {
        let bed = Bed::new();
        let promise = bed.scheduler.create_promise::<Rc<i32>>();
        let guard = drops.guard();
        promise.add_done_callback(move |_| drop(guard));
        bed.scheduler.number()
    };
    assert_eq!(
        drops.count(),
        1,
        "the callback kept the promise, and the promise the callback"
    );
    assert!(matches!(find_scheduler(number), Whereabouts::Gone));
}

#[test]
fn a_callback_gets_the_promise_also_when_every_handle_has_gone() {
    let bed = Bed::new();
    let log = Log::new();
    let promise = bed.scheduler.create_promise();
    promise.add_done_callback({
        let log = log.clone();
        move |promise: &Promise<i32>| log.add(format!("{}", promise.result().unwrap()))
    });
    promise.set_result(5).unwrap();
    drop(promise);
    bed.settle();
    assert_eq!(log.take(), ["5"]);
}

#[test]
fn the_destructor_of_a_value_may_use_the_promise() {
    let bed = Bed::new();
    let promise = bed.scheduler.create_promise::<Box<dyn std::any::Any>>();
    promise.set_result(Box::new(1)).unwrap();
    let again = promise.clone();
    let refused = OnDrop::new(move || {
        assert!(again.done());
        again.add_done_callback(|_| ());
        assert!(again.set_result(Box::new(2)).is_err());
    });
    assert!(promise.set_result(Box::new(refused)).is_err());
    bed.settle();
}

#[test]
fn a_promise_of_another_loop_is_refused_until_it_has_an_outcome() {
    // C018
    let (here, there) = (Bed::new(), Bed::new());
    let promise = there.scheduler.create_promise();
    let own = here.scheduler.create_task({
        let promise = promise.clone();
        async move { promise.await }
    });
    let looking = here.scheduler.create_task({
        let promise = promise.clone();
        async move { (&promise).await.copied() }
    });
    here.settle();
    for task in [own, looking] {
        let Err(TaskError::Panicked(panic)) = task.into_result() else {
            panic!("another outcome")
        };
        let message = panic.message();
        assert!(
            message.starts_with("this promise belongs to another event loop"),
            "{message}"
        );
    }
    promise.set_result(1).unwrap();
    let late = here.scheduler.create_task(promise.into_future());
    here.settle();
    assert_eq!(late.into_result().unwrap().unwrap(), 1);
}

#[test]
fn a_promise_outlives_its_loop() {
    let log = Log::new();
    let promise = {
        let bed = Bed::new();
        let promise = bed.scheduler.create_promise();
        promise.add_done_callback({
            let log = log.clone();
            move |_| log.add("called")
        });
        let waiting = promise.clone();
        bed.scheduler
            .create_task(async move { waiting.await.unwrap() });
        bed.settle();
        promise
    };
    promise.set_result(1).unwrap();
    assert_eq!(promise.result().unwrap(), &1);
    assert_eq!(log.take(), [""; 0], "a closed loop calls nothing");
}

#[test]
fn the_state_is_in_the_debug_output() {
    let bed = Bed::new();
    let promise = bed.scheduler.create_promise::<i32>();
    assert_eq!(format!("{promise:?}"), "<Promise pending>");
    promise.set_result(1).unwrap();
    assert_eq!(format!("{promise:?}"), "<Promise finished>");
    let promise = bed.scheduler.create_promise::<i32>();
    promise.cancel();
    assert_eq!(format!("{promise:?}"), "<Promise cancelled>");
    bed.scheduler.create_task(yield_now());
    bed.settle();
}
