//! Clearing after a part of what was asked for, and sources that are detached on another thread.

mod common;

use common::{Probe, look, on_every_backend, tcp_pair, wait_until};
use corio_reactor::{Backend, Direction, NotRegistered, Reactor, SourceKey};
use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream};
use std::task::{Context, Poll};

/// Makes a reader wait for a source that has nothing, does `act` to its peer, and lets the reader hear of it.
fn hear_of(reactor: &Reactor, key: SourceKey, act: impl FnOnce()) {
    look(reactor);
    if let Some(ticket) = reactor.ticket(key, Direction::Read) {
        reactor.clear_ready(key, Direction::Read, ticket);
    }
    let (probe, waker) = Probe::new();
    let mut cx = Context::from_waker(&waker);
    assert!(
        reactor
            .poll_ready(key, Direction::Read, &mut cx)
            .is_pending()
    );
    act();
    wait_until(reactor, || probe.wakes() > 0);
}

/// Reads less than asked for, says so, and tells whether reading still counts as ready.
fn still_ready_after_a_short_read(reactor: &Reactor, key: SourceKey, mut ours: &TcpStream) -> bool {
    let ticket = reactor.ticket(key, Direction::Read).expect("ready");
    let length = ours.read(&mut [0; 64]).expect("bytes");
    assert!(0 < length && length < 64);
    reactor.clear_drained(key, Direction::Read, ticket);
    reactor.ticket(key, Direction::Read).is_some()
}

#[test]
fn a_short_read_of_bytes_alone_clears_where_the_wait_tells_ends_from_bytes() {
    on_every_backend(|reactor| {
        let (ours, mut peer) = tcp_pair();
        let key = reactor.register(&ours).expect("registered");
        hear_of(reactor, key, || peer.write_all(b"bytes").expect("sent"));
        let ready = still_ready_after_a_short_read(reactor, key, &ours);
        assert_eq!(ready, reactor.backend() != Backend::Fastest);
    });
}

#[test]
fn a_short_read_with_the_end_behind_it_does_not_clear() {
    on_every_backend(|reactor| {
        let (ours, mut peer) = tcp_pair();
        let key = reactor.register(&ours).expect("registered");
        hear_of(reactor, key, || {
            // Both are there when the wait looks.
            peer.write_all(b"bytes").expect("sent");
            peer.shutdown(Shutdown::Write).expect("ended");
            settle(&ours);
        });
        assert!(still_ready_after_a_short_read(reactor, key, &ours));
        assert_eq!((&ours).read(&mut [0; 64]).expect("the end"), 0);
    });
}

#[test]
fn an_end_that_was_there_before_the_source_is_reported_after_a_short_read() {
    on_every_backend(|reactor| {
        let (ours, mut peer) = tcp_pair();
        peer.write_all(b"bytes").expect("sent");
        peer.shutdown(Shutdown::Write).expect("ended");
        settle(&ours);
        let key = reactor.register(&ours).expect("registered");
        if !still_ready_after_a_short_read(reactor, key, &ours) {
            wait_until(reactor, || reactor.ticket(key, Direction::Read).is_some());
        }
        assert_eq!((&ours).read(&mut [0; 64]).expect("the end"), 0);
    });
}

#[test]
fn bytes_that_come_behind_a_short_read_are_an_event_of_their_own() {
    on_every_backend(|reactor| {
        let (ours, mut peer) = tcp_pair();
        let key = reactor.register(&ours).expect("registered");
        hear_of(reactor, key, || peer.write_all(b"bytes").expect("sent"));
        let ticket = reactor.ticket(key, Direction::Read).expect("ready");
        assert_eq!((&ours).read(&mut [0; 64]).expect("bytes"), 5);
        peer.write_all(b"more").expect("sent");
        reactor.clear_drained(key, Direction::Read, ticket);
        if reactor.ticket(key, Direction::Read).is_none() {
            wait_until(reactor, || reactor.ticket(key, Direction::Read).is_some());
        }
        assert_eq!((&ours).read(&mut [0; 64]).expect("bytes"), 4);
    });
}

#[test]
fn a_source_that_is_detached_and_closed_elsewhere_is_forgotten_and_its_waiters_told() {
    on_every_backend(|reactor| {
        let (ours, mut peer) = tcp_pair();
        let key = reactor.register(&ours).expect("registered");
        hear_of(reactor, key, || peer.write_all(b"bytes").expect("sent"));
        let ticket = reactor.ticket(key, Direction::Read).expect("ready");
        reactor.clear_ready(key, Direction::Read, ticket);
        let (probe, waker) = Probe::new();
        let mut cx = Context::from_waker(&waker);
        assert!(
            reactor
                .poll_ready(key, Direction::Read, &mut cx)
                .is_pending()
        );

        let detacher = reactor.detacher();
        let gone = std::thread::spawn(move || detacher.detach(&ours).map(|()| drop(ours)));
        gone.join().expect("no panic").expect("detached");
        // Its number may be used again at once.
        let (others, _peer) = tcp_pair();
        let other = reactor.register(&others).expect("registered");
        assert_eq!(reactor.len(), 2);

        assert!(reactor.forget(key));
        assert!(!reactor.forget(key));
        assert_eq!((probe.wakes(), reactor.len()), (1, 1));
        let Poll::Ready(Err(error)) = reactor.poll_ready(key, Direction::Read, &mut cx) else {
            panic!("a stale key")
        };
        assert!(NotRegistered::is_cause_of(&error));
        assert!(reactor.ticket(other, Direction::Read).is_some());
        reactor.deregister(other, &others).expect("still watched");
    });
}

#[test]
fn a_source_whose_only_handle_is_closed_next_need_not_be_detached() {
    on_every_backend(|reactor| {
        let (ours, mut peer) = tcp_pair();
        let key = reactor.register(&ours).expect("registered");
        let (probe, waker) = Probe::new();
        let mut cx = Context::from_waker(&waker);
        hear_of(reactor, key, || peer.write_all(b"bytes").expect("sent"));
        let ticket = reactor.ticket(key, Direction::Read).expect("ready");
        reactor.clear_ready(key, Direction::Read, ticket);
        let polled = reactor.poll_ready(key, Direction::Read, &mut cx);
        assert!(polled.is_pending());

        let detacher = reactor.detacher();
        let gone = std::thread::spawn(move || detacher.detach_closing(&ours).map(|()| drop(ours)));
        gone.join().expect("no panic").expect("detached");
        // Its number may be used again at once, before the reactor has heard of the end.
        let (others, mut other_peer) = tcp_pair();
        let other = reactor.register(&others).expect("registered");
        hear_of(reactor, other, || {
            other_peer.write_all(b"more").expect("sent")
        });
        let _ = peer.write_all(b"for nobody");
        look(reactor);
        assert_eq!(probe.wakes(), 0, "nothing new is reported of it");
        assert!(reactor.forget(key));
        assert_eq!((probe.wakes(), reactor.len()), (1, 1));
        reactor.deregister(other, &others).expect("still watched");
    });
}

/// Whoever says that there is no duplicate may be wrong.
#[test]
fn what_an_unknown_duplicate_receives_reaches_nobody() {
    on_every_backend(|reactor| {
        let (ours, mut peer) = tcp_pair();
        let key = reactor.register(&ours).expect("registered");
        let mut duplicate = ours.try_clone().expect("a descriptor");
        reactor.detacher().detach_closing(&ours).expect("detached");
        drop(ours);
        assert!(reactor.forget(key));

        // The next source in the same place, which may have the same number as well, is not taken for it.
        let (others, _other_peer) = tcp_pair();
        let other = reactor.register(&others).expect("registered");
        look(reactor);
        let ticket = reactor.ticket(other, Direction::Read).expect("optimistic");
        reactor.clear_ready(other, Direction::Read, ticket);
        peer.write_all(b"bytes").expect("sent");
        arrived(&duplicate);
        duplicate.read_exact(&mut [0; 5]).expect("they are there");
        assert_eq!(look(reactor), 0, "it is nobody's event");
        assert_eq!(reactor.ticket(other, Direction::Read), None);
        assert_eq!(reactor.ticket(key, Direction::Read), None);
        reactor.deregister(other, &others).expect("still watched");
    });
}

#[test]
fn a_detacher_outlives_its_reactor_and_then_does_nothing() {
    let reactor = Reactor::new().expect("a reactor");
    let (ours, _peer) = tcp_pair();
    reactor.register(&ours).expect("registered");
    let detacher = reactor.detacher();
    drop(reactor);
    detacher.detach(&ours).expect("nothing to do");
}

/// Waits until the bytes have arrived, and with them the end behind them.
fn settle(ours: &TcpStream) {
    arrived(ours);
    // Elsewhere it is not told apart from the bytes; it arrives with the call that sends it.
    #[cfg(target_os = "linux")]
    {
        use rustix::event::{PollFd, PollFlags, poll};
        let mut end = [PollFd::new(ours, PollFlags::RDHUP)];
        poll(&mut end, None).expect("the end");
    }
}

/// Waits until there is something to read.
fn arrived(ours: &TcpStream) {
    while ours.peek(&mut [0; 64]).is_err() {
        std::thread::yield_now();
    }
}
