//! What wait gives back, when, and what it leaves alone.

mod support;

use std::cell::Cell;
use std::future::pending;
use std::rc::Rc;
use std::task::Poll;
use std::time::Duration;

use corio_combinators::{ReturnWhen, Wait, try_wait, wait};
use corio_core::{AnyTask, Task};
use support::{
    TestLoop, call_later, create_task, here, poll_once, raise, run, seconds, sleep, yield_now,
};

async fn after<T>(duration: f64, value: T) -> T {
    sleep(duration).await;
    value
}

fn since_start() -> f64 {
    thread_local!(static START: Cell<Option<std::time::Instant>> = const { Cell::new(None) });
    let now = here().clock.now();
    let start = START.get().unwrap_or(now);
    START.set(Some(start));
    (now - start).as_secs_f64()
}

#[test]
fn nothing_given_returns_at_once() {
    run(async {
        let nothing: Vec<Task<u32>> = Vec::new();
        let mut waiting = wait(nothing).return_when(ReturnWhen::FirstCompleted);
        assert!(
            matches!(poll_once(&mut waiting).await, Poll::Ready((d, p)) if d.is_empty() && p.is_empty())
        );
    });
}

#[test]
fn both_lists_are_in_the_order_of_the_arguments() {
    run(async {
        let times = [4.0, 1.0, 5.0, 2.0, 3.0];
        let tasks: Vec<Task<f64>> = times.iter().map(|t| create_task(after(*t, *t))).collect();
        let (done, pending) = wait(tasks).timeout(seconds(2.5)).await;
        let values: Vec<f64> = done
            .into_iter()
            .map(|task| task.into_result().unwrap())
            .collect();
        assert_eq!(values, [1.0, 2.0]);
        let (done, none) = wait(pending).await;
        let values: Vec<f64> = done
            .into_iter()
            .map(|task| task.into_result().unwrap())
            .collect();
        assert_eq!(values, [4.0, 5.0, 3.0]);
        assert!(none.is_empty());
    });
}

#[test]
fn duplicates_are_kept() {
    run(async {
        let (quick, slow) = (create_task(after(1.0, ())), create_task(after(2.0, ())));
        let given = [&quick, &slow, &quick, &slow, &slow];
        let (done, pending) = wait(given).return_when(ReturnWhen::FirstCompleted).await;
        assert!(done.len() == 2 && done.iter().all(|task| std::ptr::eq(*task, &quick)));
        assert!(pending.len() == 3 && pending.iter().all(|task| std::ptr::eq(*task, &slow)));
        let (done, pending) = wait(given).await;
        assert_eq!((done.len(), pending.len()), (5, 0));
    });
}

#[test]
fn what_is_done_is_read_when_the_waiter_goes_on() {
    // C034: the second ends after the first was counted, but before the waiter has its step.
    run(async {
        let now = create_task(async {});
        let later = create_task(yield_now());
        let both = [&now, &later];
        let (done, pending) = wait(both).return_when(ReturnWhen::FirstCompleted).await;
        assert_eq!((done.len(), pending.len()), (2, 0));
    });
}

#[test]
fn first_exception_returns_at_the_failure() {
    // C036
    run(async {
        since_start();
        let slow = create_task(after(10.0, ()));
        let failing = create_task(async {
            sleep(0.01).await;
            raise("early")
        });
        let (done, pending) = wait([&slow, &failing])
            .return_when(ReturnWhen::FirstException)
            .await;
        assert_eq!((done.len(), pending.len()), (1, 1));
        assert_eq!(since_start(), 0.01);
        assert!(failing.result().is_err());
    });
}

#[test]
fn a_timeout_leaves_the_rest_pending_and_uncancelled() {
    // C037
    run(async {
        since_start();
        let tasks = [create_task(after(0.1, ())), create_task(after(0.15, ()))];
        let (done, pending) = wait(&tasks).timeout(seconds(0.11)).await;
        assert_eq!((done.len(), pending.len()), (1, 1));
        assert_eq!((since_start(), pending[0].cancelling()), (0.11, 0));
    });
}

#[test]
fn a_task_that_ends_at_the_very_timeout_is_done() {
    // C038: the sleepers have armed their timers first.
    run(async {
        let tasks = [create_task(after(0.1, ())), create_task(after(0.15, ()))];
        yield_now().await;
        let (done, pending) = wait(&tasks).timeout(seconds(0.1)).await;
        assert!(done[0].done() && pending.len() == 1);
    });
}

#[test]
fn the_longest_timeout_is_never() {
    run(async {
        let task = create_task(after(1.0, ()));
        let mut waiting = wait([&task]).timeout(Duration::MAX);
        assert!(poll_once(&mut waiting).await.is_pending());
        yield_now().await;
        assert_eq!(here().clock.armed(), 1, "only the sleeper's");
        assert_eq!(waiting.await.0.len(), 1);
    });
}

#[test]
fn a_timeout_counts_from_the_first_poll() {
    run(async {
        since_start();
        let task = create_task(after(9.0, ()));
        let waiting = wait([&task]).timeout(seconds(1.0));
        sleep(3.0).await;
        let (done, _) = waiting.await;
        assert_eq!((done.len(), since_start()), (0, 4.0));
    });
}

#[test]
fn a_timer_is_taken_back_when_it_is_not_needed_any_more() {
    run(async {
        let task = create_task(after(1.0, ()));
        let mut waiting = wait([&task]).timeout(seconds(60.0));
        assert!(poll_once(&mut waiting).await.is_pending());
        assert_eq!(here().clock.armed(), 1);
        drop(waiting);
        assert_eq!(here().clock.armed(), 0);
        wait([&task]).timeout(seconds(60.0)).await;
        assert_eq!(here().clock.armed(), 0);
    });
}

#[test]
fn everything_done_takes_the_turns_of_a_done_callback() {
    for mode in [
        ReturnWhen::AllCompleted,
        ReturnWhen::FirstCompleted,
        ReturnWhen::FirstException,
    ] {
        run(async move {
            let task = create_task(async {});
            yield_now().await;
            let mut waiting = wait([&task]).return_when(mode);
            assert!(poll_once(&mut waiting).await.is_pending());
            yield_now().await;
            assert!(matches!(poll_once(&mut waiting).await, Poll::Ready((d, _)) if d.len() == 1));
        });
    }
}

#[test]
fn all_completed_counts_those_that_were_done_before() {
    run(async {
        since_start();
        let done = create_task(async {});
        yield_now().await;
        let slow = create_task(after(2.0, ()));
        assert_eq!(wait([&done, &slow]).await.0.len(), 2);
        assert_eq!(since_start(), 2.0);
    });
}

#[test]
fn an_err_is_a_failure_for_try_wait_only() {
    run(async {
        since_start();
        let make = || {
            [
                create_task(after(3.0, Ok::<u32, &str>(3))),
                create_task(after(1.0, Err("one"))),
                create_task(after(2.0, Ok(2))),
            ]
        };
        let tasks = make();
        let (done, _) = try_wait(&tasks)
            .return_when(ReturnWhen::FirstException)
            .await;
        assert_eq!((done.len(), since_start()), (1, 1.0));
        let (done, pending) = try_wait(make())
            .return_when(ReturnWhen::FirstException)
            .await;
        assert_eq!((done.len(), pending.len(), since_start()), (1, 2, 2.0));
        assert_eq!(
            done.into_iter().next().unwrap().into_result().unwrap(),
            Err("one")
        );
        let tasks = make();
        let (done, _) = wait(&tasks).return_when(ReturnWhen::FirstException).await;
        assert_eq!((done.len(), since_start()), (3, 5.0));
    });
}

#[test]
fn an_err_that_was_there_before_ends_try_wait() {
    run(async {
        let failed = create_task(async { Err::<(), u8>(1) });
        yield_now().await;
        let slow = create_task(after(5.0, Ok(())));
        let (done, pending) = try_wait([&slow, &failed])
            .return_when(ReturnWhen::FirstException)
            .await;
        assert_eq!((done.len(), pending.len()), (1, 1));
    });
}

#[test]
fn losers_live_on_through_many_waits() {
    run(async {
        let mut pending: Vec<_> = [3, 1, 2]
            .map(|n| create_task(after(f64::from(n), n)))
            .into();
        let mut order = Vec::new();
        while !pending.is_empty() {
            let (done, rest) = wait(pending).return_when(ReturnWhen::FirstCompleted).await;
            for task in done {
                order.push(task.into_result().unwrap());
            }
            pending = rest;
        }
        assert_eq!(order, [1, 2, 3]);
    });
}

#[test]
fn values_of_done_tasks_may_leave_even_if_callbacks_came_late() {
    run(async {
        let first = create_task(async { 1 });
        let second = create_task(async {
            yield_now().await;
            2
        });
        // The second ends one turn before the waiter goes on, and its callback is queued behind that step.
        let called = Rc::new(Cell::new(false));
        let call = called.clone();
        second.add_done_callback(move |_| call.set(true));
        let waiting = wait([first, second]).return_when(ReturnWhen::FirstCompleted);
        let (done, pending) = waiting.await;
        assert!(pending.is_empty() && called.get());
        for task in done {
            task.into_result().unwrap();
        }
    });
}

#[test]
fn it_never_cancels_anything() {
    // R078
    run(async {
        let tasks: Vec<Task<()>> = (0..3).map(|_| create_task(sleep(5.0))).collect();
        let members: Vec<AnyTask> = tasks.iter().map(Task::any).collect();
        let waiter = create_task(async { wait(tasks).await.0.len() });
        yield_now().await;
        waiter.cancel();
        (&waiter).await.unwrap_err();
        let mut dropped = wait(&members);
        assert!(poll_once(&mut dropped).await.is_pending());
        drop(dropped);
        sleep(1.0).await;
        assert!(
            members
                .iter()
                .all(|task| !task.done() && task.cancelling() == 0)
        );
    });
}

#[test]
fn untyped_handles_are_waited_for_too() {
    run(async {
        let tasks = [
            create_task(after(1.0, 'a')).any(),
            create_task(after(2.0, 2)).any(),
        ];
        let (done, pending) = wait(&tasks).return_when(ReturnWhen::FirstCompleted).await;
        assert_eq!((done.len(), pending.len()), (1, 1));
        let (done, _) = wait(tasks).await;
        assert!(done.iter().all(AnyTask::done));
    });
}

#[test]
fn a_wait_can_be_made_before_the_loop_runs() {
    let test = TestLoop::new();
    let tasks = [1.0, 2.0].map(|t| test.scheduler.create_task(after(t, t)));
    let waiting: Wait<Task<f64>> = wait(tasks);
    let main = test.scheduler.create_task(waiting);
    let (done, pending) = test.finish(main);
    assert_eq!((done.len(), pending.len()), (2, 0));
}

#[test]
fn a_waiting_task_says_so_with_its_line() {
    run(async {
        let task = create_task(sleep(1.0)).any();
        let line = line!() + 1;
        let waiter = create_task(async move { wait([task]).await.0.len() });
        yield_now().await;
        let waiting = waiter.any().waits_for().unwrap();
        assert_eq!((waiting.kind(), waiting.site().line()), ("wait", line));
        assert_eq!(waiter.await.unwrap(), 1);
    });
}

#[test]
fn dropped_at_every_turn_it_leaves_nothing_behind() {
    for turns in 0..8 {
        run(async move {
            let tasks: Vec<Task<()>> = (0..5)
                .map(|n| {
                    create_task(async move {
                        for _ in 0..n {
                            yield_now().await;
                        }
                    })
                })
                .collect();
            let mut all = wait(&tasks).timeout(seconds(9.0));
            let mut first = wait(&tasks).return_when(ReturnWhen::FirstCompleted);
            let mut over = (false, false);
            for _ in 0..turns {
                over.0 |= !over.0 && poll_once(&mut all).await.is_ready();
                over.1 |= !over.1 && poll_once(&mut first).await.is_ready();
                yield_now().await;
            }
            assert!(turns < 7 || over == (true, true), "{turns}: {over:?}");
        });
    }
}

#[test]
fn a_cancelled_member_ends_first_completed() {
    run(async {
        since_start();
        let task: Task<()> = create_task(pending());
        let member = task.any();
        call_later(1.0, move || member.cancel());
        let other = create_task(after(3.0, ()));
        let (done, pending) = wait([&task, &other])
            .return_when(ReturnWhen::FirstCompleted)
            .await;
        assert!(done[0].cancelled() && pending.len() == 1);
        assert_eq!(since_start(), 1.0);
    });
}
