//! Queues and channels: values that come back, ends, streams.

mod support;

use std::cell::Cell;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

use corio_sync::{
    Closed, LifoQueue, PriorityQueue, Queue, RecvNowaitError, SendError, SendNowaitError,
    broadcast, channel, oneshot, unbounded_channel, watch,
};
use futures_lite::{StreamExt, future};
use support::{Executor, Log, poll_once, settle, suite};

suite![
    the_iteration_over_a_queue_ends_when_it_is_shut_down_and_empty,
    a_channel_ends_with_its_last_sender_and_refuses_after_its_last_receiver,
    values_of_several_producers_go_to_several_consumers,
];

fn the_iteration_over_a_queue_ends_when_it_is_shut_down_and_empty<E: Executor>(ex: &E) {
    ex.run(async {
        let queue = Rc::new(Queue::bounded(2));
        let log = Log::default();
        let workers = [1, 2].map(|_| {
            let (queue, log) = (Rc::clone(&queue), log.clone());
            ex.start(async move {
                let mut items = queue.items_owned();
                while let Some(item) = items.next().await {
                    log.add(format!("{item}"));
                    queue.task_done();
                }
            })
        });
        for item in 0..5 {
            queue.put(item).await.unwrap();
        }
        queue.shutdown(false);
        queue.join().await;
        for worker in workers {
            worker.join().await;
        }
        let mut items = log.take();
        items.sort();
        assert_eq!(items, ["0", "1", "2", "3", "4"]);
    });
}

fn a_channel_ends_with_its_last_sender_and_refuses_after_its_last_receiver<E: Executor>(ex: &E) {
    ex.run(async {
        let (sender, receiver) = channel(1);
        let second = sender.clone();
        sender.send(1).await.unwrap();
        drop(sender);
        assert_eq!(receiver.recv().await, Some(1));
        let waiting = {
            let receiver = receiver.clone();
            ex.start(async move { assert_eq!(receiver.recv().await, None) })
        };
        settle().await;
        assert!(!waiting.is_done());
        drop(second);
        waiting.join().await;
        assert_eq!(receiver.recv_nowait(), Err(RecvNowaitError::Closed));

        let (sender, receiver) = channel(1);
        sender.send(1).await.unwrap();
        let waiting = {
            let sender = sender.clone();
            ex.start(async move { assert_eq!(sender.send(2).await, Err(SendError(2))) })
        };
        let second = receiver.clone();
        drop(receiver);
        settle().await;
        assert!(!waiting.is_done() && !sender.is_closed());
        drop(second);
        waiting.join().await;
        assert!(sender.is_closed());
        assert_eq!(sender.send_nowait(3), Err(SendNowaitError::Closed(3)));
    });
}

fn values_of_several_producers_go_to_several_consumers<E: Executor>(ex: &E) {
    ex.run(async {
        let (sender, receiver) = channel(2);
        let log = Log::default();
        for base in [0, 10] {
            let sender = sender.clone();
            ex.start(async move {
                for number in 0..5 {
                    sender.send(base + number).await.unwrap();
                }
            });
        }
        drop(sender);
        let jobs = [1, 2].map(|_| {
            let (mut receiver, log) = (receiver.clone(), log.clone());
            ex.start(async move {
                while let Some(number) = receiver.next().await {
                    log.add(format!("{number:02}"));
                }
            })
        });
        for job in jobs {
            job.join().await;
        }
        let mut numbers = log.take();
        numbers.sort();
        let expected: Vec<String> = [0, 1, 2, 3, 4, 10, 11, 12, 13, 14]
            .map(|number| format!("{number:02}"))
            .into();
        assert_eq!(numbers, expected);
    });
}

#[test]
fn a_put_that_is_given_up_gives_its_item_back() {
    let queue = Queue::bounded(1);
    queue.put_nowait("first").unwrap();
    let mut put = queue.put("second");
    assert!(poll_once(&mut put).is_pending());
    assert_eq!(put.into_item(), Some("second"));
    assert_eq!(queue.statistics().putters, 0);

    let (sender, receiver) = channel(1);
    sender.send_nowait("first").unwrap();
    let mut slot = Some("second");
    let mut sending = sender.send_from(&mut slot);
    assert!(poll_once(&mut sending).is_pending());
    drop(sending);
    assert_eq!(
        slot,
        Some("second"),
        "dropped like any cancelled future, and nothing is lost"
    );
    assert_eq!(receiver.recv_nowait(), Ok("first"));
    assert_eq!(
        poll_once(&mut sender.send_from(&mut slot)),
        Poll::Ready(Ok(()))
    );
    assert_eq!(slot, None);
    drop(receiver);
    let mut slot = Some("third");
    assert_eq!(
        poll_once(&mut sender.send_from(&mut slot)),
        Poll::Ready(Err(SendError(())))
    );
    assert_eq!(slot, Some("third"));
    let mut sending = sender.send("fourth");
    assert_eq!(
        poll_once(&mut sending),
        Poll::Ready(Err(SendError("fourth")))
    );
    assert_eq!(sending.into_value(), None);
}

/// C100 for a waiter that was let in and then dropped: the item is in the queue never or once.
#[test]
fn an_item_is_in_the_queue_never_or_once() {
    for dropped in [false, true] {
        let queue = Queue::bounded(1);
        let alive = Rc::new(Cell::new(0));
        queue.put_nowait(support::Tracked::new(0, &alive)).unwrap();
        let mut put = queue.put(support::Tracked::new(1, &alive));
        assert!(poll_once(&mut put).is_pending());
        assert_eq!(queue.get_nowait().unwrap().number, 0);
        if dropped {
            drop(put);
            assert_eq!((queue.len(), alive.get()), (0, 0));
        } else {
            assert!(poll_once(&mut put).is_ready());
            drop(put);
            assert_eq!((queue.len(), alive.get()), (1, 1));
        }
    }
}

#[test]
fn equal_priorities_keep_the_order_of_their_coming() {
    #[derive(Debug, PartialEq, Eq)]
    struct Job(u8, &'static str);
    impl Ord for Job {
        fn cmp(&self, other: &Self) -> std::cmp::Ordering {
            self.0.cmp(&other.0)
        }
    }
    impl PartialOrd for Job {
        fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
            Some(self.cmp(other))
        }
    }
    let queue = PriorityQueue::bounded(9);
    for job in [
        Job(2, "a"),
        Job(1, "b"),
        Job(2, "c"),
        Job(1, "d"),
        Job(2, "e"),
    ] {
        queue.put_nowait(job).unwrap();
    }
    let order: Vec<&str> = std::iter::from_fn(|| queue.get_nowait().ok())
        .map(|job| job.1)
        .collect();
    assert_eq!(order, ["b", "d", "a", "c", "e"]);
}

#[test]
fn sizes_and_bounds_are_exact() {
    let queue = Queue::bounded(1);
    assert_eq!(
        (queue.maxsize(), queue.is_empty(), queue.is_full()),
        (Some(1), true, false)
    );
    queue.put_nowait(1).unwrap();
    assert_eq!(
        (queue.len(), queue.is_empty(), queue.is_full()),
        (1, false, true)
    );
    let queue = LifoQueue::unbounded();
    for item in 0..1000 {
        queue.put_nowait(item).unwrap();
    }
    assert_eq!((queue.maxsize(), queue.is_full()), (None, false));
}

#[test]
#[should_panic(expected = "Queue::unbounded() has no bound")]
fn a_queue_without_room_is_refused() {
    let _ = Queue::<()>::bounded(0);
}

#[test]
#[should_panic(expected = "polled after its end")]
fn putting_from_an_empty_slot_panics() {
    let queue = Queue::<u8>::bounded(1);
    let _ = poll_once(&mut queue.put_from(&mut None));
}

#[test]
fn a_stream_that_is_polled_and_left_alone_holds_up_nobody_who_asks() {
    let (sender, mut receiver) = unbounded_channel();
    let mut other = receiver.clone();
    let mut cx = Context::from_waker(Waker::noop());
    assert!(Pin::new(&mut receiver).poll_next(&mut cx).is_pending());
    sender.send_nowait(1).unwrap();
    assert_eq!(
        Pin::new(&mut other).poll_next(&mut cx),
        Poll::Ready(Some(1))
    );
    assert!(Pin::new(&mut receiver).poll_next(&mut cx).is_pending());
    assert!(Pin::new(&mut other).poll_next(&mut cx).is_pending());
    sender.send_nowait(2).unwrap();
    // The first was woken; it goes, and its wake-up goes to the other.
    drop(receiver);
    assert_eq!(other.statistics().getters, 0);
    assert_eq!(
        Pin::new(&mut other).poll_next(&mut cx),
        Poll::Ready(Some(2))
    );
}

#[test]
fn a_oneshot_sender_hears_that_nobody_waits_any_more() {
    for channel in support::oneshots::<u8>() {
        let (mut sender, receiver) = channel();
        let mut closed = sender.closed();
        assert!(poll_once(&mut closed).is_pending());
        drop(receiver);
        assert!(poll_once(&mut closed).is_ready());
        drop(closed);
        assert!(sender.is_closed());
        assert_eq!(sender.send(1), Err(1));
    }
}

#[test]
fn a_slot_is_a_oneshot_again_and_again() {
    let alive = Rc::new(Cell::new(0));
    let mut slot = oneshot::Slot::new().named("answer");
    for number in 0..3 {
        let (sender, mut receiver) = slot.open();
        assert_eq!(sender.name(), Some("answer"));
        assert!(poll_once(&mut receiver).is_pending());
        sender.send(support::Tracked::new(number, &alive)).unwrap();
        match number {
            0 => assert_eq!(receiver.recv_nowait().unwrap().number, 0),
            _ => drop(receiver),
        }
    }
    assert_eq!(
        alive.get(),
        0,
        "what was not received went with the receiver"
    );
    let (sender, receiver) = slot.open();
    drop(receiver);
    assert!(sender.is_closed());
    drop(sender);
    let (sender, mut receiver) = slot.open();
    drop(sender);
    assert!(matches!(poll_once(&mut receiver), Poll::Ready(Err(Closed))));
}

#[test]
fn a_watch_waits_for_the_value_that_is_wanted() {
    future::block_on(async {
        let (sender, mut receiver) = watch::channel(1);
        assert_eq!(*receiver.wait_for(|&value| value == 1).await.unwrap(), 1);
        let kept = receiver.latest();
        let ((), found) = future::zip(
            async {
                sender.update(|value| value + 1);
                future::yield_now().await;
                sender.send(5).unwrap();
                drop(sender);
            },
            receiver.wait_for(|&value| value > 3),
        )
        .await;
        assert_eq!((*found.unwrap(), *kept), (5, 1));
        assert_eq!(receiver.wait_for(|&value| value > 9).await, Err(Closed));
        assert_eq!(receiver.changed().await, Err(Closed));
    });
}

#[test]
fn a_broadcast_is_a_stream_that_tells_what_was_lost() {
    future::block_on(async {
        let (sender, receiver) = broadcast::channel(2);
        for number in 0..3 {
            sender.send(number).unwrap();
        }
        drop(sender);
        let all: Vec<_> = receiver.collect().await;
        assert_eq!(all, [Err(broadcast::RecvError::Lagged(1)), Ok(1), Ok(2)]);
    });
}
