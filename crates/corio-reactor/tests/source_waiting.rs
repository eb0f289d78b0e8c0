//! Who is woken by what.

mod common;

use common::{Probe, look, on_every_backend, tcp_pair, wait_until};
use corio_reactor::{Direction, Reactor, SourceKey, WaitToken};
use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

/// Makes the direction count as not ready and leaves the waker there.
fn wait_for(reactor: &Reactor, key: SourceKey, direction: Direction, waker: &Waker) {
    let mut cx = Context::from_waker(waker);
    // The first look collects what the registration itself has to report.
    look(reactor);
    while let Poll::Ready(ticket) = reactor.poll_ready(key, direction, &mut cx) {
        reactor.clear_ready(key, direction, ticket.expect("a live source"));
    }
}

fn read_some(mut stream: &TcpStream, buffer: &mut [u8]) -> io::Result<usize> {
    stream.read(buffer)
}

/// R028
#[cfg(unix)]
#[test]
fn data_wakes_the_reader_only_and_the_writer_is_still_woken_later() {
    on_every_backend(|reactor| {
        let (ours, peer, length) = common::full_pair();
        let key = reactor.register(&ours).expect("registered");
        let (reader, reader_waker) = Probe::new();
        let (writer, writer_waker) = Probe::new();
        wait_for(reactor, key, Direction::Read, &reader_waker);
        wait_for(reactor, key, Direction::Write, &writer_waker);

        (&peer).write_all(b"x").expect("sent");
        wait_until(reactor, || reader.wakes() > 0);
        assert_eq!((reader.wakes(), writer.wakes()), (1, 0));

        common::drain(&peer, length);
        wait_until(reactor, || writer.wakes() > 0);
        assert_eq!((reader.wakes(), writer.wakes()), (1, 1));
        reactor.deregister(key, &ours).expect("deregistered");
    });
}

/// R029
#[test]
fn all_who_wait_for_a_direction_are_woken_once_and_none_is_lost_when_one_eats_the_data() {
    on_every_backend(|reactor| {
        let (ours, peer) = tcp_pair();
        let key = reactor.register(&ours).expect("registered");
        let probes: Vec<_> = (0..5).map(|_| Probe::new()).collect();
        for round in 1..=3 {
            for (_, waker) in &probes {
                wait_for(reactor, key, Direction::Read, waker);
            }
            (&peer).write_all(b"one for one of you").expect("sent");
            wait_until(reactor, || {
                probes.iter().all(|(probe, _)| probe.wakes() >= round)
            });
            assert!(probes.iter().all(|(probe, _)| probe.wakes() == round));
            let mut buffer = [0; 64];
            assert_eq!(read_some(&ours, &mut buffer).expect("data"), 18);
            // The others try, find nothing, and wait again in the next round.
            for (_, waker) in &probes {
                let mut cx = Context::from_waker(waker);
                let mut again = || read_some(&ours, &mut buffer);
                assert!(
                    reactor
                        .try_io(key, Direction::Read, &mut again, &mut cx)
                        .is_pending()
                );
            }
        }
        reactor.deregister(key, &ours).expect("deregistered");
    });
}

#[test]
fn a_task_that_polls_often_is_remembered_once() {
    on_every_backend(|reactor| {
        let (ours, peer) = tcp_pair();
        let key = reactor.register(&ours).expect("registered");
        let (probe, waker) = Probe::new();
        for _ in 0..100 {
            wait_for(reactor, key, Direction::Read, &waker);
        }
        assert_eq!(
            Arc::strong_count(&probe),
            3,
            "the probe, the waker, and one clone"
        );
        (&peer).write_all(b"x").expect("sent");
        wait_until(reactor, || probe.wakes() > 0);
        assert_eq!(probe.wakes(), 1);
        assert_eq!(Arc::strong_count(&probe), 2, "an event takes the clone");
    });
}

#[test]
fn a_waiter_with_a_token_keeps_only_its_last_waker() {
    on_every_backend(|reactor| {
        let (ours, peer) = tcp_pair();
        let key = reactor.register(&ours).expect("registered");
        let (first, first_waker) = Probe::new();
        let (second, second_waker) = Probe::new();
        let (other, other_waker) = Probe::new();
        wait_for(reactor, key, Direction::Read, &other_waker);
        let mut token = WaitToken::new();
        for waker in [&first_waker, &first_waker, &second_waker] {
            let mut cx = Context::from_waker(waker);
            assert!(
                reactor
                    .poll_ready_as(key, Direction::Read, &mut token, &mut cx)
                    .is_pending()
            );
        }
        assert_eq!(
            Arc::strong_count(&first),
            2,
            "the first waker was given back"
        );
        (&peer).write_all(b"x").expect("sent");
        wait_until(reactor, || second.wakes() > 0);
        assert_eq!((first.wakes(), second.wakes(), other.wakes()), (0, 1, 1));
    });
}

#[test]
fn who_stops_waiting_leaves_nothing_behind_and_the_others_stay() {
    on_every_backend(|reactor| {
        let (ours, peer) = tcp_pair();
        let key = reactor.register(&ours).expect("registered");
        let probes: Vec<_> = (0..4).map(|_| Probe::new()).collect();
        look(reactor);
        let ticket = reactor.poll_ready(
            key,
            Direction::Read,
            &mut Context::from_waker(Waker::noop()),
        );
        let Poll::Ready(Ok(ticket)) = ticket else {
            panic!("a new source counts as ready")
        };
        reactor.clear_ready(key, Direction::Read, ticket);

        let mut waiting: Vec<_> = probes
            .iter()
            .map(|(_, waker)| {
                let mut ready = Box::pin(reactor.ready(key, Direction::Read));
                assert!(
                    ready
                        .as_mut()
                        .poll(&mut Context::from_waker(waker))
                        .is_pending()
                );
                ready
            })
            .collect();
        // The one kept in place, and one of the others.
        drop(waiting.remove(0));
        drop(waiting.remove(1));
        let counts: Vec<_> = probes
            .iter()
            .map(|(probe, _)| Arc::strong_count(probe))
            .collect();
        assert_eq!(counts, [2, 3, 2, 3]);

        (&peer).write_all(b"x").expect("sent");
        wait_until(reactor, || probes[3].0.wakes() > 0);
        let wakes: Vec<_> = probes.iter().map(|(probe, _)| probe.wakes()).collect();
        assert_eq!(wakes, [0, 1, 0, 1]);
        for mut ready in waiting {
            let mut cx = Context::from_waker(Waker::noop());
            assert!(matches!(ready.as_mut().poll(&mut cx), Poll::Ready(Ok(_))));
        }
    });
}

/// R044: the peer will send no more.
#[test]
fn the_end_of_the_stream_wakes_the_reader_who_reads_it() {
    on_every_backend(|reactor| {
        let (ours, peer) = tcp_pair();
        let key = reactor.register(&ours).expect("registered");
        let (reader, waker) = Probe::new();
        wait_for(reactor, key, Direction::Read, &waker);
        peer.shutdown(Shutdown::Write).expect("half-closed");
        wait_until(reactor, || reader.wakes() > 0);
        let mut cx = Context::from_waker(&waker);
        let mut buffer = [0; 8];
        let end = reactor.try_io(
            key,
            Direction::Read,
            || read_some(&ours, &mut buffer),
            &mut cx,
        );
        assert!(matches!(end, Poll::Ready(Ok(0))), "{end:?}");
        // The other direction still works.
        let sent = reactor.try_io(key, Direction::Write, || (&ours).write(b"x"), &mut cx);
        assert!(matches!(sent, Poll::Ready(Ok(1))), "{sent:?}");
    });
}

/// R044: the peer is gone, with data that it never read, which makes the connection end in a reset.
#[test]
fn a_reset_wakes_reader_and_writer() {
    on_every_backend(|reactor| {
        let (ours, peer) = tcp_pair();
        let key = reactor.register(&ours).expect("registered");
        common::fill(&ours);
        let (reader, reader_waker) = Probe::new();
        let (writer, writer_waker) = Probe::new();
        wait_for(reactor, key, Direction::Read, &reader_waker);
        wait_for(reactor, key, Direction::Write, &writer_waker);
        drop(peer);
        wait_until(reactor, || reader.wakes() > 0 && writer.wakes() > 0);
        let mut buffer = [0; 8];
        let mut cx = Context::from_waker(&reader_waker);
        let read = reactor.try_io(
            key,
            Direction::Read,
            || read_some(&ours, &mut buffer),
            &mut cx,
        );
        assert!(matches!(read, Poll::Ready(Err(_) | Ok(0))), "{read:?}");
        let mut cx = Context::from_waker(&writer_waker);
        let write = reactor.try_io(key, Direction::Write, || (&ours).write(b"x"), &mut cx);
        assert!(matches!(write, Poll::Ready(Err(_))), "{write:?}");
    });
}

#[test]
fn a_listener_is_readable_when_somebody_connects() {
    on_every_backend(|reactor| {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        listener.set_nonblocking(true).expect("non-blocking mode");
        let key = reactor.register(&listener).expect("registered");
        let (probe, waker) = Probe::new();
        wait_for(reactor, key, Direction::Read, &waker);
        let _client =
            TcpStream::connect(listener.local_addr().expect("an address")).expect("connected");
        wait_until(reactor, || probe.wakes() > 0);
        let mut cx = Context::from_waker(&waker);
        let accepted = reactor.try_io(key, Direction::Read, || listener.accept(), &mut cx);
        assert!(matches!(accepted, Poll::Ready(Ok(_))));
        assert!(
            reactor
                .try_io(key, Direction::Read, || listener.accept(), &mut cx)
                .is_pending()
        );
    });
}

/// A socket that becomes ready again and again must be heard each time, without being registered again.
#[test]
fn many_messages_between_many_pairs_all_arrive() {
    on_every_backend(|reactor| {
        const PAIRS: usize = 40;
        const ROUNDS: usize = 25;
        let pairs: Vec<_> = (0..PAIRS).map(|_| tcp_pair()).collect();
        let keys: Vec<_> = pairs
            .iter()
            .map(|(ours, _)| reactor.register(ours).expect("registered"))
            .collect();
        let probes: Vec<_> = (0..PAIRS).map(|_| Probe::new()).collect();
        assert_eq!(reactor.len(), PAIRS);
        let mut received = vec![0; PAIRS];
        for round in 0..ROUNDS {
            for (number, (_, peer)) in pairs.iter().enumerate() {
                if (number + round) % 3 != 0 {
                    let mut peer = peer;
                    peer.write_all(&[1]).expect("sent");
                }
            }
            let expected = |number: usize| (0..=round).filter(|r| (number + r) % 3 != 0).count();
            wait_until(reactor, || {
                for number in 0..PAIRS {
                    let mut cx = Context::from_waker(&probes[number].1);
                    let mut buffer = [0; 8];
                    let mut read = || read_some(&pairs[number].0, &mut buffer);
                    while let Poll::Ready(n) =
                        reactor.try_io(keys[number], Direction::Read, &mut read, &mut cx)
                    {
                        received[number] += n.expect("data");
                    }
                }
                (0..PAIRS).all(|number| received[number] == expected(number))
            });
        }
        for (key, (ours, _)) in keys.iter().zip(&pairs) {
            reactor.deregister(*key, ours).expect("deregistered");
        }
        assert!(reactor.is_empty());
    });
}
