//! Notifications: none is lost, whenever it comes, and many are one.

mod common;

use common::{BACKENDS, PATIENCE, Probe, look, on_every_backend, tcp_pair};
use corio_reactor::{Direction, Reactor};
use std::collections::VecDeque;
use std::io::Write;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Barrier, Mutex};
use std::task::{Context, Poll};
use std::thread;
use std::time::Duration;

/// R040
#[test]
fn a_notification_before_the_wait_keeps_it_from_sleeping_once() {
    on_every_backend(|reactor| {
        let notifier = reactor.notifier();
        for _ in 0..3 {
            for _ in 0..10 {
                notifier.notify();
            }
            let asked = reactor.wait(None, || panic!("asked to sleep although notified"));
            assert_eq!(asked.expect("a wait"), 0);
        }
        // It is used up: the next wait would sleep.
        let mut asked = false;
        let result = reactor.wait(None, || {
            asked = true;
            false
        });
        assert_eq!((result.expect("a wait"), asked), (0, true));
    });
}

/// R040: on the way into sleep, the moment that matters most.
#[test]
fn a_notification_after_the_question_ends_the_sleep() {
    on_every_backend(|reactor| {
        let notifier = reactor.notifier();
        for _ in 0..20 {
            reactor
                .wait(None, || {
                    notifier.notify();
                    notifier.notify();
                    true
                })
                .expect("a wait");
        }
    });
}

/// R040, R041: the sleeper may be anywhere between awake and asleep.
#[test]
fn a_notification_from_another_thread_ends_a_sleep_without_end() {
    for backend in BACKENDS {
        let reactor = Reactor::with_backend(backend).expect("a reactor");
        let notifier = reactor.notifier();
        let barrier = Arc::new(Barrier::new(2));
        let other = thread::spawn({
            let barrier = barrier.clone();
            move || {
                for round in 0..300 {
                    barrier.wait();
                    for _ in 0..round % 7 * 50 {
                        std::hint::spin_loop();
                    }
                    notifier.notify();
                }
            }
        });
        for _ in 0..300 {
            barrier.wait();
            // Without a timeout: one that is lost hangs this test.
            reactor.wait(None, || true).expect("a wait");
        }
        other.join().expect("no panic");
    }
}

#[test]
fn a_look_consumes_a_notification_too() {
    on_every_backend(|reactor| {
        reactor.notifier().notify();
        assert_eq!(look(reactor), 0);
        let mut asked = false;
        reactor
            .wait(None, || {
                asked = true;
                false
            })
            .expect("a wait");
        assert!(asked);
    });
}

/// R040: what was published before a notification is found after the wait it ends; a lost one hangs this test.
#[test]
fn a_storm_from_many_threads_leaves_nothing_unseen() {
    const THREADS: usize = 8;
    const EACH: usize = 2_000;
    for backend in BACKENDS {
        let reactor = Reactor::with_backend(backend).expect("a reactor");
        let inbox = Arc::new(Mutex::new(VecDeque::new()));
        let counted = Arc::new(AtomicUsize::new(0));
        let senders: Vec<_> = (0..THREADS)
            .map(|thread| {
                let (inbox, counted, notifier) =
                    (inbox.clone(), counted.clone(), reactor.notifier());
                thread::spawn(move || {
                    for number in 0..EACH {
                        if number % 2 == 0 {
                            inbox.lock().expect("no panic").push_back(thread);
                        } else {
                            counted.fetch_add(1, Ordering::Relaxed);
                        }
                        notifier.notify();
                    }
                })
            })
            .collect();
        let mut received = 0;
        let mut waits = 0;
        while received + counted.load(Ordering::Relaxed) < THREADS * EACH {
            // Without a timeout and without a last look: the notifications alone must do.
            reactor.wait(None, || true).expect("a wait");
            received += inbox.lock().expect("no panic").drain(..).count();
            waits += 1;
        }
        for sender in senders {
            sender.join().expect("no panic");
        }
        assert!(waits <= THREADS * EACH + 1, "{waits} returns");
    }
}

#[test]
fn a_notification_is_not_an_event_and_does_not_hide_one() {
    on_every_backend(|reactor| {
        let (ours, mut peer) = tcp_pair();
        let key = reactor.register(&ours).expect("registered");
        look(reactor);
        let (probe, waker) = Probe::new();
        let mut cx = Context::from_waker(&waker);
        while let Poll::Ready(ticket) = reactor.poll_ready(key, Direction::Read, &mut cx) {
            reactor.clear_ready(key, Direction::Read, ticket.expect("a live source"));
        }
        let notifier = reactor.notifier();
        let events = reactor.wait(Some(PATIENCE), || {
            notifier.notify();
            true
        });
        assert_eq!(events.expect("a wait"), 0);
        peer.write_all(b"x").expect("sent");
        common::wait_until(reactor, || {
            notifier.notify();
            probe.wakes() > 0
        });
    });
}

#[test]
fn a_no_to_the_question_means_a_look_without_sleep() {
    on_every_backend(|reactor| {
        assert_eq!(reactor.wait(None, || false).expect("a wait"), 0);
        assert_eq!(
            reactor.wait(Some(Duration::MAX), || false).expect("a wait"),
            0
        );
    });
}

#[test]
fn a_panic_in_the_question_leaves_the_reactor_usable() {
    on_every_backend(|reactor| {
        let wait = std::panic::AssertUnwindSafe(|| reactor.wait(None, || panic!("as planned")));
        std::panic::catch_unwind(wait).expect_err("the panic goes on");
        // The flag says awake: a notification is latched again.
        reactor.notifier().notify();
        assert_eq!(reactor.wait(None, || true).expect("a wait"), 0);
    });
}

#[test]
fn a_notifier_outlives_its_reactor_and_then_does_nothing() {
    for backend in BACKENDS {
        let reactor = Reactor::with_backend(backend).expect("a reactor");
        let notifier = reactor.notifier();
        let copy = notifier.clone();
        drop(reactor);
        notifier.notify();
        thread::spawn(move || copy.notify())
            .join()
            .expect("no panic");
        notifier.notify();
    }
}
