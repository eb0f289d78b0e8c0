//! What is seen of a future, and when.

#![allow(unreachable_pub, reason = "two test files use it")]

use std::cell::RefCell;
use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use crate::support::{create_task, here, sleep};

pub type Moving = Pin<Box<dyn Future<Output = String>>>;

pub type Notes = Vec<(Duration, String)>;

thread_local! {
    static NOTES: RefCell<Notes> = const { RefCell::new(Vec::new()) };
}

/// Something has happened that must not depend on the place.
pub fn note(event: impl Into<String>) {
    let event = (here().time(), event.into());
    NOTES.with_borrow_mut(|notes| notes.push(event));
}

/// What was noted, in the order of the times only: turns may differ.
pub fn take_notes() -> Notes {
    let mut notes = NOTES.take();
    notes.sort();
    notes
}

/// Does something after so many seconds. Unlike a timer it ends by itself when the test goes on without it.
pub fn later<R>(seconds: f64, act: impl FnOnce() -> R + 'static) {
    let clock = create_task(async move {
        sleep(seconds).await;
        act();
    });
    clock.set_name("the clock");
}
