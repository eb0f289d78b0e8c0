//! What a busy socket costs the allocator once everything has found its size: nothing.

mod common;

use common::{Probe, look, on_every_backend, tcp_pair, wait_until};
use corio_reactor::{Direction, WaitToken};
use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::io::{Read, Write};
use std::task::{Context, Poll};

thread_local! {
    static ALLOCATIONS: Cell<usize> = const { Cell::new(0) };
}

/// Counts the allocations of each thread for itself.
struct Counting;

// SAFETY: everything is passed on to the system's allocator; the counter neither allocates nor has a destructor.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let _ = ALLOCATIONS.try_with(|count| count.set(count.get() + 1));
        // SAFETY: the caller keeps the contract of this very function.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: as above; the pointer came from `alloc`.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

#[test]
fn waiting_waking_reading_writing_and_registering_again_allocate_nothing() {
    on_every_backend(|reactor| {
        let (ours, mut peer) = tcp_pair();
        let mut key = reactor.register(&ours).expect("registered");
        let (probe, waker) = Probe::new();
        let (other, other_waker) = Probe::new();
        let notifier = reactor.notifier();
        let mut token = WaitToken::new();
        let mut buffer = [0; 8];
        let mut rounds = |rounds: usize| {
            for _ in 0..rounds {
                let (before, other_before) = (probe.wakes(), other.wakes());
                let mut cx = Context::from_waker(&waker);
                let mut read = || (&ours).read(&mut buffer);
                while reactor
                    .try_io(key, Direction::Read, &mut read, &mut cx)
                    .is_ready()
                {}
                let mut other_cx = Context::from_waker(&other_waker);
                let polled = reactor.poll_ready_as(key, Direction::Read, &mut token, &mut other_cx);
                assert!(polled.is_pending());
                peer.write_all(b"x").expect("sent");
                wait_until(reactor, || {
                    probe.wakes() > before && other.wakes() > other_before
                });
                notifier.notify();
                look(reactor);
            }
        };
        rounds(10);
        let before = ALLOCATIONS.get();
        rounds(1_000);
        assert_eq!(ALLOCATIONS.get() - before, 0);

        let again = |key: &mut _| {
            for _ in 0..100 {
                reactor.deregister(*key, &ours).expect("deregistered");
                *key = reactor.register(&ours).expect("registered");
                let mut cx = Context::from_waker(&waker);
                assert!(matches!(
                    reactor.poll_ready(*key, Direction::Write, &mut cx),
                    Poll::Ready(Ok(_))
                ));
                look(reactor);
            }
        };
        again(&mut key);
        // Some back ends of `polling` keep tables of their own, which this crate cannot answer for.
        if cfg!(any(target_os = "linux", target_os = "android")) {
            let before = ALLOCATIONS.get();
            again(&mut key);
            assert_eq!(ALLOCATIONS.get() - before, 0);
        }
    });
}
