//! Destructors that call back: into their own task, into other tasks, into the loop. None of them finds a lock held.

mod support;

use std::cell::{Cell, RefCell};
use std::future::{Future, poll_fn};
use std::rc::Rc;

use corio_core::{AnyTask, Scheduler, Task, TaskState};
use support::{Bed, Drops, Log, OnDrop, forever, my_waker, raise, yield_now};

/// Everything that a destructor may do to the task it belongs to.
fn poke(me: &AnyTask) {
    assert!(
        !me.done(),
        "it has not ended while its future is being dropped"
    );
    assert_eq!(me.state(), TaskState::Running);
    assert!(me.result().unwrap_err().is_not_done());
    me.cancel();
    me.cancel_with("again");
    me.uncancel();
    me.abort();
    me.set_name("poked");
    assert!(format!("{me:?}").contains("poked"));
    let id = me.add_done_callback(|_| ());
    assert!(me.remove_done_callback(id));
    assert!(me.waits_for().is_none());
    me.end_now(corio_core::Cancelled::new("not now"));
    let scheduler = me.scheduler();
    scheduler.all_tasks();
    assert_eq!(scheduler.find_task(me.id()).as_ref(), Some(me));
}

/// The guard is dropped with the future, after its last poll.
fn with_poking_future(
    bed: &Bed,
    body: impl Future<Output = u32> + 'static,
) -> (Task<u32>, Rc<Cell<u32>>) {
    let poked = Rc::new(Cell::new(0));
    let me = Rc::new(RefCell::new(None::<AnyTask>));
    let guard = OnDrop::new({
        let (me, poked) = (me.clone(), poked.clone());
        move || {
            poke(me.borrow().as_ref().expect("set below"));
            poked.set(poked.get() + 1);
        }
    });
    let mut body = Box::pin(body);
    let task = bed.scheduler.create_task(poll_fn(move |cx| {
        let _held = &guard;
        body.as_mut().poll(cx)
    }));
    *me.borrow_mut() = Some(task.any());
    (task, poked)
}

#[test]
fn a_destructor_may_do_anything_to_its_own_task_after_the_last_poll() {
    let bed = Bed::new();
    let (task, poked) = with_poking_future(&bed, async { 5 });
    bed.settle();
    assert_eq!(poked.get(), 1);
    assert_eq!(*task.result().unwrap(), 5);
    assert_eq!(bed.take_reports(), [""; 0]);
}

#[test]
fn a_destructor_may_do_anything_to_its_own_task_when_it_is_cancelled() {
    let bed = Bed::new();
    let (task, poked) = with_poking_future(&bed, async {
        forever().await;
        5
    });
    bed.settle();
    task.cancel();
    bed.settle();
    assert_eq!(poked.get(), 1);
    assert!(task.cancelled());
    assert_eq!(
        task.cancelling(),
        2,
        "one before, two in the destructor, one taken back"
    );
}

#[test]
fn a_destructor_may_do_anything_to_its_own_task_when_the_loop_is_closed() {
    let bed = Bed::new();
    let (task, poked) = with_poking_future(&bed, async { 5 });
    bed.scheduler.close();
    assert_eq!(poked.get(), 1);
    assert!(task.cancelled());
}

#[test]
fn the_destructor_of_a_value_may_do_anything_to_its_task() {
    let bed = Bed::new();
    let me = Rc::new(RefCell::new(None::<AnyTask>));
    let log = Log::new();
    let task = bed.scheduler.create_task({
        let (me, log) = (me.clone(), log.clone());
        async move {
            OnDrop::new(move || {
                let me = me.take().expect("set below");
                assert!(me.done());
                assert!(!me.cancel() && !me.abort());
                me.add_done_callback({
                    let log = log.clone();
                    move |_| log.add("called")
                });
                log.add(format!("dropped {:?}", me.state()));
            })
        }
    });
    *me.borrow_mut() = Some(task.any());
    bed.settle();
    drop(task);
    assert_eq!(log.take(), ["dropped Done"]);
    bed.settle();
    assert_eq!(log.take(), ["called"]);
}

#[test]
fn a_destructor_may_spawn_wake_cancel_and_drop_handles() {
    let bed = Bed::new();
    let log = Log::new();
    let waker = Rc::new(RefCell::new(None));
    let sleeper = bed.scheduler.create_task({
        let (log, waker) = (log.clone(), waker.clone());
        async move {
            *waker.borrow_mut() = Some(my_waker().await);
            yield_now().await;
            log.add("woken");
        }
    });
    let victim = bed.scheduler.create_task(forever());
    let unread = bed.scheduler.create_task(async { String::from("unread") });
    bed.turn();
    bed.scheduler.create_task({
        let (log, scheduler, waker, victim) = (
            log.clone(),
            bed.scheduler.clone(),
            waker.clone(),
            victim.any(),
        );
        let guard = OnDrop::new(move || {
            scheduler.create_task({
                let log = log.clone();
                async move { log.add("spawned") }
            });
            waker.take().unwrap().wake();
            victim.cancel();
            drop((unread, sleeper));
            scheduler.call_soon(move || log.add("called"));
        });
        async move {
            yield_now().await;
            drop(guard);
        }
    });
    bed.settle();
    let mut lines = log.take();
    lines.sort();
    assert_eq!(lines, ["called", "spawned", "woken"]);
    assert!(victim.cancelled());
}

#[test]
fn close_drops_what_destructors_bring_forth() {
    let bed = Bed::new();
    let drops = Drops::new();
    let other = bed.scheduler.create_task({
        let guard = drops.guard();
        async move {
            let _guard = guard;
            forever().await;
        }
    });
    let ended = Rc::new(RefCell::new(None));
    bed.scheduler.create_task({
        let (scheduler, drops, ended, other) = (
            bed.scheduler.clone(),
            drops.clone(),
            ended.clone(),
            other.any(),
        );
        let guard = OnDrop::new(move || {
            assert!(scheduler.is_closed());
            let guard = drops.guard();
            let late = scheduler.create_task(async move {
                let _guard = guard;
                unreachable!("a closed loop runs nothing");
            });
            assert!(late.cancelled(), "cancelled at once");
            let guard = drops.guard();
            scheduler.call_soon(move || drop(guard));
            assert_eq!(
                drops.count(),
                3,
                "the first task, the late one, the callback"
            );
            other.cancel();
            scheduler.close();
            *ended.borrow_mut() = Some(late);
        });
        async move {
            let _guard = guard;
            forever().await;
        }
    });
    bed.settle();
    bed.scheduler.close();
    assert!(other.cancelled());
    let late = ended.take().expect("the destructor ran to its end");
    assert!(late.result().unwrap_err().is_cancelled());
    assert_eq!(bed.scheduler.task_count(), 0);
    assert_eq!(bed.scheduler.ready(), 0);
}

#[test]
fn tasks_that_drop_each_others_handles_while_they_end() {
    let bed = Bed::new();
    let drops = Drops::new();
    // Each task owns the handle of the one before, and its value.
    let mut last: Option<Task<Vec<support::DropGuard>>> = None;
    for _ in 0..100 {
        let (before, guard, value) = (last.take(), drops.guard(), drops.guard());
        last = Some(bed.scheduler.create_task(async move {
            let _guard = guard;
            let _before = before;
            yield_now().await;
            vec![value]
        }));
    }
    bed.turn();
    bed.turn();
    drop(last);
    bed.settle();
    assert_eq!(drops.count(), 200);
    assert_eq!(bed.scheduler.task_count(), 0);
}

#[test]
#[cfg_attr(miri, ignore = "so long a chain takes it too long")]
fn a_long_chain_of_handles_is_closed_without_growing_the_stack() {
    let bed = Bed::new();
    let mut last: Option<Task<()>> = None;
    for _ in 0..50_000 {
        let before = last.take();
        last = Some(bed.scheduler.create_task(async move {
            let _before = before;
            forever().await;
        }));
    }
    bed.settle();
    drop(last);
    bed.scheduler.close();
    assert_eq!(bed.scheduler.task_count(), 0);
}

#[test]
fn a_callback_that_is_dropped_uncalled_may_call_back() {
    let bed = Bed::new();
    let log = Log::new();
    let guard = OnDrop::new({
        let (log, scheduler) = (log.clone(), bed.scheduler.clone());
        move || {
            let again = log.clone();
            scheduler.call_soon(move || again.add("again"));
            log.add("dropped");
        }
    });
    let handle = bed.scheduler.call_soon(move || drop(guard));
    handle.cancel();
    assert!(handle.cancelled());
    assert_eq!(log.take(), ["dropped"]);
    bed.settle();
    assert_eq!(log.take(), ["again"]);
}

#[test]
fn a_panic_while_callbacks_are_dropped_at_the_close_is_reported_and_the_close_goes_on() {
    let bed = Bed::new();
    let drops = Drops::new();
    let remote = bed.scheduler.remote();
    for _ in 0..2 {
        let guard = OnDrop::new(|| raise("dropped uncalled"));
        bed.scheduler.call_soon(move || drop(guard));
        let guard = drops.guard();
        bed.scheduler.call_soon(move || drop(guard));
        let guard = OnDrop::new(|| raise("dropped unheard"));
        remote.call_soon(move || drop(guard)).unwrap();
    }
    bed.scheduler.close();
    assert_eq!(drops.count(), 2);
    let mut reports = bed.take_reports();
    reports.sort();
    assert_eq!(
        reports,
        [
            "exception in a destructor: dropped uncalled",
            "exception in a destructor: dropped uncalled",
            "exception in a destructor: dropped unheard",
            "exception in a destructor: dropped unheard",
        ]
    );
}

#[test]
fn a_panic_while_a_cancelled_callback_is_dropped_does_not_reach_the_canceller() {
    let bed = Bed::new();
    let guard = OnDrop::new(|| raise("dropped uncalled"));
    let handle = bed.scheduler.call_soon(move || drop(guard));
    handle.cancel();
    assert_eq!(
        bed.take_reports(),
        ["exception in a destructor: dropped uncalled"]
    );
    bed.settle();
}

#[test]
#[should_panic(expected = "cannot be closed while it is running")]
fn a_running_loop_is_not_closed() {
    let bed = Bed::new();
    let scheduler = bed.scheduler.clone();
    let task = bed.scheduler.create_task(async move { scheduler.close() });
    bed.settle();
    match task.into_result() {
        Err(corio_core::TaskError::Panicked(panic)) => panic.resume(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_loop_that_was_never_closed_can_be_dropped_when_nothing_is_left_in_it() {
    let number = {
        let scheduler = Scheduler::new(|| {});
        let task = scheduler.create_task(async { 1 });
        scheduler.run(1);
        assert_eq!(task.into_result().unwrap(), 1);
        scheduler.number()
    };
    assert!(matches!(
        corio_core::find_scheduler(number),
        corio_core::Whereabouts::Gone
    ));
}
