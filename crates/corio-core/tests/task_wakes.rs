//! When a woken task is polled: once for all the wakes before, in the order of the first of them, never on the waker's stack.

#![allow(
    clippy::waker_clone_wake,
    reason = "a wake by value is another path than one by reference"
)]

mod support;

use std::cell::{Cell, RefCell};
use std::future::poll_fn;
use std::rc::Rc;
use std::task::{Poll, Waker};

use corio_core::{Scheduler, TaskState, relay};
use support::{Bed, Log, forever, my_waker, yield_now};

#[test]
fn wakes_during_the_own_poll_are_one_more_poll() {
    let bed = Bed::new();
    let polls = Rc::new(Cell::new(0));
    let inside = Rc::new(Cell::new(false));
    let task = bed.scheduler.create_task({
        let (polls, inside) = (polls.clone(), inside.clone());
        poll_fn(move |cx| {
            assert!(!inside.replace(true), "polled inside of its own poll");
            polls.set(polls.get() + 1);
            match polls.get() {
                1 => cx.waker().clone().wake(),
                2 => cx.waker().wake_by_ref(),
                3 => {
                    cx.waker().wake_by_ref();
                    cx.waker().clone().wake();
                    cx.waker().wake_by_ref();
                }
                _ => {}
            }
            inside.set(false);
            if polls.get() < 5 {
                Poll::Pending
            } else {
                Poll::Ready(())
            }
        })
    });
    for expected in 1..=4 {
        assert_eq!(bed.turn(), 1);
        assert_eq!(polls.get(), expected);
    }
    assert_eq!(bed.turn(), 0, "nobody has woken it since");
    assert_eq!(polls.get(), 4);
    assert!(!task.done());
}

#[test]
fn many_wakes_before_a_step_are_one_step() {
    let bed = Bed::new();
    let polls = Rc::new(Cell::new(0));
    let waker = Rc::new(RefCell::new(None::<Waker>));
    let _task = bed.scheduler.create_task({
        let (polls, waker) = (polls.clone(), waker.clone());
        poll_fn(move |cx| {
            polls.set(polls.get() + 1);
            *waker.borrow_mut() = Some(cx.waker().clone());
            Poll::<()>::Pending
        })
    });
    bed.turn();
    let waker = waker.take().unwrap();
    for _ in 0..100 {
        waker.wake_by_ref();
        waker.clone().wake();
    }
    assert_eq!(bed.turn(), 1);
    assert_eq!(polls.get(), 2);
    assert_eq!(bed.turn(), 0);
}

#[test]
fn tasks_run_in_the_order_in_which_they_were_first_woken() {
    let bed = Bed::new();
    let log = Log::new();
    let wakers = Rc::new(RefCell::new(Vec::new()));
    for name in ["a", "b", "c"] {
        let (log, wakers) = (log.clone(), wakers.clone());
        bed.scheduler.create_task(poll_fn(move |cx| {
            log.add(name);
            wakers.borrow_mut().push(cx.waker().clone());
            Poll::<()>::Pending
        }));
    }
    bed.turn();
    assert_eq!(log.take(), ["a", "b", "c"], "the order of creation");
    let wakers = wakers.take();
    for index in [2, 0, 1, 0, 2] {
        wakers[index].wake_by_ref();
    }
    bed.turn();
    assert_eq!(log.take(), ["c", "a", "b"]);
}

#[test]
fn a_wake_never_polls_on_the_stack_of_the_waker() {
    let bed = Bed::new();
    let held = Rc::new(RefCell::new(0));
    let waker = Rc::new(RefCell::new(None));
    let task = bed.scheduler.create_task({
        let (held, waker) = (held.clone(), waker.clone());
        async move {
            *waker.borrow_mut() = Some(my_waker().await);
            yield_now().await;
            *held.borrow_mut() += 1;
        }
    });
    bed.turn();
    let waker = waker.take().unwrap();
    let mut guard = held.borrow_mut();
    waker.wake_by_ref();
    waker.wake();
    *guard += 1;
    drop(guard);
    bed.settle();
    assert!(task.done());
    assert_eq!(*held.borrow(), 2);
}

#[test]
fn what_is_queued_during_a_batch_runs_behind_it() {
    let bed = Bed::new();
    let log = Log::new();
    for name in ["a", "b"] {
        let log = log.clone();
        bed.scheduler.create_task(async move {
            for step in 0..3 {
                log.add(format!("{name}{step}"));
                yield_now().await;
            }
        });
    }
    bed.scheduler.call_soon({
        let (log, scheduler) = (log.clone(), bed.scheduler.clone());
        move || {
            log.add("c");
            scheduler.call_soon(move || log.add("d"));
        }
    });
    bed.settle();
    assert_eq!(log.take(), ["a0", "b0", "c", "a1", "b1", "d", "a2", "b2"]);
}

#[test]
fn a_finished_task_is_never_queued_again() {
    let bed = Bed::new();
    let waker = Rc::new(RefCell::new(None));
    let done = bed.scheduler.create_task({
        let waker = waker.clone();
        async move { *waker.borrow_mut() = Some(my_waker().await) }
    });
    bed.settle();
    assert!(done.done());
    let of_done = waker.take().unwrap();

    let cancelled = bed.scheduler.create_task({
        let waker = waker.clone();
        async move {
            *waker.borrow_mut() = Some(my_waker().await);
            forever().await;
        }
    });
    bed.settle();
    cancelled.cancel();
    bed.settle();
    assert!(cancelled.cancelled());
    let of_cancelled = waker.take().unwrap();

    let steps = bed.scheduler.steps();
    for waker in [of_done, of_cancelled] {
        for _ in 0..10 {
            waker.wake_by_ref();
            relay(waker.clone());
        }
        std::thread::spawn(move || {
            waker.wake_by_ref();
            waker.wake();
        })
        .join()
        .unwrap();
    }
    bed.settle();
    assert_eq!(
        bed.scheduler.steps(),
        steps,
        "a step of a task that has ended"
    );
}

#[test]
fn a_waker_names_one_task_also_when_its_place_is_used_again() {
    let bed = Bed::new();
    let waker = Rc::new(RefCell::new(None));
    let first = bed.scheduler.create_task({
        let waker = waker.clone();
        async move { *waker.borrow_mut() = Some(my_waker().await) }
    });
    bed.settle();
    drop(first);
    let polls = Rc::new(Cell::new(0));
    let _second = bed.scheduler.create_task({
        let polls = polls.clone();
        poll_fn(move |_| {
            polls.set(polls.get() + 1);
            Poll::<()>::Pending
        })
    });
    bed.settle();
    waker.take().unwrap().wake();
    bed.settle();
    assert_eq!(polls.get(), 1);
}

#[test]
fn a_relayed_wake_takes_its_turn_in_the_queue_and_then_one_more() {
    let bed = Bed::new();
    let log = Log::new();
    let waker = Rc::new(RefCell::new(None));
    let _task = bed.scheduler.create_task({
        let (log, waker) = (log.clone(), waker.clone());
        poll_fn(move |cx| {
            log.add("task");
            *waker.borrow_mut() = Some(cx.waker().clone());
            Poll::<()>::Pending
        })
    });
    bed.settle();
    log.take();
    let say = |text: &'static str| {
        let log = log.clone();
        bed.scheduler.call_soon(move || log.add(text))
    };
    let waker = waker.take().unwrap();
    say("before");
    relay(waker.clone());
    relay(waker.clone());
    say("behind");
    assert_eq!(bed.turn(), 3);
    say("next");
    assert_eq!(bed.turn(), 2);
    assert_eq!(log.take(), ["before", "behind", "task", "next"]);

    relay(waker.clone());
    waker.wake();
    say("behind");
    bed.turn();
    assert_eq!(
        log.take(),
        ["task", "behind"],
        "the relay gives way to the wake"
    );
    assert_eq!(bed.turn(), 0);
}

#[test]
fn a_foreign_waker_is_relayed_at_once() {
    let (count, waker) = support::Count::new();
    relay(waker);
    assert_eq!(count.get(), 1);
}

#[test]
fn a_task_sees_itself_running_and_current_after_every_resume() {
    let bed = Bed::new();
    let seen = Log::new();
    for name in ["x", "y"] {
        let seen = seen.clone();
        let task = bed.scheduler.create_task(async move {
            for _ in 0..2 {
                let me = Scheduler::current().unwrap().current_task().unwrap();
                seen.add(format!("{} {:?}", me.name(), me.state()));
                yield_now().await;
            }
        });
        task.set_name(name);
        assert_eq!(task.state(), TaskState::Pending);
        bed.scheduler.call_soon({
            let any = task.any();
            move || {
                assert_eq!(any.state(), TaskState::Pending);
                assert!(Scheduler::current().unwrap().current_task().is_none());
            }
        });
    }
    bed.settle();
    assert_eq!(
        seen.take(),
        ["x Running", "y Running", "x Running", "y Running"]
    );
    assert!(Scheduler::current().is_none());
}

#[test]
#[should_panic(expected = "this event loop is already running")]
fn a_scheduler_does_not_run_inside_of_itself() {
    let bed = Bed::new();
    let scheduler = bed.scheduler.clone();
    let task = bed.scheduler.create_task(async move { scheduler.run(1) });
    bed.settle();
    match task.into_result() {
        Err(corio_core::TaskError::Panicked(panic)) => panic.resume(),
        other => panic!("{other:?}"),
    }
}
