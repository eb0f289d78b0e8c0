//! R036: asking anew for a source that has vanished fails in the middle of a batch of events.
#![cfg(target_os = "linux")]

mod common;

use common::{Probe, look, tcp_pair, wait_until};
use corio_reactor::{Backend, Direction, Reactor};
use std::io::Write;
use std::task::{Context, Poll};

/// One test in this file: it closes a descriptor whose number nobody else may take meanwhile.
#[test]
fn a_source_that_cannot_be_asked_for_again_fails_its_waiters_and_nobody_elses() {
    let reactor = Reactor::with_backend(Backend::OneShot).expect("a reactor");
    let (bad, mut bad_peer, _) = common::full_pair();
    let (good, mut good_peer) = tcp_pair();
    let bad_key = reactor.register(&bad).expect("registered");
    let good_key = reactor.register(&good).expect("registered");
    let probes: Vec<_> = (0..3).map(|_| Probe::new()).collect();
    look(&reactor);
    let waits = [
        (bad_key, Direction::Read),
        (bad_key, Direction::Write),
        (good_key, Direction::Read),
    ];
    for ((key, direction), (_, waker)) in waits.into_iter().zip(&probes) {
        let mut cx = Context::from_waker(waker);
        while let Poll::Ready(ticket) = reactor.poll_ready(key, direction, &mut cx) {
            reactor.clear_ready(key, direction, ticket.expect("a live source"));
        }
    }

    // The connection lives on in the copy, and so does the registration, but its number is no longer valid.
    let copy = bad.try_clone().expect("a copy");
    drop(bad);
    bad_peer.write_all(b"x").expect("sent");
    good_peer.write_all(b"x").expect("sent");
    wait_until(&reactor, || {
        probes.iter().all(|(probe, _)| probe.wakes() == 1)
    });
    for direction in [Direction::Read, Direction::Write] {
        let mut cx = Context::from_waker(&probes[0].1);
        let Poll::Ready(Err(error)) = reactor.poll_ready(bad_key, direction, &mut cx) else {
            panic!("the failure is not told")
        };
        assert!(error.raw_os_error().is_some(), "{error:?}");
    }
    let mut cx = Context::from_waker(&probes[2].1);
    assert!(matches!(
        reactor.poll_ready(good_key, Direction::Read, &mut cx),
        Poll::Ready(Ok(_))
    ));
    drop(copy);
}
