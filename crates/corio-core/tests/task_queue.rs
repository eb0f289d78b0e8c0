//! Tasks that end while they stand in the ready queue, once or twice, and a queue that moves while it is being emptied: every
//! place is left once, every value goes once, and the order stays.

mod support;

use std::cell::{Cell, RefCell};
use std::future::{pending, poll_fn};
use std::rc::Rc;
use std::task::{Context, Poll};

use corio_core::{Task, relay};
use support::{Bed, forever, my_waker, raise, yield_now};

type Row = (&'static str, fn(&Context<'_>), usize);

/// How the task comes to stand in the queue before its last poll ends, and in how many places.
const PLACES: [Row; 4] = [
    ("not at all", |_| {}, 0),
    ("woken", |cx| cx.waker().wake_by_ref(), 1),
    ("relayed", |cx| relay(cx.waker().clone()), 1),
    (
        "relayed and woken",
        |cx| {
            relay(cx.waker().clone());
            cx.waker().wake_by_ref();
            relay(cx.waker().clone());
            cx.waker().wake_by_ref();
        },
        2,
    ),
];

#[derive(Clone, Copy, PartialEq, Debug)]
enum Ends {
    Value,
    Panics,
    Cancelled,
}

/// When the handle goes.
#[derive(Clone, Copy, PartialEq, Debug)]
enum Handle {
    BeforeTheStep,
    InTheStep,
    AfterTheStep,
    InTheMiddleOfThePlaces,
    AtLast,
}

/// Counts its drops.
struct Counted(Rc<Cell<u32>>);

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.set(self.0.get() + 1);
    }
}

type Place = Rc<RefCell<Option<Task<Counted>>>>;

fn play(place: fn(&Context<'_>), places: usize, ends: Ends, goes: Handle) {
    let bed = Bed::new();
    let scheduler = bed.scheduler.clone();
    let dropped = Rc::new(Cell::new(0));
    let handle: Place = Rc::default();
    let value = Counted(dropped.clone());
    let (inside, scheduled) = (handle.clone(), scheduler.clone());
    let mut value = Some(value);
    let task = scheduler.create_task(poll_fn(move |cx| {
        place(cx);
        if goes == Handle::InTheStep {
            drop(inside.borrow_mut().take());
        }
        match ends {
            Ends::Value => Poll::Ready(value.take().unwrap()),
            Ends::Panics => raise("at the end"),
            Ends::Cancelled => {
                scheduled.current_task().unwrap().cancel();
                Poll::Ready(value.take().unwrap())
            }
        }
    }));
    let any = task.any();
    *handle.borrow_mut() = Some(task);
    let leave = |now: Handle| {
        if goes == now {
            drop(handle.borrow_mut().take());
        }
    };
    leave(Handle::BeforeTheStep);
    assert_eq!(scheduler.run(1), 1);
    assert!(any.done());
    drop(any);
    assert_eq!(scheduler.ready(), places);
    leave(Handle::AfterTheStep);
    // They may get the memory of the one that has ended.
    let others: Vec<Task<u32>> = (0..4)
        .map(|n| scheduler.create_task(async move { n }))
        .collect();
    if places > 0 {
        scheduler.run(1);
    }
    leave(Handle::InTheMiddleOfThePlaces);
    bed.settle();
    assert_eq!((scheduler.ready(), scheduler.task_count()), (0, 0));
    for (number, other) in others.into_iter().enumerate() {
        assert_eq!(other.into_result().unwrap(), number as u32);
    }
    leave(Handle::AtLast);
    bed.settle();
    assert_eq!(dropped.get(), 1, "the value goes once");
    let reported = ends == Ends::Panics;
    assert_eq!(bed.take_reports().len(), usize::from(reported));
}

#[test]
fn a_task_that_ends_in_the_queue_leaves_its_places_and_its_value_goes_once() {
    for (_, place, places) in PLACES {
        for ends in [Ends::Value, Ends::Panics, Ends::Cancelled] {
            for goes in [
                Handle::BeforeTheStep,
                Handle::InTheStep,
                Handle::AfterTheStep,
                Handle::InTheMiddleOfThePlaces,
                Handle::AtLast,
            ] {
                play(place, places, ends, goes);
            }
        }
    }
}

#[test]
fn a_task_that_is_relayed_and_then_woken_takes_one_step_for_each() {
    let bed = Bed::new();
    let polls = Rc::new(Cell::new(0));
    let counted = polls.clone();
    let _task = bed.scheduler.create_task(poll_fn(move |cx| {
        counted.set(counted.get() + 1);
        if counted.get() == 1 {
            relay(cx.waker().clone());
            cx.waker().wake_by_ref();
        }
        Poll::<()>::Pending
    }));
    bed.settle();
    // The relay finds the task queued by the wake when its turn comes.
    assert_eq!(polls.get(), 2);
}

#[test]
fn a_loop_that_is_closed_with_tasks_in_one_and_two_places_drops_each_future_once() {
    for (name, place, _) in PLACES {
        let bed = Bed::new();
        let dropped = Rc::new(Cell::new(0));
        let tasks: Vec<Task<()>> = (0..100)
            .map(|_| {
                let held = Counted(dropped.clone());
                bed.scheduler.create_task(poll_fn(move |cx| {
                    let _held = &held;
                    place(cx);
                    Poll::Pending
                }))
            })
            .collect();
        bed.turn();
        bed.scheduler.close();
        assert_eq!(dropped.get(), 100, "{name}");
        assert!(tasks.iter().all(Task::cancelled));
        assert_eq!(bed.scheduler.ready(), 0);
    }
}

#[test]
fn an_abort_finds_a_task_in_both_places() {
    for (name, place, _) in PLACES {
        let bed = Bed::new();
        let dropped = Rc::new(Cell::new(0));
        let held = Counted(dropped.clone());
        let task = bed.scheduler.create_task(poll_fn(move |cx| {
            let _held = &held;
            place(cx);
            Poll::<()>::Pending
        }));
        bed.turn();
        task.any().abort();
        bed.settle();
        assert!(task.cancelled(), "{name}");
        assert_eq!(
            (dropped.get(), bed.scheduler.task_count()),
            (1, 0),
            "{name}"
        );
    }
}

/// As in asyncio, whose turn begins with the timers that are due.
#[test]
fn what_comes_between_two_runs_belongs_to_the_turn_of_the_second() {
    let bed = Bed::new();
    let batches = Rc::new(RefCell::new(Vec::new()));
    let note = |what: &'static str| {
        let (batches, scheduler) = (batches.clone(), bed.scheduler.clone());
        move || batches.borrow_mut().push((what, scheduler.batch()))
    };
    let (first, queued, between) = (note("first"), note("queued"), note("between"));
    let scheduler = bed.scheduler.clone();
    bed.scheduler.call_soon(move || {
        first();
        scheduler.call_soon(queued);
    });
    assert_eq!(bed.scheduler.run_batch(), 1);
    bed.scheduler.call_soon(between);
    assert_eq!(bed.scheduler.run_batch(), 2);
    let batches = batches.borrow();
    assert_eq!((batches[1].0, batches[2].0), ("queued", "between"));
    assert_eq!(batches[1].1, batches[2].1);
    assert!(batches[0].1 < batches[1].1);
}

/// Steps that queue far more than there is room for, in the middle of a batch, again and again.
#[test]
fn the_order_stays_when_the_queue_moves_in_the_middle_of_a_batch() {
    let bed = Bed::new();
    let order = Rc::new(RefCell::new(Vec::new()));
    let number = Rc::new(Cell::new(0));
    let many = if cfg!(miri) { 70 } else { 700 };
    for _ in 0..10 {
        let (order, number) = (order.clone(), number.clone());
        let scheduler = bed.scheduler.clone();
        drop(bed.scheduler.create_task(async move {
            for _ in 0..3 {
                for _ in 0..many {
                    let (order, mine) = (order.clone(), number.get());
                    number.set(mine + 1);
                    // One of three ends in the queue, one is relayed first, one just runs.
                    drop(scheduler.create_task(async move {
                        let waker = my_waker().await;
                        match mine % 3 {
                            0 => waker.wake_by_ref(),
                            1 => relay(waker),
                            _ => {}
                        }
                        order.borrow_mut().push(mine);
                    }));
                }
                yield_now().await;
            }
        }));
    }
    // Not always whole batches.
    for steps in [1, 2, 3, 5, 400].into_iter().cycle() {
        bed.scheduler.run(steps);
        if bed.scheduler.ready() == 0 {
            break;
        }
    }
    let order = order.borrow();
    assert_eq!(order.len(), 30 * many);
    assert!(order.is_sorted(), "first come, first served");
    assert_eq!(bed.scheduler.task_count(), 0);
}

#[test]
fn what_a_destructor_queues_while_the_queue_is_emptied_by_a_close_is_dropped() {
    struct Queues(corio_core::Scheduler, Rc<Cell<u32>>);
    impl Drop for Queues {
        fn drop(&mut self) {
            self.1.set(self.1.get() + 1);
            for _ in 0..100 {
                drop(self.0.create_task(pending::<()>()));
                drop(self.0.call_soon(|| panic!("a closed loop runs nothing")));
            }
        }
    }
    let bed = Bed::new();
    let dropped = Rc::new(Cell::new(0));
    for _ in 0..20 {
        let queues = Queues(bed.scheduler.clone(), dropped.clone());
        drop(bed.scheduler.create_task(async move {
            let _queues = queues;
            yield_now().await;
            forever().await;
        }));
    }
    bed.turn();
    bed.scheduler.close();
    assert_eq!(dropped.get(), 20);
    assert_eq!((bed.scheduler.ready(), bed.scheduler.task_count()), (0, 0));
}

/// What is left of a cell is found by a leak checker.
#[test]
fn tasks_that_end_within_each_other_on_a_closed_loop_leave_no_reference() {
    struct Nests(corio_core::Scheduler, u32, Rc<Cell<u32>>);
    impl Drop for Nests {
        fn drop(&mut self) {
            self.2.set(self.2.get() + 1);
            if self.1 > 0 {
                let inner = Nests(self.0.clone(), self.1 - 1, self.2.clone());
                drop(self.0.create_task(async move {
                    let _inner = inner;
                    forever().await;
                }));
            }
        }
    }
    let bed = Bed::new();
    let dropped = Rc::new(Cell::new(0));
    let kept = Rc::new(());
    let held = kept.clone();
    let outer = Nests(bed.scheduler.clone(), 5, dropped.clone());
    let task = bed.scheduler.create_task(async move {
        let _outer = outer;
        forever().await;
    });
    // Its handle keeps the cell, but not what it would have been called with.
    let callback = bed.scheduler.call_soon(move || drop(held));
    bed.scheduler.close();
    assert_eq!(dropped.get(), 6);
    assert_eq!(Rc::strong_count(&kept), 1);
    assert!(task.cancelled() && !callback.cancelled());
    // And again, on one that has been closed for long.
    drop(Nests(bed.scheduler.clone(), 5, dropped.clone()));
    assert_eq!(dropped.get(), 12);
    assert_eq!((bed.scheduler.ready(), bed.scheduler.task_count()), (0, 0));
}
