//! Callbacks in the ready queue.

use std::fmt;
use std::panic::Location;

use crate::cell::CellRef;
use crate::describe::TypePath;
use crate::scheduler::Scheduler;

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

    /// Puts a callback made by [`Scheduler::callback`] into the ready queue, once.
    pub fn queue(&self) {
        self.cell.scheduler.queue_callback(self.cell.clone());
    }
}

impl Scheduler {
    /// Calls `callback` in the next batch, behind what is ready now.
    ///
    /// On a closed scheduler it is dropped at once, and the handle says that it was cancelled.
    #[track_caller]
    pub fn call_soon(&self, callback: impl FnOnce() + 'static) -> Handle {
        self.call_soon_at(callback, Location::caller())
    }

    /// The same, for a caller that knows on whose line the callback was given.
    pub fn call_soon_at(
        &self,
        callback: impl FnOnce() + 'static,
        site: &'static Location<'static>,
    ) -> Handle {
        let cell = CellRef::callback(callback, site, self.clone());
        cell.capture_context();
        self.queue_callback(cell.clone());
        Handle::new(cell)
    }

    /// A callback that is not queued yet, see [`Handle::queue`].
    #[track_caller]
    pub fn callback(&self, callback: impl FnOnce() + 'static) -> Handle {
        let cell = CellRef::callback(callback, Location::caller(), self.clone());
        cell.capture_context();
        Handle::new(cell)
    }
}

impl fmt::Debug for Handle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let site = self.cell.site;
        let state = if self.cancelled() { " cancelled" } else { "" };
        write!(
            f,
            "<Handle{state} {} at {}:{}>",
            TypePath(self.cell.type_name()),
            site.file(),
            site.line()
        )
    }
}
