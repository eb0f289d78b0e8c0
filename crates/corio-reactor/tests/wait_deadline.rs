//! Timeouts: never early in the end, and never by way of many returns.

mod common;

use common::{Probe, on_every_backend, tcp_pair};
use corio_reactor::{Direction, Reactor};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

/// Waits as a loop does, and returns how often the wait came back.
fn sleep(reactor: &Reactor, time: Duration) -> usize {
    let deadline = Instant::now() + time;
    let mut returns = 0;
    loop {
        let left = deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return returns;
        }
        reactor.wait(Some(left), || true).expect("a wait");
        returns += 1;
    }
}

/// The fewest returns of some tries: where the whole process is stopped and continued, a wait ends as well.
fn fewest(most: usize, mut returns: impl FnMut() -> usize) -> usize {
    let mut fewest = usize::MAX;
    for _ in 0..5 {
        fewest = fewest.min(returns());
        if fewest <= most {
            break;
        }
    }
    fewest
}

/// R038: no more returns than the two steps towards a deadline, whatever is registered.
#[test]
fn an_idle_wait_returns_twice_at_most() {
    on_every_backend(|reactor| {
        let (ours, _peer) = tcp_pair();
        let key = reactor.register(&ours).expect("registered");
        common::look(reactor);
        let (probe, waker) = Probe::new();
        let mut cx = Context::from_waker(&waker);
        while let Poll::Ready(ticket) = reactor.poll_ready(key, Direction::Read, &mut cx) {
            reactor.clear_ready(key, Direction::Read, ticket.expect("a live source"));
        }
        let returns = fewest(2, || sleep(reactor, Duration::from_millis(300)));
        assert!(returns <= 2, "{returns} returns");
        assert_eq!(probe.wakes(), 0);
    });
}

/// A wait whose timeout is a fraction of a millisecond does not turn into a busy loop.
#[test]
fn short_and_crooked_timeouts_take_one_return_each() {
    on_every_backend(|reactor| {
        for micros in [1, 50, 999, 1_000, 1_001, 1_999, 2_500, 9_999] {
            let returns = fewest(1, || sleep(reactor, Duration::from_micros(micros)));
            assert!(returns <= 1, "{micros} us took {returns} returns");
        }
        for micros in [10_000, 10_001, 12_345, 20_999] {
            let returns = fewest(2, || sleep(reactor, Duration::from_micros(micros)));
            assert!(returns <= 2, "{micros} us took {returns} returns");
        }
    });
}

#[test]
fn a_deadline_that_was_given_up_does_not_end_a_later_wait() {
    on_every_backend(|reactor| {
        let notifier = reactor.notifier();
        let given_up = || {
            // Ended at once, with the near deadline still ahead.
            let near = reactor.wait(Some(Duration::from_millis(9)), || {
                notifier.notify();
                true
            });
            assert_eq!(near.expect("a wait"), 0);
            sleep(reactor, Duration::from_millis(40))
        };
        for _ in 0..3 {
            let returns = fewest(2, given_up);
            assert!(returns <= 2, "{returns} returns");
        }
    });
}

#[test]
fn no_timeout_is_too_long_or_too_short() {
    on_every_backend(|reactor| {
        let notifier = reactor.notifier();
        let longest_kernel_millis = Duration::from_millis(i32::MAX as u64);
        for timeout in [
            Duration::from_nanos(1),
            longest_kernel_millis,
            longest_kernel_millis + Duration::from_millis(1),
            Duration::from_secs(u64::from(u32::MAX)),
            Duration::from_secs(i64::MAX as u64),
            Duration::from_secs(i64::MAX as u64 + 1),
            Duration::MAX,
        ] {
            let result = reactor.wait(Some(timeout), || {
                notifier.notify();
                true
            });
            assert_eq!(result.expect("a wait"), 0, "{timeout:?}");
        }
    });
}

#[test]
fn a_timeout_of_zero_never_sleeps_and_never_asks() {
    on_every_backend(|reactor| {
        for _ in 0..1_000 {
            assert_eq!(common::look(reactor), 0);
        }
    });
}
