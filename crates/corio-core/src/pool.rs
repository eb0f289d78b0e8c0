//! Memory for cells: blocks of a few sizes, cut from chunks and handed out again, per scheduler.
//!
//! A cell is allocated and freed on the thread of its loop only, so a free list per size needs no lock. A block has no header
//! of its own, which makes an idle task small, and a block that was freed last is handed out first, while it is still in the
//! cache. Every cell keeps its scheduler alive, so when the scheduler goes, no block is in use and the chunks go back.
//!
//! The allocator may be foreign, and ask for a cell while it is asked for a chunk. So it is called for nothing else, and with nothing
//! borrowed: the chunks are a list by links of their own.

use std::alloc::{Layout, alloc, dealloc, handle_alloc_error};
use std::cell::Cell;
use std::ptr::{self, NonNull};

/// Blocks come in multiples of this size, and are aligned to it; those of a multiple of `WIDE` are aligned to that.
const GRAIN: usize = 8;
const WIDE: usize = 16;
/// Larger cells go to the global allocator.
const LARGEST: usize = 1024;
const CLASSES: usize = LARGEST / GRAIN;
const CHUNK: usize = 32 * 1024;

/// The size class of a layout; [`Class::NONE`] goes to the global allocator.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Class(u8);

impl Class {
    const NONE: Class = Class(u8::MAX);

    pub(crate) const fn of(layout: Layout) -> Class {
        let fits = layout.align() <= GRAIN || (layout.align() == WIDE && layout.size() % WIDE == 0);
        if fits && layout.size() <= LARGEST && layout.size() > 0 && !cfg!(corio_no_pool) {
            Class(((layout.size() - 1) / GRAIN) as u8)
        } else {
            Class::NONE
        }
    }
}

/// A block that is in no use, or the first places of a chunk.
struct Block {
    next: *mut Block,
}

pub(crate) struct Pool {
    free: [Cell<*mut Block>; CLASSES],
    chunks: Cell<*mut Block>,
}

impl Pool {
    pub(crate) fn new() -> Pool {
        Pool {
            free: [const { Cell::new(ptr::null_mut()) }; CLASSES],
            chunks: Cell::new(ptr::null_mut()),
        }
    }

    /// Memory for one cell with this layout, which is of this class. It is given back to this pool, if at all.
    #[inline]
    pub(crate) fn take(&self, class: Class, layout: Layout) -> NonNull<u8> {
        let Some(free) = self.free.get(usize::from(class.0)) else {
            return allocate(layout);
        };
        match NonNull::new(free.get()) {
            Some(block) => {
                // SAFETY: a block in the free list is unused memory of at least GRAIN bytes whose first word was written by
                // `give` or `grow`.
                free.set(unsafe { block.as_ref().next });
                block.cast()
            }
            None => self.grow(usize::from(class.0)),
        }
    }

    /// Gives the memory of a cell back.
    ///
    /// # Safety
    ///
    /// `block` came from [`take`](Pool::take) of this pool with the same `class` and `layout`, and nothing points to it any more.
    #[inline]
    pub(crate) unsafe fn give(&self, block: NonNull<u8>, class: Class, layout: Layout) {
        let Some(free) = self.free.get(usize::from(class.0)) else {
            // SAFETY: a layout without a class came from `alloc` with this very layout.
            return unsafe { dealloc(block.as_ptr(), layout) };
        };
        let block: NonNull<Block> = block.cast();
        // SAFETY: the caller handed the memory over; it is aligned to GRAIN and large enough for a link.
        unsafe { block.write(Block { next: free.get() }) };
        free.set(block.as_ptr());
    }

    #[cold]
    fn grow(&self, class: usize) -> NonNull<u8> {
        let size = (class + 1) * GRAIN;
        // SAFETY: the layout is not of size zero.
        let chunk = unsafe { alloc(chunk_layout()) };
        let chunk = NonNull::new(chunk).unwrap_or_else(|| handle_alloc_error(chunk_layout()));
        let link: NonNull<Block> = chunk.cast();
        let next = self.chunks.replace(link.as_ptr());
        // SAFETY: the chunk is fresh memory, and its first WIDE bytes are for the link.
        unsafe { link.write(Block { next }) };
        // SAFETY: a chunk is longer than that.
        let first = unsafe { chunk.add(WIDE) };
        let free = &self.free[class];
        for index in (1..(CHUNK - WIDE) / size).rev() {
            // SAFETY: WIDE + index * size + size <= CHUNK, so the block lies inside the chunk that was just allocated.
            let block: NonNull<Block> = unsafe { first.add(index * size) }.cast();
            // SAFETY: the memory is unused, aligned to GRAIN and at least GRAIN bytes long.
            unsafe { block.write(Block { next: free.get() }) };
            free.set(block.as_ptr());
        }
        first
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        while let Some(chunk) = NonNull::new(self.chunks.get()) {
            // SAFETY: the link at the beginning of a chunk was written by `grow`.
            self.chunks.set(unsafe { chunk.as_ref().next });
            // SAFETY: the scheduler goes, so no cell is left and no block is in use; the chunk was allocated with this layout.
            unsafe { dealloc(chunk.as_ptr().cast(), chunk_layout()) };
        }
    }
}

#[cold]
fn allocate(layout: Layout) -> NonNull<u8> {
    // SAFETY: the layout of a cell is never of size zero, since a cell has a header.
    let memory = unsafe { alloc(layout) };
    NonNull::new(memory).unwrap_or_else(|| handle_alloc_error(layout))
}

fn chunk_layout() -> Layout {
    Layout::from_size_align(CHUNK, WIDE).expect("a power of two below the size")
}

#[cfg(all(test, not(corio_no_pool)))]
mod tests {
    use super::*;

    #[test]
    fn a_freed_block_is_handed_out_again_and_blocks_do_not_overlap() {
        let pool = Pool::new();
        let layout = Layout::from_size_align(100, 8).unwrap();
        let class = Class::of(layout);
        let blocks: Vec<_> = (0..1000).map(|_| pool.take(class, layout)).collect();
        let mut sorted: Vec<usize> = blocks.iter().map(|block| block.addr().get()).collect();
        sorted.sort_unstable();
        assert!(sorted.windows(2).all(|pair| pair[1] - pair[0] >= 100));
        let last = blocks[999];
        for block in blocks {
            // SAFETY: each block was taken above with this layout and is not used again.
            unsafe { pool.give(block, class, layout) };
        }
        let again = pool.take(class, layout);
        assert_eq!(again, last);
        // SAFETY: as above.
        unsafe { pool.give(again, class, layout) };
    }

    #[test]
    fn a_wide_block_is_aligned_wherever_it_lies_in_its_chunk() {
        let pool = Pool::new();
        let layout = Layout::from_size_align(112, 16).unwrap();
        let class = Class::of(layout);
        assert_ne!(class, Class::NONE);
        for _ in 0..1000 {
            let block = pool.take(class, layout);
            assert_eq!(block.addr().get() % 16, 0);
        }
    }

    #[test]
    fn a_large_or_strongly_aligned_cell_goes_to_the_allocator() {
        let pool = Pool::new();
        for layout in [
            Layout::from_size_align(LARGEST + 1, 8).unwrap(),
            Layout::from_size_align(128, 64).unwrap(),
        ] {
            assert_eq!(Class::of(layout), Class::NONE);
            let block = pool.take(Class::of(layout), layout);
            assert_eq!(block.addr().get() % layout.align(), 0);
            // SAFETY: taken above with this layout, never used.
            unsafe { pool.give(block, Class::of(layout), layout) };
        }
    }
}
