//! What a shield keeps from the work, and what it does not.

mod support;

use std::cell::Cell;
use std::future::pending;
use std::rc::Rc;
use std::task::Poll;

use corio_combinators::{gather, shield};
use corio_core::{AnyTask, Task, TaskError};
use support::{TestLoop, create_task, here, poll_once, raise, run, sleep, yield_now};

#[test]
fn a_cancelled_waiter_leaves_the_work_running_and_nothing_is_reported() {
    // C052
    run(async {
        let inner = create_task(async {
            sleep(2.0).await;
            5
        });
        let work = inner.any();
        let outer = create_task(async { shield(inner).await });
        yield_now().await;
        outer.cancel();
        (&outer).await.unwrap_err();
        assert!(outer.cancelled() && !work.done() && work.cancelling() == 0);
        sleep(3.0).await;
        assert!(work.done() && !work.cancelled());
    });
    assert!(here().reports.borrow().is_empty());
}

#[test]
fn a_failure_after_the_waiter_has_gone_is_reported_once() {
    // C053 and R084, with one shield and with two.
    for shields in [1, 2] {
        run(async move {
            let inner = Rc::new(create_task(async {
                sleep(1.0).await;
                raise("after the waiter had gone")
            }));
            let waiters: Vec<Task<()>> = (0..shields)
                .map(|_| {
                    let inner = inner.clone();
                    create_task(async move { drop(shield(&*inner).await) })
                })
                .collect();
            drop(inner);
            yield_now().await;
            for waiter in &waiters {
                waiter.cancel();
            }
            for waiter in &waiters {
                waiter.await.unwrap_err();
            }
            sleep(2.0).await;
        });
        let reports = here().reports.borrow().clone();
        assert_eq!(reports.len(), 1, "{shields}: {reports:?}");
        assert!(reports[0].contains("after the waiter had gone"));
    }
}

#[test]
fn a_failure_that_the_waiter_gets_is_not_reported() {
    run(async {
        let result = shield(async { raise("seen") }).await;
        assert!(matches!(result, Err::<(), _>(TaskError::Panicked(p)) if p.message() == "seen"));
    });
    assert!(here().reports.borrow().is_empty());
}

#[test]
fn a_gather_inside_of_a_shield_survives() {
    // C054
    run(async {
        let ended = Rc::new(Cell::new(0));
        let members: Vec<_> = (0..2)
            .map(|_| {
                let ended = ended.clone();
                async move {
                    sleep(1.0).await;
                    ended.set(ended.get() + 1);
                }
            })
            .collect();
        let outer = create_task(async move { shield(gather(members)).await });
        yield_now().await;
        yield_now().await;
        outer.cancel();
        (&outer).await.unwrap_err();
        sleep(2.0).await;
        assert_eq!(ended.get(), 2);
    });
}

#[test]
fn shields_inside_of_a_gather_are_cancelled_and_their_work_survives() {
    // C054
    run(async {
        let work = [create_task(sleep(1.0)), create_task(sleep(1.0))];
        let inner: Vec<AnyTask> = work.iter().map(Task::any).collect();
        let outer = create_task(async move { gather(work.map(shield)).await });
        yield_now().await;
        yield_now().await;
        outer.cancel();
        (&outer).await.unwrap_err();
        assert!(outer.cancelled());
        assert!(
            inner
                .iter()
                .all(|task| !task.done() && task.cancelling() == 0)
        );
        sleep(2.0).await;
        assert!(inner.iter().all(|task| task.done() && !task.cancelled()));
    });
}

#[test]
fn finished_work_does_not_suspend() {
    run(async {
        let task = create_task(async { String::from("ready") });
        yield_now().await;
        let Poll::Ready(value) = poll_once(&mut shield(&task)).await else {
            panic!("pending")
        };
        assert_eq!(value.unwrap(), "ready");
        assert!(matches!(poll_once(&mut shield(task)).await, Poll::Ready(Ok(v)) if v == "ready"));
    });
}

#[test]
fn the_value_leaves_after_a_done_callback_that_may_look_at_it() {
    run(async {
        let seen = Rc::new(Cell::new(0));
        let task = create_task(async { 3 });
        yield_now().await;
        let look = seen.clone();
        task.add_done_callback(move |task| look.set(*task.result().unwrap()));
        assert_eq!(shield(task).await.unwrap(), 3);
        assert_eq!(seen.get(), 3);
    });
}

#[test]
fn dropped_at_every_turn_it_leaves_the_work_running() {
    for turns in 0..6 {
        run(async move {
            let ended = Rc::new(Cell::new(false));
            let end = ended.clone();
            let mut shielded = shield(async move {
                yield_now().await;
                end.set(true);
            });
            for _ in 0..turns {
                if poll_once(&mut shielded).await.is_ready() {
                    break;
                }
                yield_now().await;
            }
            drop(shielded);
            sleep(0.0).await;
            yield_now().await;
            assert!(ended.get());
        });
    }
}

#[test]
fn without_a_loop_the_future_becomes_a_task_at_the_first_poll() {
    let test = TestLoop::new();
    let shielded = shield(async { 9 });
    assert_eq!(test.scheduler.task_count(), 0);
    let main = test.scheduler.create_task(shielded);
    assert_eq!(test.finish(main).unwrap(), 9);
}

#[test]
fn a_waiting_task_says_so_with_its_line() {
    run(async {
        let line = line!() + 1;
        let waiter = create_task(async { shield(sleep(1.0)).await });
        yield_now().await;
        let waiting = waiter.any().waits_for().unwrap();
        assert_eq!((waiting.kind(), waiting.site().line()), ("shield", line));
        waiter.await.unwrap().unwrap();
    });
}

#[test]
fn the_end_of_the_loop_still_ends_the_work() {
    let test = TestLoop::new();
    let main = test
        .scheduler
        .create_task(async { shield(pending::<()>()).await });
    test.settle();
    assert_eq!(test.scheduler.task_count(), 2);
    test.scheduler.close();
    assert_eq!(test.scheduler.task_count(), 0);
    assert!(main.cancelled());
}
