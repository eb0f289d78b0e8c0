//! Broadcast and watch channels against a list of everything that was sent.

mod support;

use std::cell::Cell;
use std::rc::Rc;

use corio_sync::{SendError, broadcast, watch};
use proptest::prelude::*;
use support::{Driven, Tracked};

#[derive(Debug, Clone)]
enum Step {
    Send,
    Subscribe,
    CloneReceiver(usize),
    DropReceiver(usize),
    Receive(usize),
    /// Waits on a receiver, is polled, and perhaps given up.
    Wait(usize, bool),
    CloneSender,
    DropSender,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        30 => Just(Step::Send),
        4 => Just(Step::Subscribe),
        4 => any::<usize>().prop_map(Step::CloneReceiver),
        4 => any::<usize>().prop_map(Step::DropReceiver),
        30 => any::<usize>().prop_map(Step::Receive),
        20 => any::<(usize, bool)>().prop_map(|(pick, give_up)| Step::Wait(pick, give_up)),
        2 => Just(Step::CloneSender),
        1 => Just(Step::DropSender),
    ];
    prop::collection::vec(step, 1..120)
}

/// A value that may be cloned, each clone counted.
struct Value(Tracked, Rc<Cell<usize>>);

impl Value {
    fn new(number: usize, alive: &Rc<Cell<usize>>) -> Self {
        Value(Tracked::new(number, alive), Rc::clone(alive))
    }
}

impl Clone for Value {
    fn clone(&self) -> Self {
        Value::new(self.0.number, &self.1)
    }
}

/// A receiver and the number of the value it comes to next; or the future that has it.
enum Place<R, T> {
    Idle(R, usize),
    Waiting(Driven<(R, T)>, usize),
}

impl<R, T> Place<R, T> {
    fn next(&self) -> usize {
        match self {
            Place::Idle(_, next) | Place::Waiting(_, next) => *next,
        }
    }
}

type Received = Result<Value, broadcast::RecvError>;

fn run_broadcast(capacity: usize, steps: &[Step]) {
    let alive = Rc::new(Cell::new(0));
    let (sender, receiver) = broadcast::channel::<Value>(capacity);
    let mut senders = vec![sender];
    let mut places: Vec<Place<broadcast::Receiver<Value>, Received>> =
        vec![Place::Idle(receiver, 0)];
    let mut sent = 0_usize;
    let check_received = |received: Received, next: &mut usize, sent: usize, open: bool| {
        let oldest = sent.saturating_sub(capacity);
        match received {
            Ok(value) => {
                assert!(*next >= oldest);
                assert_eq!(value.0.number, *next, "every value, in order");
                *next += 1;
            }
            Err(broadcast::RecvError::Lagged(count)) => {
                assert_eq!(*next + count as usize, oldest, "told how many were lost");
                *next = oldest;
            }
            Err(broadcast::RecvError::Closed) => assert!(!open && *next == sent),
        }
    };
    for step in steps {
        let open = !senders.is_empty();
        match *step {
            Step::Send if open => match senders[0].send(Value::new(sent, &alive)) {
                Ok(count) => {
                    assert_eq!(count, places.len());
                    sent += 1;
                }
                Err(SendError(value)) => {
                    assert!(places.is_empty());
                    assert_eq!(value.0.number, sent);
                }
            },
            Step::Subscribe if open => places.push(Place::Idle(senders[0].subscribe(), sent)),
            Step::CloneSender if open => senders.push(senders[0].clone()),
            Step::DropSender => drop(senders.pop()),
            Step::CloneReceiver(pick) if !places.is_empty() => {
                let index = pick % places.len();
                if let Place::Idle(receiver, next) = &places[index] {
                    let copy = Place::Idle(receiver.clone(), *next);
                    places.push(copy);
                }
            }
            Step::DropReceiver(pick) if !places.is_empty() => {
                drop(places.remove(pick % places.len()));
            }
            Step::Receive(pick) if !places.is_empty() => {
                let index = pick % places.len();
                if let Place::Idle(receiver, next) = &mut places[index] {
                    let received = match receiver.recv_nowait() {
                        Ok(value) => Ok(value),
                        Err(broadcast::RecvNowaitError::Lagged(count)) => {
                            Err(broadcast::RecvError::Lagged(count))
                        }
                        Err(broadcast::RecvNowaitError::Closed) => {
                            Err(broadcast::RecvError::Closed)
                        }
                        Err(broadcast::RecvNowaitError::Empty) => {
                            assert!(open && *next == sent);
                            continue;
                        }
                    };
                    check_received(received, next, sent, open);
                }
            }
            Step::Wait(pick, give_up) if !places.is_empty() => {
                let index = pick % places.len();
                let (mut future, mut next) = match places.remove(index) {
                    Place::Idle(mut receiver, next) => {
                        let future = Driven::new(async move {
                            let received = receiver.recv().await;
                            (receiver, received)
                        });
                        (future, next)
                    }
                    Place::Waiting(future, next) => {
                        let news = next < sent || !open;
                        assert_eq!(future.woken() > 0, news, "woken for a value and the end");
                        (future, next)
                    }
                };
                match future.poll() {
                    Some((receiver, received)) => {
                        check_received(received, &mut next, sent, open);
                        places.push(Place::Idle(receiver, next));
                    }
                    None => {
                        assert!(open && next == sent, "waits only for news");
                        if !give_up {
                            places.push(Place::Waiting(future, next));
                        }
                    }
                }
            }
            _ => {}
        }
        let oldest_wanted = places.iter().map(Place::next).min().unwrap_or(sent);
        let kept = sent - oldest_wanted.max(sent.saturating_sub(capacity));
        assert_eq!(
            alive.get(),
            kept,
            "a value goes when nobody wants it any more"
        );
    }
    drop((senders, places));
    assert_eq!(alive.get(), 0);
}

fn run_watch(steps: &[Step]) {
    type Changed = Result<(), corio_sync::Closed>;
    let (sender, receiver) = watch::channel(0_usize);
    let mut senders = vec![sender];
    let mut places: Vec<Place<watch::Receiver<usize>, Changed>> = vec![Place::Idle(receiver, 0)];
    let mut version = 0;
    for step in steps {
        let open = !senders.is_empty();
        match *step {
            Step::Send if open => {
                let sent = senders[0].send(version + 1);
                assert_eq!(sent.is_ok(), !places.is_empty());
                version += usize::from(sent.is_ok());
                assert_eq!(*senders[0].latest(), version);
            }
            Step::Subscribe if open => places.push(Place::Idle(senders[0].subscribe(), version)),
            Step::CloneSender if open => senders.push(senders[0].clone()),
            Step::DropSender => drop(senders.pop()),
            Step::CloneReceiver(pick) if !places.is_empty() => {
                let index = pick % places.len();
                if let Place::Idle(receiver, seen) = &places[index] {
                    let copy = Place::Idle(receiver.clone(), *seen);
                    places.push(copy);
                }
            }
            Step::DropReceiver(pick) if !places.is_empty() => {
                drop(places.remove(pick % places.len()));
            }
            Step::Receive(pick) if !places.is_empty() => {
                let index = pick % places.len();
                if let Place::Idle(receiver, seen) = &mut places[index] {
                    assert_eq!(receiver.has_changed(), *seen < version);
                    assert_eq!(*receiver.latest(), version);
                    assert_eq!(*receiver.see(), version);
                    *seen = version;
                }
            }
            Step::Wait(pick, give_up) if !places.is_empty() => {
                let index = pick % places.len();
                let (mut future, seen) = match places.remove(index) {
                    Place::Idle(mut receiver, seen) => {
                        let future = Driven::new(async move {
                            let changed = receiver.changed().await;
                            (receiver, changed)
                        });
                        (future, seen)
                    }
                    Place::Waiting(future, seen) => {
                        assert_eq!(future.woken() > 0, seen < version || !open);
                        (future, seen)
                    }
                };
                match future.poll() {
                    Some((receiver, changed)) => {
                        assert_eq!(changed.is_ok(), seen < version, "a change before the end");
                        assert!(changed.is_ok() || !open);
                        places.push(Place::Idle(receiver, version));
                    }
                    None => {
                        assert!(open && seen == version, "waits only for news");
                        if !give_up {
                            places.push(Place::Waiting(future, seen));
                        }
                    }
                }
            }
            _ => {}
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_broadcast_gives_every_receiver_every_value_or_says_what_was_lost(
        capacity in 1..5_usize,
        steps in steps(),
    ) {
        run_broadcast(capacity, &steps);
    }

    #[test]
    fn a_watch_gives_the_latest_value_and_misses_no_change(steps in steps()) {
        run_watch(&steps);
    }
}
