//! The two tables that every wake and every step touch: the ready queue and the list of unfinished tasks.
//!
//! They are borrowed without a check, because the checks of a `RefCell` would be a third of what a wake costs. What makes that
//! sound is narrow: each method below borrows for the time of one operation on a ring or a list of references to cells, and
//! no foreign code runs in it. Pushing could call the allocator, which may be foreign; so room is made beforehand, with the
//! table taken out of its place.

use std::cell::UnsafeCell;
use std::mem::{self, MaybeUninit};

use crate::cell::CellRef;
use crate::key::{MAX_SLOTS, TaskKey};

/// The ready queue, first in, first out: a ring whose length is a power of two.
pub(crate) struct Ready {
    ring: UnsafeCell<Ring>,
}

struct Ring {
    places: Box<[MaybeUninit<CellRef>]>,
    /// Entries taken out and put in since the beginning; their places are these numbers modulo the length.
    head: usize,
    tail: usize,
}

impl Ready {
    pub(crate) fn new() -> Ready {
        Ready {
            ring: UnsafeCell::new(Ring {
                places: Box::new([]),
                head: 0,
                tail: 0,
            }),
        }
    }

    #[inline(always)]
    pub(crate) fn push(&self, cell: CellRef) {
        // SAFETY: see the module.
        let ring = unsafe { &mut *self.ring.get() };
        let tail = ring.tail;
        if tail.wrapping_sub(ring.head) == ring.places.len() {
            return self.push_growing(cell);
        }
        let place = tail & (ring.places.len() - 1);
        // SAFETY: the ring is not full, so its length is a power of two and not zero, and the place lies inside.
        unsafe { ring.places.get_unchecked_mut(place) }.write(cell);
        ring.tail = tail.wrapping_add(1);
    }

    #[cold]
    #[inline(never)]
    fn push_growing(&self, cell: CellRef) {
        let length = (self.len() * 2).max(64).next_power_of_two();
        let mut places: Box<[MaybeUninit<CellRef>]> = Box::new_uninit_slice(length);
        // The allocator may have queued something meanwhile, so everything is read again.
        if self.len() >= length {
            return self.push_growing(cell);
        }
        let mut count = 0;
        while let Some(cell) = self.pop() {
            places[count].write(cell);
            count += 1;
        }
        // SAFETY: see the module.
        let ring = unsafe { &mut *self.ring.get() };
        let old = mem::replace(
            ring,
            Ring {
                places,
                head: 0,
                tail: count,
            },
        );
        // Its entries have been moved over.
        drop(old.places);
        self.push(cell);
    }

    #[inline]
    pub(crate) fn pop(&self) -> Option<CellRef> {
        // SAFETY: see the module.
        let ring = unsafe { &mut *self.ring.get() };
        let head = ring.head;
        if head == ring.tail {
            return None;
        }
        let place = head & (ring.places.len() - 1);
        ring.head = head.wrapping_add(1);
        // SAFETY: the ring is not empty, so its length is a power of two and not zero, and the place lies inside. The places from
        // `head` to `tail` hold entries, and this one has just been left out of them.
        Some(unsafe { ring.places.get_unchecked(place).assume_init_read() })
    }

    #[inline]
    pub(crate) fn len(&self) -> usize {
        // SAFETY: see the module.
        let ring = unsafe { &*self.ring.get() };
        ring.tail.wrapping_sub(ring.head)
    }

    /// The next entry, without taking it out.
    pub(crate) fn front(&self) -> Option<CellRef> {
        // SAFETY: see the module; a `CellRef` is cloned by counting.
        let ring = unsafe { &*self.ring.get() };
        let place = ring
            .places
            .get(ring.head & ring.places.len().wrapping_sub(1))?;
        // SAFETY: the place at `head` holds an entry if the queue is not empty.
        (ring.head != ring.tail).then(|| unsafe { place.assume_init_ref() }.clone())
    }
}

impl Drop for Ready {
    fn drop(&mut self) {
        while let Some(cell) = self.pop() {
            drop(cell);
        }
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

    /// A free slot for a new task, to be filled before anything else happens.
    ///
    /// # Panics
    ///
    /// When there are as many unfinished tasks as keys can name.
    #[inline]
    pub(crate) fn reserve(&self) -> u32 {
        // SAFETY: see the module.
        let table = unsafe { &mut *self.table.get() };
        match table.free.pop() {
            Some(slot) => slot,
            None => self.reserve_growing(),
        }
    }

    #[cold]
    fn reserve_growing(&self) -> u32 {
        // SAFETY: see the module; the lengths are read and the borrow ends.
        let (length, capacity) = unsafe {
            let table = &*self.table.get();
            (table.entries.len(), table.entries.capacity())
        };
        assert!(
            length < MAX_SLOTS,
            "more than {MAX_SLOTS} tasks are unfinished"
        );
        if length == capacity {
            self.grow(length);
        }
        // SAFETY: see the module; there is room now.
        let table = unsafe { &mut *self.table.get() };
        table.entries.push(None);
        (table.entries.len() - 1) as u32
    }

    /// Puts a task into the slot that was reserved for it.
    #[inline]
    pub(crate) fn fill(&self, slot: u32, cell: CellRef) {
        // SAFETY: see the module; the slot is empty, so nothing is dropped.
        let table = unsafe { &mut *self.table.get() };
        let before = table.entries[slot as usize].replace(cell);
        debug_assert!(before.is_none());
        mem::forget(before);
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
    pub(crate) fn remove(&self, key: TaskKey) -> Option<CellRef> {
        // SAFETY: see the module; the free list has room for every slot.
        let table = unsafe { &mut *self.table.get() };
        let cell = table.entries.get_mut(key.slot())?.take()?;
        table.free.push(key.slot() as u32);
        Some(cell)
    }

    /// Looks at the task with this key, if it is there. The table is not borrowed while `look` runs.
    #[inline(always)]
    pub(crate) fn with<R>(&self, key: TaskKey, look: impl FnOnce(&CellRef) -> R) -> Option<R> {
        // SAFETY: see the module; only a pointer is read.
        let table = unsafe { &*self.table.get() };
        let cell = match table.entries.get(key.slot()) {
            Some(Some(cell)) if cell.key.get() == key => cell.as_ptr(),
            _ => return None,
        };
        // SAFETY: the table holds a reference to the cell. The callers in this crate set its state, or take a reference of their own
        // before they do anything else.
        let cell = unsafe { CellRef::lent(cell) }?;
        Some(look(&cell))
    }

    /// The task in a slot, whichever it is.
    pub(crate) fn in_slot(&self, slot: usize) -> Option<CellRef> {
        // SAFETY: see the module.
        let table = unsafe { &*self.table.get() };
        table.entries.get(slot)?.clone()
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
