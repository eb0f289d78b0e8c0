//! The clone of a waker is foreign code. What it ends is seen by the poll that has called it, for nobody would be woken any more.

mod support;

use std::cell::RefCell;
use std::future::IntoFuture;
use std::ptr;
use std::task::{Poll, RawWaker, RawWakerVTable, Waker};

use corio_core::{Cancelled, EndWait, Promise};
use support::{Bed, forever, poll_with};

type Hook = Box<dyn FnOnce()>;

thread_local! {
    /// What is called by a clone, and by which one of those to come.
    static AT_CLONE: RefCell<Option<(u32, Hook)>> = const { RefCell::new(None) };
}

static VTABLE: RawWakerVTable = RawWakerVTable::new(
    |data| {
        match AT_CLONE.take() {
            Some((1, hook)) => hook(),
            Some((number, hook)) => AT_CLONE.set(Some((number - 1, hook))),
            None => {}
        }
        RawWaker::new(data, &VTABLE)
    },
    |_| {},
    |_| {},
    |_| {},
);

/// A waker whose next clone calls this.
fn ending(hook: impl FnOnce() + 'static) -> Waker {
    ending_at(1, hook)
}

/// A waker whose clone of this number calls this.
fn ending_at(clone: u32, hook: impl FnOnce() + 'static) -> Waker {
    AT_CLONE.set(Some((clone, Box::new(hook))));
    // SAFETY: the functions of the table do not look at the data, and the hook stays with this thread, as all of this test does.
    unsafe { Waker::new(ptr::null(), &VTABLE) }
}

#[test]
fn a_wait_for_a_task_that_the_clone_ends_is_over() {
    let bed = Bed::new();
    for polled_before in [false, true] {
        let task = bed.scheduler.create_task(forever());
        let end = task.any();
        bed.turn();
        let mut wait = EndWait::new(&end);
        if polled_before {
            assert!(poll_with(&mut wait, Waker::noop()).is_pending());
        }
        let waker = ending(move || end.end_now(Cancelled::new("by the clone")));
        assert!(poll_with(&mut wait, &waker).is_ready());
        let error = task.result().unwrap_err();
        assert_eq!(error.to_string(), "cancelled: by the clone");
    }
}

#[test]
fn an_owned_wait_for_a_task_that_the_clone_ends_is_over() {
    let bed = Bed::new();
    // The first clone is for the cancellation tree, the second for the task.
    for clone in [1, 2] {
        let task = bed.scheduler.create_task(forever());
        let end = task.any();
        bed.turn();
        let mut wait = task.into_future();
        let waker = ending_at(clone, move || end.end_now(Cancelled::new("by the clone")));
        let Poll::Ready(Err(error)) = poll_with(&mut wait, &waker) else {
            panic!("nobody would wake it any more");
        };
        assert_eq!(error.to_string(), "cancelled: by the clone");
        assert!(AT_CLONE.take().is_none());
    }
}

#[test]
fn a_wait_for_a_promise_that_the_clone_settles_is_over() {
    let bed = Bed::new();
    for polled_before in [false, true] {
        let promise: Promise<u32> = bed.scheduler.create_promise();
        let mut wait = promise.clone().into_future();
        if polled_before {
            assert!(poll_with(&mut wait, Waker::noop()).is_pending());
        }
        let settled = promise.clone();
        let waker = ending(move || settled.set_result(7).unwrap());
        assert_eq!(
            poll_with(&mut wait, &waker).map(Result::ok),
            Poll::Ready(Some(7))
        );
    }
}
