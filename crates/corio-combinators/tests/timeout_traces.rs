//! Time limits run turn by turn as asyncio's do: the programs and the logs of the traces.

mod support;

use corio_combinators::{CancelScope, catch_cancel, finally, timeout};
use corio_core::{AnyTask, OrPropagate, TaskError};
use support::{assert_trace, create_task, here, seconds, sleep, yield_now};

fn current() -> AnyTask {
    here().scheduler.current_task().expect("a running task")
}

#[test]
fn a_scope_with_a_deadline_tells_the_body_and_then_its_owner() {
    // t40
    let trace = "
        k+0   t=2.0  body CancelledError; cancelling 1 expired true
        k+0   t=2.0  TimeoutError expired true cancelling 0
        k+2   t=3.0  not expired: false
        k+4   t=6.0  rescheduled, expired false
        k+4   t=6.0  timeout(0): body starts
        k+5   t=6.0  timeout(0): TimeoutError at first suspension
        k+5   t=6.0  timeout(0) with a body that never suspends
        k+5   t=6.0  -> no TimeoutError; cancelling 0
        k+6   t=6.0  and nothing leaks
    ";
    assert_trace(trace, async {
        let scope = CancelScope::with_timeout(seconds(2.0));
        let body = async {
            let slept = catch_cancel(sleep(10.0)).await;
            log!(
                "body CancelledError; cancelling {} expired {}",
                current().cancelling(),
                scope.expired()
            );
            slept.or_propagate().await
        };
        scope.run(body).await.unwrap_err();
        log!(
            "TimeoutError expired {} cancelling {}",
            scope.expired(),
            current().cancelling()
        );

        let scope = CancelScope::with_timeout(seconds(2.0));
        scope.run(sleep(1.0)).await.unwrap();
        log!("not expired: {}", scope.expired());

        let scope = CancelScope::with_timeout(seconds(1.0));
        let body = async {
            let now = here().clock.now();
            scope.reschedule(Some(now + seconds(4.0)));
            sleep(3.0).await;
        };
        scope.run(body).await.unwrap();
        log!("rescheduled, expired {}", scope.expired());

        let body = async {
            log!("timeout(0): body starts");
            yield_now().await;
            log!("must not show");
        };
        let scope = CancelScope::with_timeout(seconds(0.0));
        scope.run(body).await.unwrap_err();
        log!("timeout(0): TimeoutError at first suspension");

        let scope = CancelScope::with_timeout(seconds(0.0));
        let body = async { log!("timeout(0) with a body that never suspends") };
        scope.run(body).await.unwrap();
        log!("-> no TimeoutError; cancelling {}", current().cancelling());
        yield_now().await;
        log!("and nothing leaks");
    });
}

#[test]
fn of_nested_deadlines_the_outer_one_decides() {
    // t41
    let trace = "
        k+0   t=1.0  outer raised TimeoutError; cancelling 0
        k+2   t=2.0  inner TimeoutError; outer.expired false
        k+4   t=4.0  outer TimeoutError
        k+6   t=5.0  outer TimeoutError; cancelling 0
    ";
    assert_trace(trace, async {
        let outer = timeout(seconds(1.0), async {
            timeout(seconds(3.0), sleep(10.0)).await.unwrap();
        });
        outer.await.unwrap_err();
        log!(
            "outer raised TimeoutError; cancelling {}",
            current().cancelling()
        );
        let outer = CancelScope::with_timeout(seconds(3.0));
        let body = async {
            timeout(seconds(1.0), sleep(10.0)).await.unwrap_err();
            log!("inner TimeoutError; outer.expired {}", outer.expired());
            sleep(10.0).await;
        };
        outer.run(body).await.unwrap_err();
        log!("outer TimeoutError");
        let outer = timeout(seconds(1.0), async {
            let inner = timeout(seconds(1.0), sleep(10.0)).await;
            panic!("equal deadlines; inner exit: {inner:?}");
        });
        outer.await.unwrap_err();
        log!("outer TimeoutError; cancelling {}", current().cancelling());
    });
}

#[test]
fn a_cancel_from_outside_stays_a_cancel_before_and_after_the_expiry() {
    // t42
    let trace = "
        k+0   t=1.0  w: CancelledError expired false cancelling 1
        k+1   t=1.0  external cancel wins -> CancelledError
        k+7   t=4.0  w2: CancelledError expired true cancelling 1
        k+8   t=4.0  timeout fired first, then cancel during cleanup -> CancelledError
    ";
    assert_trace(trace, async {
        let first = create_task(async {
            let scope = CancelScope::with_timeout(seconds(2.0));
            let ran = catch_cancel(scope.run(sleep(10.0))).await;
            log!(
                "w: CancelledError expired {} cancelling {}",
                scope.expired(),
                current().cancelling()
            );
            ran.or_propagate().await
        });
        sleep(1.0).await;
        first.cancel();
        assert!(matches!(first.await, Err(TaskError::Cancelled(_))));
        log!("external cancel wins -> CancelledError");
        let second = create_task(async {
            let scope = CancelScope::with_timeout(seconds(2.0));
            let work = finally(sleep(10.0), async || sleep(2.0).await);
            let ran = catch_cancel(scope.run(work)).await;
            log!(
                "w2: CancelledError expired {} cancelling {}",
                scope.expired(),
                current().cancelling()
            );
            ran.or_propagate().await
        });
        sleep(3.0).await;
        second.cancel();
        assert!(matches!(second.await, Err(TaskError::Cancelled(_))));
        log!("timeout fired first, then cancel during cleanup -> CancelledError");
    });
}

/// Sleeps, and cleans up for so long when it is cancelled.
async fn worker(name: &'static str, duration: f64, cleanup: f64) -> &'static str {
    match catch_cancel(sleep(duration)).await {
        Ok(()) => name,
        Err(cancelled) => {
            log!("{name} cancelled; cleanup takes {cleanup}");
            sleep(cleanup).await;
            log!("{name} cleanup done");
            cancelled.propagate().await
        }
    }
}

#[test]
fn timeout_waits_for_the_clean_up_and_takes_a_value_that_comes_all_the_same() {
    // t43
    let trace = "
        k+0   t=1.0  ok -> A
        k+2   t=2.0  B cancelled; cleanup takes 2
        k+4   t=4.0  B cleanup done
        k+4   t=4.0  B TimeoutError only after cleanup
        k+7   t=4.0  timeout 0: TimeoutError, body started: false
        k+7   t=4.0  timeout 0 on done future -> ready
        k+9   t=5.0  inner swallows cancel -> swallowed
        k+11  t=6.0  inner raises during cancel -> KeyError
    ";
    assert_trace(trace, async {
        let value = timeout(seconds(2.0), worker("A", 1.0, 0.0)).await.unwrap();
        log!("ok -> {value}");
        timeout(seconds(1.0), worker("B", 5.0, 2.0))
            .await
            .unwrap_err();
        log!("B TimeoutError only after cleanup");
        let mut started = false;
        timeout(seconds(0.0), async { started = true })
            .await
            .unwrap_err();
        log!("timeout 0: TimeoutError, body started: {started}");
        let promise = here().scheduler.create_promise();
        promise.set_result("ready").unwrap();
        let value = timeout(seconds(0.0), promise).await.unwrap();
        log!("timeout 0 on done future -> {}", value.unwrap());
        let stubborn = async {
            match catch_cancel(sleep(5.0)).await {
                Ok(()) => "slept",
                Err(_) => "swallowed",
            }
        };
        let value = timeout(seconds(1.0), stubborn).await.unwrap();
        log!("inner swallows cancel -> {value}");
        let failing = async {
            catch_cancel(sleep(5.0)).await.unwrap_err();
            Err::<(), _>("KeyError")
        };
        let error = timeout(seconds(1.0), failing).await.unwrap().unwrap_err();
        log!("inner raises during cancel -> {error}");
    });
}

#[test]
fn a_cancel_that_comes_with_the_completion_is_not_lost() {
    // t44
    let trace = "
        k+0   t=0.0  same tick: future completed, then outer.cancel -> true
        k+2   t=0.0  outer cancelled; inner result kept: done
    ";
    assert_trace(trace, async {
        let promise = here().scheduler.create_promise();
        let waited = promise.clone();
        let outer = create_task(async {
            let value = timeout(seconds(100.0), waited).await;
            log!("wait_for returned {value:?}");
            sleep(1.0).await;
            log!("outer reached the end");
        });
        yield_now().await;
        yield_now().await;
        promise.set_result("done").unwrap();
        log!(
            "same tick: future completed, then outer.cancel -> {}",
            outer.cancel()
        );
        match outer.await {
            Err(TaskError::Cancelled(_)) => {}
            other => panic!("{other:?}"),
        }
        log!(
            "outer cancelled; inner result kept: {}",
            promise.result().unwrap()
        );
    });
}

#[test]
fn a_cancel_at_the_very_end_of_the_clean_up_stays_a_cancel() {
    let trace = "
        k+0   t=1.0  clean-up cancels its own task
        k+1   t=1.0  cancelled
    ";
    assert_trace(trace, async {
        let task = create_task(async {
            let work = async {
                let cancelled = catch_cancel(sleep(5.0)).await.unwrap_err();
                log!("clean-up cancels its own task");
                here().scheduler.current_task().unwrap().cancel();
                cancelled.propagate().await
            };
            let ended: Result<(), _> = timeout(seconds(1.0), work).await;
            log!("went on with {ended:?}");
        });
        match task.await {
            Err(TaskError::Cancelled(_)) => log!("cancelled"),
            other => panic!("{other:?}"),
        }
    });
}
