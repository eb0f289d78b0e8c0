//! Callbacks in the ready queue.

use std::fmt;

use crate::cell::CellRef;

/// A callback that was given to a loop. Dropping the handle leaves the callback alone.
#[derive(Clone)]
pub struct Handle {
    cell: CellRef,
}

impl Handle {
    pub(crate) fn new(cell: CellRef) -> Handle {
        Handle { cell }
    }

    /// Takes the callback back and drops it. After it ran, or was cancelled before, nothing happens.
    pub fn cancel(&self) {
        if self.cell.state.cancel_callback() {
            self.cell.revoke();
        }
    }

    /// It was cancelled (also if that came too late to matter).
    pub fn cancelled(&self) -> bool {
        self.cell.state.callback_cancelled()
    }

    /// Puts a callback made by [`Scheduler::callback`](crate::Scheduler::callback) into the ready queue, once.
    pub fn queue(&self) {
        self.cell.scheduler.queue_callback(self.cell.clone());
    }
}

impl fmt::Debug for Handle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let site = self.cell.site;
        let state = if self.cancelled() { " cancelled" } else { "" };
        write!(
            f,
            "<Handle{state} {} at {}:{}>",
            self.cell.type_name(),
            site.file(),
            site.line()
        )
    }
}
