//! What as_completed hands out, when, and what it leaves alone.

mod support;

use std::future::{Future, pending, poll_fn};
use std::pin::Pin;
use std::task::Poll;
use std::time::Duration;

use corio_combinators::{TimeoutError, as_completed};
use corio_core::{AnyTask, Task};
use futures_core::Stream;
use support::{
    Dropped, TestLoop, create_task, here, poll_once, raise, run, seconds, sleep, yield_now,
};

async fn after<T>(duration: f64, value: T) -> T {
    sleep(duration).await;
    value
}

#[test]
fn equal_times_come_in_the_order_of_the_arguments_and_then_the_later_ones() {
    // C040
    run(async {
        let futures = [("a", 0.01), ("c", 0.15), ("b", 0.01)].map(|(name, t)| after(t, name));
        let mut completed = as_completed(futures);
        let mut order = Vec::new();
        while let Some(task) = completed.next().await {
            order.push(task.into_result().unwrap());
        }
        assert_eq!(order, ["a", "b", "c"]);
    });
}

#[test]
fn after_the_timeout_every_task_that_is_left_is_an_error_and_runs_on() {
    // C041
    run(async {
        let tasks = [create_task(after(0.1, 'a')), create_task(after(0.15, 'b'))];
        let mut completed = as_completed(&tasks).timeout(seconds(0.12));
        let first = completed.next().await.unwrap().unwrap();
        assert_eq!(*first.result().unwrap(), 'a');
        assert_eq!(
            completed.next().await.unwrap().unwrap_err(),
            TimeoutError::new()
        );
        assert!(completed.next().await.is_none());
        assert_eq!(tasks[1].cancelling(), 0);
        sleep(0.1).await;
        assert_eq!(*tasks[1].result().unwrap(), 'b');
    });
}

#[test]
fn the_run_can_be_left_and_gone_on_with() {
    // C044
    run(async {
        let mut completed = as_completed((1..=4).map(|n| after(f64::from(n), n)));
        let mut order = Vec::new();
        while let Some(task) = completed.next().await {
            order.push(task.into_result().unwrap());
            if order.len() == 2 {
                break;
            }
        }
        sleep(0.5).await;
        while let Some(task) = completed.next().await {
            order.push(task.into_result().unwrap());
        }
        assert_eq!(order, [1, 2, 3, 4]);
        assert!(completed.next().await.is_none());
    });
}

#[test]
fn a_reference_that_is_given_twice_comes_once() {
    // C045
    run(async {
        let (a, b) = (create_task(after(2.0, 'a')), create_task(after(1.0, 'b')));
        let mut completed = as_completed([&a, &b, &a]);
        let mut order = Vec::new();
        while let Some(task) = completed.next().await {
            order.push(*task.result().unwrap());
        }
        assert_eq!(order, ['b', 'a']);
    });
}

#[test]
fn nothing_given_ends_at_once() {
    run(async {
        let nothing: [std::future::Ready<()>; 0] = [];
        let mut completed = as_completed(nothing);
        assert!(matches!(
            poll_once(&mut completed.next()).await,
            Poll::Ready(None)
        ));
    });
}

#[test]
fn a_next_that_is_dropped_loses_nothing() {
    run(async {
        let mut completed = as_completed([after(1.0, 1), after(2.0, 2)]);
        for _ in 0..3 {
            assert!(poll_once(&mut completed.next()).await.is_pending());
        }
        sleep(5.0).await;
        // Both have come in; asking and giving up takes none of them.
        drop(completed.next());
        let mut sum = 0;
        while let Some(task) = completed.next().await {
            sum += task.into_result().unwrap();
        }
        assert_eq!(sum, 3);
    });
}

#[test]
fn dropped_midway_it_leaves_the_tasks_running_and_no_timer() {
    // R079
    run(async {
        let tasks: Vec<Task<f64>> = [1.0, 2.0, 3.0].map(|t| create_task(after(t, t))).into();
        let members: Vec<AnyTask> = tasks.iter().map(Task::any).collect();
        let mut completed = as_completed(tasks).timeout(seconds(60.0));
        completed.next().await.unwrap().unwrap();
        drop(completed);
        assert_eq!(here().clock.armed(), 2, "those of the sleepers");
        assert!(members.iter().all(|task| task.cancelling() == 0));
        sleep(5.0).await;
        assert!(members.iter().all(|task| task.done() && !task.cancelled()));
    });
}

#[test]
fn a_cancelled_waiter_leaves_the_tasks_running() {
    run(async {
        let task = create_task(sleep(2.0));
        let member = task.any();
        let waiter = create_task(async { as_completed([task]).next().await.is_some() });
        yield_now().await;
        waiter.cancel();
        (&waiter).await.unwrap_err();
        assert!(!member.done() && member.cancelling() == 0);
    });
}

#[test]
fn what_was_not_handed_out_can_be_taken_back() {
    run(async {
        let mut completed = as_completed([3.0, 1.0, 2.0].map(|t| after(t, t)));
        let first = completed.next().await.unwrap();
        assert_eq!(first.into_result().unwrap(), 1.0);
        let rest = completed.into_pending();
        let mut values = Vec::new();
        for task in rest {
            values.push(task.await.unwrap());
        }
        assert_eq!(values, [3.0, 2.0]);
    });
}

#[test]
fn what_timed_out_can_be_taken_back() {
    run(async {
        let futures = [after(2.0, 'x'), after(3.0, 'y')];
        let mut completed = as_completed(futures).timeout(seconds(1.0));
        assert!(completed.next().await.unwrap().is_err());
        assert!(completed.next().await.unwrap().is_err());
        let rest = completed.into_pending();
        assert_eq!(rest.len(), 2);
        for task in rest {
            task.await.unwrap();
        }
    });
}

#[test]
fn what_came_in_before_the_timeout_is_handed_out_after_it() {
    run(async {
        let mut completed = as_completed([1.0, 9.0].map(|t| after(t, t))).timeout(seconds(2.0));
        assert!(poll_once(&mut completed.next()).await.is_pending());
        sleep(5.0).await;
        let first = completed.next().await.unwrap().unwrap();
        assert_eq!(first.into_result().unwrap(), 1.0);
        assert!(completed.next().await.unwrap().is_err());
        assert!(completed.next().await.is_none());
    });
}

#[test]
fn the_timeout_counts_from_the_first_poll_and_the_longest_is_never() {
    run(async {
        let mut completed = as_completed([after(4.0, ())]).timeout(seconds(2.0));
        sleep(3.0).await;
        assert!(completed.next().await.unwrap().is_ok());
        let mut completed = as_completed([after(4.0, ())]).timeout(Duration::MAX);
        assert!(completed.next().await.unwrap().is_ok());
    });
}

#[test]
fn a_timeout_of_zero_takes_one_turn() {
    run(async {
        let task: Task<()> = create_task(pending());
        let mut completed = as_completed([&task]).timeout(Duration::ZERO);
        assert!(poll_once(&mut completed.next()).await.is_pending());
        assert!(completed.next().await.unwrap().is_err());
        drop(completed);
        task.cancel();
    });
}

#[test]
fn failures_and_cancellations_are_in_the_handles() {
    run(async {
        let cancelled: Task<()> = create_task(pending());
        cancelled.cancel();
        let failing: Task<()> = create_task(async {
            sleep(1.0).await;
            raise("late")
        });
        let mut completed = as_completed([failing, cancelled]);
        assert!(completed.next().await.unwrap().cancelled());
        let error = completed.next().await.unwrap().into_result().unwrap_err();
        assert!(error.is_panic());
    });
    assert!(here().reports.borrow().is_empty());
}

#[test]
fn a_failure_that_was_not_handed_out_is_reported() {
    run(async {
        let completed = as_completed([async { raise("unheard") }]);
        drop(completed);
        yield_now().await;
    });
    assert_eq!(here().reports.borrow().len(), 1);
}

#[test]
fn tasks_that_were_done_come_in_the_order_of_the_arguments_two_turns_later() {
    run(async {
        let tasks = ['a', 'b', 'c'].map(|name| create_task(async move { name }));
        yield_now().await;
        let mut completed = as_completed(tasks);
        assert!(poll_once(&mut completed.next()).await.is_pending());
        yield_now().await;
        for expected in ['a', 'b', 'c'] {
            let Poll::Ready(Some(task)) = poll_once(&mut completed.next()).await else {
                panic!("pending")
            };
            assert_eq!(task.into_result().unwrap(), expected);
        }
    });
}

#[test]
fn without_a_loop_futures_become_tasks_at_the_first_poll() {
    let test = TestLoop::new();
    let dropped = Dropped::default();
    let guard = dropped.guard();
    drop(as_completed([async move { drop(guard) }]));
    assert_eq!(dropped.count(), 1);
    let mut completed = as_completed([after(2.0, 2), after(1.0, 1)]);
    assert_eq!(test.scheduler.task_count(), 0);
    let main = test.scheduler.create_task(async move {
        let first = completed.next().await.unwrap().into_result().unwrap();
        let second = completed.next().await.unwrap().into_result().unwrap();
        (first, second)
    });
    assert_eq!(test.finish(main), (1, 2));
}

#[test]
fn it_is_a_stream() {
    run(async {
        let mut completed = as_completed([after(2.0, 2), after(1.0, 1)]);
        assert_eq!(completed.size_hint(), (0, Some(2)));
        let first = poll_fn(|cx| Pin::new(&mut completed).poll_next(cx)).await;
        assert_eq!(first.unwrap().into_result().unwrap(), 1);
        assert_eq!(completed.size_hint(), (0, Some(1)));
        let mut timed = completed.timeout(seconds(0.5));
        let second = poll_fn(|cx| Pin::new(&mut timed).poll_next(cx)).await;
        assert!(second.unwrap().is_err());
        assert!(
            poll_fn(|cx| Pin::new(&mut timed).poll_next(cx))
                .await
                .is_none()
        );
    });
}

#[test]
fn a_waiting_task_says_so_with_its_line() {
    run(async {
        let line = line!() + 3;
        let waiter = create_task(async {
            let mut completed = as_completed([sleep(1.0)]);
            completed.next().await.is_some()
        });
        yield_now().await;
        let waiting = waiter.any().waits_for().unwrap();
        assert_eq!(
            (waiting.kind(), waiting.site().line()),
            ("as_completed", line)
        );
        assert!(waiter.await.unwrap());
    });
}

#[test]
fn dropped_at_every_turn_it_leaves_nothing_behind() {
    for turns in 0..9 {
        run(async move {
            let futures = (0..5).map(|n| async move {
                for _ in 0..n {
                    yield_now().await;
                }
            });
            let mut completed = as_completed(futures).timeout(seconds(9.0));
            let mut count = 0;
            for _ in 0..turns {
                while let Poll::Ready(Some(next)) = poll_once(&mut completed.next()).await {
                    next.unwrap();
                    count += 1;
                }
                yield_now().await;
            }
            assert!(turns < 8 || count == 5, "{turns}: {count}");
        });
    }
}

#[test]
fn the_next_future_is_unpin_and_can_be_raced() {
    run(async {
        let mut completed = as_completed([after(1.0, 1)]);
        let mut next = completed.next();
        let task = poll_fn(|cx| Pin::new(&mut next).poll(cx)).await;
        assert!(task.is_some());
    });
}
