//! Cancellation runs turn by turn as asyncio's does: the programs and the logs of the traces.

mod support;

use corio_combinators::{catch_cancel, finally};
use corio_core::{AnyTask, Cancelled, OrPropagate, Promise, Task, TaskError};
use support::{assert_trace, create_task, here, raise, sleep, yield_now};

fn current() -> AnyTask {
    here().scheduler.current_task().expect("a running task")
}

fn args(cancelled: &Cancelled) -> String {
    match cancelled.reason() {
        Some(reason) => format!("args ('{reason}',)"),
        None => "args ()".into(),
    }
}

async fn end<T>(task: Task<T>) -> (AnyTask, Result<T, TaskError>) {
    let any = task.any();
    (any, task.await)
}

fn cancelled_of<T: std::fmt::Debug>(result: Result<T, TaskError>) -> Cancelled {
    match result {
        Err(TaskError::Cancelled(cancelled)) => cancelled,
        other => panic!("not cancelled: {other:?}"),
    }
}

#[test]
fn a_cancelled_sleep_cleans_up_with_awaits() {
    // t30
    let trace = "
        k+0   t=0.0  w start
        k+2   t=1.0  cancel -> true done? false cancelled? false cancelling 1
        k+3   t=1.0  w got CancelledError args ('msg',)
        k+3   t=1.0  w finally begins cleanup; cancelling 1
        k+5   t=3.0  w finally cleanup done
        k+6   t=3.0  main sees CancelledError args ('msg',) done true cancelled true
        k+6   t=3.0  cancel again -> false cancelling 1
    ";
    assert_trace(trace, async {
        let task = create_task(async {
            log!("w start");
            let work = async {
                if let Err(cancelled) = catch_cancel(sleep(10.0)).await {
                    log!("w got CancelledError {}", args(&cancelled));
                    cancelled.propagate().await
                }
            };
            let cleanup = async || {
                log!(
                    "w finally begins cleanup; cancelling {}",
                    current().cancelling()
                );
                sleep(2.0).await;
                log!("w finally cleanup done");
            };
            finally(work, cleanup).await
        });
        sleep(1.0).await;
        let asked = task.cancel_with("msg");
        log!(
            "cancel -> {asked} done? {} cancelled? {} cancelling {}",
            task.done(),
            task.cancelled(),
            task.cancelling()
        );
        let (task, result) = end(task).await;
        log!(
            "main sees CancelledError {} done {} cancelled {}",
            args(&cancelled_of(result)),
            task.done(),
            task.cancelled()
        );
        log!(
            "cancel again -> {} cancelling {}",
            task.cancel(),
            task.cancelling()
        );
    });
}

#[test]
fn a_second_request_interrupts_the_clean_up() {
    // t31. Merged requests keep the first reason, where asyncio has the last.
    let trace = "
        k+0   t=1.0  cleanup start
        k+3   t=2.0  cleanup interrupted; cancelling 2
        k+4   t=2.0  CancelledError
    ";
    assert_trace(trace, async {
        let cleanup = async || {
            log!("cleanup start");
            match catch_cancel(sleep(5.0)).await {
                Ok(()) => log!("cleanup end (must not show)"),
                Err(cancelled) => {
                    log!("cleanup interrupted; cancelling {}", current().cancelling());
                    cancelled.propagate().await
                }
            }
        };
        let task = create_task(async move { finally(sleep(10.0), cleanup).await });
        sleep(1.0).await;
        task.cancel_with("one");
        sleep(1.0).await;
        task.cancel_with("two");
        cancelled_of(task.await);
        log!("CancelledError");
    });
}

#[test]
fn two_requests_before_one_step_are_one_delivery() {
    // t32
    let trace = "
        k+0   t=1.0  cancel x2 -> true true cancelling 2
        k+1   t=1.0  first catch args ('one',) cancelling 2
        k+3   t=2.0  next await ran normally: two requests gave one CancelledError
        k+4   t=2.0  result ret cancelled() false cancelling 2
    ";
    assert_trace(trace, async {
        let task = create_task(async {
            if let Err(cancelled) = catch_cancel(sleep(10.0)).await {
                log!(
                    "first catch {} cancelling {}",
                    args(&cancelled),
                    current().cancelling()
                );
            }
            match catch_cancel(sleep(1.0)).await {
                Ok(()) => {
                    log!("next await ran normally: two requests gave one CancelledError");
                }
                Err(cancelled) => log!("second catch {}", args(&cancelled)),
            }
            "ret"
        });
        sleep(1.0).await;
        let (one, two) = (task.cancel_with("one"), task.cancel_with("two"));
        log!("cancel x2 -> {one} {two} cancelling {}", task.cancelling());
        let (task, result) = end(task).await;
        log!(
            "result {} cancelled() {} cancelling {}",
            result.unwrap(),
            task.cancelled(),
            task.cancelling()
        );
    });
}

#[test]
fn a_swallowed_request_lets_the_task_go_on_with_or_without_uncancel() {
    // t33
    let trace = "
        k+0   t=1.0  caught; cancelling 1 uncancel -> 0 uncancel at 0 -> 0
        k+2   t=2.0  continues
        k+3   t=2.0  ok cancelling 0 cancelled false
        k+7   t=3.0  w2 caught, swallowed without uncancel; cancelling 1
        k+9   t=4.0  w2 continues anyway: cancellation is edge-triggered
        k+10  t=4.0  ok2 cancelling 1 cancelled false
    ";
    assert_trace(trace, async {
        let first = create_task(async {
            catch_cancel(sleep(10.0)).await.unwrap_err();
            let me = current();
            log!(
                "caught; cancelling {} uncancel -> {} uncancel at 0 -> {}",
                me.cancelling(),
                me.uncancel(),
                me.uncancel()
            );
            sleep(1.0).await;
            log!("continues");
            "ok"
        });
        sleep(1.0).await;
        first.cancel();
        let (first, result) = end(first).await;
        log!(
            "{} cancelling {} cancelled {}",
            result.unwrap(),
            first.cancelling(),
            first.cancelled()
        );
        let second = create_task(async {
            catch_cancel(sleep(10.0)).await.unwrap_err();
            log!(
                "w2 caught, swallowed without uncancel; cancelling {}",
                current().cancelling()
            );
            sleep(1.0).await;
            log!("w2 continues anyway: cancellation is edge-triggered");
            "ok2"
        });
        sleep(1.0).await;
        second.cancel();
        let (second, result) = end(second).await;
        log!(
            "{} cancelling {} cancelled {}",
            result.unwrap(),
            second.cancelling(),
            second.cancelled()
        );
    });
}

#[test]
fn after_uncancel_the_next_request_counts_from_one_again() {
    // t34
    let trace = "
        k+0   t=1.0  inner block caught #1; cancelling 1
        k+0   t=1.0  uncancel -> 0
        k+0   t=1.0  inner block continues
        k+2   t=2.0  cancelling before 2nd 0
        k+3   t=2.0  outer block caught #2 args ('two',) cancelling 1
        k+4   t=2.0  task cancelled args ('two',) cancelling 1
    ";
    assert_trace(trace, async {
        let task = create_task(async {
            let outer = catch_cancel(async {
                catch_cancel(sleep(10.0)).await.unwrap_err();
                log!(
                    "inner block caught #1; cancelling {}",
                    current().cancelling()
                );
                log!("uncancel -> {}", current().uncancel());
                log!("inner block continues");
                sleep(10.0).await;
            });
            if let Err(cancelled) = outer.await {
                log!(
                    "outer block caught #2 {} cancelling {}",
                    args(&cancelled),
                    current().cancelling()
                );
                cancelled.propagate().await
            }
        });
        sleep(1.0).await;
        task.cancel_with("one");
        sleep(1.0).await;
        log!("cancelling before 2nd {}", task.cancelling());
        task.cancel_with("two");
        let (task, result) = end(task).await;
        log!(
            "task cancelled {} cancelling {}",
            args(&cancelled_of(result)),
            task.cancelling()
        );
    });
}

#[test]
fn a_task_that_is_cancelled_before_its_first_step_never_runs() {
    // t35
    let trace = "
        k+0   t=0.0  cancel -> true
        k+2   t=0.0  cancelled without running; cancelled() true
    ";
    assert_trace(trace, async {
        let task = create_task(async { log!("body must not run") });
        log!("cancel -> {}", task.cancel());
        let (task, result) = end(task).await;
        cancelled_of(result);
        log!(
            "cancelled without running; cancelled() {}",
            task.cancelled()
        );
    });
}

#[test]
fn a_task_that_cancels_itself_loses_its_value_or_is_told_in_its_next_turn() {
    // t36, without its last part: an `Err` is a value here, and is lost as any other.
    let trace = "
        k+0   t=0.0  self-cancel then return
        k+1   t=0.0  return value lost: cancelled() true
        k+2   t=0.0  self-cancel then await
        k+3   t=0.0  first await raised at next tick
        k+4   t=0.0  b cancelled
        k+5   t=0.0  await of a done future is not a cancellation point
        k+6   t=0.0  c ended with a panic
    ";
    assert_trace(trace, async {
        let a = create_task(async {
            current().cancel();
            log!("self-cancel then return");
            1
        });
        let (a, result) = end(a).await;
        cancelled_of(result);
        log!("return value lost: cancelled() {}", a.cancelled());
        let b = create_task(async {
            current().cancel();
            log!("self-cancel then await");
            if let Err(cancelled) = catch_cancel(sleep(10.0)).await {
                log!("first await raised at next tick");
                cancelled.propagate().await
            }
        });
        cancelled_of(b.await);
        log!("b cancelled");
        let c = create_task(async {
            current().cancel();
            let promise = here().scheduler.create_promise();
            promise.set_result(1).unwrap();
            promise.await.unwrap();
            log!("await of a done future is not a cancellation point");
            raise("v");
        });
        match c.await {
            Err(TaskError::Panicked(panic)) if panic.message() == "v" => {
                log!("c ended with a panic");
            }
            other => panic!("{other:?}"),
        }
    });
}

#[test]
fn cancel_wins_over_what_became_ready_in_between() {
    // t37
    let trace = "
        k+0   t=0.0  future set, then task.cancel -> true
        k+1   t=0.0  w CancelledError although the future has a result
        k+2   t=0.0  task.cancelled true
    ";
    assert_trace(trace, async {
        let promise: Promise<i32> = here().scheduler.create_promise();
        let waited = promise.clone();
        let task = create_task(async {
            let waited = catch_cancel(async { waited.await.unwrap() }).await;
            if waited.is_err() {
                log!("w CancelledError although the future has a result");
            }
            waited.or_propagate().await
        });
        yield_now().await;
        promise.set_result(5).unwrap();
        log!("future set, then task.cancel -> {}", task.cancel());
        let (task, result) = end(task).await;
        cancelled_of(result);
        log!("task.cancelled {}", task.cancelled());
    });
}

#[test]
fn a_request_goes_through_an_owned_wait_to_the_task() {
    // t38
    let trace = "
        k+0   t=1.0  after m.cancel(): leaf.cancelling 1 m.cancelling 1
        k+1   t=1.0  leaf cancelled
        k+1   t=1.0  leaf finally
        k+2   t=1.0  mid cancelled; leaf.cancelled() true leaf.cancelling 1
        k+3   t=1.0  main: m.cancelled true
    ";
    assert_trace(trace, async {
        let leaf = create_task(async {
            let work = async {
                let slept = catch_cancel(sleep(10.0)).await;
                if slept.is_err() {
                    log!("leaf cancelled");
                }
                slept.or_propagate().await
            };
            finally(work, async || log!("leaf finally")).await
        });
        let watched = leaf.any();
        let seen = watched.clone();
        let mid = create_task(async move {
            let waited = catch_cancel(leaf).await;
            if waited.is_err() {
                log!(
                    "mid cancelled; leaf.cancelled() {} leaf.cancelling {}",
                    seen.cancelled(),
                    seen.cancelling()
                );
            }
            waited.or_propagate().await.unwrap();
        });
        sleep(1.0).await;
        mid.cancel();
        log!(
            "after m.cancel(): leaf.cancelling {} m.cancelling {}",
            watched.cancelling(),
            mid.cancelling()
        );
        let (mid, result) = end(mid).await;
        cancelled_of(result);
        log!("main: m.cancelled {}", mid.cancelled());
    });
}
