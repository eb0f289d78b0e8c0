//! What random programs need, on an event loop with a clock of its own.

#![allow(
    dead_code,
    unreachable_pub,
    reason = "each test file uses its part of it"
)]

use std::cell::Cell;
use std::time::{Duration, Instant};

use corio_core::Scheduler;

pub use corio_runtime::{create_task, yield_now};

thread_local! {
    static START: Cell<Option<Instant>> = const { Cell::new(None) };
}

/// The time of the running test counts from here.
pub fn begin(start: Instant) {
    START.set(Some(start));
}

pub struct Here {
    pub scheduler: Scheduler,
}

/// The running loop.
pub fn here() -> Here {
    Here {
        scheduler: Scheduler::current().expect("a running loop"),
    }
}

impl Here {
    pub fn time(&self) -> Duration {
        now() - START.get().expect("the test has begun")
    }
}

/// Runs `call` after `seconds`.
pub fn call_later<R>(seconds: f64, call: impl FnOnce() -> R + 'static) -> Timer {
    let delay = Duration::from_secs_f64(seconds);
    corio_runtime::get_running_loop().call_later(delay, || {
        call();
    })
}

/// Runs `call` when the test has gone on for `time`.
pub fn call_at<R>(time: Duration, call: impl FnOnce() -> R + 'static) -> Timer {
    let start = START.get().expect("the test has begun");
    corio_runtime::get_running_loop().call_at(start + time, || {
        call();
    })
}

/// What a call that is to come may be taken back with.
pub type Timer = corio_runtime::TimerHandle;

pub fn now() -> Instant {
    corio_runtime::get_running_loop().time()
}

pub fn seconds(seconds: f64) -> Duration {
    Duration::from_secs_f64(seconds)
}

pub fn sleep(duration: f64) -> corio_runtime::Sleep {
    corio_runtime::sleep(seconds(duration))
}
