//! What is remembered between an event and the attempt it allows.

mod common;

use common::{Probe, look, on_every_backend, tcp_pair, wait_until};
use corio_reactor::{Direction, Reactor, SourceKey, Ticket};
use std::cell::Cell;
use std::io::{self, Read, Write};
use std::task::{Context, Poll, Waker};

fn ticket(reactor: &Reactor, key: SourceKey, direction: Direction) -> Option<Ticket> {
    let mut cx = Context::from_waker(Waker::noop());
    match reactor.poll_ready(key, direction, &mut cx) {
        Poll::Ready(ticket) => Some(ticket.expect("a live source")),
        Poll::Pending => None,
    }
}

#[test]
fn a_new_source_counts_as_ready_in_both_directions() {
    on_every_backend(|reactor| {
        let (ours, _peer) = tcp_pair();
        let key = reactor.register(&ours).expect("registered");
        assert!(ticket(reactor, key, Direction::Read).is_some());
        assert!(ticket(reactor, key, Direction::Write).is_some());
    });
}

#[test]
fn clearing_one_direction_leaves_the_other() {
    on_every_backend(|reactor| {
        let (ours, _peer) = tcp_pair();
        let key = reactor.register(&ours).expect("registered");
        let read = ticket(reactor, key, Direction::Read).expect("ready");
        reactor.clear_ready(key, Direction::Read, read);
        assert!(ticket(reactor, key, Direction::Read).is_none());
        assert!(ticket(reactor, key, Direction::Write).is_some());
    });
}

/// R030
#[test]
fn an_event_between_the_attempt_and_the_clearing_is_not_lost() {
    on_every_backend(|reactor| {
        let (ours, mut peer) = tcp_pair();
        let key = reactor.register(&ours).expect("registered");
        look(reactor);
        // In one-shot mode only what somebody waits for is reported.
        let first = ticket(reactor, key, Direction::Read).expect("ready");
        reactor.clear_ready(key, Direction::Read, first);
        let (probe, waker) = Probe::new();
        assert!(
            reactor
                .poll_ready(key, Direction::Read, &mut Context::from_waker(&waker))
                .is_pending()
        );

        peer.write_all(b"x").expect("sent");
        wait_until(reactor, || probe.wakes() > 0);
        // Somebody who attempted with the first ticket is only now clearing.
        reactor.clear_ready(key, Direction::Read, first);
        let second = ticket(reactor, key, Direction::Read).expect("the newer event survives");
        assert_ne!(first, second);
        reactor.clear_ready(key, Direction::Read, second);
        assert!(ticket(reactor, key, Direction::Read).is_none());
    });
}

#[test]
fn an_operation_that_would_block_is_tried_once_and_then_waits() {
    on_every_backend(|reactor| {
        let (ours, mut peer) = tcp_pair();
        let key = reactor.register(&ours).expect("registered");
        look(reactor);
        let attempts = Cell::new(0);
        let mut buffer = [0; 8];
        let mut op = || {
            attempts.set(attempts.get() + 1);
            (&ours).read(&mut buffer)
        };
        let (probe, waker) = Probe::new();
        let mut cx = Context::from_waker(&waker);
        for _ in 0..10 {
            assert!(
                reactor
                    .try_io(key, Direction::Read, &mut op, &mut cx)
                    .is_pending()
            );
        }
        assert_eq!(attempts.get(), 1);
        peer.write_all(b"abc").expect("sent");
        wait_until(reactor, || probe.wakes() > 0);
        let read = reactor.try_io(key, Direction::Read, &mut op, &mut cx);
        assert!(matches!(read, Poll::Ready(Ok(3))), "{read:?}");
        assert_eq!(attempts.get(), 2);
    });
}

#[test]
fn an_interrupted_operation_is_tried_again_and_another_error_is_passed_on() {
    on_every_backend(|reactor| {
        let (ours, _peer) = tcp_pair();
        let key = reactor.register(&ours).expect("registered");
        let mut answers = [
            io::ErrorKind::Interrupted,
            io::ErrorKind::Interrupted,
            io::ErrorKind::TimedOut,
        ]
        .into_iter();
        let op = || -> io::Result<()> { Err(answers.next().expect("no more attempts").into()) };
        let mut cx = Context::from_waker(Waker::noop());
        let Poll::Ready(Err(error)) = reactor.try_io(key, Direction::Read, op, &mut cx) else {
            panic!("an error was expected")
        };
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
    });
}

/// Readiness that nobody asked for is remembered; the next attempt does not have to wait.
#[test]
fn an_event_that_nobody_waits_for_is_there_for_the_next_who_asks() {
    let reactor = Reactor::new().expect("a reactor");
    let (ours, mut peer) = tcp_pair();
    let key = reactor.register(&ours).expect("registered");
    look(&reactor);
    let first = ticket(&reactor, key, Direction::Read).expect("ready");
    reactor.clear_ready(key, Direction::Read, first);
    peer.write_all(b"x").expect("sent");
    // Asked without leaving a waker behind: the clearing of a stale ticket changes nothing.
    wait_until(&reactor, || {
        let token = &mut corio_reactor::WaitToken::new();
        let mut cx = Context::from_waker(Waker::noop());
        let ready = reactor
            .poll_ready_as(key, Direction::Read, token, &mut cx)
            .is_ready();
        reactor.stop_waiting(key, Direction::Read, token);
        ready
    });
}
