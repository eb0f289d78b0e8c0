//! Done callbacks: one turn after the end, in the order in which they were added, each once. While one is due, no value leaves.

mod support;

use std::cell::RefCell;
use std::rc::Rc;

use corio_core::{CallbackId, Task, TaskError};
use support::{Bed, Drops, Log, OnDrop, forever, raise, yield_now};

#[test]
fn callbacks_added_before_during_and_after_run_in_order_on_a_later_turn() {
    let bed = Bed::new();
    let log = Log::new();
    let task = bed.scheduler.create_task(async { 7 });
    let say = |text: &'static str| {
        let log = log.clone();
        move |task: &Task<i32>| log.add(format!("{text} {}", task.result().unwrap()))
    };
    task.add_done_callback(say("first"));
    task.add_done_callback({
        let (log, say) = (log.clone(), say("added while they run"));
        move |task| {
            log.add("second");
            task.add_done_callback(say);
        }
    });
    task.add_done_callback(say("third"));
    bed.turn();
    assert!(task.done());
    assert_eq!(log.take(), [""; 0], "nothing runs in the turn of the end");
    task.add_done_callback(say("added after the end"));
    assert_eq!(log.take(), [""; 0], "nor at once");
    bed.turn();
    assert_eq!(
        log.take(),
        ["first 7", "second", "third 7", "added after the end 7"]
    );
    bed.turn();
    assert_eq!(log.take(), ["added while they run 7"]);
    bed.settle();
    assert_eq!(log.take(), [""; 0]);
}

#[test]
fn removed_callbacks_do_not_run_and_are_dropped_at_once() {
    let bed = Bed::new();
    let log = Log::new();
    let drops = Drops::new();
    let task = bed.scheduler.create_task(async {});
    let add = |text: &'static str| {
        let (log, guard) = (log.clone(), drops.guard());
        task.add_done_callback(move |_| {
            let _guard = guard;
            log.add(text);
        })
    };
    let (a, b, c) = (add("a"), add("b"), add("c"));
    assert!(task.remove_done_callback(b));
    assert_eq!(drops.count(), 1);
    assert!(!task.remove_done_callback(b), "it was taken back before");
    let any = task.any();
    assert!(any.remove_done_callback(a), "either handle takes it back");
    bed.turn();
    assert!(!task.remove_done_callback(c), "it is about to be called");
    bed.settle();
    assert_eq!(log.take(), ["c"]);
    assert!(!task.remove_done_callback(c));
    assert_eq!(drops.count(), 3);
}

#[test]
fn callbacks_that_add_and_remove_others_while_they_run_skip_nobody() {
    let bed = Bed::new();
    let log = Log::new();
    let task = bed.scheduler.create_task(async {});
    let ids = Rc::new(RefCell::new(Vec::<CallbackId>::new()));
    for index in 0..10 {
        let (log, ids) = (log.clone(), ids.clone());
        let id = task.add_done_callback({
            let ids = ids.clone();
            move |task| {
                log.add(format!("{index}"));
                for id in ids.borrow().iter() {
                    assert!(!task.remove_done_callback(*id));
                }
                let log = log.clone();
                task.add_done_callback(move |_| log.add(format!("{index}'")));
            }
        });
        ids.borrow_mut().push(id);
    }
    bed.settle();
    let expected: Vec<String> = (0..10)
        .map(|i| format!("{i}"))
        .chain((0..10).map(|i| format!("{i}'")))
        .collect();
    assert_eq!(log.take(), expected);
}

#[test]
fn a_callback_that_panics_is_reported_and_the_others_run() {
    let bed = Bed::new();
    let log = Log::new();
    let task = bed.scheduler.create_task(async {}).named("job");
    task.add_done_callback(|_| raise("boom"));
    let line = line!() - 1;
    task.add_done_callback({
        let log = log.clone();
        move |_| log.add("still runs")
    });
    bed.settle();
    assert_eq!(log.take(), ["still runs"]);
    let reports = bed.reports();
    assert_eq!(reports.len(), 1);
    assert_eq!(reports[0].message(), "exception in callback");
    assert_eq!(reports[0].panic().unwrap().message(), "boom");
    let site = reports[0].site().unwrap();
    assert!(site.file().ends_with("done_callbacks.rs"));
    assert_eq!(site.line(), line);
}

#[test]
fn callbacks_of_cancelled_and_panicked_tasks_run_too() {
    let bed = Bed::new();
    let log = Log::new();
    let cancelled = bed.scheduler.create_task(forever());
    let panicked = bed.scheduler.create_task(async { raise("why") });
    for task in [cancelled.any(), panicked.any()] {
        let log = log.clone();
        task.add_done_callback(move |task| log.add(task.result().unwrap_err().to_string()));
    }
    bed.settle();
    cancelled.cancel_with("because");
    bed.settle();
    assert_eq!(log.take(), ["panicked: why", "cancelled: because"]);
    assert_eq!(bed.take_reports(), [""; 0], "a callback has seen the panic");
}

/// The waiter is woken in its place among the callbacks, and waits on until the last of them has run.
fn awaits_in_the_middle(waiter_first: bool) {
    let bed = Bed::new();
    let log = Log::new();
    let task = bed.scheduler.create_task(async {
        yield_now().await;
        yield_now().await;
        String::from("value")
    });
    let any = task.any();
    let add = |text: &'static str| {
        let log = log.clone();
        any.add_done_callback(move |_| log.add(text));
    };
    if !waiter_first {
        add("before");
    }
    let waiter = bed.scheduler.create_task({
        let log = log.clone();
        async move {
            let value = task.await.unwrap();
            log.add(format!("got {value}"));
        }
    });
    bed.turn();
    add("behind");
    any.add_done_callback({
        let log = log.clone();
        move |task| {
            log.add("adds one more");
            task.add_done_callback(move |_| log.add("one more"));
        }
    });
    bed.settle();
    assert!(waiter.done(), "the waiter was forgotten");
    let lines = log.take();
    let before: &[&str] = if waiter_first { &[] } else { &["before"] };
    let expected: Vec<&str> = before
        .iter()
        .copied()
        .chain(["behind", "adds one more", "one more", "got value"])
        .collect();
    assert_eq!(lines, expected);
}

#[test]
fn a_wait_by_value_that_came_first_goes_on_behind_the_last_callback() {
    awaits_in_the_middle(true);
}

#[test]
fn a_wait_by_value_that_came_between_goes_on_behind_the_last_callback() {
    awaits_in_the_middle(false);
}

#[test]
fn several_waits_during_the_callbacks_are_all_woken() {
    let bed = Bed::new();
    let log = Log::new();
    let task = Rc::new(bed.scheduler.create_task(async { 1 }));
    let any = task.any();
    // Waits until the value may leave, as `gather` does.
    let settled = |name: &'static str| {
        let (any, log) = (any.clone(), log.clone());
        async move {
            let mut wait = corio_core::EndWait::new(&any);
            std::future::poll_fn(|cx| wait.poll_settled(cx)).await;
            log.add(name);
        }
    };
    let early = [settled("a"), settled("b")].map(|wait| bed.scheduler.create_task(wait));
    any.add_done_callback({
        let scheduler = bed.scheduler.clone();
        let late = [settled("c"), settled("d")];
        move |any| {
            for wait in late {
                scheduler.create_task(wait);
            }
            // Keeps the value for one turn more, so that those who come now have to wait.
            let id = any.add_done_callback(|_| ());
            assert!(
                !any.remove_done_callback(id),
                "one that is due is not taken back"
            );
        }
    });
    bed.settle();
    let mut lines = log.take();
    lines.sort();
    assert_eq!(lines, ["a", "b", "c", "d"]);
    assert!(early.iter().all(Task::done));
}

#[test]
fn no_value_leaves_while_a_callback_may_be_looking_at_it() {
    let bed = Bed::new();
    let slot = Rc::new(RefCell::new(None::<Task<String>>));
    let task = bed.scheduler.create_task(async { String::from("value") });
    task.add_done_callback({
        let slot = slot.clone();
        move |lent| {
            let seen = lent.result().unwrap();
            // The owner was captured: it is taken, and asked for the value that `seen` refers to.
            let owner = slot.take().unwrap();
            assert!(matches!(owner.into_result(), Err(TaskError::NotDone)));
            assert_eq!(seen, "value");
        }
    });
    *slot.borrow_mut() = Some(task);
    bed.settle();
}

#[test]
fn a_value_whose_owner_went_during_the_callbacks_is_dropped_behind_the_last() {
    let bed = Bed::new();
    let log = Log::new();
    let slot = Rc::new(RefCell::new(None::<Task<_>>));
    let task = bed.scheduler.create_task({
        let log = log.clone();
        async move { OnDrop::new(move || log.add("dropped")) }
    });
    task.add_done_callback({
        let (slot, log) = (slot.clone(), log.clone());
        move |task| {
            drop(slot.take());
            assert!(task.result().is_ok());
            log.add("first");
        }
    });
    task.add_done_callback({
        let log = log.clone();
        move |task| {
            assert!(task.result().is_ok());
            log.add("second");
        }
    });
    *slot.borrow_mut() = Some(task);
    bed.settle();
    assert_eq!(log.take(), ["first", "second", "dropped"]);
}

#[test]
fn a_lent_handle_leaves_the_ownership_where_it_was() {
    let bed = Bed::new();
    let task = bed.scheduler.create_task(async { String::from("value") });
    task.add_done_callback(|_| ());
    bed.settle();
    assert_eq!(task.into_result().unwrap(), "value");

    let drops = Drops::new();
    let guard = drops.guard();
    let task = bed.scheduler.create_task(async move { guard });
    task.add_done_callback(|_| ());
    drop(task);
    bed.settle();
    assert_eq!(drops.count(), 1, "nobody owned it");
}

#[test]
fn a_close_with_callbacks_queued_drops_them_and_the_values_nobody_owns() {
    let bed = Bed::new();
    let drops = Drops::new();
    let owned = bed.scheduler.create_task(async { String::from("kept") });
    owned.add_done_callback(|_| unreachable!("the loop is closed"));
    let unowned = bed.scheduler.create_task({
        let guard = drops.guard();
        async move { guard }
    });
    unowned.add_done_callback(|_| unreachable!("the loop is closed"));
    drop(unowned);
    bed.turn();
    assert_eq!(drops.count(), 0);
    bed.scheduler.close();
    assert_eq!(drops.count(), 1);
    assert_eq!(
        owned.into_result().unwrap(),
        "kept",
        "an outcome stays for its handle"
    );
}

#[test]
fn a_callback_added_after_the_close_is_dropped() {
    let bed = Bed::new();
    let drops = Drops::new();
    let task = bed.scheduler.create_task(async { 1 });
    bed.settle();
    bed.scheduler.close();
    let guard = drops.guard();
    task.add_done_callback(move |_| drop(guard));
    assert_eq!(drops.count(), 1);
    assert_eq!(task.into_result().unwrap(), 1);
}
