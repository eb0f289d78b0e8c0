//! An owned wait that is only lent to a limit or a catcher: it obeys the one that polls it now, and goes on where that one left it.

mod support;

use std::future::{Future, IntoFuture, pending, poll_fn};
use std::pin::Pin;
use std::task::Poll;

use corio_combinators::{Readiness, TaskGroup, catch_cancel, gather, scope, task_group, timeout};
use corio_core::TaskError;
use support::{create_task, here, poll_once, run, seconds, sleep, yield_now};

/// What a wait that was cancelled under a limit says afterwards.
fn assert_cancelled<T: std::fmt::Debug>(outcome: Result<T, TaskError>) {
    assert!(
        matches!(outcome, Err(TaskError::Cancelled(_))),
        "{outcome:?}"
    );
}

fn assert_time(expected: f64) {
    assert_eq!(here().time(), seconds(expected));
}

#[test]
fn it_was_polled_alone_before_and_obeys_the_limit_around_it() {
    run(async {
        let mut wait = create_task(pending::<()>()).into_future();
        assert!(poll_once(&mut wait).await.is_pending());
        assert!(timeout(seconds(1.0), &mut wait).await.is_err());
        assert_time(1.0);
    });
}

#[test]
fn it_was_polled_alone_in_a_turn_before_and_obeys_the_limit_around_it() {
    run(async {
        let mut wait = create_task(pending::<()>()).into_future();
        assert!(poll_once(&mut wait).await.is_pending());
        sleep(1.0).await;
        let work = async { (&mut wait).await };
        assert!(timeout(seconds(1.0), work).await.is_err());
        assert_time(2.0);
    });
}

#[test]
fn it_leaves_a_limit_that_was_not_reached() {
    run(async {
        let task = create_task(async {
            sleep(3.0).await;
            7
        });
        let mut wait = task.into_future();
        assert!(poll_once(&mut wait).await.is_pending());
        let look = timeout(seconds(1.0), async {
            poll_once(&mut wait).await.is_pending()
        });
        assert_eq!(look.await, Ok(true));
        sleep(1.5).await;
        assert_eq!(wait.await.unwrap(), 7);
        assert_time(3.0);
    });
}

#[test]
fn it_says_that_its_task_was_cancelled_once_the_limit_has_taken_the_request() {
    run(async {
        let mut wait = create_task(pending::<()>()).into_future();
        assert!(timeout(seconds(1.0), &mut wait).await.is_err());
        assert_cancelled(wait.await);
        assert_time(1.0);
    });
}

#[test]
fn it_says_that_its_task_was_cancelled_once_a_catcher_has_taken_the_request() {
    run(async {
        let task = create_task(async {
            let mut wait = create_task(pending::<()>()).into_future();
            assert!(catch_cancel(&mut wait).await.is_err());
            assert_cancelled(wait.await);
            "went on"
        });
        yield_now().await;
        task.cancel();
        assert_eq!(task.await.unwrap(), "went on");
    });
}

#[test]
fn it_keeps_the_value_that_was_there_when_the_request_came() {
    run(async {
        let child = create_task(async {
            sleep(1.0).await;
            7
        });
        let end = child.any();
        let task = create_task(async {
            let mut wait = child.into_future();
            let caught = catch_cancel(&mut wait).await;
            (caught.is_err(), wait.await.unwrap())
        });
        // Woken by the end of the child, before the task is.
        end.await.unwrap();
        assert!(task.cancel());
        assert_eq!(task.await.unwrap(), (true, 7));
    });
}

#[test]
fn a_second_poll_before_the_limit_has_taken_the_request_gives_no_result() {
    run(async {
        let mut wait = create_task(pending::<()>()).into_future();
        let mut polls_of_a_step = 0;
        let twice = poll_fn(|cx| {
            for _ in 0..2 {
                if let Poll::Ready(outcome) = Pin::new(&mut wait).poll(cx) {
                    return Poll::Ready(outcome);
                }
                polls_of_a_step += 1;
            }
            Poll::Pending
        });
        assert!(timeout(seconds(1.0), twice).await.is_err());
        assert!(polls_of_a_step >= 4);
        assert_cancelled(wait.await);
    });
}

#[test]
fn a_gather_goes_on_likewise() {
    run(async {
        let mut both = gather([create_task(pending::<()>()), create_task(pending())]);
        assert!(timeout(seconds(1.0), &mut both).await.is_err());
        assert_cancelled(both.await);
    });
}

#[test]
fn a_gather_of_tasks_that_swallow_the_request_has_their_values() {
    run(async {
        let stubborn = || async { catch_cancel(pending::<()>()).await.is_err() };
        let mut both = gather([stubborn(), stubborn()]);
        assert!(timeout(seconds(1.0), &mut both).await.is_err());
        assert_eq!(both.await.unwrap(), [true, true]);
    });
}

#[test]
fn a_wait_for_the_child_of_a_scope_goes_on_likewise() {
    run(async {
        scope(async |s| {
            let mut wait = s.spawn(pending::<()>()).into_future();
            assert!(timeout(seconds(1.0), &mut wait).await.is_err());
            assert_cancelled(wait.await);
        })
        .await;
    });
}

#[test]
fn a_wait_for_the_start_of_a_child_goes_on_likewise() {
    run(async {
        let group = task_group(async |group: TaskGroup<TaskError>| {
            let mut start = group.start(async |_: Readiness<()>| pending::<()>().await);
            assert!(timeout(seconds(1.0), &mut start).await.is_err());
            let error = start.await.unwrap_err();
            assert!(matches!(error, TaskError::Cancelled(_)), "{error:?}");
            Ok(())
        });
        group.await.unwrap();
    });
}
