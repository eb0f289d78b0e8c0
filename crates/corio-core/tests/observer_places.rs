//! Observers are named by places that are used again. Nothing that is left of one reaches the next one in its place.

mod support;

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Wake, Waker};

use corio_core::{AnyTask, Observer, ObserverId, Scheduler};
use support::{Bed, panic_of, poll_with, yield_now};

/// Keeps the numbers of the members whose ends it was told.
#[derive(Default)]
struct Told(RefCell<Vec<u32>>);

impl Observer for Told {
    fn member_done(&self, index: u32) -> bool {
        self.0.borrow_mut().push(index);
        false
    }

    fn fire(&self) {
        unreachable!("nothing was asked for");
    }
}

fn observer(scheduler: &Scheduler) -> (Rc<Told>, ObserverId) {
    let told = Rc::new(Told::default());
    let id = scheduler.add_observer(told.clone());
    (told, id)
}

#[test]
fn members_that_an_observer_has_left_behind_are_told_to_nobody() {
    let bed = Bed::new();
    let tasks = [(); 2].map(|()| bed.scheduler.create_task(yield_now()).any());
    let (first, id) = observer(&bed.scheduler);
    bed.scheduler.observe(&tasks[0], &id, 7);
    bed.scheduler.observe(&tasks[1], &id, 8);
    bed.scheduler.observe(&tasks[1], &id, 9);
    bed.scheduler.forget_observer(id);
    assert_eq!(Rc::strong_count(&first), 1, "the observer was let go");
    let (second, _id) = observer(&bed.scheduler);
    bed.settle();
    assert!(tasks.iter().all(AnyTask::done));
    assert_eq!(*first.0.borrow(), []);
    assert_eq!(*second.0.borrow(), []);
}

#[test]
fn the_place_of_an_observer_is_used_again_when_its_last_member_has_ended() {
    let bed = Bed::new();
    let mut ids = Vec::new();
    for _ in 0..3 {
        let task = bed.scheduler.create_task(yield_now()).any();
        let (_, id) = observer(&bed.scheduler);
        ids.push(format!("{id:?}"));
        bed.scheduler.observe(&task, &id, 0);
        bed.scheduler.forget_observer(id);
        bed.settle();
    }
    assert_eq!(ids[0], ids[1]);
    assert_eq!(ids[0], ids[2]);
}

#[test]
fn a_task_taken_back_is_told_no_more_and_the_others_are() {
    let bed = Bed::new();
    let tasks = [(); 2].map(|()| bed.scheduler.create_task(yield_now()).any());
    let (told, id) = observer(&bed.scheduler);
    let (other, other_id) = observer(&bed.scheduler);
    for (index, task) in tasks.iter().enumerate() {
        bed.scheduler.observe(task, &id, index as u32);
        bed.scheduler.observe(task, &other_id, 10 + index as u32);
    }
    bed.scheduler.unobserve(&tasks[0], &id);
    bed.settle();
    assert_eq!(*told.0.borrow(), [1]);
    assert_eq!(*other.0.borrow(), [10, 11]);
}

/// A foreign waker that does something once.
struct Does(Box<dyn Fn() + Send + Sync>, AtomicBool);

impl Wake for Does {
    fn wake(self: Arc<Self>) {
        if !self.1.swap(true, Ordering::SeqCst) {
            self.0();
        }
    }
}

thread_local! {
    static CHANGE: RefCell<Option<Box<dyn FnOnce()>>> = const { RefCell::new(None) };
}

#[test]
fn an_observer_that_comes_while_a_task_tells_of_its_end_is_not_told_instead_of_one_that_went() {
    let bed = Bed::new();
    let task = bed.scheduler.create_task(yield_now());
    let does = Does(
        Box::new(|| CHANGE.take().expect("woken once")()),
        AtomicBool::new(false),
    );
    let waker = Waker::from(Arc::new(does));
    let mut watch = task.watch();
    assert!(poll_with(&mut watch, &waker).is_pending());
    let (first, id) = observer(&bed.scheduler);
    bed.scheduler.observe(&task.any(), &id, 0);
    let second = Rc::new(RefCell::new(None));
    let scheduler = bed.scheduler.clone();
    let keep = second.clone();
    CHANGE.set(Some(Box::new(move || {
        scheduler.forget_observer(id);
        *keep.borrow_mut() = Some(observer(&scheduler));
    })));
    bed.settle();
    let (second, _id) = second.take().expect("the waker was woken");
    assert_eq!(*first.0.borrow(), []);
    assert_eq!(*second.0.borrow(), []);
}

#[test]
fn an_observer_of_another_scheduler_is_refused() {
    let (here, there) = (Bed::new(), Bed::new());
    let task = here.scheduler.create_task(yield_now()).any();
    let (told, id) = observer(&there.scheduler);
    let panic = panic_of(|| here.scheduler.observe(&task, &id, 0));
    assert_eq!(panic, "an observer of another event loop");
    let panic = panic_of(|| there.scheduler.observe(&task, &id, 0));
    assert_eq!(panic, "a task of another event loop cannot be observed");
    here.settle();
    assert_eq!(*told.0.borrow(), []);
}

#[test]
fn a_patient_observer_is_told_of_failures_and_of_the_last_end_only() {
    let bed = Bed::new();
    let (told, id) = observer(&bed.scheduler);
    let plain = [(); 3].map(|()| bed.scheduler.create_task(yield_now()).any());
    let cancelled = bed
        .scheduler
        .create_task(std::future::pending::<()>())
        .any();
    let last = bed
        .scheduler
        .create_task(std::future::pending::<()>())
        .any();
    let all = [&plain[0], &cancelled, &plain[1], &plain[2], &last];
    assert!(bed.scheduler.observe_all(all.into_iter(), &id));
    bed.scheduler.observe_patiently(&id);
    bed.settle();
    assert_eq!(*told.0.borrow(), [], "an end with a value is not the last");
    cancelled.cancel();
    bed.settle();
    assert_eq!(*told.0.borrow(), [1]);
    last.cancel();
    bed.settle();
    assert_eq!(*told.0.borrow(), [1, 4]);
    assert_eq!(bed.scheduler.observe_closely(&id), 0);
    bed.scheduler.forget_observer(id);
}

#[test]
fn a_patient_observer_is_told_of_the_last_value() {
    let bed = Bed::new();
    let (told, id) = observer(&bed.scheduler);
    let tasks = [(); 3].map(|()| bed.scheduler.create_task(yield_now()).any());
    assert!(bed.scheduler.observe_all(tasks.iter(), &id));
    bed.scheduler.observe_patiently(&id);
    bed.settle();
    assert_eq!(*told.0.borrow(), [2]);
    bed.scheduler.forget_observer(id);
}

#[test]
fn an_observer_that_was_patient_hears_of_every_end_again_and_how_many_are_left() {
    let bed = Bed::new();
    let (told, id) = observer(&bed.scheduler);
    let first = bed.scheduler.create_task(async {}).any();
    let rest = [(); 2].map(|()| {
        bed.scheduler
            .create_task(std::future::pending::<()>())
            .any()
    });
    let all = [&first, &rest[0], &rest[1]];
    assert!(bed.scheduler.observe_all(all.into_iter(), &id));
    bed.scheduler.observe_patiently(&id);
    bed.settle();
    assert_eq!(bed.scheduler.observe_closely(&id), 2);
    rest[0].cancel();
    bed.settle();
    assert_eq!(*told.0.borrow(), [1]);
    assert_eq!(bed.scheduler.observe_closely(&id), 1);
    bed.scheduler.unobserve(&rest[1], &id);
    bed.scheduler.forget_observer(id);
    rest[1].cancel();
    bed.settle();
}

#[test]
fn all_are_observed_or_none() {
    let bed = Bed::new();
    let (told, id) = observer(&bed.scheduler);
    let ended = bed.scheduler.create_task(async {}).any();
    bed.settle();
    let open = bed.scheduler.create_task(yield_now()).any();
    assert!(!bed.scheduler.observe_all([&open, &ended].into_iter(), &id));
    assert!(!bed.scheduler.observe_all([].into_iter(), &id));
    let other = Scheduler::new(|| {});
    let foreign = other.create_task(yield_now()).any();
    assert!(
        !bed.scheduler
            .observe_all([&open, &foreign].into_iter(), &id)
    );
    bed.settle();
    assert_eq!(*told.0.borrow(), []);
    bed.scheduler.forget_observer(id);
    other.close();
}
