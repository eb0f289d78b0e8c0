//! The traces T60 to T65 of asyncio 3.14, turn for turn: who runs when, and that nothing suspends
//! without need. Where a guard makes an error of asyncio impossible, the line says what stands for it.

mod support;

use corio_sync::{
    Barrier, BoundedSemaphore, Condition, Event, LifoQueue, Lock, PriorityQueue, Queue, Semaphore,
};
use std::rc::Rc;
use support::{Executor, Job, Turns, yield_now};

/// Runs a trace and compares it, line for line.
fn check<F: Future<Output = ()>>(trace: impl FnOnce(Turns) -> F, expected: &[&str]) {
    let turns = Turns::new();
    turns.run(trace(turns.clone()));
    assert_eq!(turns.trace(), expected);
}

#[test]
fn t60_a_lock_is_handed_over_in_order_one_turn_each() {
    let trace = |turns: Turns| async move {
        let lock = Rc::new(Lock::new(()));
        let start = |name: &'static str| {
            let (turns, lock) = (turns.clone(), Rc::clone(&lock));
            turns.clone().start(async move {
                let _guard = lock.acquire().await;
                turns.log(format!("{name} in"));
                yield_now().await;
                turns.log(format!("{name} out"));
            })
        };
        turns.gather(["A", "B", "C"].map(start)).await;
        turns.log(format!("locked {}", lock.locked()));
        let guard = lock.acquire().await;
        let d = start("D");
        yield_now().await;
        drop(guard);
        turns.log(format!(
            "released with a waiter; locked() right now: {}",
            lock.locked()
        ));
        let e = start("E");
        d.join().await;
        e.join().await;
        turns.log(format!(
            "released by all; free {}",
            lock.try_acquire().is_some()
        ));
    };
    check(
        trace,
        &[
            "k+0 A in",
            "k+1 A out",
            "k+2 B in",
            "k+3 B out",
            "k+4 C in",
            "k+5 C out",
            "k+7 locked false",
            "k+8 released with a waiter; locked() right now: false",
            "k+9 D in",
            "k+10 D out",
            "k+11 E in",
            "k+12 E out",
            "k+13 released by all; free true",
        ],
    );
}

#[test]
fn t61_an_event_wakes_whoever_waited_and_a_condition_whoever_gets_the_lock() {
    let trace = |turns: Turns| async move {
        let event = Rc::new(Event::new());
        let waiters = ["A", "B", "C"].map(|name| {
            let (turns, event) = (turns.clone(), Rc::clone(&event));
            turns.clone().start(async move {
                event.wait().await;
                turns.log(format!("{name} woke; is_set {}", event.is_set()));
            })
        });
        yield_now().await;
        event.set();
        event.clear();
        turns.log("set then clear at once");
        turns.gather(waiters).await;

        let condition = Rc::new((Lock::new(()), Condition::new()));
        let waiters = ["X", "Y", "Z"].map(|name| {
            let (turns, condition) = (turns.clone(), Rc::clone(&condition));
            turns.clone().start(async move {
                let (lock, condition) = &*condition;
                let mut guard = lock.acquire().await;
                turns.log(format!("{name} waits"));
                condition.wait(&mut guard).await;
                turns.log(format!("{name} notified"));
            })
        });
        yield_now().await;
        let (lock, condition) = &*condition;
        {
            let _guard = lock.acquire().await;
            condition.notify(2);
            turns.log("notify(2) called; nobody runs until the lock is free");
        }
        turns.sleep(1).await;
        {
            let _guard = lock.acquire().await;
            condition.notify_all();
        }
        turns.gather(waiters).await;
        condition.notify(1);
        turns.log("notify without lock: nobody waits, nothing happens");
    };
    check(
        trace,
        &[
            "k+0 set then clear at once",
            "k+1 A woke; is_set false",
            "k+1 B woke; is_set false",
            "k+1 C woke; is_set false",
            "k+4 X waits",
            "k+4 Y waits",
            "k+4 Z waits",
            "k+4 notify(2) called; nobody runs until the lock is free",
            "k+5 X notified",
            "k+5 Y notified",
            "k+8 Z notified",
            "k+10 notify without lock: nobody waits, nothing happens",
        ],
    );
}

#[test]
fn t62_a_semaphore_lets_the_next_ones_in_as_permits_come_back() {
    let trace = |turns: Turns| async move {
        let semaphore = Rc::new(Semaphore::new(2));
        let workers = ["A", "B", "C", "D", "E"].map(|name| {
            let (turns, semaphore) = (turns.clone(), Rc::clone(&semaphore));
            turns.clone().start(async move {
                {
                    let _permit = semaphore.acquire().await;
                    turns.log(format!("{name} in"));
                    turns.sleep(1).await;
                }
                turns.log(format!("{name} out"));
            })
        });
        turns.gather(workers).await;
        let bounded = BoundedSemaphore::new(1);
        turns.log(format!("over-release: {}", bounded.release().unwrap_err()));
    };
    check(
        trace,
        &[
            "k+0 A in",
            "k+0 B in",
            "k+2 A out",
            "k+2 B out",
            "k+3 C in",
            "k+3 D in",
            "k+5 C out",
            "k+5 D out",
            "k+6 E in",
            "k+8 E out",
            "k+10 over-release: a bounded semaphore was released more often than acquired",
        ],
    );
}

#[test]
fn t63_the_last_at_a_barrier_goes_on_at_once_and_the_others_next_turn() {
    let trace = |turns: Turns| async move {
        let barrier = Rc::new(Barrier::new(3));
        let workers = [("A", 1), ("B", 2), ("C", 3)].map(|(name, delay)| {
            let (turns, barrier) = (turns.clone(), Rc::clone(&barrier));
            turns.clone().start(async move {
                turns.sleep(delay).await;
                let index = barrier.wait().await.unwrap();
                turns.log(format!("{name} index {index}"));
            })
        });
        turns.gather(workers).await;
        turns.log(format!(
            "n_waiting {} broken {}",
            barrier.n_waiting(),
            barrier.broken()
        ));
    };
    check(
        trace,
        &[
            "k+0 C index 2",
            "k+1 A index 0",
            "k+1 B index 1",
            "k+3 n_waiting 0 broken false",
        ],
    );
}

#[test]
fn t64_a_queue_wakes_one_getter_an_item_and_one_putter_a_place() {
    let trace = |turns: Turns| async move {
        let queue = Rc::new(Queue::bounded(2));
        let producer = {
            let (turns, queue) = (turns.clone(), Rc::clone(&queue));
            turns.clone().start(async move {
                for item in 0..5 {
                    queue.put(item).await.unwrap();
                    turns.log(format!("put {item} qsize {}", queue.len()));
                }
            })
        };
        let consumer = {
            let (turns, queue) = (turns.clone(), Rc::clone(&queue));
            turns.clone().start(async move {
                for _ in 0..5 {
                    let item = queue.get().await.unwrap();
                    turns.log(format!("got {item} qsize {}", queue.len()));
                    queue.task_done();
                    yield_now().await;
                }
            })
        };
        producer.join().await;
        queue.join().await;
        turns.log("joined");
        consumer.join().await;

        let values = support::Log::default();
        let getters: [Job; 3] = ["X", "Y", "Z"].map(|_| {
            let (values, queue) = (values.clone(), Rc::clone(&queue));
            turns.start(async move { values.add(queue.get().await.unwrap().to_string()) })
        });
        yield_now().await;
        queue.put_nowait(1).unwrap();
        queue.put_nowait(2).unwrap();
        yield_now().await;
        let done = getters.each_ref().map(Job::is_done);
        turns.log(format!("two items, getters X,Y,Z done: {done:?}"));
        queue.put_nowait(3).unwrap();
        turns.gather(getters).await;
        turns.log(format!("values {:?}", values.take()));
        for _ in 0..3 {
            queue.task_done();
        }
        assert_eq!(queue.statistics().unfinished, 0);

        let smallest = PriorityQueue::unbounded();
        [3, 1, 2]
            .iter()
            .for_each(|&item| smallest.put_nowait(item).unwrap());
        turns.log(format!(
            "priority {:?}",
            [(); 3].map(|()| smallest.get_nowait().unwrap())
        ));
        let newest = LifoQueue::unbounded();
        [3, 1, 2]
            .iter()
            .for_each(|&item| newest.put_nowait(item).unwrap());
        turns.log(format!(
            "lifo {:?}",
            [(); 3].map(|()| newest.get_nowait().unwrap())
        ));
    };
    check(
        trace,
        &[
            "k+0 put 0 qsize 1",
            "k+0 put 1 qsize 2",
            "k+0 got 0 qsize 1",
            "k+1 put 2 qsize 2",
            "k+1 got 1 qsize 1",
            "k+2 put 3 qsize 2",
            "k+2 got 2 qsize 1",
            "k+3 put 4 qsize 2",
            "k+3 got 3 qsize 1",
            "k+4 got 4 qsize 0",
            "k+5 joined",
            "k+8 two items, getters X,Y,Z done: [true, true, false]",
            "k+11 values [\"1\", \"2\", \"3\"]",
            "k+11 priority [1, 2, 3]",
            "k+11 lifo [2, 1, 3]",
        ],
    );
}

#[test]
#[should_panic(expected = "task_done() called more often than items were put")]
fn t64_a_task_done_too_many_panics() {
    let queue = Queue::<()>::unbounded();
    queue.task_done();
}

#[test]
fn t65_a_shut_down_queue_refuses_puts_and_gives_what_is_left() {
    let trace = |turns: Turns| async move {
        let queue = Rc::new(Queue::bounded(1));
        queue.put_nowait("a").unwrap();
        let putter = {
            let (turns, queue) = (turns.clone(), Rc::clone(&queue));
            turns.clone().start(async move {
                let refused = queue.put("b").await.unwrap_err();
                turns.log(format!("putter: {refused:?} with {}", refused.into_inner()));
            })
        };
        let joiner = {
            let queue = Rc::clone(&queue);
            turns.start(async move { queue.join().await })
        };
        yield_now().await;
        queue.shutdown(false);
        yield_now().await;
        assert!(putter.is_done());
        turns.log(format!("get -> {}", queue.get().await.unwrap()));
        let error = queue.get().await.unwrap_err();
        turns.log(format!(
            "empty get -> {error:?}; join done: {}",
            joiner.is_done()
        ));
        queue.task_done();
        joiner.join().await;
        turns.log("join released by task_done");

        let queue = Rc::new(Queue::unbounded());
        queue.put_nowait(1).unwrap();
        queue.put_nowait(2).unwrap();
        let joiner = {
            let queue = Rc::clone(&queue);
            turns.start(async move { queue.join().await })
        };
        yield_now().await;
        queue.shutdown(true);
        joiner.join().await;
        turns.log(format!(
            "immediate: drained, join released, qsize {}",
            queue.len()
        ));
    };
    check(
        trace,
        &[
            "k+0 putter: QueueShutDown with b",
            "k+0 get -> a",
            "k+0 empty get -> QueueShutDown; join done: false",
            "k+2 join released by task_done",
            "k+5 immediate: drained, join released, qsize 0",
        ],
    );
}
