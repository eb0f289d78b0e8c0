//! What does not wait allocates nothing, and waiting allocates nothing once the line has had its length.

mod support;

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::rc::Rc;

use corio_sync::{
    Barrier, CapacityLimiter, Condition, Event, Lock, Queue, RwLock, Semaphore, broadcast, oneshot,
};
use support::poll_once;

/// Counts the allocations of each thread.
struct Counting;

thread_local! {
    static COUNT: Cell<usize> = const { Cell::new(0) };
    static LIVE: Cell<isize> = const { Cell::new(0) };
}

// SAFETY: every call goes to the system's allocator with the arguments as they came; the counts are
// thread-locals without destructors, which can be used at any time and allocate nothing.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        COUNT.set(COUNT.get() + 1);
        LIVE.set(LIVE.get() + 1);
        // SAFETY: as promised by the caller.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        LIVE.set(LIVE.get() - 1);
        // SAFETY: as promised by the caller.
        unsafe { System.dealloc(pointer, layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        COUNT.set(COUNT.get() + 1);
        // SAFETY: as promised by the caller.
        unsafe { System.realloc(pointer, layout, size) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// How many allocations `work` makes.
fn allocations(work: impl FnOnce()) -> usize {
    let before = COUNT.get();
    work();
    COUNT.get() - before
}

#[test]
fn what_does_not_wait_allocates_nothing() {
    let lock = Rc::new(Lock::new([0; 100]));
    let semaphore = Rc::new(Semaphore::new(3));
    let table = RwLock::new([0; 100]);
    let event = Event::new();
    event.set();
    let barrier = Barrier::new(1);
    let queue = Queue::bounded(4);
    queue.put_nowait(0).unwrap();
    queue.get_nowait().unwrap();
    queue.task_done();
    let (broadcast, mut receiver) = broadcast::channel(4);
    broadcast.send(0).unwrap();
    assert_eq!(receiver.recv_nowait(), Ok(0));
    let limiter = CapacityLimiter::new(1);
    drop(limiter.try_acquire());
    let mut slot = oneshot::Slot::new();
    let count = allocations(|| {
        for _ in 0..10 {
            drop(poll_once(&mut lock.acquire()));
            drop(poll_once(&mut lock.acquire_owned()));
            drop(poll_once(&mut semaphore.acquire_many(2)));
            drop(poll_once(&mut semaphore.acquire_owned()));
            drop(poll_once(&mut table.read()));
            drop(poll_once(&mut table.write()));
            drop(poll_once(&mut limiter.acquire()));
            let _ = poll_once(&mut event.wait());
            let _ = poll_once(&mut barrier.wait());
            let _ = poll_once(&mut queue.put(1));
            let _ = poll_once(&mut queue.get());
            queue.task_done();
            let _ = poll_once(&mut queue.join());
            broadcast.send(1).unwrap();
            let _ = poll_once(&mut receiver.recv());
            let (sender, mut receiver) = slot.open();
            sender.send(1).unwrap();
            let _ = poll_once(&mut receiver);
        }
    });
    assert_eq!(count, 0);
}

#[test]
fn waiting_allocates_nothing_once_the_line_has_had_its_length() {
    let lock = Lock::new(0);
    let condition = Condition::new();
    let event = Event::new();
    let queue = Queue::bounded(1);
    queue.put_nowait(0).unwrap();
    let pool = oneshot::Pool::new();
    let round = || {
        let mut channels = [pool.channel(), pool.channel(), pool.channel()];
        for (_, receiver) in &mut channels {
            assert!(poll_once(receiver).is_pending());
        }
        for (place, (sender, mut receiver)) in channels.into_iter().enumerate() {
            match place {
                0 => sender.send(1).unwrap(),
                1 => drop(sender),
                _ => assert!(!sender.is_closed()),
            }
            assert_eq!(poll_once(&mut receiver).is_ready(), place < 2);
        }
        let guard = lock.try_acquire().unwrap();
        let mut lines = [lock.acquire(), lock.acquire(), lock.acquire()];
        for future in &mut lines {
            assert!(poll_once(future).is_pending());
        }
        drop(guard);
        for future in &mut lines {
            assert!(poll_once(future).is_ready());
        }
        let mut guard = lock.try_acquire().unwrap();
        let mut wait = condition.wait(&mut guard);
        assert!(poll_once(&mut wait).is_pending());
        condition.notify(1);
        assert!(poll_once(&mut wait).is_ready());
        let mut waits = [event.wait(), event.wait(), event.wait()];
        for future in &mut waits {
            assert!(poll_once(future).is_pending());
        }
        event.set();
        event.clear();
        let mut put = queue.put(1);
        assert!(poll_once(&mut put).is_pending());
        queue.get_nowait().unwrap();
        assert!(poll_once(&mut put).is_ready());
    };
    round();
    assert_eq!(allocations(|| (0..10).for_each(|_| round())), 0);
}

/// R050b: a getter stays in front while a million others come and give up, each before the one after it.
#[test]
fn a_million_waiters_that_give_up_leave_the_memory_flat() {
    let queue = Queue::<u8>::unbounded();
    let mut stays = queue.get();
    assert!(poll_once(&mut stays).is_pending());
    let mut previous = queue.get();
    let mut come_and_go = |times: usize| {
        for _ in 0..times {
            let mut next = queue.get();
            assert!(poll_once(&mut next).is_pending());
            previous = next;
        }
        let _ = &previous;
    };
    come_and_go(1000);
    assert_eq!(allocations(|| come_and_go(1_000_000)), 0);
    queue.put_nowait(1).unwrap();
    assert_eq!(poll_once(&mut stays), std::task::Poll::Ready(Ok(1)));
}

/// What a party was told, and did not come to hear, is not kept.
#[test]
fn a_million_parties_that_give_up_after_their_round_leave_the_memory_flat() {
    let barrier = Barrier::new(2);
    let round = || {
        let mut first = barrier.wait();
        assert!(poll_once(&mut first).is_pending());
        assert!(poll_once(&mut barrier.wait()).is_ready());
    };
    round();
    assert_eq!(allocations(|| (0..1_000_000).for_each(|_| round())), 0);
}

/// Whichever goes last, of the pool and the ends.
#[test]
fn a_pool_of_oneshots_frees_its_slots_with_the_last_of_all() {
    for pool_goes_after in 0..=4 {
        let before = LIVE.get();
        let mut pool = Some(oneshot::Pool::new().named("answer"));
        let [mut first, mut second] = [0, 1].map(|_| {
            let (sender, receiver) = pool.as_ref().expect("there").channel();
            (Some(sender), Some(receiver))
        });
        for step in 0..=4 {
            if step == pool_goes_after {
                drop(pool.take());
            }
            match step {
                0 => drop(first.1.take()),
                1 => assert_eq!(first.0.take().map(|sender| sender.send(1)), Some(Err(1))),
                2 => assert_eq!(second.0.take().map(|sender| sender.send(2)), Some(Ok(()))),
                3 => drop(second.1.take()),
                _ => {}
            }
        }
        assert_eq!(
            LIVE.get(),
            before,
            "the pool goes after {pool_goes_after} steps"
        );
    }
}
