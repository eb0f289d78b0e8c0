//! Wakers after the end of their loop. The number of a loop goes to the next one, in whichever test that is, and an old waker may name
//! a task of that one. So these tests are apart from those that count polls and notifications.
//!
//! Not under Miri, as those of `wakers_elsewhere.rs`.

#![cfg(not(miri))]

mod support;

use std::cell::RefCell;
use std::rc::Rc;
use std::thread;

use corio_core::{LoopClosed, Whereabouts, find_scheduler};
use support::{Bed, forever, my_waker, yield_now};

#[test]
fn wakers_and_remotes_outlive_the_loop() {
    let waker = Rc::new(RefCell::new(None));
    let (remote, number) = {
        let bed = Bed::new();
        let _task = bed.scheduler.create_task({
            let waker = waker.clone();
            async move {
                *waker.borrow_mut() = Some(my_waker().await);
                forever().await;
            }
        });
        bed.settle();
        (bed.scheduler.remote(), bed.scheduler.number())
    };
    let waker = waker.take().unwrap();
    waker.wake_by_ref();
    corio_core::relay(waker.clone());
    assert_eq!(remote.call_soon(|| ()), Err(LoopClosed));
    assert!(matches!(find_scheduler(number), Whereabouts::Gone));
    thread::spawn(move || {
        waker.wake_by_ref();
        assert_eq!(remote.call_soon(|| ()), Err(LoopClosed));
        waker.wake_by_ref();
        waker.wake();
    })
    .join()
    .unwrap();
}

#[test]
fn a_waker_made_on_a_thread_outlives_the_thread() {
    let waker = thread::spawn(|| {
        let bed = Bed::new();
        let task = bed.scheduler.create_task(my_waker());
        bed.settle();
        task.into_result().unwrap()
    })
    .join()
    .unwrap();
    waker.wake_by_ref();
    waker.wake();
}

#[test]
fn a_loop_on_another_thread_that_got_the_place_of_a_dead_one_bears_its_wakers() {
    let old = {
        let bed = Bed::new();
        let task = bed.scheduler.create_task(my_waker());
        bed.settle();
        task.into_result().unwrap()
    };
    // The number of the dead loop goes to this one.
    let bed = Bed::new();
    let task = bed.scheduler.create_task(async {
        yield_now().await;
        yield_now().await;
    });
    old.wake_by_ref();
    thread::spawn(move || old.wake()).join().unwrap();
    bed.settle();
    task.result().unwrap();
}
