//! The cases C092 to C104 of asyncio's own tests.

mod support;

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use corio_sync::queue::GetNowaitError;
use corio_sync::{
    Barrier, BrokenBarrier, Condition, Lock, LockGuard, Queue, QueueShutDown, Semaphore,
};
use support::{Executor, Log, settle, suite, yield_now};

suite![
    c092_a_waiter_cancelled_as_the_lock_is_released_lets_exactly_one_other_in,
    c093_a_condition_wait_ends_with_the_lock_or_says_that_it_has_not,
    c094_a_notification_given_to_a_cancelled_waiter_goes_to_another,
    c096_a_semaphore_serves_in_the_order_of_asking,
    c096_a_waiter_that_was_granted_is_not_overtaken_by_one_that_asks_again,
    c096_a_waiter_in_front_that_is_cancelled_changes_nothing_for_the_others,
    c097_a_permit_granted_to_a_cancelled_waiter_is_not_lost,
    c098_a_cancelled_party_lowers_the_count,
    c098_a_reset_sends_the_waiting_away_and_the_barrier_is_usable,
    c098_an_aborted_barrier_stays_broken_until_a_reset,
    c098_those_who_come_after_the_last_wait_for_the_next_round,
    c100_a_putter_cancelled_after_it_was_woken_has_put_nothing,
    c101_a_getter_that_gave_up_leaves_no_waiter_behind,
    c102_a_shutdown_ends_a_blocked_get_and_everything_later,
    c104_an_immediate_shutdown_drops_items_and_lets_join_pass,
    c104_an_immediate_shutdown_still_waits_for_an_item_in_work,
];

fn c092_a_waiter_cancelled_as_the_lock_is_released_lets_exactly_one_other_in<E: Executor>(ex: &E) {
    ex.run(async {
        let lock = Rc::new(Lock::new(()));
        let log = Log::default();
        let holder = lock.acquire().await;
        let [a, _b, _c] = ["a", "b", "c"].map(|name| {
            let (lock, log) = (Rc::clone(&lock), log.clone());
            ex.start(async move {
                let guard = lock.acquire().await;
                log.add(name);
                support::leak(guard);
            })
        });
        settle().await;
        drop(holder);
        a.cancel();
        settle().await;
        assert_eq!(log.take(), ["b"]);
        assert!(lock.locked());
        assert_eq!(lock.statistics().waiting, 1);
    });
}

/// A dropped future cannot wait for the lock as asyncio's coroutine does. So the guard has the lock again
/// if that is free, and otherwise refuses access and can get it back.
fn c093_a_condition_wait_ends_with_the_lock_or_says_that_it_has_not<E: Executor>(ex: &E) {
    ex.run(async {
        for contested in [false, true] {
            let shared = Rc::new((Lock::new(0), Condition::new()));
            let log = Log::default();
            let waiter = {
                let (shared, log) = (Rc::clone(&shared), log.clone());
                ex.start(async move {
                    let (lock, condition) = &*shared;
                    let mut guard = lock.acquire().await;
                    // A wait that is given up after it was notified, as a timeout would do it.
                    let wait = condition.wait(&mut guard);
                    let given_up = futures_lite::future::or(
                        async {
                            wait.await;
                            false
                        },
                        async {
                            settle().await;
                            true
                        },
                    );
                    log.add(format!("given up {}", given_up.await));
                    log.add(format!("held {}", LockGuard::is_held(&guard)));
                    LockGuard::reacquire(&mut guard).await;
                    *guard += 1;
                    log.add(format!("value {}", *guard));
                })
            };
            yield_now().await;
            yield_now().await;
            let (lock, condition) = &*shared;
            let mut guard = lock.acquire().await;
            if contested {
                condition.notify(1);
                settle().await;
                settle().await;
            } else {
                drop(guard);
                settle().await;
                settle().await;
                guard = lock.acquire().await;
            }
            *guard += 10;
            drop(guard);
            waiter.join().await;
            let (held, value) = if contested { (false, 11) } else { (true, 1) };
            assert_eq!(
                log.take(),
                [
                    "given up true".into(),
                    format!("held {held}"),
                    format!("value {value}")
                ]
            );
            assert_eq!(*lock.try_acquire().unwrap(), 11);
        }
    });
}

fn c094_a_notification_given_to_a_cancelled_waiter_goes_to_another<E: Executor>(ex: &E) {
    ex.run(async {
        let shared = Rc::new((Lock::new(()), Condition::new()));
        let log = Log::default();
        let jobs = ["a", "b", "c"].map(|name| {
            let (shared, log) = (Rc::clone(&shared), log.clone());
            ex.start(async move {
                let (lock, condition) = &*shared;
                let mut guard = lock.acquire().await;
                condition.wait(&mut guard).await;
                log.add(name);
            })
        });
        settle().await;
        let (lock, condition) = &*shared;
        let guard = lock.acquire().await;
        condition.notify(1);
        jobs[0].cancel();
        yield_now().await;
        drop(guard);
        settle().await;
        assert_eq!(log.take(), ["b"]);
        assert_eq!(condition.statistics().waiting, 1);
        condition.notify_all();
        settle().await;
        assert_eq!(log.take(), ["c"]);
    });
}

fn c096_a_semaphore_serves_in_the_order_of_asking<E: Executor>(ex: &E) {
    ex.run(async {
        let semaphore = Rc::new(Semaphore::new(1));
        let log = Log::default();
        let jobs = ["c1", "c2", "c3"].map(|name| {
            let (semaphore, log) = (Rc::clone(&semaphore), log.clone());
            ex.start(async move {
                for _ in 0..2 {
                    let _permit = semaphore.acquire().await;
                    log.add(name);
                    yield_now().await;
                }
            })
        });
        for job in jobs {
            job.join().await;
        }
        assert_eq!(log.take(), ["c1", "c2", "c3", "c1", "c2", "c3"]);
    });
}

fn c096_a_waiter_that_was_granted_is_not_overtaken_by_one_that_asks_again<E: Executor>(ex: &E) {
    ex.run(async {
        let semaphore = Rc::new(Semaphore::new(1));
        let log = Log::default();
        let start = |name: &'static str, again: bool| {
            let (semaphore, log) = (Rc::clone(&semaphore), log.clone());
            ex.start(async move {
                semaphore.acquire().await.forget();
                log.add(name);
                if again {
                    semaphore.release(1);
                    semaphore.acquire().await.forget();
                    log.add("again");
                }
            })
        };
        let jobs = [start("1", false), start("2", true), start("3", false)];
        settle().await;
        semaphore.release(2);
        for job in jobs {
            job.join().await;
        }
        assert_eq!(log.take(), ["1", "2", "3", "again"]);
    });
}

fn c096_a_waiter_in_front_that_is_cancelled_changes_nothing_for_the_others<E: Executor>(ex: &E) {
    ex.run(async {
        let semaphore = Rc::new(Semaphore::new(0));
        let log = Log::default();
        let [first, second, third] = ["1", "2", "3"].map(|name| {
            let (semaphore, log) = (Rc::clone(&semaphore), log.clone());
            ex.start(async move {
                semaphore.acquire().await.forget();
                log.add(name);
            })
        });
        settle().await;
        first.cancel();
        settle().await;
        semaphore.release(2);
        second.join().await;
        third.join().await;
        assert_eq!(log.take(), ["2", "3"]);
        assert!(semaphore.locked());
    });
}

fn c097_a_permit_granted_to_a_cancelled_waiter_is_not_lost<E: Executor>(ex: &E) {
    ex.run(async {
        let semaphore = Rc::new(Semaphore::new(1));
        let permit = semaphore.acquire().await;
        let waiter = {
            let semaphore = Rc::clone(&semaphore);
            ex.start(async move { drop(semaphore.acquire().await) })
        };
        settle().await;
        drop(permit);
        waiter.cancel();
        semaphore.acquire().await.forget();
        assert!(waiter.is_done());
    });
}

/// Starts a party that logs the outcome of its wait.
fn party<E: Executor>(
    ex: &E,
    barrier: &Rc<Barrier>,
    outcomes: &Rc<RefCell<Vec<Result<usize, BrokenBarrier>>>>,
) -> support::Job {
    let (barrier, outcomes) = (Rc::clone(barrier), Rc::clone(outcomes));
    ex.start(async move {
        let outcome = barrier.wait().await;
        outcomes.borrow_mut().push(outcome);
    })
}

fn c098_a_cancelled_party_lowers_the_count<E: Executor>(ex: &E) {
    ex.run(async {
        let (barrier, outcomes) = (Rc::new(Barrier::new(3)), Rc::default());
        let first = party(ex, &barrier, &outcomes);
        let _second = party(ex, &barrier, &outcomes);
        settle().await;
        first.cancel();
        settle().await;
        assert_eq!(barrier.n_waiting(), 1);
        let _third = party(ex, &barrier, &outcomes);
        settle().await;
        assert_eq!(outcomes.take(), []);
        assert_eq!(barrier.wait().await, Ok(2));
        settle().await;
        assert_eq!(outcomes.take(), [Ok(0), Ok(1)]);
    });
}

fn c098_a_reset_sends_the_waiting_away_and_the_barrier_is_usable<E: Executor>(ex: &E) {
    ex.run(async {
        let (barrier, outcomes) = (Rc::new(Barrier::new(3)), Rc::default());
        for _ in 0..2 {
            party(ex, &barrier, &outcomes);
        }
        settle().await;
        barrier.reset();
        assert_eq!(barrier.n_waiting(), 0);
        settle().await;
        assert_eq!(outcomes.take(), [Err(BrokenBarrier); 2]);
        assert!(!barrier.broken());
        for _ in 0..3 {
            party(ex, &barrier, &outcomes);
        }
        settle().await;
        let mut numbers = outcomes.take();
        numbers.sort_by_key(|outcome| outcome.ok());
        assert_eq!(numbers, [Ok(0), Ok(1), Ok(2)]);
    });
}

fn c098_an_aborted_barrier_stays_broken_until_a_reset<E: Executor>(ex: &E) {
    ex.run(async {
        let (barrier, outcomes) = (Rc::new(Barrier::new(2)), Rc::default());
        party(ex, &barrier, &outcomes);
        settle().await;
        barrier.abort();
        settle().await;
        assert_eq!(outcomes.take(), [Err(BrokenBarrier)]);
        assert!(barrier.broken());
        assert_eq!(barrier.wait().await, Err(BrokenBarrier));
        barrier.reset();
        party(ex, &barrier, &outcomes);
        settle().await;
        assert_eq!(barrier.wait().await, Ok(1));
    });
}

fn c098_those_who_come_after_the_last_wait_for_the_next_round<E: Executor>(ex: &E) {
    ex.run(async {
        let (barrier, outcomes) = (Rc::new(Barrier::new(2)), Rc::default());
        let _first = party(ex, &barrier, &outcomes);
        settle().await;
        assert_eq!(barrier.wait().await, Ok(1));
        // The first party has not run yet; this one does not join its round.
        assert_eq!(barrier.n_waiting(), 0);
        let _next = party(ex, &barrier, &outcomes);
        settle().await;
        assert_eq!(outcomes.take(), [Ok(0)]);
        assert_eq!(barrier.n_waiting(), 1);
        assert_eq!(barrier.wait().await, Ok(1));
        settle().await;
        assert_eq!(outcomes.take(), [Ok(0)]);
    });
}

fn c100_a_putter_cancelled_after_it_was_woken_has_put_nothing<E: Executor>(ex: &E) {
    ex.run(async {
        let queue = Rc::new(Queue::bounded(1));
        queue.put_nowait(0).unwrap();
        let putter = {
            let queue = Rc::clone(&queue);
            ex.start(async move { queue.put(1).await.unwrap() })
        };
        settle().await;
        assert_eq!(queue.get_nowait(), Ok(0));
        putter.cancel();
        settle().await;
        queue.put(1).await.unwrap();
        assert_eq!(queue.get_nowait(), Ok(1));
        assert_eq!(queue.get_nowait(), Err(GetNowaitError::Empty));
        assert_eq!(queue.statistics().putters, 0);
    });
}

fn c101_a_getter_that_gave_up_leaves_no_waiter_behind<E: Executor>(ex: &E) {
    ex.run(async {
        let queue = Rc::new(Queue::<u8>::unbounded());
        let getter = {
            let queue = Rc::clone(&queue);
            ex.start(async move { assert_eq!(queue.get().await, Ok(0)) })
        };
        settle().await;
        assert_eq!(queue.statistics().getters, 1);
        getter.cancel();
        settle().await;
        assert_eq!(queue.statistics().getters, 0);
        queue.put_nowait(7).unwrap();
        assert_eq!(queue.get().await, Ok(7));
    });
}

fn c102_a_shutdown_ends_a_blocked_get_and_everything_later<E: Executor>(ex: &E) {
    ex.run(async {
        let queue = Rc::new(Queue::<u8>::unbounded());
        let ended = Rc::new(Cell::new(false));
        let getter = {
            let (queue, ended) = (Rc::clone(&queue), Rc::clone(&ended));
            ex.start(async move { ended.set(queue.get().await == Err(QueueShutDown(()))) })
        };
        settle().await;
        queue.shutdown(false);
        getter.join().await;
        assert!(ended.get());
        assert_eq!(queue.get().await, Err(QueueShutDown(())));
        assert_eq!(queue.get_nowait(), Err(GetNowaitError::ShutDown));
        assert_eq!(queue.put(1).await, Err(QueueShutDown(1)));
        assert!(queue.put_nowait(1).unwrap_err().is_shut_down());
        queue.shutdown(true);
        queue.join().await;
    });
}

fn c104_an_immediate_shutdown_drops_items_and_lets_join_pass<E: Executor>(ex: &E) {
    ex.run(async {
        let queue = Rc::new(Queue::unbounded());
        let alive = Rc::new(Cell::new(0));
        for number in 0..3 {
            queue
                .put_nowait(support::Tracked::new(number, &alive))
                .unwrap();
        }
        let joiner = {
            let queue = Rc::clone(&queue);
            ex.start(async move { queue.join().await })
        };
        settle().await;
        queue.shutdown(true);
        assert_eq!(alive.get(), 0);
        joiner.join().await;
        assert!(queue.get().await.is_err());
    });
}

fn c104_an_immediate_shutdown_still_waits_for_an_item_in_work<E: Executor>(ex: &E) {
    ex.run(async {
        let queue = Rc::new(Queue::unbounded());
        queue.put_nowait(1).unwrap();
        queue.put_nowait(2).unwrap();
        assert_eq!(queue.get().await, Ok(1));
        let joiner = {
            let queue = Rc::clone(&queue);
            ex.start(async move { queue.join().await })
        };
        settle().await;
        queue.shutdown(true);
        settle().await;
        assert!(!joiner.is_done());
        queue.task_done();
        joiner.join().await;
    });
}
