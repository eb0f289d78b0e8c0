//! Done callbacks of tasks: called one turn after the end, in the order in which they were added.

use std::panic::Location;

use crate::cell::CellRef;
use crate::task::{AnyTask, Task};

/// The number of a done callback, to take it back with.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct CallbackId(u64);

impl<T> Task<T> {
    /// Calls `callback` with the task one turn after its end, in the order of the calls; at the next turn if it has ended.
    ///
    /// A callback that panics is reported and does not keep the others from being called.
    #[track_caller]
    pub fn add_done_callback(&self, callback: impl FnOnce(&Task<T>) + 'static) -> CallbackId
    where
        T: 'static,
    {
        let guard = CallbackGuard(self.cell().clone());
        let call = move || {
            let lent = Lent(Some(Task::new(guard.0.clone())));
            if let Some(task) = &lent.0 {
                callback(task);
            }
            drop(lent);
            drop(guard);
        };
        CallbackId(add_callback(self.cell(), call))
    }

    /// Takes a done callback back. False: it was called, is about to be, or was taken back before.
    pub fn remove_done_callback(&self, id: CallbackId) -> bool {
        remove_callback(self.cell(), id)
    }
}

impl AnyTask {
    /// Calls `callback` with the task one turn after its end, see [`Task::add_done_callback`].
    #[track_caller]
    pub fn add_done_callback(&self, callback: impl FnOnce(&AnyTask) + 'static) -> CallbackId {
        let guard = CallbackGuard(self.cell().clone());
        let call = move || {
            callback(&AnyTask::new(guard.0.clone()));
            drop(guard);
        };
        CallbackId(add_callback(self.cell(), call))
    }

    /// Takes a done callback back, see [`Task::remove_done_callback`].
    pub fn remove_done_callback(&self, id: CallbackId) -> bool {
        remove_callback(self.cell(), id)
    }
}

/// A handle that is lent to a callback: its end does not disown the task.
struct Lent<T>(Option<Task<T>>);

impl<T> Drop for Lent<T> {
    fn drop(&mut self) {
        if let Some(task) = self.0.take() {
            let cell = task.cell().clone();
            let owned = cell.state.is_owned();
            // The callback that it was lent to still counts, so this cannot drop the value.
            drop(task);
            if owned {
                cell.state.own();
            }
        }
    }
}

/// One queued or running callback: the value may leave when the last one is gone.
struct CallbackGuard(CellRef);

impl Drop for CallbackGuard {
    fn drop(&mut self) {
        let cell = &self.0;
        if !cell.state.is_done() {
            // It was taken back before the end, and never counted.
            return;
        }
        if cell.callback_gone() {
            if !cell.state.is_owned() {
                cell.scheduler.drop_value(cell);
            }
            cell.tell_waiters();
        }
    }
}

#[track_caller]
fn add_callback(cell: &CellRef, call: impl FnOnce() + 'static) -> u64 {
    let callback = CellRef::callback(call, Location::caller(), cell.scheduler.clone());
    callback.capture_context();
    if cell.state.is_done() {
        cell.callback_queued();
        cell.scheduler.queue_callback(callback);
        0
    } else {
        cell.wait_call(callback)
    }
}

fn remove_callback(cell: &CellRef, id: CallbackId) -> bool {
    match cell.forget_call(id.0) {
        Some(callback) => {
            callback.revoke();
            true
        }
        None => false,
    }
}

impl CellRef {
    /// One more callback is queued. The header counts a few of them, and the extras the rest.
    pub(crate) fn callback_queued(&self) {
        match self.callbacks.get() {
            u16::MAX => self.with_extras(|extras| extras.more_callbacks += 1),
            count => self.callbacks.set(count + 1),
        }
    }

    /// One callback was called or dropped. True: it was the last.
    pub(crate) fn callback_gone(&self) -> bool {
        let count = self.callbacks.get();
        if count == u16::MAX {
            let more = self.with_extras(|extras| {
                let more = extras.more_callbacks;
                extras.more_callbacks = more.saturating_sub(1);
                more
            });
            if more > 0 {
                return false;
            }
        }
        self.callbacks.set(count.saturating_sub(1));
        count <= 1
    }
}
