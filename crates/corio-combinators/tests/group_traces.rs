//! Task groups run turn by turn as asyncio's do: the programs and the logs of the traces.

mod support;

use corio_combinators::{
    Failure, GroupError, TaskGroup, TimeoutError, catch_cancel, task_group, timeout,
};
use corio_core::{AnyTask, OrPropagate, TaskError};
use support::{assert_trace, create_task, here, seconds, sleep, sleeper};

fn current() -> AnyTask {
    here().scheduler.current_task().expect("a running task")
}

type Error = String;

/// A sleeper that fails in the end.
async fn failing(name: &'static str, duration: f64, error: &'static str) -> Result<(), Error> {
    log!("{name} start");
    sleep(duration).await;
    log!("{name} raises {error}");
    Err(format!("{error}('{name}')"))
}

async fn ok(sleeper: impl Future<Output = String>) -> Result<String, Error> {
    Ok(sleeper.await)
}

fn errors(error: GroupError<Error>) -> Vec<String> {
    error
        .into_failures()
        .into_iter()
        .map(|(_, failure)| failure.to_string())
        .collect()
}

#[test]
fn empty_and_immediate_groups_take_the_turns_of_asyncio() {
    // t06
    let trace = "
        k+0   t=0.0  begin
        k+0   t=0.0  after empty TaskGroup (same tick)
        k+3   t=0.0  after TaskGroup with one immediate task
    ";
    assert_trace(trace, async {
        log!("begin");
        task_group(async |_: TaskGroup<Error>| Ok(()))
            .await
            .unwrap();
        log!("after empty TaskGroup (same tick)");
        let group = task_group(async |group: TaskGroup<Error>| {
            group.create_task(async {});
            Ok(())
        });
        group.await.unwrap();
        log!("after TaskGroup with one immediate task");
    });
}

#[test]
fn a_group_ends_when_its_last_child_has_ended() {
    // t50
    let trace = "
        k+0   t=0.0  body ends
        k+1   t=0.0  A start
        k+1   t=0.0  B start
        k+3   t=1.0  B end
        k+6   t=2.0  A end
        k+8   t=2.0  exit a b
    ";
    assert_trace(trace, async {
        let group = task_group(async |group: TaskGroup<Error>| {
            let a = group.create_task(ok(sleeper("A", 2.0)));
            let b = group.create_task(ok(sleeper("B", 1.0)));
            log!("body ends");
            Ok((a, b))
        });
        let (a, b) = group.await.unwrap();
        log!("exit {} {}", a.result().unwrap(), b.result().unwrap());
    });
}

#[test]
fn the_first_failure_cancels_the_siblings_and_the_body() {
    // t51, with the siblings in the order of their creation
    let trace = "
        k+0   t=0.0  A start
        k+0   t=0.0  B start
        k+0   t=0.0  C start
        k+2   t=1.0  B raises ValueError
        k+4   t=1.0  A cancelled
        k+4   t=1.0  C cancelled
        k+4   t=1.0  parent body cancelled; cancelling 1
        k+6   t=1.0  ExceptionGroup [\"ValueError('B')\"] cancelling 0
    ";
    assert_trace(trace, async {
        let group = task_group(async |group: TaskGroup<Error>| {
            group.create_task(ok(sleeper("A", 5.0)));
            group.create_task(failing("B", 1.0, "ValueError"));
            group.create_task(ok(sleeper("C", 5.0)));
            let slept = catch_cancel(sleep(10.0)).await;
            log!(
                "parent body cancelled; cancelling {}",
                current().cancelling()
            );
            slept.or_propagate().await;
            Ok(())
        });
        let error = group.await.unwrap_err();
        log!(
            "ExceptionGroup {:?} cancelling {}",
            errors(error),
            current().cancelling()
        );
    });
}

#[test]
fn every_failure_is_kept_in_the_order_of_completion() {
    // t52
    let trace = "
        k+0   t=0.0  A start
        k+0   t=0.0  B start
        k+2   t=1.0  A raises ValueError
        k+2   t=1.0  B raises TypeError
        k+4   t=1.0  C cleanup raises
        k+6   t=1.0  errors in order [\"ValueError('A')\", \"TypeError('B')\", \"KeyError('c')\"]
    ";
    assert_trace(trace, async {
        let group = task_group(async |group: TaskGroup<Error>| {
            group.create_task(async {
                catch_cancel(sleep(5.0)).await.unwrap_err();
                log!("C cleanup raises");
                Err::<(), _>("KeyError('c')".to_owned())
            });
            group.create_task(failing("A", 1.0, "ValueError"));
            group.create_task(failing("B", 1.0, "TypeError"));
            Ok(())
        });
        log!("errors in order {:?}", errors(group.await.unwrap_err()));
    });
}

#[test]
fn an_error_of_the_body_cancels_the_children_at_once() {
    // t53
    let trace = "
        k+0   t=0.0  A start
        k+2   t=1.0  body raises
        k+3   t=1.0  A cancelled
        k+5   t=1.0  ExceptionGroup [\"RuntimeError('body')\"]
    ";
    assert_trace(trace, async {
        let group = task_group(async |group: TaskGroup<Error>| {
            group.create_task(ok(sleeper("A", 5.0)));
            sleep(1.0).await;
            log!("body raises");
            Err::<(), _>("RuntimeError('body')".to_owned())
        });
        log!("ExceptionGroup {:?}", errors(group.await.unwrap_err()));
    });
}

#[test]
fn a_cancelled_group_waits_for_its_children_and_stays_a_cancel() {
    // t54, with the children in the order of their creation
    let trace = "
        k+0   t=0.0  A start
        k+0   t=0.0  B start
        k+2   t=1.0  cancel parent
        k+4   t=1.0  A cancelled
        k+4   t=1.0  B cancelled
        k+7   t=1.0  plain CancelledError; cancelling 1
    ";
    assert_trace(trace, async {
        let parent = create_task(task_group(async |group: TaskGroup<Error>| {
            group.create_task(ok(sleeper("A", 5.0)));
            group.create_task(ok(sleeper("B", 5.0)));
            Ok(())
        }));
        sleep(1.0).await;
        log!("cancel parent");
        parent.cancel();
        let watched = parent.any();
        assert!(matches!(parent.await, Err(TaskError::Cancelled(_))));
        log!("plain CancelledError; cancelling {}", watched.cancelling());
    });
}

#[test]
fn a_child_that_is_cancelled_on_its_own_is_not_a_failure() {
    // t55
    let trace = "
        k+0   t=0.0  A start
        k+0   t=0.0  B start
        k+3   t=1.0  A cancelled
        k+6   t=1.5  group keeps going; a.cancelled true
        k+8   t=2.0  B end
        k+10  t=2.0  exit without error; b b
    ";
    assert_trace(trace, async {
        let group = task_group(async |group: TaskGroup<Error>| {
            let a = group.create_task(ok(sleeper("A", 5.0)));
            let b = group.create_task(ok(sleeper("B", 2.0)));
            sleep(1.0).await;
            a.cancel();
            sleep(0.5).await;
            log!("group keeps going; a.cancelled {}", a.cancelled());
            Ok(b)
        });
        let b = group.await.unwrap();
        log!("exit without error; b {}", b.result().unwrap());
    });
}

#[test]
fn children_add_siblings_and_an_ended_group_takes_none() {
    // t56
    let trace = "
        k+0   t=0.0  body ends first
        k+1   t=0.0  P spawns K
        k+2   t=0.0  K start
        k+4   t=1.0  P ends
        k+7   t=2.0  K end
        k+9   t=2.0  exit after K
        k+9   t=2.0  create_task on finished group -> cancelled true
    ";
    assert_trace(trace, async {
        let group = task_group(async |group: TaskGroup<Error>| {
            let siblings = group.clone();
            group.create_task(async move {
                log!("P spawns K");
                siblings.create_task(ok(sleeper("K", 2.0)));
                sleep(1.0).await;
                log!("P ends");
            });
            log!("body ends first");
            Ok(group)
        });
        let group = group.await.unwrap();
        log!("exit after K");
        let refused = group.create_task(ok(sleeper("X", 1.0)));
        log!(
            "create_task on finished group -> cancelled {}",
            refused.cancelled()
        );
    });
}

#[test]
fn with_a_failure_the_cancel_comes_at_the_next_await() {
    // t57
    let trace = "
        k+0   t=0.0  A start
        k+3   t=1.0  body cancelled
        k+5   t=2.0  A raises ValueError
        k+7   t=2.0  group [\"ValueError('A')\"] cancelling 1
        k+8   t=2.0  the external cancel is re-delivered at the next await
        k+9   t=2.0  task cancelled
    ";
    assert_trace(trace, async {
        let parent = create_task(async {
            let group = task_group(async |group: TaskGroup<Error>| {
                group.create_task(failing("A", 2.0, "ValueError"));
                let slept = catch_cancel(sleep(10.0)).await;
                log!("body cancelled");
                sleep(3.0).await;
                slept.or_propagate().await;
                Ok(())
            });
            let error = group.await.unwrap_err();
            log!(
                "group {:?} cancelling {}",
                errors(error),
                current().cancelling()
            );
            match catch_cancel(sleep(5.0)).await {
                Ok(()) => log!("must not show"),
                Err(cancelled) => {
                    log!("the external cancel is re-delivered at the next await");
                    cancelled.propagate().await
                }
            }
        });
        sleep(1.0).await;
        parent.cancel();
        assert!(matches!(parent.await, Err(TaskError::Cancelled(_))));
        log!("task cancelled");
    });
}

#[test]
fn groups_nest_and_timeouts_go_around_and_inside() {
    // t77
    let trace = "
        k+0   t=0.0  K start
        k+2   t=1.0  K raises ValueError
        k+6   t=1.0  ExceptionGroup of ExceptionGroup of ValueError('K')
        k+7   t=1.0  A start
        k+10  t=2.0  A cancelled
        k+12  t=2.0  timeout around a group: children cancelled, then plain TimeoutError
        k+13  t=2.0  B start
        k+16  t=3.0  B cancelled
        k+18  t=3.0  timeout inside a group body: TimeoutError
    ";
    assert_trace(trace, async {
        let outer = task_group(async |outer: TaskGroup<GroupError<Error>>| {
            outer.create_task(task_group(async |inner: TaskGroup<Error>| {
                inner.create_task(failing("K", 1.0, "ValueError"));
                Ok(())
            }));
            Ok(())
        });
        let error = outer.await.unwrap_err();
        match error.iter().next() {
            Some((_, Failure::Error(inner))) => {
                let (_, failure) = inner.iter().next().unwrap();
                log!("ExceptionGroup of ExceptionGroup of {failure}");
            }
            other => panic!("{other:?}"),
        }
        let group = task_group(async |group: TaskGroup<Error>| {
            group.create_task(ok(sleeper("A", 5.0)));
            sleep(9.0).await;
            Ok(())
        });
        let ended = timeout(seconds(1.0), group).await;
        assert!(matches!(ended, Err(TimeoutError { .. })));
        log!("timeout around a group: children cancelled, then plain TimeoutError");
        let group = task_group(async |group: TaskGroup<TimeoutError>| {
            group.create_task(async {
                sleeper("B", 5.0).await;
            });
            timeout(seconds(1.0), sleep(9.0)).await
        });
        match group.await.unwrap_err().iter().next() {
            Some(("body", Failure::Error(TimeoutError { .. }))) => {
                log!("timeout inside a group body: TimeoutError");
            }
            other => panic!("{other:?}"),
        }
    });
}
