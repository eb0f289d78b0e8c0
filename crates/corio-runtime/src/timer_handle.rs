//! `TimerHandle`: a callback that waits for its time.

use std::cell::Cell;
use std::fmt;
use std::rc::{Rc, Weak};
use std::time::Instant;

use corio_core::Handle;
use corio_core::time::Timers;

use crate::event_loop::Loop;

/// A callback that was given to [`call_later`](crate::EventLoop::call_later) or [`call_at`](crate::EventLoop::call_at). Dropping
/// the handle leaves the callback alone.
#[derive(Clone)]
pub struct TimerHandle {
    handle: Handle,
    when: Option<Instant>,
    event_loop: Weak<Loop>,
    timer: Rc<Cell<u64>>,
}

impl TimerHandle {
    pub(crate) fn new(event_loop: &Rc<Loop>, handle: Handle, when: Option<Instant>) -> TimerHandle {
        let timer = match when {
            Some(when) if !event_loop.scheduler.is_closed() => event_loop.arm(when, handle.clone()),
            // What is further away than anybody can wait for has no timer; a closed loop drops the callback.
            Some(_) => {
                handle.cancel();
                0
            }
            None => 0,
        };
        let event_loop = Rc::downgrade(event_loop);
        TimerHandle {
            handle,
            when,
            event_loop,
            timer: Rc::new(Cell::new(timer)),
        }
    }

    /// Takes the callback back and drops it. After it ran, or was cancelled before, nothing happens.
    pub fn cancel(&self) {
        self.handle.cancel();
        let timer = self.timer.replace(0);
        if timer != 0 {
            if let Some(event_loop) = self.event_loop.upgrade() {
                event_loop.timers.disarm(timer);
            }
        }
    }

    /// It was cancelled (also if that came too late to matter).
    pub fn cancelled(&self) -> bool {
        self.handle.cancelled()
    }

    /// When it is due. `None`: so far away that it never is.
    pub fn when(&self) -> Option<Instant> {
        self.when
    }
}

impl fmt::Debug for TimerHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TimerHandle")
            .field("handle", &self.handle)
            .field("when", &self.when)
            .finish()
    }
}
