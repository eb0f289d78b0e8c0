//! Futures, places, and what is seen of a future that goes from one place to another.

#![allow(unreachable_pub, reason = "one test file uses it")]

pub mod course;
pub mod kinds;
pub mod places;

use std::cell::RefCell;
use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use crate::support::{create_task, here, sleep};

pub type Moving = Pin<Box<dyn Future<Output = String>>>;

thread_local! {
    static NOTES: RefCell<Vec<(Duration, String)>> = const { RefCell::new(Vec::new()) };
    static PROBES: RefCell<Vec<(&'static str, Probe)>> = const { RefCell::new(Vec::new()) };
}

type Probe = Box<dyn Fn() -> usize>;

/// Something has happened that must not depend on the place.
pub fn note(event: impl Into<String>) {
    let event = (here().time(), event.into());
    NOTES.with_borrow_mut(|notes| notes.push(event));
}

/// What was noted, in the order of the times only: turns may differ.
pub fn take_notes() -> Vec<(Duration, String)> {
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

/// Counts those who wait at something.
pub fn probe(what: &'static str, count: impl Fn() -> usize + 'static) {
    PROBES.with_borrow_mut(|probes| probes.push((what, Box::new(count))));
}

/// Where somebody still waits.
pub fn waiters_left() -> Vec<&'static str> {
    let probes = PROBES.take();
    let busy = probes.iter().filter(|(_, count)| count() > 0);
    busy.map(|(what, _)| *what).collect()
}
