//! Memory for cells: blocks of a few sizes, cut from chunks and handed out again, per thread.
//!
//! A cell is allocated and freed on the thread of its loop only, so a free list per size needs no lock. A block has no header
//! of its own, which makes an idle task small, and a block that was freed last is handed out first, while it is still in the
//! cache. A chunk goes back to the system when the thread ends and none of its blocks is in use.

use std::alloc::{Layout, alloc, dealloc, handle_alloc_error};
use std::cell::{Cell, RefCell};
use std::ptr::{self, NonNull};

/// Blocks come in multiples of this size, and are aligned to it.
const GRAIN: usize = 16;
/// Larger cells go to the global allocator.
const LARGEST: usize = 1024;
const CLASSES: usize = LARGEST / GRAIN;
const CHUNK: usize = 32 * 1024;

struct Class {
    free: Cell<*mut Block>,
}

struct Block {
    next: *mut Block,
}

struct Pool {
    classes: [Class; CLASSES],
    chunks: RefCell<Vec<NonNull<u8>>>,
    in_use: Cell<usize>,
}

thread_local! {
    static POOL: Pool = const {
        Pool {
            classes: [const { Class { free: Cell::new(ptr::null_mut()) } }; CLASSES],
            chunks: RefCell::new(Vec::new()),
            in_use: Cell::new(0),
        }
    };
}

fn class_of(layout: Layout) -> Option<usize> {
    let small = layout.size() <= LARGEST && layout.size() > 0 && layout.align() <= GRAIN;
    (small && !cfg!(corio_no_pool)).then(|| (layout.size() - 1) / GRAIN)
}

/// Memory for one cell. It must be given back with [`give`], with the same layout and on the same thread.
#[inline]
pub(crate) fn take(layout: Layout) -> NonNull<u8> {
    if let Some(class) = class_of(layout) {
        if let Ok(block) = POOL.try_with(|pool| pool.take(class)) {
            return block;
        }
    }
    // SAFETY: the layout of a cell is never of size zero, since a cell has a header.
    let memory = unsafe { alloc(oversized(layout)) };
    NonNull::new(memory).unwrap_or_else(|| handle_alloc_error(layout))
}

/// Gives the memory of a cell back.
///
/// # Safety
///
/// `block` came from [`take`] on this thread with the same `layout`, and nothing points to it any more.
#[inline]
pub(crate) unsafe fn give(block: NonNull<u8>, layout: Layout) {
    if let Some(class) = class_of(layout) {
        // While the thread's variables are being destroyed the pool is gone and its chunks stay: a block of theirs is then
        // left alone, and one that came from the allocator after the pool had gone is too. Both are bounded and rare.
        let _ = POOL.try_with(|pool| pool.give(class, block));
        return;
    }
    // SAFETY: a layout without a class came from `alloc` with this very layout, see `take`.
    unsafe { dealloc(block.as_ptr(), oversized(layout)) }
}

/// A layout that is never of size zero.
fn oversized(layout: Layout) -> Layout {
    debug_assert!(layout.size() > 0);
    layout
}

impl Pool {
    #[inline]
    fn take(&self, class: usize) -> NonNull<u8> {
        self.in_use.set(self.in_use.get() + 1);
        let free = &self.classes[class].free;
        match NonNull::new(free.get()) {
            Some(block) => {
                // SAFETY: a block in the free list is unused memory of at least GRAIN bytes whose first word was written by
                // `give` or `grow`.
                free.set(unsafe { block.as_ref().next });
                block.cast()
            }
            None => self.grow(class),
        }
    }

    #[inline]
    fn give(&self, class: usize, block: NonNull<u8>) {
        self.in_use.set(self.in_use.get() - 1);
        let free = &self.classes[class].free;
        let block: NonNull<Block> = block.cast();
        // SAFETY: the caller of `give` handed the memory over; it is aligned to GRAIN and large enough for a link.
        unsafe { block.write(Block { next: free.get() }) };
        free.set(block.as_ptr());
    }

    #[cold]
    fn grow(&self, class: usize) -> NonNull<u8> {
        let size = (class + 1) * GRAIN;
        // SAFETY: the layout is not of size zero.
        let chunk = unsafe { alloc(chunk_layout()) };
        let chunk = NonNull::new(chunk).unwrap_or_else(|| handle_alloc_error(chunk_layout()));
        self.chunks.borrow_mut().push(chunk);
        let free = &self.classes[class].free;
        for index in (1..CHUNK / size).rev() {
            // SAFETY: index * size + size <= CHUNK, so the block lies inside the chunk that was just allocated.
            let block: NonNull<Block> = unsafe { chunk.add(index * size) }.cast();
            // SAFETY: the memory is unused, aligned to GRAIN and at least GRAIN bytes long.
            unsafe { block.write(Block { next: free.get() }) };
            free.set(block.as_ptr());
        }
        chunk
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        if self.in_use.get() != 0 {
            return;
        }
        for chunk in self.chunks.get_mut().drain(..) {
            // SAFETY: no block is in use, so nothing points into the chunk; it was allocated with this layout.
            unsafe { dealloc(chunk.as_ptr(), chunk_layout()) };
        }
    }
}

fn chunk_layout() -> Layout {
    Layout::from_size_align(CHUNK, GRAIN).expect("a power of two below the size")
}

#[cfg(all(test, not(corio_no_pool)))]
mod tests {
    use super::*;

    #[test]
    fn a_freed_block_is_handed_out_again_and_blocks_do_not_overlap() {
        let layout = Layout::from_size_align(100, 8).unwrap();
        let blocks: Vec<_> = (0..1000).map(|_| take(layout)).collect();
        let mut sorted: Vec<usize> = blocks.iter().map(|block| block.addr().get()).collect();
        sorted.sort_unstable();
        assert!(sorted.windows(2).all(|pair| pair[1] - pair[0] >= 100));
        let last = blocks[999];
        for block in blocks {
            // SAFETY: each block was taken above with this layout and is not used again.
            unsafe { give(block, layout) };
        }
        let again = take(layout);
        assert_eq!(again, last);
        // SAFETY: as above.
        unsafe { give(again, layout) };
    }

    #[test]
    fn a_large_or_strongly_aligned_cell_goes_to_the_allocator() {
        for layout in [
            Layout::from_size_align(LARGEST + 1, 8).unwrap(),
            Layout::from_size_align(128, 64).unwrap(),
        ] {
            let block = take(layout);
            assert_eq!(block.addr().get() % layout.align(), 0);
            // SAFETY: taken above with this layout, never used.
            unsafe { give(block, layout) };
        }
    }
}
