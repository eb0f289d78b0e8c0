//! Waking: how a task gets into the ready queue, and which task is current.

use crate::cell::CellRef;
use crate::key::TaskKey;
use crate::scheduler::Inner;

impl Inner {
    /// Wakes the task with this key. False: it is not one of ours, or not any more.
    #[inline(always)]
    pub(crate) fn wake(&self, key: TaskKey) -> bool {
        self.tasks.with(key, |cell| self.wake_cell(cell)).is_some()
    }

    #[inline(always)]
    pub(crate) fn wake_cell(&self, cell: &CellRef) {
        if cell.state.wake() {
            // SAFETY: a task that could be woken is unfinished, so it is in the table.
            unsafe { self.ready.push_task(cell) };
        }
    }

    /// The same, without a move of the queue. False: it has no room.
    #[inline(always)]
    pub(crate) fn wake_in_place(&self, cell: &CellRef) -> bool {
        if !self.ready.has_room() {
            return false;
        }
        if cell.state.wake() {
            // SAFETY: as in `wake_cell`; there is room.
            unsafe { self.ready.push_in_place(cell) };
        }
        true
    }

    /// Wakes a task by way of the queue, as the end of a timer does.
    pub(crate) fn relay(&self, key: TaskKey) {
        self.tasks.with(key, |cell| {
            if cell.state.relay() {
                // SAFETY: as in `wake_cell`.
                unsafe { self.ready.push_task(cell) };
            }
        });
    }

    /// The same for several. Their cells are fetched together, since otherwise each would have to be waited for.
    pub(crate) fn relay_all(&self, keys: impl Iterator<Item = TaskKey> + Clone) {
        for key in keys.clone() {
            self.tasks.prefetch_slot(key);
        }
        for key in keys.clone() {
            self.tasks.prefetch_task(key);
        }
        for key in keys {
            self.relay(key);
        }
    }

    /// Looks at the cell of the task that takes its step now.
    #[inline]
    pub(crate) fn with_current(&self, look: impl FnOnce(&CellRef)) {
        // SAFETY: the pointer is null, or was set for the time of a step or of the forced end of a task. Meanwhile whoever set it
        // holds a reference to the cell, or the table does, which a task that takes a step of its own does not leave.
        if let Some(cell) = unsafe { CellRef::lent(self.current.get()) } {
            look(&cell);
        }
    }

    pub(crate) fn current_cell(&self) -> Option<CellRef> {
        let mut current = None;
        self.with_current(|cell| current = Some(cell.clone()));
        current
    }

    /// The task whose poll has just panicked; there is no current task after this.
    pub(crate) fn take_current(&self) -> Option<CellRef> {
        let cell = self.current_cell();
        self.current.set(std::ptr::null());
        cell
    }
}
