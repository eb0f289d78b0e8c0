//! `TimerHandle`: a callback that waits for its time.

use std::cell::Cell;
use std::fmt;
use std::rc::{Rc, Weak};
use std::time::Instant;

use corio_core::Handle;
use corio_core::time::{Moment, Timers};

use crate::event_loop::Loop;

/// A callback that was given to [`call_later`](crate::EventLoop::call_later) or [`call_at`](crate::EventLoop::call_at). Dropping
/// the handle leaves the callback alone.
#[derive(Clone)]
pub struct TimerHandle {
    handle: Handle,
    when: Moment,
    event_loop: Weak<Loop>,
    timer: Rc<Cell<u64>>,
}

impl TimerHandle {
    pub(crate) fn new(event_loop: &Rc<Loop>, handle: Handle, when: Moment) -> TimerHandle {
        let timer = if event_loop.scheduler.is_closed() {
            // It will never be called, so it is dropped now.
            handle.cancel();
            0
        } else if when == Moment::NEVER {
            0
        } else {
            event_loop.arm(when, handle.clone())
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
        (self.when != Moment::NEVER).then(|| self.when.instant())
    }
}

impl fmt::Debug for TimerHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TimerHandle")
            .field("handle", &self.handle)
            .field("when", &self.when())
            .finish()
    }
}
