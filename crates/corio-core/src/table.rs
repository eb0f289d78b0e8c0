//! The table of unfinished tasks.
//!
//! It is borrowed without a check, as the [ready queue](crate::ready) is and for the same reason: each method borrows for the time
//! of one operation on plain memory, and no foreign code runs in it. The allocator may be foreign, so room is made with nothing
//! borrowed, and everything is read again afterwards.

use std::cell::UnsafeCell;
use std::mem::{self, ManuallyDrop};
use std::ptr::{self, NonNull};

use crate::cell::{CellRef, Header};
use crate::key::{MAX_SLOTS, TaskKey};
use crate::prefetch;

/// The unfinished tasks by slot. It holds a reference to each.
pub(crate) struct Tasks {
    table: UnsafeCell<Table>,
}

struct Table {
    slots: Vec<Slot>,
    /// The slot that was freed last.
    free: u32,
    /// How many slots hold a task.
    tasks: usize,
}

/// A task, whose address is even, or the number of the next free slot, made odd.
#[derive(Clone, Copy)]
struct Slot(*const Header);

/// There is no free slot behind this one.
const NONE: u32 = u32::MAX >> 1;

impl Slot {
    fn of(task: CellRef) -> Slot {
        Slot(ManuallyDrop::new(task).as_ptr())
    }

    fn free(next: u32) -> Slot {
        Slot(ptr::without_provenance((next as usize) << 1 | 1))
    }

    fn next_free(self) -> u32 {
        (self.0.addr() >> 1) as u32
    }

    /// The task, for the time of one look at it.
    #[inline]
    fn task(&self) -> Option<ManuallyDrop<CellRef>> {
        if self.0.addr() & 1 != 0 {
            return None;
        }
        // SAFETY: the slot came from `of`, so it holds a reference to the cell, which is not null. The callers in this crate set the
        // state of the cell, or take a reference of their own, before they do anything else.
        Some(unsafe { CellRef::of_entry(NonNull::new_unchecked(self.0.cast_mut())) })
    }
}

impl Tasks {
    pub(crate) fn new() -> Tasks {
        Tasks {
            table: UnsafeCell::new(Table {
                slots: Vec::new(),
                free: NONE,
                tasks: 0,
            }),
        }
    }

    /// A free slot for a new task, to be [filled](Tasks::fill).
    ///
    /// # Panics
    ///
    /// When there are as many unfinished tasks as keys can name.
    #[inline]
    pub(crate) fn reserve(&self) -> u32 {
        // SAFETY: see the module.
        let table = unsafe { &mut *self.table.get() };
        let slot = table.free;
        match table.slots.get(slot as usize) {
            Some(place) => {
                table.free = place.next_free();
                slot
            }
            None => self.reserve_growing(),
        }
    }

    #[cold]
    #[inline(never)]
    fn reserve_growing(&self) -> u32 {
        loop {
            // SAFETY: see the module; the borrow ends before `grow`.
            let table = unsafe { &mut *self.table.get() };
            let length = table.slots.len();
            assert!(
                length < MAX_SLOTS,
                "more than {MAX_SLOTS} tasks are unfinished"
            );
            if length < table.slots.capacity() {
                table.slots.push(Slot::free(NONE));
                return length as u32;
            }
            self.grow(length);
        }
    }

    fn grow(&self, length: usize) {
        let mut slots = Vec::with_capacity((length * 2).max(64));
        // SAFETY: see the module; the old list is moved over, which does not allocate, since there is room.
        let table = unsafe { &mut *self.table.get() };
        // The allocator may have listed tasks meanwhile, and made more room for them than this.
        if table.slots.len() < slots.capacity() {
            slots.append(&mut table.slots);
            mem::swap(&mut table.slots, &mut slots);
        }
        drop(slots);
    }

    /// Puts a task into the slot that was reserved for it.
    ///
    /// # Safety
    ///
    /// The slot came from [`reserve`](Tasks::reserve).
    #[inline]
    pub(crate) unsafe fn fill(&self, slot: u32, task: CellRef) {
        // SAFETY: see the module.
        let table = unsafe { &mut *self.table.get() };
        table.tasks += 1;
        debug_assert!(table.slots[slot as usize].task().is_none());
        // SAFETY: the caller has reserved the slot, and the table never gets shorter.
        *unsafe { table.slots.get_unchecked_mut(slot as usize) } = Slot::of(task);
    }

    /// Takes a task out of its slot, and gives the reference that was kept there.
    #[inline]
    pub(crate) fn remove(&self, task: &CellRef) -> Option<CellRef> {
        let slot = task.key.get().slot();
        // SAFETY: see the module.
        let table = unsafe { &mut *self.table.get() };
        let place = table.slots.get_mut(slot)?;
        if !ptr::eq(place.0, task.as_ptr()) {
            return None;
        }
        *place = Slot::free(table.free);
        table.free = slot as u32;
        table.tasks -= 1;
        // SAFETY: the slot came from `of`, so it held a reference to this cell, and holds it no more.
        unsafe { CellRef::lent(task.as_ptr()) }.map(ManuallyDrop::into_inner)
    }

    /// Looks at the task with this key, if it is there. The table is not borrowed while `look` runs.
    #[inline(always)]
    pub(crate) fn with<R>(&self, key: TaskKey, look: impl FnOnce(&CellRef) -> R) -> Option<R> {
        let task = self.slot(key.slot())?.task()?;
        (task.key.get() == key).then(|| look(&task))
    }

    /// The task in a slot, whichever it is.
    pub(crate) fn in_slot(&self, slot: usize) -> Option<CellRef> {
        Some(CellRef::clone(&*self.slot(slot)?.task()?))
    }

    #[inline(always)]
    fn slot(&self, slot: usize) -> Option<Slot> {
        // SAFETY: see the module; only a word is read.
        let table = unsafe { &*self.table.get() };
        table.slots.get(slot).copied()
    }

    /// Has the place of a task in the table fetched.
    #[inline]
    pub(crate) fn prefetch_slot(&self, key: TaskKey) {
        // SAFETY: see the module.
        let table = unsafe { &*self.table.get() };
        prefetch::line(table.slots.as_ptr().wrapping_add(key.slot()));
    }

    /// Has the cell of a task fetched.
    #[inline]
    pub(crate) fn prefetch_task(&self, key: TaskKey) {
        if let Some(slot) = self.slot(key.slot()) {
            prefetch::cell(slot.0);
        }
    }

    pub(crate) fn len(&self) -> usize {
        // SAFETY: see the module.
        unsafe { (*self.table.get()).tasks }
    }

    /// The tasks in no particular order.
    pub(crate) fn all(&self) -> Vec<CellRef> {
        let mut all = Vec::with_capacity(self.len());
        let slots = (0..).map_while(|slot| self.slot(slot));
        // Slot by slot, since the list may have to grow if the allocator has made tasks.
        for slot in slots {
            if let Some(task) = slot.task() {
                all.push(CellRef::clone(&task));
            }
        }
        all
    }
}

impl Drop for Tasks {
    fn drop(&mut self) {
        let slots = mem::take(&mut self.table.get_mut().slots);
        for task in slots.iter().filter_map(Slot::task) {
            drop(ManuallyDrop::into_inner(task));
        }
    }
}
