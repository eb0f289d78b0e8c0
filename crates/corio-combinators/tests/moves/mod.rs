//! Futures, places, and what is seen of a future that goes from one place to another.

#![allow(unreachable_pub, reason = "one test file uses it")]

pub mod course;
pub mod kinds;
pub mod notes;
pub mod places;

use std::cell::RefCell;

pub use notes::{Moving, Notes, later, note, take_notes};

thread_local! {
    static PROBES: RefCell<Vec<(&'static str, Probe)>> = const { RefCell::new(Vec::new()) };
}

type Probe = Box<dyn Fn() -> usize>;

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
