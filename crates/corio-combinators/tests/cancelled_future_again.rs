//! A future whose cancellation was taken by a limit or a catcher that had only borrowed it is at its end without a result. Who awaits it
//! again is told so, and does not wait for ever.

mod support;

use std::future::{Future, pending};
use std::pin::Pin;

use corio_combinators::{
    CancelScope, TaskGroup, catch_cancel, finally, move_on_after, scope, task_group, timeout,
};
use corio_core::TaskError;
use corio_core::cancel::OrPropagate;
use support::{create_task, run, seconds, sleep};

type Work = Pin<Box<dyn Future<Output = ()>>>;

/// Futures that pass a request on, by all the ways in which one can.
fn each_way() -> Vec<(&'static str, Work)> {
    let propagates = async { catch_cancel(pending::<()>()).await.or_propagate().await };
    let cleans_up = finally(pending::<()>(), async || sleep(1.0).await);
    let limited = async { timeout(seconds(9.0), catch_and_pass_on()).await.unwrap() };
    let moved_on = async {
        move_on_after(seconds(9.0), catch_and_pass_on())
            .await
            .unwrap()
    };
    let in_scope = async { CancelScope::new().run(catch_and_pass_on()).await.unwrap() };
    let in_group = async {
        let group = task_group(async |group: TaskGroup<TaskError>| {
            group.create_task(pending::<Result<(), TaskError>>());
            Ok(())
        });
        group.await.unwrap();
    };
    let with_children = scope(async |s| {
        s.spawn(pending::<()>());
    });
    vec![
        ("propagate", Box::pin(propagates)),
        ("finally", Box::pin(cleans_up)),
        ("timeout", Box::pin(limited)),
        ("move_on_after", Box::pin(moved_on)),
        ("CancelScope", Box::pin(in_scope)),
        ("task_group", Box::pin(in_group)),
        ("scope", Box::pin(with_children)),
    ]
}

async fn catch_and_pass_on() {
    catch_cancel(pending::<()>()).await.or_propagate().await
}

#[track_caller]
fn assert_told<T: std::fmt::Debug>(way: &str, outcome: Result<T, TaskError>) {
    match outcome {
        Err(TaskError::Panicked(panic)) => {
            let message = panic.message();
            assert!(
                message.contains("cannot be awaited again"),
                "{way}: {message}"
            );
        }
        other => panic!("{way}: {other:?}"),
    }
}

#[test]
fn who_awaits_it_after_a_timeout_is_told() {
    run(async {
        for (way, mut work) in each_way() {
            let task = create_task(async move {
                assert!(timeout(seconds(2.0), &mut work).await.is_err(), "{way}");
                work.await;
            });
            assert_told(way, task.await);
        }
    });
}

#[test]
fn who_awaits_it_a_turn_after_a_catch_is_told() {
    run(async {
        for (way, mut work) in each_way() {
            let task = create_task(async move {
                assert!(catch_cancel(&mut work).await.is_err(), "{way}");
                sleep(5.0).await;
                work.await;
            });
            sleep(1.0).await;
            task.cancel();
            assert_told(way, task.await);
        }
    });
}

#[test]
fn it_stays_pending_while_another_branch_cleans_up() {
    run(async {
        for (way, work) in each_way() {
            let other = finally(pending::<()>(), async || {
                // Each of these polls both branches.
                for _ in 0..3 {
                    sleep(1.0).await;
                }
            });
            let task = create_task(support::both(work, other));
            sleep(1.0).await;
            task.cancel();
            (&task).await.unwrap_err();
            assert!(task.cancelled(), "{way}: {task:?}");
        }
    });
}
