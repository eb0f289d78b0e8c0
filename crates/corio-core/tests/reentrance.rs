//! Foreign code that comes back into the scheduler in the middle of an end: it frees nothing that is in use, and a task ends once.

mod support;

use std::cell::{Cell, RefCell};
use std::fmt;
use std::future::Future;
use std::panic::{AssertUnwindSafe, Location, catch_unwind};
use std::rc::Rc;
use std::task::Waker;

use corio_core::{
    AnyTask, Cancelled, LentFuture, Observer, ObserverId, Scheduler, ScopedTask, Task, TaskState,
};
use support::{Bed, DropGuard, Drops, Log, OnDrop, forever, my_waker, raise};

/// Where a lent future waits for somebody to take it.
type Place = Rc<RefCell<Option<LentFuture<'static>>>>;

/// A lent task that is in `place`, and takes a step there whenever it was woken until `woken` says otherwise.
fn lend(
    bed: &Bed,
    place: &Place,
    future: impl Future<Output = ()> + 'static,
    woken: impl FnMut() + 'static,
) -> ScopedTask<'static, ()> {
    let (task, lent) = bed
        .scheduler
        .create_lent_task(future, woken, Location::caller());
    *place.borrow_mut() = Some(lent);
    task
}

#[test]
fn the_function_that_says_that_a_lent_task_was_woken_may_drop_its_future() {
    let bed = Bed::new();
    let (place, drops, held) = (Place::default(), Drops::new(), Drops::new());
    let inside = drops.guard();
    let future = async move {
        let _inside = inside;
        forever().await;
    };
    let task = lend(&bed, &place, future, {
        let (place, held, kept) = (place.clone(), held.clone(), held.guard());
        move || {
            drop(place.take());
            assert_eq!(held.count(), 0, "the function is dropped while it runs");
            let _kept = &kept;
        }
    });
    bed.turn();
    assert_eq!(drops.count(), 1);
    bed.settle();
    assert_eq!(held.count(), 1);
    assert!(task.cancelled());
    assert_eq!(bed.take_reports(), [""; 0]);
}

#[test]
fn a_panic_of_what_a_lent_task_drops_when_it_was_woken_is_reported() {
    let bed = Bed::new();
    let place = Place::default();
    let guard = OnDrop::new(|| raise("dropped where it was woken"));
    let future = async move {
        let _guard = guard;
        forever().await;
    };
    let task = lend(&bed, &place, future, {
        let place = place.clone();
        move || drop(place.take())
    });
    bed.settle();
    assert!(task.cancelled());
    assert_eq!(
        bed.take_reports(),
        ["exception in a destructor: dropped where it was woken"]
    );
}

#[test]
fn the_last_call_of_that_function_may_drop_the_future_of_a_task_that_is_ended_by_force() {
    let bed = Bed::new();
    let (place, held) = (Place::default(), Drops::new());
    let task = lend(&bed, &place, forever(), {
        let (place, kept, held) = (place.clone(), held.guard(), held.clone());
        move || {
            drop(place.take());
            assert_eq!(held.count(), 0);
            let _kept = &kept;
        }
    });
    task.any().end_now(Cancelled::new("by force"));
    assert_eq!(held.count(), 1);
    let error = task.result().unwrap_err();
    assert_eq!(error.to_string(), "cancelled: by force");
    assert_eq!(bed.take_reports(), [""; 0]);
}

/// A lent task whose future calls `at_end` when it is dropped.
fn with_destructor(bed: &Bed, at_end: impl FnOnce(AnyTask) + 'static) -> (Place, AnyTask) {
    let (place, me) = (Place::default(), Rc::new(RefCell::new(None)));
    let guard = OnDrop::new({
        let me = me.clone();
        move || at_end(RefCell::take(&me).expect("set below"))
    });
    let future = async move {
        let _guard = guard;
        forever().await;
    };
    let task = lend(bed, &place, future, || ()).any();
    *me.borrow_mut() = Some(task.clone());
    (place, task)
}

#[test]
fn a_lent_task_whose_destructor_ends_it_and_panics_ends_once() {
    let bed = Bed::new();
    let (place, task) = with_destructor(&bed, |me| {
        me.end_now(Cancelled::new("inside"));
        raise("after that");
    });
    drop(place.take());
    let error = task.result().unwrap_err();
    assert!(error.to_string().contains("after that"), "{error}");
}

#[test]
fn a_lent_task_whose_destructor_closes_the_scheduler_and_panics_ends_once() {
    let bed = Bed::new();
    let (place, task) = with_destructor(&bed, |me| {
        me.scheduler().close();
        raise("after that");
    });
    drop(place.take());
    let error = task.result().unwrap_err();
    assert_eq!(error.to_string(), "cancelled: the event loop was closed");
    assert_eq!(bed.scheduler.task_count(), 0);
    assert_eq!(
        bed.take_reports(),
        ["exception in a task that was ended by force: after that"]
    );
}

#[test]
fn a_lent_task_that_closes_the_scheduler_in_a_step_of_its_own_ends_once() {
    for end in [|| false, || true, || raise("after that")] {
        let bed = Bed::new();
        let (place, scheduler) = (Place::default(), bed.scheduler.clone());
        let future = async move {
            scheduler.close();
            if !end() {
                forever().await;
            }
        };
        let task = lend(&bed, &place, future, || ());
        let mut lent = place.take().unwrap();
        assert!(lent.step());
        assert!(task.cancelled());
        let error = task.result().unwrap_err();
        assert_eq!(error.to_string(), "cancelled: the event loop was closed");
        drop(lent);
        assert_eq!(bed.scheduler.task_count(), 0);
    }
}

/// Panics when it is told of an end.
struct Grumpy;

impl Observer for Grumpy {
    fn member_done(&self, _: u32) -> bool {
        raise("told of an end")
    }

    fn fire(&self) {}
}

fn observe_grumpily(task: &AnyTask) -> ObserverId {
    let scheduler = task.scheduler();
    let id = scheduler.add_observer(Rc::new(Grumpy));
    scheduler.observe(task, &id, 0);
    id
}

#[test]
fn what_runs_inside_of_a_destructor_is_not_the_task_being_dropped() {
    let bed = Bed::new();
    let scheduler = bed.scheduler.clone();
    let seen = Rc::new(RefCell::new(Vec::new()));
    let guard = OnDrop::new({
        let (seen, scheduler) = (seen.clone(), scheduler.clone());
        move || {
            let look = {
                let (seen, scheduler) = (seen.clone(), scheduler.clone());
                move || seen.borrow_mut().push(scheduler.current_task())
            };
            look();
            scheduler.call_soon(look.clone());
            scheduler.run(1);
            look();
        }
    });
    let task = scheduler.create_task(async move {
        let _guard = guard;
        forever().await;
    });
    bed.settle();
    task.any().end_now(Cancelled::new("by force"));
    let me = Some(task.any());
    assert_eq!(*seen.borrow(), [me.clone(), None, me]);
}

#[test]
fn an_observer_that_panics_inside_of_a_destructor_does_not_end_the_task_being_dropped() {
    let bed = Bed::new();
    let scheduler = bed.scheduler.clone();
    let inner = scheduler.create_task(forever());
    bed.settle();
    let intact = Rc::new(Cell::new(false));
    let needed = Rc::new(String::from("what the destructor still needs"));
    let guard = OnDrop::new({
        let (intact, scheduler) = (intact.clone(), scheduler.clone());
        move || {
            let _ = catch_unwind(AssertUnwindSafe(|| scheduler.run(1)));
            intact.set(*needed == "what the destructor still needs");
        }
    });
    let outer = scheduler.create_task(async move {
        let _guard = guard;
        forever().await;
    });
    bed.settle();
    let id = observe_grumpily(&inner.any());
    inner.abort();
    outer.any().end_now(Cancelled::new("by force"));
    assert!(intact.get());
    assert!(inner.cancelled());
    let error = outer.result().unwrap_err();
    assert_eq!(error.to_string(), "cancelled: by force");
    scheduler.forget_observer(id);
}

#[test]
fn an_observer_that_panics_is_reported_and_the_value_stays_where_the_callbacks_see_it() {
    let bed = Bed::new();
    let task = bed.scheduler.create_task(async { String::from("value") });
    let (owner, log) = (Rc::new(RefCell::new(None::<Task<String>>)), Log::new());
    task.add_done_callback({
        let (owner, log) = (owner.clone(), log.clone());
        move |task| {
            let value = task.result().unwrap();
            let taken = owner.take().unwrap().into_result();
            assert!(taken.unwrap_err().is_not_done());
            log.add(value);
        }
    });
    let id = observe_grumpily(&task.any());
    task.add_done_callback({
        let log = log.clone();
        move |task| log.add(task.result().unwrap())
    });
    *owner.borrow_mut() = Some(task);
    while bed.scheduler.ready() > 0 {
        let _ = catch_unwind(AssertUnwindSafe(|| bed.turn()));
    }
    assert_eq!(log.take(), ["value", "value"]);
    assert_eq!(
        bed.take_reports(),
        ["exception in an observer: told of an end"]
    );
    bed.scheduler.forget_observer(id);
}

/// Returns a value that a request of the task itself replaces, with a destructor that calls `at_end`. `before` is its last poll.
async fn replaced(
    before: impl FnOnce(Waker),
    at_end: impl FnOnce(AnyTask) + 'static,
) -> impl Sized {
    let me = Scheduler::current().and_then(|scheduler| scheduler.current_task());
    let me = me.unwrap();
    me.cancel();
    before(my_waker().await);
    OnDrop::new(move || at_end(me))
}

#[test]
fn a_value_that_a_cancellation_replaces_is_dropped_before_the_task_has_ended() {
    let bed = Bed::new();
    let dropped = Rc::new(Cell::new(false));
    let task = bed.scheduler.create_task({
        let dropped = dropped.clone();
        replaced(drop, move |me| {
            assert_eq!(me.state(), TaskState::Running);
            assert!(me.result().unwrap_err().is_not_done());
            let id = me.add_done_callback(|_| ());
            assert!(me.remove_done_callback(id));
            me.end_now(Cancelled::new("inside"));
            me.abort();
            dropped.set(true);
        })
    });
    let log = Log::new();
    task.add_done_callback({
        let log = log.clone();
        move |task| log.add(task.cancelled().to_string())
    });
    bed.settle();
    assert!(dropped.get());
    assert!(task.cancelled());
    assert_eq!(task.result().err().unwrap().to_string(), "cancelled");
    assert_eq!(log.take(), ["true"]);
    assert_eq!(bed.take_reports(), [""; 0]);
}

#[test]
fn a_task_that_ends_in_a_run_inside_of_the_close_keeps_its_places_in_the_queue() {
    let bed = Bed::new();
    let scheduler = bed.scheduler.clone();
    let guard = OnDrop::new({
        let scheduler = scheduler.clone();
        move || {
            scheduler.run(1);
        }
    });
    let closed_first = scheduler.create_task(async move {
        let _guard = guard;
        forever().await;
    });
    bed.settle();
    let log = Log::new();
    let queued_twice = |waker: Waker| {
        corio_core::relay(waker.clone());
        waker.wake();
    };
    let at_end = {
        let (log, scheduler) = (log.clone(), scheduler.clone());
        move |me: AnyTask| {
            drop(me);
            // On a closed scheduler it is refused, and the queue is emptied.
            let refused = scheduler.create_task(async {});
            log.add(refused.cancelled().to_string());
        }
    };
    drop(scheduler.create_task(replaced(queued_twice, at_end)));
    scheduler.close();
    assert_eq!(log.take(), ["true"]);
    assert!(closed_first.cancelled());
    assert_eq!(scheduler.task_count(), 0);
    assert_eq!(scheduler.ready(), 0);
    assert_eq!(bed.take_reports(), [""; 0]);
}

/// An error that comes back while it is being written: it has the callbacks of its own task run.
struct Chatty {
    task: Rc<RefCell<Option<AnyTask>>>,
    gone: Drops,
    _guard: DropGuard,
}

impl fmt::Display for Chatty {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let gone = self.gone.clone();
        if let Some(task) = self.task.take() {
            task.add_done_callback(|_| ());
            task.scheduler().run(1);
        }
        assert_eq!(gone.count(), 0, "the error is dropped while it is written");
        f.write_str("chatty")
    }
}

#[test]
fn an_unread_error_stays_while_it_is_being_written() {
    let bed = Bed::new();
    let (place, gone) = (Rc::new(RefCell::new(None)), Drops::new());
    let error = Chatty {
        task: place.clone(),
        gone: gone.clone(),
        _guard: gone.guard(),
    };
    let task = bed.scheduler.create_task(async { Err::<(), _>(error) });
    let task = task.report_errors();
    bed.settle();
    *place.borrow_mut() = Some(task.any());
    drop(task);
    assert_eq!(gone.count(), 1);
    assert_eq!(bed.take_reports(), ["error was never read: chatty"]);
}

/// An error that cannot be written.
struct Mute;

impl fmt::Display for Mute {
    fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
        raise("mute")
    }
}

#[test]
fn a_panic_while_an_unread_error_is_written_is_reported() {
    let bed = Bed::new();
    let task = bed.scheduler.create_task(async { Err::<(), _>(Mute) });
    task.report_errors();
    bed.settle();
    assert_eq!(
        bed.take_reports(),
        ["error was never read, and writing it panicked: mute"]
    );
}
