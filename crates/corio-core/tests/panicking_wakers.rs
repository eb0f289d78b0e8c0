//! Wakers that panic where they are cloned, woken or dropped: the panic reaches whoever called, the rest goes on.

mod support;

use std::cell::Cell;
use std::future::poll_fn;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, RawWaker, RawWakerVTable, Waker};

use corio_core::cancel::{Kind, Node};
use corio_core::{EndWait, Task};
use support::{Bed, Count, panic_of, poll_with, raise, yield_now};

/// Says which of its functions panic.
#[derive(Default)]
struct Mood {
    clone: AtomicBool,
    wake: AtomicBool,
    drop: AtomicBool,
}

fn check(flag: &AtomicBool, message: &'static str) {
    // Once: a second panic during unwinding would end the process.
    if flag.swap(false, Ordering::SeqCst) {
        raise(message);
    }
}

fn waker(mood: &Arc<Mood>) -> Waker {
    /// # Safety
    ///
    /// The pointer came from `Arc::into_raw` of a `Mood`, and holds one count.
    unsafe fn clone(data: *const ()) -> RawWaker {
        // SAFETY: see above; the count is not given away.
        let mood = std::mem::ManuallyDrop::new(unsafe { Arc::from_raw(data.cast::<Mood>()) });
        check(&mood.clone, "clone");
        RawWaker::new(Arc::into_raw(Arc::clone(&mood)).cast(), &VTABLE)
    }
    /// # Safety
    ///
    /// The pointer came from `Arc::into_raw` of a `Mood`, and holds one count.
    unsafe fn wake(data: *const ()) {
        // SAFETY: see above; the count ends here.
        let mood = unsafe { Arc::from_raw(data.cast::<Mood>()) };
        check(&mood.wake, "wake");
    }
    /// # Safety
    ///
    /// The pointer came from `Arc::into_raw` of a `Mood`, and holds one count.
    unsafe fn wake_by_ref(data: *const ()) {
        // SAFETY: see above; the count is not given away.
        let mood = std::mem::ManuallyDrop::new(unsafe { Arc::from_raw(data.cast::<Mood>()) });
        check(&mood.wake, "wake");
    }
    /// # Safety
    ///
    /// The pointer came from `Arc::into_raw` of a `Mood`, and holds one count.
    unsafe fn drop(data: *const ()) {
        // SAFETY: see above; the count ends here.
        let mood = unsafe { Arc::from_raw(data.cast::<Mood>()) };
        check(&mood.drop, "drop");
    }
    static VTABLE: RawWakerVTable = RawWakerVTable::new(clone, wake, wake_by_ref, drop);
    // SAFETY: the functions keep the count of the `Arc`, which is `Send` and `Sync`.
    unsafe { Waker::new(Arc::into_raw(mood.clone()).cast(), &VTABLE) }
}

#[test]
fn a_clone_that_panics_reaches_the_poller_and_the_task_still_tells_the_others() {
    let bed = Bed::new();
    let task = bed.scheduler.create_task(yield_now());
    let any = task.any();
    let mood = Arc::new(Mood::default());
    let bad = waker(&mood);
    let (count, good) = Count::new();
    let mut first = EndWait::new(&any);
    let mut second = EndWait::new(&any);
    assert!(poll_with(&mut first, &good).is_pending());
    mood.clone.store(true, Ordering::SeqCst);
    assert_eq!(panic_of(|| poll_with(&mut second, &bad)), "clone");
    // The same wait, with the waker that can be cloned now; then a replacement that panics.
    assert!(poll_with(&mut second, &bad).is_pending());
    mood.clone.store(true, Ordering::SeqCst);
    assert_eq!(panic_of(|| poll_with(&mut first, &bad)), "clone");
    bed.settle();
    assert_eq!(count.get(), 1, "the waker of before is still there");
    assert_eq!(bed.take_reports(), [""; 0]);
    drop((first, second, bad));
    assert_eq!(Arc::strong_count(&mood), 1);
}

#[test]
fn a_clone_that_panics_leaves_a_promise_as_it_was() {
    let bed = Bed::new();
    let promise = bed.scheduler.create_promise::<i32>();
    let mood = Arc::new(Mood::default());
    let bad = waker(&mood);
    let (count, good) = Count::new();
    let mut wait = promise.clone().into_future();
    mood.clone.store(true, Ordering::SeqCst);
    assert_eq!(panic_of(|| poll_with(&mut wait, &bad)), "clone");
    assert!(poll_with(&mut wait, &good).is_pending());
    mood.clone.store(true, Ordering::SeqCst);
    assert_eq!(panic_of(|| poll_with(&mut wait, &bad)), "clone");
    promise.set_result(1).unwrap();
    assert_eq!(count.get(), 1);
    assert!(poll_with(&mut wait, &good).is_ready());
}

#[test]
fn a_wake_that_panics_is_reported_once_and_the_others_are_woken() {
    let bed = Bed::new();
    let task = bed.scheduler.create_task(yield_now()).named("job");
    let any = task.any();
    let mood = Arc::new(Mood::default());
    let bad = waker(&mood);
    let (count, good) = Count::new();
    let mut waits: Vec<EndWait> = (0..3).map(|_| EndWait::new(&any)).collect();
    assert!(poll_with(&mut waits[0], &bad).is_pending());
    assert!(poll_with(&mut waits[1], &good).is_pending());
    assert!(poll_with(&mut waits[2], &good).is_pending());
    let called = Rc::new(Cell::new(false));
    let told = called.clone();
    any.add_done_callback(move |_| told.set(true));
    mood.wake.store(true, Ordering::SeqCst);
    bed.settle();
    assert_eq!(count.get(), 2);
    assert!(called.get());
    let reports = bed.reports();
    assert_eq!(
        bed.take_reports(),
        ["exception in a foreign waker at the end of a task: wake"]
    );
    assert_eq!(reports[0].task(), Some("job"));
}

#[test]
fn a_wake_that_panics_does_not_reach_who_sets_a_promise() {
    let bed = Bed::new();
    let promise = bed.scheduler.create_promise::<i32>();
    let mood = Arc::new(Mood::default());
    let bad = waker(&mood);
    let (count, good) = Count::new();
    let mut waits: Vec<_> = (0..2).map(|_| promise.clone().into_future()).collect();
    assert!(poll_with(&mut waits[0], &bad).is_pending());
    assert!(poll_with(&mut waits[1], &good).is_pending());
    mood.wake.store(true, Ordering::SeqCst);
    promise.set_result(1).unwrap();
    assert_eq!(count.get(), 1);
    assert_eq!(bed.take_reports(), ["exception in a foreign waker: wake"]);
}

/// A node of the cancellation tree that is polled with a waker of its own, until it is asked to cancel.
struct Branch {
    node: Node,
    waker: Waker,
}

impl Branch {
    fn new(waker: Waker) -> Branch {
        let node = Node::new(Kind::Catch);
        Branch { node, waker }
    }

    fn poll(&mut self) -> Poll<()> {
        if !self.node.enter(&Context::from_waker(&self.waker)) {
            return Poll::Pending;
        }
        drop(self.node.take(|| ()));
        Poll::Ready(())
    }
}

/// A task with two branches, and the count of the second one's wakes. The first one's waker panics when it is woken.
fn with_branches(bed: &Bed) -> (Task<()>, Arc<Count>) {
    let mood = Arc::new(Mood::default());
    mood.wake.store(true, Ordering::SeqCst);
    let (count, good) = Count::new();
    let (mut first, mut second) = (Branch::new(waker(&mood)), Branch::new(good));
    let task = bed.scheduler.create_task(poll_fn(move |_| {
        let polled = [first.poll(), second.poll()];
        if polled.iter().all(Poll::is_ready) {
            Poll::Ready(())
        } else {
            Poll::Pending
        }
    }));
    (task, count)
}

#[test]
fn a_wake_that_panics_where_a_request_arrives_is_reported_and_the_others_are_woken() {
    let bed = Bed::new();
    let (task, count) = with_branches(&bed);
    bed.settle();
    let any = task.any();
    let asker = bed.scheduler.create_task(async move { any.cancel() });
    bed.settle();
    assert!(*asker.result().unwrap());
    assert_eq!(count.get(), 1);
    assert_eq!(bed.take_reports(), ["exception in a foreign waker: wake"]);
}

#[test]
fn a_wake_that_panics_outside_of_any_loop_reaches_the_asker_when_all_are_woken() {
    let bed = Bed::new();
    let (task, count) = with_branches(&bed);
    bed.settle();
    assert_eq!(panic_of(|| task.cancel()), "wake");
    assert_eq!(count.get(), 1);
    assert_eq!(bed.take_reports(), [""; 0]);
}

#[test]
fn a_drop_that_panics_reaches_who_lets_the_waker_go_and_nothing_is_stuck() {
    let bed = Bed::new();
    let task = bed.scheduler.create_task(yield_now());
    let any = task.any();
    let mood = Arc::new(Mood::default());
    let bad = waker(&mood);
    let (count, good) = Count::new();
    let mut first = EndWait::new(&any);
    let mut second = EndWait::new(&any);
    assert!(poll_with(&mut first, &bad).is_pending());
    assert!(poll_with(&mut second, &good).is_pending());
    mood.drop.store(true, Ordering::SeqCst);
    assert_eq!(
        panic_of(|| poll_with(&mut first, &good)),
        "drop",
        "the one that was replaced"
    );
    mood.drop.store(false, Ordering::SeqCst);
    assert!(poll_with(&mut first, &bad).is_pending());
    mood.drop.store(true, Ordering::SeqCst);
    assert_eq!(panic_of(|| drop(first)), "drop");
    bed.settle();
    assert_eq!(count.get(), 1);
    drop(bad);
    assert_eq!(Arc::strong_count(&mood), 1);
}
