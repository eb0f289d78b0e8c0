//! The two tables that every wake and every step touch: the ready queue and the list of unfinished tasks.
//!
//! They are borrowed without a check, because the checks of a `RefCell` would be a third of what a wake costs. What makes that
//! sound is narrow: each method below borrows for the time of one operation on a `VecDeque` or `Slab` of references to cells, and
//! no foreign code runs in it. Pushing could call the allocator, which may be foreign; so room is made beforehand, with the
//! table taken out of its place.

use std::cell::UnsafeCell;
use std::collections::VecDeque;
use std::mem;

use crate::cell::CellRef;
use crate::key::MAX_SLOTS;

/// The ready queue, first in, first out.
pub(crate) struct Ready {
    queue: UnsafeCell<VecDeque<CellRef>>,
}

impl Ready {
    pub(crate) fn new() -> Ready {
        Ready {
            queue: UnsafeCell::new(VecDeque::new()),
        }
    }

    #[inline]
    pub(crate) fn push(&self, cell: CellRef) {
        // SAFETY: see the module; the queue has room, so nothing is allocated while it is borrowed.
        let queue = unsafe { &mut *self.queue.get() };
        if queue.len() < queue.capacity() {
            queue.push_back(cell);
        } else {
            self.push_growing(cell);
        }
    }

    #[cold]
    fn push_growing(&self, cell: CellRef) {
        // SAFETY: the queue is taken out in one move, and the borrow ends with it.
        let mut queue = mem::take(unsafe { &mut *self.queue.get() });
        queue.reserve(queue.capacity().max(64));
        // SAFETY: as above. What the allocator may have queued meanwhile comes behind.
        let meanwhile = mem::replace(unsafe { &mut *self.queue.get() }, queue);
        self.push(cell);
        meanwhile.into_iter().for_each(|cell| self.push(cell));
    }

    #[inline]
    pub(crate) fn pop(&self) -> Option<CellRef> {
        // SAFETY: see the module.
        unsafe { &mut *self.queue.get() }.pop_front()
    }

    #[inline]
    pub(crate) fn len(&self) -> usize {
        // SAFETY: see the module.
        unsafe { &*self.queue.get() }.len()
    }

    pub(crate) fn front(&self) -> Option<CellRef> {
        // SAFETY: see the module; a `CellRef` is cloned by counting.
        unsafe { &*self.queue.get() }.front().cloned()
    }

    pub(crate) fn take_all(&self) -> VecDeque<CellRef> {
        // SAFETY: see the module.
        mem::take(unsafe { &mut *self.queue.get() })
    }
}

/// The unfinished tasks by slot.
pub(crate) struct Tasks {
    table: UnsafeCell<Table>,
}

struct Table {
    entries: Vec<Option<CellRef>>,
    free: Vec<u32>,
}

impl Tasks {
    pub(crate) fn new() -> Tasks {
        Tasks {
            table: UnsafeCell::new(Table {
                entries: Vec::new(),
                free: Vec::new(),
            }),
        }
    }

    /// Gives a task a slot.
    ///
    /// # Panics
    ///
    /// When there are as many unfinished tasks as keys can name.
    #[inline]
    pub(crate) fn insert(&self, cell: CellRef) -> u32 {
        // SAFETY: see the module; a free slot is written without allocating.
        let table = unsafe { &mut *self.table.get() };
        match table.free.pop() {
            Some(slot) => {
                let before = table.entries[slot as usize].replace(cell);
                debug_assert!(before.is_none());
                mem::forget(before);
                slot
            }
            None => self.insert_growing(cell),
        }
    }

    #[cold]
    fn insert_growing(&self, cell: CellRef) -> u32 {
        // SAFETY: see the module; the lengths are read and the borrow ends.
        let (length, room) = unsafe {
            let table = &*self.table.get();
            (
                table.entries.len(),
                table.entries.capacity() > table.entries.len(),
            )
        };
        assert!(
            length < MAX_SLOTS,
            "more than {MAX_SLOTS} tasks are unfinished"
        );
        if !room {
            self.grow(length);
        }
        // SAFETY: see the module; there is room now.
        let table = unsafe { &mut *self.table.get() };
        table.entries.push(Some(cell));
        (table.entries.len() - 1) as u32
    }

    /// Makes room for twice as many tasks, in both lists, so that removing one allocates nothing.
    fn grow(&self, length: usize) {
        let mut entries = Vec::with_capacity((length * 2).max(64));
        let mut free = Vec::with_capacity(entries.capacity());
        // SAFETY: see the module; the old lists are moved over, which does not allocate, since there is room.
        let table = unsafe { &mut *self.table.get() };
        entries.append(&mut table.entries);
        free.append(&mut table.free);
        let old = (
            mem::replace(&mut table.entries, entries),
            mem::replace(&mut table.free, free),
        );
        drop(old);
    }

    #[inline]
    pub(crate) fn remove(&self, slot: u32) -> Option<CellRef> {
        // SAFETY: see the module; the free list has room for every slot.
        let table = unsafe { &mut *self.table.get() };
        let cell = table.entries.get_mut(slot as usize)?.take()?;
        table.free.push(slot);
        Some(cell)
    }

    /// Looks at the task in a slot. Nothing foreign runs in `look`.
    #[inline]
    pub(crate) fn with<R>(&self, slot: usize, look: impl FnOnce(&CellRef) -> R) -> Option<R> {
        // SAFETY: see the module; the callers in this crate only read the header, set its state and queue the cell.
        let table = unsafe { &*self.table.get() };
        table.entries.get(slot)?.as_ref().map(look)
    }

    pub(crate) fn len(&self) -> usize {
        // SAFETY: see the module.
        let table = unsafe { &*self.table.get() };
        table.entries.len() - table.free.len()
    }

    /// The tasks in no particular order.
    pub(crate) fn all(&self) -> Vec<CellRef> {
        let mut all = Vec::with_capacity(self.len());
        // SAFETY: see the module; there is room for all.
        let table = unsafe { &*self.table.get() };
        all.extend(table.entries.iter().flatten().cloned());
        all
    }
}
