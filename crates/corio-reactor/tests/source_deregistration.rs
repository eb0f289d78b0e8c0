//! What becomes of keys, events and waiters when a source goes.

mod common;

use common::{Probe, look, on_every_backend, tcp_pair, wait_until};
use corio_reactor::{Direction, NotRegistered, Reactor, SourceKey};
use std::cell::RefCell;
use std::io::{self, Write};
use std::net::TcpStream;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};

fn wait_for(reactor: &Reactor, key: SourceKey, direction: Direction, waker: &Waker) {
    let mut cx = Context::from_waker(waker);
    look(reactor);
    while let Poll::Ready(ticket) = reactor.poll_ready(key, direction, &mut cx) {
        reactor.clear_ready(key, direction, ticket.expect("a live source"));
    }
}

fn assert_gone(reactor: &Reactor, key: SourceKey) {
    let mut cx = Context::from_waker(Waker::noop());
    for direction in [Direction::Read, Direction::Write] {
        let Poll::Ready(Err(error)) = reactor.poll_ready(key, direction, &mut cx) else {
            panic!("{key:?} is alive")
        };
        assert_eq!(error.kind(), io::ErrorKind::NotConnected);
        assert!(NotRegistered::is_cause_of(&error));
        let tried = reactor.try_io(
            key,
            direction,
            || -> io::Result<()> { panic!("tried") },
            &mut cx,
        );
        assert!(matches!(tried, Poll::Ready(Err(_))));
    }
}

/// R034
#[cfg(unix)]
#[test]
fn all_waiters_of_a_source_that_goes_are_woken_and_told() {
    on_every_backend(|reactor| {
        let (ours, _peer, _) = common::full_pair();
        let key = reactor.register(&ours).expect("registered");
        let probes: Vec<_> = (0..4).map(|_| Probe::new()).collect();
        wait_for(reactor, key, Direction::Read, &probes[0].1);
        wait_for(reactor, key, Direction::Read, &probes[1].1);
        wait_for(reactor, key, Direction::Write, &probes[2].1);
        wait_for(reactor, key, Direction::Write, &probes[3].1);
        reactor.deregister(key, &ours).expect("deregistered");
        assert!(probes.iter().all(|(probe, _)| probe.wakes() == 1));
        assert!(
            probes
                .iter()
                .all(|(probe, _)| Arc::strong_count(probe) == 2)
        );
        assert_gone(reactor, key);
        assert_eq!(reactor.len(), 0);
    });
}

/// R031, R033
#[test]
fn a_key_is_stale_for_ever_even_when_place_and_descriptor_are_used_again() {
    on_every_backend(|reactor| {
        let (first, _peer) = tcp_pair();
        let old = reactor.register(&first).expect("registered");
        let mut seen = vec![old];
        reactor.deregister(old, &first).expect("deregistered");
        for _ in 0..50 {
            let key = reactor.register(&first).expect("registered again");
            assert!(!seen.contains(&key));
            for stale in &seen {
                assert_gone(reactor, *stale);
                let error = reactor.deregister(*stale, &first).expect_err("stale");
                assert!(NotRegistered::is_cause_of(&error));
            }
            let mut cx = Context::from_waker(Waker::noop());
            assert!(reactor.poll_ready(key, Direction::Read, &mut cx).is_ready());
            reactor.deregister(key, &first).expect("deregistered");
            seen.push(key);
        }
        let places = seen.iter().map(|key| key.to_bits() as u32).max();
        assert_eq!(places, Some(old.to_bits() as u32), "places are used again");
        for bits in [0, 1, 1 << 32, u64::MAX, u64::from(u32::MAX)] {
            assert_gone(reactor, SourceKey::from_bits(bits));
        }
    });
}

/// R031: the event is already under way in the operating system.
#[test]
fn an_event_of_a_source_that_is_gone_does_not_reach_the_next_one_in_its_place() {
    on_every_backend(|reactor| {
        let (old, mut old_peer) = tcp_pair();
        let (new, _new_peer) = tcp_pair();
        let (probe, waker) = Probe::new();
        let old_key = reactor.register(&old).expect("registered");
        wait_for(reactor, old_key, Direction::Read, &waker);
        old_peer.write_all(b"x").expect("sent");
        reactor.deregister(old_key, &old).expect("deregistered");
        assert_eq!(probe.wakes(), 1, "the old waiter was told");

        let new_key = reactor.register(&new).expect("registered");
        assert_eq!(
            old_key.to_bits() as u32,
            new_key.to_bits() as u32,
            "the same place"
        );
        let (probe, waker) = Probe::new();
        wait_for(reactor, new_key, Direction::Read, &waker);
        for _ in 0..5 {
            look(reactor);
        }
        assert_eq!(probe.wakes(), 0);
    });
}

thread_local! {
    static SCENE: RefCell<Option<Scene>> = const { RefCell::new(None) };
}

/// Two sources with an event in the same batch, whoever is woken first swaps the other for a third.
struct Scene {
    reactor: Rc<Reactor>,
    sources: [(SourceKey, TcpStream); 2],
    next: TcpStream,
    next_probe: (Arc<Probe>, Waker),
    swapped: Option<SourceKey>,
}

struct Swapper {
    other: usize,
}

impl Wake for Swapper {
    fn wake(self: Arc<Self>) {
        let Some(mut scene) = SCENE.take() else {
            return;
        };
        if scene.swapped.is_none() {
            let (key, source) = &scene.sources[self.other];
            let (key, reactor) = (*key, scene.reactor.clone());
            // The other's own swapper is not to act any more: it finds no scene.
            reactor.deregister(key, source).expect("deregistered");
            let next = reactor.register(&scene.next).expect("registered");
            assert_eq!(
                next.to_bits() as u32,
                key.to_bits() as u32,
                "the same place"
            );
            let mut cx = Context::from_waker(&scene.next_probe.1);
            while let Poll::Ready(ticket) = reactor.poll_ready(next, Direction::Read, &mut cx) {
                reactor.clear_ready(next, Direction::Read, ticket.expect("a live source"));
            }
            scene.swapped = Some(next);
        }
        SCENE.set(Some(scene));
    }
}

/// R031: the event is in the batch that is being worked through.
#[test]
fn an_event_of_the_same_batch_does_not_reach_a_source_that_took_the_place_meanwhile() {
    for backend in common::BACKENDS {
        let reactor = Rc::new(Reactor::with_backend(backend).expect("a reactor"));
        let (pairs, peers): (Vec<_>, Vec<_>) = (0..2).map(|_| tcp_pair()).unzip();
        let (next, _next_peer) = tcp_pair();
        let mut sources = pairs
            .into_iter()
            .map(|ours| (reactor.register(&ours).expect("registered"), ours));
        let sources: [_; 2] = [sources.next().expect("two"), sources.next().expect("two")];
        for (number, (key, _)) in sources.iter().enumerate() {
            let waker = Waker::from(Arc::new(Swapper { other: 1 - number }));
            wait_for(&reactor, *key, Direction::Read, &waker);
        }
        for mut peer in &peers {
            peer.write_all(b"x").expect("sent");
        }
        let next_probe = Probe::new();
        let scene = Scene {
            reactor: reactor.clone(),
            sources,
            next,
            next_probe,
            swapped: None,
        };
        SCENE.set(Some(scene));
        wait_until(&reactor, || {
            SCENE.with_borrow(|scene| scene.as_ref().is_some_and(|s| s.swapped.is_some()))
        });
        for _ in 0..5 {
            look(&reactor);
        }
        let scene = SCENE.take().expect("the scene");
        assert_eq!(scene.next_probe.0.wakes(), 0, "with {backend:?}");
    }
}

#[test]
fn a_wrong_source_for_a_key_is_refused_and_changes_nothing() {
    on_every_backend(|reactor| {
        let (ours, _peer) = tcp_pair();
        let (wrong, _peer) = tcp_pair();
        let key = reactor.register(&ours).expect("registered");
        let wrong_key = reactor.register(&wrong).expect("registered");
        let (probe, waker) = Probe::new();
        wait_for(reactor, key, Direction::Read, &waker);
        let error = reactor
            .deregister(key, &wrong)
            .expect_err("not the source of this key");
        assert_eq!(error.kind(), io::ErrorKind::InvalidInput);
        assert_eq!((reactor.len(), probe.wakes()), (2, 0));
        reactor.deregister(key, &ours).expect("deregistered");
        reactor.deregister(wrong_key, &wrong).expect("deregistered");
    });
}

#[test]
fn a_source_cannot_be_registered_twice_and_the_first_registration_stays() {
    on_every_backend(|reactor| {
        let (ours, mut peer) = tcp_pair();
        let key = reactor.register(&ours).expect("registered");
        let error = reactor.register(&ours).expect_err("once is enough");
        assert_eq!(error.kind(), io::ErrorKind::AlreadyExists);
        assert_eq!(reactor.len(), 1);
        let (probe, waker) = Probe::new();
        wait_for(reactor, key, Direction::Read, &waker);
        peer.write_all(b"x").expect("sent");
        wait_until(reactor, || probe.wakes() > 0);
    });
}

#[test]
fn dropping_the_reactor_drops_the_wakers_that_wait() {
    for backend in common::BACKENDS {
        let reactor = Reactor::with_backend(backend).expect("a reactor");
        let (ours, _peer) = tcp_pair();
        let key = reactor.register(&ours).expect("registered");
        let (probe, waker) = Probe::new();
        wait_for(&reactor, key, Direction::Read, &waker);
        drop(reactor);
        assert_eq!((probe.wakes(), Arc::strong_count(&probe)), (0, 2));
    }
}
