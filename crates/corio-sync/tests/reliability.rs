//! R045 to R050d: what went wrong in the primitives of other projects.

mod support;

use std::cell::{Cell, RefCell};
use std::pin::pin;
use std::rc::Rc;
use std::task::{Context, Poll};

use corio_sync::{
    Closed, Condition, Event, Lock, Queue, QueueShutDown, RecvNowaitError, RwLock, Semaphore,
    channel,
};
use support::{Executor, Log, Tracked, oneshots, poll_once, settle, suite, yield_now};

suite![
    r048_a_turn_given_to_a_cancelled_task_passes_on_in_every_primitive,
    r048_a_queue_item_and_a_queue_place_pass_on,
    r049_the_cancelled_in_line_do_not_keep_a_newcomer_waiting,
    r050_a_holder_that_asks_again_in_a_loop_starves_nobody,
    r050a_one_notify_all_does_not_end_a_second_wait,
    r050d_what_was_sent_was_received_returned_or_left,
];

/// R045: every order of send, drop of the sender, receive, close and drop of the receiver.
#[test]
fn r045_a_oneshot_value_is_delivered_or_returned_exactly_once() {
    #[derive(Clone, Copy, Debug, PartialEq)]
    enum Step {
        Send,
        DropSender,
        Receive,
        Close,
        DropReceiver,
    }
    use Step::*;
    let steps = [Send, DropSender, Receive, Close, DropReceiver];
    let mut orders = vec![Vec::new()];
    for _ in 0..5 {
        orders = orders
            .into_iter()
            .flat_map(|order: Vec<Step>| {
                steps.map(|step| {
                    let mut longer = order.clone();
                    longer.push(step);
                    longer
                })
            })
            .collect();
    }
    let ways = oneshots();
    for (order, channel) in orders
        .iter()
        .flat_map(|order| ways.iter().map(move |way| (order, way)))
    {
        let alive = Rc::new(Cell::new(0));
        let (sender, receiver) = channel();
        let (mut sender, mut receiver) = (Some(sender), Some(receiver));
        let (mut sent, mut received, mut closed) = (false, false, false);
        for step in order {
            match step {
                Send => {
                    if let Some(sender) = sender.take() {
                        let value = Tracked::new(1, &alive);
                        sent = sender.send(value).is_ok();
                        assert_eq!(sent, !closed && receiver.is_some(), "{order:?}");
                    }
                }
                DropSender => drop(sender.take()),
                Receive => {
                    if let Some(receiver) = &mut receiver {
                        let expected = match (sent && !received, sender.is_none() || closed) {
                            (true, _) => None,
                            (false, true) => Some(RecvNowaitError::Closed),
                            (false, false) => Some(RecvNowaitError::Empty),
                        };
                        let got = receiver.recv_nowait();
                        assert_eq!(got.as_ref().err().copied(), expected, "{order:?}");
                        received |= got.is_ok();
                    }
                }
                Close => {
                    if let Some(receiver) = &mut receiver {
                        receiver.close();
                        closed = true;
                    }
                }
                DropReceiver => drop(receiver.take()),
            }
            let in_channel = sent && !received && (sender.is_some() || receiver.is_some());
            assert_eq!(
                alive.get(),
                usize::from(in_channel),
                "{order:?}: nothing lost, nothing left"
            );
        }
    }
}

/// R045: the receiver waits while the other end acts.
#[test]
fn r045_a_waiting_oneshot_receiver_is_woken_by_a_value_and_by_the_end() {
    let ways = oneshots();
    for (send, channel) in [true, false]
        .into_iter()
        .flat_map(|send| ways.iter().map(move |way| (send, way)))
    {
        let (sender, receiver) = channel();
        let mut receiver = pin!(receiver);
        let (count, waker) = support::Count::new();
        let mut cx = Context::from_waker(&waker);
        assert!(receiver.as_mut().poll(&mut cx).is_pending());
        if send {
            sender.send(1).unwrap()
        } else {
            drop(sender)
        }
        assert_eq!(count.get(), 1);
        let expected = if send { Ok(1) } else { Err(Closed) };
        assert_eq!(receiver.poll(&mut cx), Poll::Ready(expected));
    }
}

/// R046: the ends go in either order, with items on both sides of the ring's wrap-around.
#[test]
fn r046_every_item_of_a_channel_is_dropped_exactly_once() {
    for taken in 0..12 {
        for receiver_first in [false, true] {
            let alive = Rc::new(Cell::new(0));
            let (sender, receiver) = channel(8);
            for number in 0..8 {
                sender.send_nowait(Tracked::new(number, &alive)).unwrap();
            }
            for number in 0..taken {
                assert_eq!(receiver.recv_nowait().unwrap().number, number);
                sender
                    .send_nowait(Tracked::new(number + 8, &alive))
                    .unwrap();
            }
            assert_eq!(alive.get(), 8);
            if receiver_first {
                drop(receiver);
                assert_eq!(alive.get(), 0);
                let refused = sender.send_nowait(Tracked::new(99, &alive)).unwrap_err();
                assert_eq!(refused.into_inner().number, 99);
                drop(sender);
            } else {
                drop(sender);
                assert_eq!(alive.get(), 8);
                drop(receiver);
            }
            assert_eq!(alive.get(), 0);
        }
    }
}

fn r048_a_turn_given_to_a_cancelled_task_passes_on_in_every_primitive<E: Executor>(ex: &E) {
    ex.run(async {
        let lock = Rc::new(Lock::new(()));
        let semaphore = Rc::new(Semaphore::new(1));
        let table = Rc::new(RwLock::new(()));
        let signal = Rc::new((Lock::new(()), Condition::new()));
        let log = Log::default();
        let (guard, permit) = (lock.acquire().await, semaphore.acquire_many(1).await);
        let writer = table.write().await;
        let mut first = Vec::new();
        for name in ["chosen", "next"] {
            let (lock, log_) = (Rc::clone(&lock), log.clone());
            let in_lock = ex.start(async move {
                let _guard = lock.acquire().await;
                log_.add(format!("lock {name}"));
            });
            let (semaphore, log_) = (Rc::clone(&semaphore), log.clone());
            let in_semaphore = ex.start(async move {
                let _permit = semaphore.acquire().await;
                log_.add(format!("semaphore {name}"));
            });
            let (table, log_) = (Rc::clone(&table), log.clone());
            let in_table = ex.start(async move {
                let _guard = table.write().await;
                log_.add(format!("table {name}"));
            });
            let (signal, log_) = (Rc::clone(&signal), log.clone());
            let in_condition = ex.start(async move {
                let mut guard = signal.0.acquire().await;
                signal.1.wait(&mut guard).await;
                log_.add(format!("condition {name}"));
            });
            if first.is_empty() {
                first = vec![in_lock, in_semaphore, in_table, in_condition];
            }
        }
        settle().await;
        drop((guard, permit, writer));
        signal.1.notify(1);
        for job in &first {
            job.cancel();
        }
        settle().await;
        let mut entries = log.take();
        entries.sort();
        assert_eq!(
            entries,
            [
                "condition next",
                "lock next",
                "semaphore next",
                "table next"
            ]
        );
    });
}

fn r048_a_queue_item_and_a_queue_place_pass_on<E: Executor>(ex: &E) {
    ex.run(async {
        let queue = Rc::new(Queue::bounded(1));
        let log = Log::default();
        let [first, _second] = ["chosen", "next"].map(|name| {
            let (queue, log) = (Rc::clone(&queue), log.clone());
            ex.start(async move { log.add(format!("{name} got {}", queue.get().await.unwrap())) })
        });
        settle().await;
        queue.put_nowait("item").unwrap();
        first.cancel();
        settle().await;
        assert_eq!(log.take(), ["next got item"]);

        queue.put_nowait("full").unwrap();
        let [first, _second] = ["chosen", "next"].map(|name| {
            let queue = Rc::clone(&queue);
            ex.start(async move { queue.put(name).await.unwrap() })
        });
        settle().await;
        assert_eq!(queue.get_nowait(), Ok("full"));
        first.cancel();
        settle().await;
        assert_eq!(queue.get_nowait(), Ok("next"));
        assert!(queue.is_empty());
    });
}

fn r049_the_cancelled_in_line_do_not_keep_a_newcomer_waiting<E: Executor>(ex: &E) {
    ex.run(async {
        let lock = Rc::new(Lock::new(()));
        let guard = lock.acquire().await;
        let waiters: Vec<_> = (0..3)
            .map(|_| {
                let lock = Rc::clone(&lock);
                ex.start(async move { drop(lock.acquire().await) })
            })
            .collect();
        settle().await;
        drop(guard);
        for waiter in &waiters {
            waiter.cancel();
        }
        // Not gone yet, or gone: the newcomer gets in without any further release.
        drop(lock.acquire().await);
        assert!(lock.try_acquire().is_some());
    });
}

fn r050_a_holder_that_asks_again_in_a_loop_starves_nobody<E: Executor>(ex: &E) {
    ex.run(async {
        let lock = Rc::new(Lock::new(Vec::new()));
        let jobs = ["greedy", "a", "b"].map(|name| {
            let lock = Rc::clone(&lock);
            ex.start(async move {
                for _ in 0..4 {
                    let mut guard = lock.acquire().await;
                    guard.push(name);
                    if name != "greedy" {
                        yield_now().await;
                    }
                }
            })
        });
        // Everybody is in the line before anybody gets in.
        let guard = lock.acquire().await;
        settle().await;
        drop(guard);
        for job in jobs {
            job.join().await;
        }
        let order = lock.acquire().await;
        assert_eq!(*order, ["greedy", "a", "b"].repeat(4));
    });
}

fn r050a_one_notify_all_does_not_end_a_second_wait<E: Executor>(ex: &E) {
    ex.run(async {
        let shared = Rc::new((Lock::new(()), Condition::new(), Event::new()));
        let log = Log::default();
        for _ in 0..3 {
            let (in_condition, log_) = (Rc::clone(&shared), log.clone());
            ex.start(async move {
                let mut guard = in_condition.0.acquire().await;
                loop {
                    in_condition.1.wait(&mut guard).await;
                    log_.add("condition");
                }
            });
            let (in_event, log_) = (Rc::clone(&shared), log.clone());
            ex.start(async move {
                loop {
                    in_event.2.wait().await;
                    log_.add("event");
                }
            });
        }
        settle().await;
        shared.1.notify_all();
        settle().await;
        assert_eq!(log.take(), ["condition"; 3]);
        assert_eq!(shared.1.statistics().waiting, 3);
        shared.2.set();
        shared.2.clear();
        settle().await;
        assert_eq!(log.take(), ["event"; 3]);
        assert_eq!(shared.2.statistics().waiting, 3);
    });
}

/// R050b, with the memory measured in `allocations.rs`: here that no waiter is left.
#[test]
fn r050b_a_million_gets_that_were_given_up_leave_no_waiter() {
    let queue = Queue::<u8>::unbounded();
    for _ in 0..1_000_000 {
        let mut get = queue.get();
        assert!(poll_once(&mut get).is_pending());
    }
    assert_eq!(queue.statistics().getters, 0);
    queue.put_nowait(1).unwrap();
    assert_eq!(queue.get_nowait(), Ok(1));
}

/// R050c: it may block for ever; it may not crash, or let two in.
#[test]
fn r050c_leaked_guards_and_futures_block_at_worst() {
    let mut lock = Lock::new(1);
    support::leak(lock.try_acquire().unwrap());
    assert!(lock.try_acquire().is_none());
    let mut waiting = lock.acquire();
    assert!(poll_once(&mut waiting).is_pending());
    drop(waiting);
    assert_eq!(lock.get_mut(), None);
    assert_eq!(lock.into_inner(), None);

    let lock = Lock::new(1);
    let guard = lock.try_acquire().unwrap();
    let mut leaked = lock.acquire();
    assert!(poll_once(&mut leaked).is_pending());
    support::leak(leaked);
    drop(guard);
    // The leaked future was chosen and never runs.
    assert!(lock.try_acquire().is_none());
    assert_eq!(lock.into_inner(), Some(1));

    let mut table = RwLock::new(1);
    support::leak(table.try_read().unwrap());
    assert_eq!(table.try_read().as_deref(), Some(&1));
    assert!(table.try_write().is_none());
    assert_eq!(table.get_mut(), None);

    let semaphore = Semaphore::new(2);
    support::leak(semaphore.try_acquire().unwrap());
    assert!(semaphore.try_acquire().is_some());
    assert_eq!(semaphore.available(), 1);

    let queue = Queue::bounded(1);
    let mut get = queue.get();
    assert!(poll_once(&mut get).is_pending());
    support::leak(get);
    queue.put_nowait(1).unwrap();
    let mut put = queue.put(2);
    assert!(poll_once(&mut put).is_pending());
    support::leak(put);
    // The leaked getter was woken for the item; another may take it all the same.
    assert_eq!(queue.get_nowait(), Ok(1));
    queue.shutdown(false);
    assert_eq!(
        poll_once(&mut queue.get()),
        Poll::Ready(Err(QueueShutDown(())))
    );
}

fn r050d_what_was_sent_was_received_returned_or_left<E: Executor>(ex: &E) {
    const PRODUCERS: usize = 4;
    const EACH: usize = 50;
    for seed in 1..20_u64 {
        ex.run(async {
            let mut random = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15);
            let mut below = |limit: u64| {
                random ^= random << 13;
                random ^= random >> 7;
                random ^= random << 17;
                random % limit
            };
            let alive = Rc::new(Cell::new(0));
            let queue = Rc::new(Queue::bounded(1 + below(4) as usize));
            let received = Rc::new(RefCell::new(Vec::new()));
            let sent = Rc::new(Cell::new(0));
            let mut jobs = Vec::new();
            for producer in 0..PRODUCERS {
                let (queue, alive, sent) = (Rc::clone(&queue), Rc::clone(&alive), Rc::clone(&sent));
                jobs.push(ex.start(async move {
                    for number in 0..EACH {
                        let item = Tracked::new(producer * EACH + number, &alive);
                        if queue.put(item).await.is_err() {
                            return;
                        }
                        sent.set(sent.get() + 1);
                    }
                }));
            }
            for _ in 0..3 {
                let (queue, received) = (Rc::clone(&queue), Rc::clone(&received));
                jobs.push(ex.start(async move {
                    while let Ok(item) = queue.get().await {
                        received.borrow_mut().push(item);
                    }
                }));
            }
            for _ in 0..below(40) {
                yield_now().await;
                if below(6) == 0 {
                    jobs[below(jobs.len() as u64) as usize].cancel();
                }
            }
            queue.shutdown(below(2) == 0);
            settle().await;
            let left: Vec<Tracked> = std::iter::from_fn(|| queue.get_nowait().ok()).collect();
            let received = received.take();
            // Dropped by an immediate shutdown are those sent and neither received nor left.
            assert!(received.len() + left.len() <= sent.get());
            assert_eq!(alive.get(), received.len() + left.len(), "seed {seed}");
            for producer in 0..PRODUCERS {
                let numbers: Vec<usize> = received
                    .iter()
                    .chain(&left)
                    .map(|item| item.number)
                    .filter(|number| number / EACH == producer)
                    .collect();
                assert!(
                    numbers.is_sorted(),
                    "seed {seed}: the order of producer {producer} is kept"
                );
            }
        });
    }
}

#[test]
fn a_dropped_stream_of_items_gives_its_wake_up_to_another_getter() {
    let queue = Queue::unbounded();
    let mut items = queue.items();
    let mut next = items.next();
    assert!(poll_once(&mut next).is_pending());
    let mut get = queue.get();
    assert!(poll_once(&mut get).is_pending());
    queue.put_nowait(1).unwrap();
    drop(next);
    assert_eq!(poll_once(&mut get), Poll::Ready(Ok(1)));
}
