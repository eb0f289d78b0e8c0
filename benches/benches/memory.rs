//! What a task costs that waits and does nothing: bytes, as the allocator is asked for them and as the system counts them.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::future::Future;
use std::hint::black_box;
use std::pin::Pin;
use std::process;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};

use corio_benches::process::{Table, main as table, per_task, resident};
use corio_benches::{Handle, Runtime};

const TASKS: u64 = 1_000_000;

fn main() {
    table::<Memory>();
}

struct Memory;

impl Table for Memory {
    const NAME: &'static str = "memory";
    const TITLE: &'static str =
        "Memory of an idle task: 1,000,000 tasks of an 8-byte future, polled once, handles dropped";
    const COLUMNS: &'static [&'static str] = &[
        "runtime",
        "allocated bytes per task",
        "resident bytes per task",
    ];

    fn row<R: Runtime>() -> Vec<String> {
        let mut runtime = R::new();
        let handle = runtime.handle();
        let (allocated, occupied) = runtime.block_on(async {
            idle_tasks(&handle, 100).await;
            let before = (ALLOCATED.load(Ordering::Relaxed), resident());
            idle_tasks(&handle, TASKS).await;
            let after = (ALLOCATED.load(Ordering::Relaxed), resident());
            let occupied = after.1.zip(before.1).map(|(after, before)| after - before);
            (after.0 - before.0, occupied)
        });
        let row = [per_task(Some(allocated), TASKS), per_task(occupied, TASKS)];
        // The end of a million tasks is not measured, so nobody has to wait for it.
        println!("{}", row.join("\t"));
        process::exit(0);
    }
}

async fn idle_tasks<H: Handle>(handle: &H, count: u64) {
    let all_polled = POLLED.get() + count;
    for i in 0..count {
        H::detach(handle.spawn(Idle(i)));
    }
    while POLLED.get() < all_polled {
        H::yield_now().await;
    }
}

/// Eight bytes that are never ready.
struct Idle(u64);

impl Future for Idle {
    type Output = ();

    fn poll(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<()> {
        black_box(self.0);
        POLLED.set(POLLED.get() + 1);
        Poll::Pending
    }
}

thread_local! {
    static POLLED: Cell<u64> = const { Cell::new(0) };
}

#[global_allocator]
static COUNTING: Counting = Counting;
static ALLOCATED: AtomicU64 = AtomicU64::new(0);

/// The system's allocator, and a count of the bytes that are out.
struct Counting;

// SAFETY: every call is passed on to the system's allocator with what it was called with.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATED.fetch_add(layout.size() as u64, Ordering::Relaxed);
        // SAFETY: what the caller guarantees is what the system's allocator asks for.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        ALLOCATED.fetch_sub(layout.size() as u64, Ordering::Relaxed);
        // SAFETY: as above; the block came from the system's allocator.
        unsafe { System.dealloc(block, layout) }
    }

    unsafe fn realloc(&self, block: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        ALLOCATED.fetch_add(size as u64, Ordering::Relaxed);
        ALLOCATED.fetch_sub(layout.size() as u64, Ordering::Relaxed);
        // SAFETY: as above; the block came from the system's allocator.
        unsafe { System.realloc(block, layout, size) }
    }
}
