//! A resume allocates nothing, and all that creation allocated is given back.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};

use corio_coroutine::{AsyncCoroutine, Coroutine};

struct Counting;

thread_local! {
    static ALLOCATED: Cell<usize> = const { Cell::new(0) };
    static FREED: Cell<usize> = const { Cell::new(0) };
}

// SAFETY: every request goes to the system allocator unchanged; the counters neither allocate nor need a destructor.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATED.set(ALLOCATED.get() + 1);
        // SAFETY: the caller's promises about `layout` are passed on.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        FREED.set(FREED.get() + 1);
        // SAFETY: `block` came from `alloc` above, with this layout.
        unsafe { System.dealloc(block, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// Allocations and frees on this thread while `work` runs.
fn counted(work: impl FnOnce()) -> (usize, usize) {
    let before = (ALLOCATED.get(), FREED.get());
    work();
    (ALLOCATED.get() - before.0, FREED.get() - before.1)
}

fn echo(depth: usize) -> Coroutine<u64, u64> {
    Coroutine::new(async move |co| {
        if depth > 0 {
            return co.delegate(echo(depth - 1)).await;
        }
        let mut value = 0;
        loop {
            value = co.yield_(value).await.unwrap_or(value);
        }
    })
}

#[test]
fn resuming_allocates_nothing() {
    let plain = echo(0);
    let nested = echo(3);
    plain.next().unwrap();
    nested.next().unwrap();
    let resumes = || {
        for i in 0..1000 {
            assert_eq!(plain.send(i).unwrap(), i);
            assert_eq!(nested.send(i).unwrap(), i);
            plain.next().unwrap();
        }
    };
    assert_eq!(counted(resumes), (0, 0));
}

#[test]
fn resuming_an_async_coroutine_allocates_nothing() {
    let mut it: AsyncCoroutine<u64, u64> = AsyncCoroutine::new(async |co| {
        loop {
            co.yield_(1).await;
        }
    });
    let mut cx = Context::from_waker(Waker::noop());
    let mut resume = || {
        assert!(matches!(
            Pin::new(&mut it.next()).poll(&mut cx),
            Poll::Ready(Ok(1))
        ))
    };
    resume();
    assert_eq!(counted(|| (0..1000).for_each(|_| resume())), (0, 0));
}

#[test]
fn creation_allocates_twice_and_the_end_frees_both() {
    assert_eq!(counted(|| drop(echo(0))), (2, 2));
    let suspended = || {
        let it = echo(0);
        it.next().unwrap();
        it.send(1).unwrap();
    };
    assert_eq!(counted(suspended), (2, 2));
    let closed = || {
        let it = echo(0);
        it.next().unwrap();
        assert!(it.close().unwrap().is_none());
    };
    assert_eq!(counted(closed), (2, 2));
}
