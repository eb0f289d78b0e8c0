//! The ready queue.
//!
//! It is borrowed without a check, because the checks of a `RefCell` would be a third of what a wake costs. What makes that
//! sound is narrow: each method below borrows for the time of one operation on plain memory, and no foreign code runs in it.
//! Making room calls the allocator, which may be foreign; so it is called with nothing borrowed, and everything is read again
//! afterwards.
//!
//! # Who keeps a queued cell alive
//!
//! The queue does not count its references to tasks. An *unfinished* task is kept by the table; a task that *ends* while it is
//! queued gets a reference for each of its places in the queue (`CellRef::leave_queued`), and whoever takes a finished task
//! out of the queue owns that reference. A callback is in no table, and its place in the queue always owns one.

use std::cell::UnsafeCell;
use std::mem::{self, ManuallyDrop, MaybeUninit};
use std::ptr::{self, NonNull};

use crate::cell::{CellRef, Header};
use crate::prefetch;

/// A place in the queue: a task or a callback.
type Entry = NonNull<Header>;

/// The ready queue, first in, first out: a line of entries in a buffer.
///
/// ```text
///   start        head        stop        end         tail        limit
///     │ taken out │   stretch │   batch   │   queued  │   room    │
/// ```
///
/// When the room is used up, the line moves to the start of its buffer, or to a larger one.
pub(crate) struct Ready {
    line: UnsafeCell<Line>,
}

struct Line {
    /// The next entry, and the ends of the stretch and of the batch that it belongs to: `start <= head <= stop <= end <= tail`.
    head: *mut Entry,
    stop: *mut Entry,
    end: *mut Entry,
    /// Where the next entry is put, and the end of the room for that.
    tail: *mut Entry,
    limit: *mut Entry,
    /// Batches that end at this address at most may begin without asking. It may lie behind the buffer.
    granted: usize,
    buffer: Buffer,
    /// Entries that were taken out from places before the start.
    before: u64,
    /// How often in a row the line was found short for its buffer.
    short: u32,
}

impl Ready {
    pub(crate) fn new() -> Ready {
        let buffer = Buffer::empty();
        let start = buffer.start();
        Ready {
            line: UnsafeCell::new(Line {
                head: start,
                stop: start,
                end: start,
                tail: start,
                limit: start,
                granted: 0,
                buffer,
                before: 0,
                short: 0,
            }),
        }
    }

    /// Queues a task that was woken.
    ///
    /// # Safety
    ///
    /// The task is unfinished and in the table, and its state says how often it is queued.
    #[inline(always)]
    pub(crate) unsafe fn push_task(&self, task: &CellRef) {
        self.push(task.as_entry());
    }

    /// Queues a callback.
    pub(crate) fn push_callback(&self, callback: CellRef) {
        self.push(ManuallyDrop::new(callback).as_entry());
    }

    /// The next entry goes in without a move.
    #[inline(always)]
    pub(crate) fn has_room(&self) -> bool {
        // SAFETY: see the module.
        let line = unsafe { &*self.line.get() };
        line.tail != line.limit
    }

    /// The same as [`push_task`](Ready::push_task).
    ///
    /// # Safety
    ///
    /// As there, and the queue [has room](Ready::has_room).
    #[inline(always)]
    pub(crate) unsafe fn push_in_place(&self, task: &CellRef) {
        // SAFETY: the caller vouches for it.
        unsafe { self.put(task.as_entry()) };
    }

    #[inline(always)]
    fn push(&self, entry: Entry) {
        if !self.has_room() {
            return self.push_moving(entry);
        }
        // SAFETY: there is room.
        unsafe { self.put(entry) };
    }

    /// # Safety
    ///
    /// The queue [has room](Ready::has_room).
    #[inline(always)]
    unsafe fn put(&self, entry: Entry) {
        // SAFETY: see the module.
        let line = unsafe { &mut *self.line.get() };
        // SAFETY: `tail` is before the limit, so it is a place of the buffer that nothing is in, and the place after it is in the
        // buffer or its end.
        unsafe {
            line.tail.write(entry);
            line.tail = line.tail.add(1);
        }
    }

    #[cold]
    #[inline(never)]
    fn push_moving(&self, entry: Entry) {
        let (length, room) = (self.len(), self.room());
        // As long as the line takes no more than half of the room, each entry is moved once at most on the average.
        let other = if length <= room / 2 && room > 0 {
            None
        } else {
            Some(Buffer::with_room((length * 2).max(256)))
        };
        // SAFETY: see the module.
        let line = unsafe { &mut *self.line.get() };
        let old = line.move_to(other);
        drop(old);
        // The allocator may have queued something meanwhile, so it is looked again.
        self.push(entry);
    }

    /// So many entries after this stretch may be taken in batches that begin without asking again. Where the stretch is not the
    /// last one of its batch, there are none.
    pub(crate) fn grant(&self, entries: u64) {
        // SAFETY: see the module.
        let line = unsafe { &mut *self.line.get() };
        line.granted = if line.stop == line.end {
            line.stop.addr() + entries as usize * size_of::<Entry>()
        } else {
            0
        };
    }

    /// Begins the next batch as one stretch, if it is granted as a whole. The last stretch is over.
    #[inline(always)]
    pub(crate) fn begin_granted(&self) -> bool {
        // SAFETY: see the module.
        let line = unsafe { &mut *self.line.get() };
        debug_assert!(line.head == line.stop);
        // An address is only granted where the stretch ends with its batch, so that the batch is over too.
        if line.tail.addr() > line.granted || line.head == line.tail {
            return false;
        }
        line.end = line.tail;
        line.stop = line.tail;
        true
    }

    /// Begins a stretch of the batch, of at most this many entries. When the batch is over, what was queued meanwhile becomes
    /// the next one, unless `only_this` batch is wanted. Nothing is granted any more. Returns how many entries there are in the
    /// stretch.
    #[inline]
    pub(crate) fn begin_stretch(&self, most: u64, only_this: bool) -> u64 {
        // SAFETY: see the module.
        let line = unsafe { &mut *self.line.get() };
        if line.head == line.end {
            if only_this {
                return 0;
            }
            line.end = line.tail;
        }
        // SAFETY: both point into the buffer.
        let batch = unsafe { line.end.offset_from(line.head) } as u64;
        let length = batch.min(most);
        // SAFETY: the stretch ends at the end of the batch at most.
        line.stop = unsafe { line.head.add(length as usize) };
        line.granted = 0;
        length
    }

    /// The stretch ends here, and what is left of it stays in the batch.
    pub(crate) fn cut_stretch(&self) {
        // SAFETY: see the module.
        let line = unsafe { &mut *self.line.get() };
        line.stop = line.head;
        line.granted = 0;
    }

    /// Has the memory of the cells that come after this stretch of the batch fetched, so that it is there when their turn comes.
    #[inline]
    pub(crate) fn look_ahead(&self, count: usize) {
        // SAFETY: see the module; from `stop` to `end` there are entries.
        let ahead = unsafe {
            let line = &*self.line.get();
            let length = line.end.offset_from(line.stop) as usize;
            std::slice::from_raw_parts(line.stop, length.min(count))
        };
        for entry in ahead {
            prefetch::cell(entry.as_ptr());
        }
    }

    /// The next entry of the stretch.
    #[inline(always)]
    pub(crate) fn take_next(&self) -> Option<Queued> {
        // SAFETY: see the module.
        let line = unsafe { &mut *self.line.get() };
        if line.head == line.stop {
            return None;
        }
        // SAFETY: before `stop`, which is not behind `tail`, there is an entry.
        let entry = unsafe { line.head.read() };
        // SAFETY: the place after it is in the buffer or its end.
        line.head = unsafe { line.head.add(1) };
        Some(Queued(entry))
    }

    /// The queue is empty: the line begins anew at the start of the buffer, and a buffer that has been too large for a while goes
    /// back.
    #[inline]
    pub(crate) fn rest(&self) {
        // SAFETY: see the module.
        let line = unsafe { &mut *self.line.get() };
        if line.head == line.tail {
            self.rest_empty();
        }
    }

    fn rest_empty(&self) {
        // SAFETY: see the module.
        let line = unsafe { &mut *self.line.get() };
        // SAFETY: both point into the buffer.
        let used = unsafe { line.tail.offset_from(line.buffer.start()) } as usize;
        let room = line.buffer.room;
        let too_large = room > SPACIOUS && used < room / 8;
        line.short = if too_large { line.short + 1 } else { 0 };
        let other = (line.short > PATIENCE).then(Buffer::empty);
        let old = line.move_to(other);
        drop(old);
    }

    /// Takes out whatever comes next, for who empties the queue.
    pub(crate) fn pop_owned(&self) -> Option<CellRef> {
        self.begin_stretch(1, false);
        Some(self.take_next()?.into_owned())
    }

    /// Entries taken out since the beginning.
    #[inline]
    pub(crate) fn taken(&self) -> u64 {
        // SAFETY: see the module; both point into the buffer.
        unsafe {
            let line = &*self.line.get();
            line.before + line.head.offset_from(line.buffer.start()) as u64
        }
    }

    /// How many entries will have been taken out at the end of the batch.
    pub(crate) fn batch(&self) -> u64 {
        // SAFETY: see the module; both point into the buffer.
        unsafe {
            let line = &*self.line.get();
            line.before + line.end.offset_from(line.buffer.start()) as u64
        }
    }

    /// What is left of the batch.
    #[inline]
    pub(crate) fn left(&self) -> usize {
        // SAFETY: see the module; both point into the buffer.
        unsafe {
            let line = &*self.line.get();
            line.end.offset_from(line.head) as usize
        }
    }

    #[inline]
    pub(crate) fn len(&self) -> usize {
        // SAFETY: see the module; both point into the buffer.
        unsafe {
            let line = &*self.line.get();
            line.tail.offset_from(line.head) as usize
        }
    }

    fn room(&self) -> usize {
        // SAFETY: see the module.
        unsafe { (*self.line.get()).buffer.room }
    }

    /// The next entry, without taking it out.
    pub(crate) fn front(&self) -> Option<CellRef> {
        if self.len() == 0 {
            return None;
        }
        // SAFETY: see the module; the queue is not empty, so there is an entry at its head.
        let entry = unsafe { (*self.line.get()).head.read() };
        // SAFETY: the table or the entry itself keeps the cell alive.
        let cell = unsafe { CellRef::of_entry(entry) };
        Some(CellRef::clone(&cell))
    }
}

impl Drop for Ready {
    fn drop(&mut self) {
        while let Some(cell) = self.pop_owned() {
            drop(cell);
        }
    }
}

impl Line {
    /// Moves the entries to the start of another buffer, if it is large enough, or of their own. The buffer that is not used is to
    /// be dropped when nothing is borrowed.
    fn move_to(&mut self, other: Option<Buffer>) -> Option<Buffer> {
        // SAFETY: all of them point into the buffer, in this order.
        let (taken, stop, end, length) = unsafe {
            (
                self.head.offset_from(self.buffer.start()) as u64,
                self.stop.offset_from(self.head) as usize,
                self.end.offset_from(self.head) as usize,
                self.tail.offset_from(self.head) as usize,
            )
        };
        // What is granted stays where it is in the line; nothing is granted before the stop.
        let granted = self.granted.saturating_sub(self.head.addr());
        let (other, too_small) = match other {
            Some(other) if other.room < length => (None, Some(other)),
            other => (other, None),
        };
        let start = other.as_ref().unwrap_or(&self.buffer).start();
        // SAFETY: there is an entry in each place from `head` on for this length, and room for as many at `start`, which may
        // be in the same buffer.
        unsafe { ptr::copy(self.head, start, length) };
        let old = other.map(|other| mem::replace(&mut self.buffer, other));
        self.before += taken;
        self.head = start;
        self.granted = start.addr() + granted;
        // SAFETY: the places that were at these distances from `head`; the buffer holds at least `length` entries.
        unsafe {
            self.stop = start.add(stop);
            self.end = start.add(end);
            self.tail = start.add(length);
            self.limit = start.add(self.buffer.room);
        }
        old.or(too_small)
    }
}

/// What was taken out of the queue.
pub(crate) struct Queued(Entry);

impl Queued {
    /// The cell, for the time of its step.
    ///
    /// # Safety
    ///
    /// The table keeps the task alive while the result is used.
    #[inline]
    pub(crate) unsafe fn lent(&self) -> ManuallyDrop<CellRef> {
        // SAFETY: the entry came from a cell, and the caller vouches for the rest.
        unsafe { CellRef::of_entry(self.0) }
    }

    /// The cell with a reference of its own.
    pub(crate) fn into_owned(self) -> CellRef {
        // SAFETY: the table or the entry itself keeps the cell alive until here.
        let cell = unsafe { CellRef::of_entry(self.0) };
        if cell.state.owns_its_places() {
            ManuallyDrop::into_inner(cell)
        } else {
            CellRef::clone(&cell)
        }
    }
}

/// Buffers with more room than this are given back when they have been too large for a while.
const SPACIOUS: usize = 4096;
/// How often in a row the queue runs empty meanwhile.
const PATIENCE: u32 = 32;

/// Memory for entries. What is in it belongs to the queue.
struct Buffer {
    start: NonNull<Entry>,
    room: usize,
}

impl Buffer {
    const fn empty() -> Buffer {
        Buffer {
            start: NonNull::dangling(),
            room: 0,
        }
    }

    fn with_room(room: usize) -> Buffer {
        let places: Box<[MaybeUninit<Entry>]> = Box::new_uninit_slice(room);
        let start = NonNull::from(Box::leak(places)).cast();
        Buffer { start, room }
    }

    fn start(&self) -> *mut Entry {
        self.start.as_ptr()
    }
}

impl Drop for Buffer {
    fn drop(&mut self) {
        if self.room > 0 {
            let places = ptr::slice_from_raw_parts_mut(self.start().cast(), self.room);
            // SAFETY: the memory came from a box of this type and length.
            drop(unsafe { Box::<[MaybeUninit<Entry>]>::from_raw(places) });
        }
    }
}

#[cfg(test)]
mod tests;
