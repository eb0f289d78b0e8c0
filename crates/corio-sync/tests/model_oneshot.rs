//! `oneshot::Pool` against a model of its channels and slots, and whatever order things end in.

mod support;

use std::cell::{Cell, RefCell};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use corio_sync::{Closed, RecvNowaitError, oneshot};
use proptest::prelude::*;
use support::{Count, Executor, Tracked, leak, poll_once, settle, suite, yield_now};

suite![a_client_and_a_server_may_be_cancelled_at_any_await];

#[derive(Debug, Clone)]
enum Step {
    Open,
    Send(usize),
    Poll(usize),
    Receive(usize),
    Close(usize),
    /// Waits for the receiver to close; the wait is leaked, or given up.
    Watch(usize, bool),
    DropSender(usize),
    DropReceiver(usize),
    LeakSender(usize),
    LeakReceiver(usize),
    DropPool,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let pick = any::<usize>;
    let step = prop_oneof![
        40 => Just(Step::Open),
        20 => pick().prop_map(Step::Send),
        20 => pick().prop_map(Step::Poll),
        10 => pick().prop_map(Step::Receive),
        5 => pick().prop_map(Step::Close),
        5 => (pick(), any::<bool>()).prop_map(|(pick, leaks)| Step::Watch(pick, leaks)),
        20 => pick().prop_map(Step::DropSender),
        40 => pick().prop_map(Step::DropReceiver),
        1 => pick().prop_map(Step::LeakSender),
        1 => pick().prop_map(Step::LeakReceiver),
        1 => Just(Step::DropPool),
    ];
    prop::collection::vec(step, 1..300)
}

/// A channel, and what is known of it.
struct Channel {
    sender: Option<oneshot::Sender<Tracked>>,
    receiver: Option<oneshot::Receiver<Tracked>>,
    /// The number of the value that is there.
    value: Option<usize>,
    closed: bool,
    leaked: bool,
    /// Whether the sender has gone otherwise than by a leak.
    sender_left: bool,
    number: usize,
    /// Wakers of the receiver, and of waits for its closing, with who is to be woken and how often that was.
    wakers: [(Arc<Count>, Waker); 2],
    waits: [bool; 2],
    wakes: [usize; 2],
}

/// A pool, and what is known of its slots.
struct Slots {
    pool: Option<oneshot::Pool<Tracked>>,
    /// The channel that has the slot at hand; none if that is free.
    at_hand: Option<usize>,
    /// Whether that channel, the ends of which are gone or leaked, is ending for ever.
    ends_for_ever: bool,
    misses: usize,
    idle: usize,
    max_idle: usize,
}

const RECEIVER: usize = 0;
const WATCHER: usize = 1;

impl Channel {
    fn tell(&mut self, who: usize) {
        self.wakes[who] += usize::from(std::mem::take(&mut self.waits[who]));
    }

    fn receiver_closes(&mut self) {
        self.closed = true;
        self.tell(WATCHER);
    }

    /// What the receiver would get now.
    fn expected(&self) -> Poll<Result<usize, Closed>> {
        match self.value {
            Some(number) => Poll::Ready(Ok(number)),
            None if self.sender.is_none() || self.closed => Poll::Ready(Err(Closed)),
            None => Poll::Pending,
        }
    }

    fn step(&mut self, step: &Step, number: usize, alive: &Rc<Cell<usize>>) {
        match step {
            Step::Send(_) => {
                let Some(sender) = self.sender.take() else {
                    return;
                };
                let sent = sender.send(Tracked::new(number, alive));
                assert_eq!(
                    sent.map_err(|value| value.number).err(),
                    self.closed.then_some(number)
                );
                self.value = (!self.closed).then_some(number);
                self.sender_left = true;
                self.tell(RECEIVER);
            }
            Step::Poll(_) | Step::Receive(_) => {
                let expected = self.expected();
                let Some(receiver) = &mut self.receiver else {
                    return;
                };
                let got = if matches!(step, Step::Poll(_)) {
                    let mut cx = Context::from_waker(&self.wakers[RECEIVER].1);
                    self.waits[RECEIVER] |= expected.is_pending() && self.sender.is_some();
                    Pin::new(receiver).poll(&mut cx)
                } else {
                    match receiver.recv_nowait() {
                        Ok(value) => Poll::Ready(Ok(value)),
                        Err(RecvNowaitError::Closed) => Poll::Ready(Err(Closed)),
                        Err(RecvNowaitError::Empty) => Poll::Pending,
                    }
                };
                let numbers = got.map(|got| got.map(|value| value.number));
                assert_eq!(numbers, expected);
                if expected.is_ready() {
                    self.value = None;
                }
            }
            Step::Close(_) => {
                if let Some(receiver) = &mut self.receiver {
                    receiver.close();
                    self.receiver_closes();
                }
            }
            Step::Watch(_, leaks) => {
                let Some(sender) = &mut self.sender else {
                    return;
                };
                let mut wait = sender.closed();
                let mut cx = Context::from_waker(&self.wakers[WATCHER].1);
                assert_eq!(Pin::new(&mut wait).poll(&mut cx).is_ready(), self.closed);
                if *leaks {
                    std::mem::forget(wait);
                    self.waits[WATCHER] |= !self.closed;
                } else {
                    drop(wait);
                    self.waits[WATCHER] = false;
                }
            }
            Step::DropSender(_) | Step::LeakSender(_) => {
                let Some(sender) = self.sender.take() else {
                    return;
                };
                if matches!(step, Step::DropSender(_)) {
                    drop(sender);
                    self.sender_left = true;
                    self.tell(RECEIVER);
                } else {
                    // Nobody is told, and the receiver waits on: nobody polls it again here.
                    leak(sender);
                    self.leaked = true;
                    self.receiver.take();
                    self.waits[RECEIVER] = false;
                    self.receiver_closes();
                }
            }
            Step::DropReceiver(_) | Step::LeakReceiver(_) => {
                let Some(receiver) = self.receiver.take() else {
                    return;
                };
                if matches!(step, Step::DropReceiver(_)) {
                    drop(receiver);
                    (self.value, self.waits[RECEIVER]) = (None, false);
                    self.receiver_closes();
                } else {
                    leak(receiver);
                    self.leaked = true;
                    // A value that comes, or has come, is there for ever.
                }
            }
            Step::Open | Step::DropPool => unreachable!("not about one channel"),
        }
    }

    /// Whether nothing is left but a receiver with nothing to receive.
    fn is_ending(&self) -> bool {
        self.sender_left && self.value.is_none()
    }

    fn is_over(&self) -> bool {
        self.sender.is_none() && self.receiver.is_none()
    }

    fn check(&self) {
        for who in [RECEIVER, WATCHER] {
            // A wait that was leaked may be told too much when the sender has gone.
            let (count, _) = &self.wakers[who];
            let exact = who == RECEIVER || self.sender.is_some();
            assert!(
                count.get() == self.wakes[who] || !exact,
                "{who}: woken when something came"
            );
        }
        if self.is_over() && !self.leaked {
            for (count, _) in &self.wakers {
                assert_eq!(Arc::strong_count(count), 2, "no waker outlives its channel");
            }
        }
    }
}

impl Slots {
    fn open(&mut self, number: usize, channels: &[Channel]) -> Option<Channel> {
        let pool = self.pool.as_ref()?;
        let used = self.at_hand;
        if used.is_some() {
            self.idle = self.idle.saturating_sub(1);
            self.misses += 1;
        }
        let open = channels.iter().find(|channel| used == Some(channel.number));
        // Some are waited for before another takes the place; one that is about to be free stays.
        let stays = || open.map_or(self.ends_for_ever, Channel::is_ending);
        if used.is_none() {
            self.at_hand = Some(number);
        } else if self.misses >= 8 && !stays() {
            (self.at_hand, self.misses) = (Some(number), 0);
        }
        let (sender, receiver) = pool.channel();
        let statistics = sender.statistics();
        assert!(
            statistics.open && !statistics.sent && !statistics.closed,
            "as new"
        );
        Some(Channel {
            sender: Some(sender),
            receiver: Some(receiver),
            value: None,
            closed: false,
            leaked: false,
            sender_left: false,
            number,
            wakers: [Count::new(), Count::new()],
            waits: [false; 2],
            wakes: [0; 2],
        })
    }

    fn take_back(&mut self, channel: &Channel) {
        let at_hand = self.at_hand == Some(channel.number);
        if channel.leaked {
            if at_hand {
                self.ends_for_ever = channel.is_ending();
            }
        } else if at_hand {
            self.at_hand = None;
        } else {
            self.idle = self.max_idle.min(self.idle + 1);
        }
    }

    fn check(&self) {
        if let Some(pool) = &self.pool {
            let idle = self.idle + usize::from(self.at_hand.is_none());
            assert_eq!(pool.statistics().idle, idle);
            assert!(idle <= pool.statistics().max_idle);
        }
    }
}

fn run(max_idle: usize, steps: &[Step]) {
    let alive = Rc::new(Cell::new(0));
    let mut slots = Slots {
        pool: Some(oneshot::Pool::with_max_idle(max_idle)),
        at_hand: None,
        ends_for_ever: false,
        misses: 0,
        idle: 0,
        max_idle: max_idle - 1,
    };
    let mut channels: Vec<Channel> = Vec::new();
    // Values in the slots of ends that were leaked.
    let mut lost = 0;
    for (number, step) in steps.iter().enumerate() {
        match step {
            Step::Open => channels.extend(slots.open(number, &channels)),
            Step::DropPool => slots.pool = None,
            Step::Send(pick)
            | Step::Poll(pick)
            | Step::Receive(pick)
            | Step::Close(pick)
            | Step::Watch(pick, _)
            | Step::DropSender(pick)
            | Step::DropReceiver(pick)
            | Step::LeakSender(pick)
            | Step::LeakReceiver(pick) => {
                if channels.is_empty() {
                    continue;
                }
                let place = pick % channels.len();
                let channel = &mut channels[place];
                channel.step(step, number, &alive);
                channel.check();
                if channel.is_over() {
                    let channel = channels.swap_remove(place);
                    slots.take_back(&channel);
                    lost += usize::from(channel.value.is_some());
                }
            }
        }
        slots.check();
        let there = channels.iter().filter(|channel| channel.value.is_some());
        assert_eq!(alive.get(), there.count() + lost);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_pool_gets_its_slots_back_and_nothing_outlives_its_channel(max_idle in 1..6_usize, steps in steps()) {
        run(max_idle, &steps);
    }
}

/// Both are cancelled at each of their awaits in turn, with others at work.
fn a_client_and_a_server_may_be_cancelled_at_any_await<E: Executor>(ex: &E) {
    ex.run(async {
        let pool = Rc::new(oneshot::Pool::new());
        let alive = Rc::new(Cell::new(0));
        let answered = Rc::new(Cell::new(0));
        for cancels_client in [true, false] {
            for patience in 0..8 {
                let pairs: Vec<_> = (0..3)
                    .map(|number| {
                        let (mut sender, receiver) = pool.channel();
                        let alive = Rc::clone(&alive);
                        let server = ex.start(async move {
                            for _ in 0..number + 2 {
                                yield_now().await;
                            }
                            if number == 1 {
                                return sender.closed().await;
                            }
                            let _ = sender.send(Tracked::new(number, &alive));
                        });
                        let answered = Rc::clone(&answered);
                        let client = ex.start(async move {
                            if let Ok(answer) = receiver.await {
                                yield_now().await;
                                assert_eq!(answer.number, number);
                                answered.set(answered.get() + 1);
                            }
                        });
                        (client, server)
                    })
                    .collect();
                for _ in 0..patience {
                    yield_now().await;
                }
                for (client, server) in &pairs {
                    if cancels_client {
                        client.cancel();
                    } else {
                        server.cancel();
                    }
                }
                settle().await;
                for (client, server) in pairs {
                    client.join().await;
                    server.join().await;
                }
                assert_eq!(alive.get(), 0);
                assert_eq!(pool.statistics().idle, 3, "all slots are back");
            }
        }
        assert!(answered.get() > 0, "some were patient enough");
    });
}

/// Opens another channel of its pool when it is dropped, and uses it.
struct Opener(Rc<oneshot::Pool<Option<Opener>>>, Rc<RefCell<Vec<usize>>>);

impl Drop for Opener {
    fn drop(&mut self) {
        let (sender, mut receiver) = self.0.channel();
        assert!(poll_once(&mut receiver).is_pending());
        assert!(sender.send(None).is_ok());
        assert!(matches!(poll_once(&mut receiver), Poll::Ready(Ok(None))));
        drop(receiver);
        self.1.borrow_mut().push(self.0.statistics().idle);
    }
}

#[test]
fn the_destructor_of_a_value_that_nobody_received_may_use_the_pool() {
    let pool = Rc::new(oneshot::Pool::new());
    let seen = Rc::default();
    let kept = [pool.channel(), pool.channel()];
    for (sender, receiver) in kept {
        let value = Opener(Rc::clone(&pool), Rc::clone(&seen));
        assert!(sender.send(Some(value)).is_ok());
        drop(receiver);
    }
    assert_eq!(
        *seen.borrow(),
        [1, 2],
        "the slot of the value is not free yet"
    );
    assert_eq!(pool.statistics().idle, 3);
}

#[test]
fn a_destructor_that_panics_costs_a_slot_at_most() {
    struct Bomb;
    impl Drop for Bomb {
        fn drop(&mut self) {
            panic!("boom");
        }
    }
    let pool = oneshot::Pool::new();
    let first = pool.channel();
    let (sender, receiver) = pool.channel();
    assert!(sender.send(Some(Bomb)).is_ok());
    assert!(catch_unwind(AssertUnwindSafe(|| drop(receiver))).is_err());
    drop(first);
    let (sender, mut receiver) = pool.channel();
    assert!(sender.send(None).is_ok());
    assert!(matches!(poll_once(&mut receiver), Poll::Ready(Ok(None))));
}

#[test]
fn ends_outlive_their_pool() {
    let pool = oneshot::Pool::new().named("answer");
    let ends = [pool.channel(), pool.channel()];
    drop(pool);
    for (sender, mut receiver) in ends {
        assert_eq!(receiver.name(), Some("answer"));
        sender.send(1).unwrap();
        assert_eq!(poll_once(&mut receiver), Poll::Ready(Ok(1)));
    }
}

#[test]
fn a_pool_keeps_no_more_slots_than_it_may() {
    for max_idle in [0, 1, 2, 3] {
        let pool = oneshot::Pool::<u8>::with_max_idle(max_idle);
        assert_eq!(pool.statistics().idle, 1);
        let ends: Vec<_> = (0..5).map(|_| pool.channel()).collect();
        drop(ends);
        assert_eq!(pool.statistics().max_idle, max_idle.max(1));
        assert_eq!(pool.statistics().idle, max_idle.max(1));
    }
}
