//! What a cancellation tells of itself: why, and who asked.

mod support;

use corio_combinators::{CancelScope, catch_cancel, finally, timeout};
use corio_core::{Cancelled, OrPropagate, Task, TaskError};
use futures_lite::future::pending;
use support::{create_task, here, run, seconds, sleep, yield_now};

async fn cancelled<T: std::fmt::Debug>(task: Task<T>) -> Cancelled {
    match task.await {
        Err(TaskError::Cancelled(cancelled)) => cancelled,
        other => panic!("not cancelled: {other:?}"),
    }
}

#[test]
fn a_limit_that_interrupts_a_clean_up_keeps_the_reason_of_the_request_behind_it() {
    run(async {
        let task = create_task(timeout(
            seconds(5.0),
            finally(pending::<()>(), async || sleep(100.0).await),
        ));
        sleep(1.0).await;
        task.cancel_with("shutdown");
        assert_eq!(cancelled(task).await.reason(), Some("shutdown"));
    });
}

#[test]
fn a_request_that_interrupts_a_clean_up_keeps_the_reason_of_the_first() {
    run(async {
        let task = create_task(finally(pending::<()>(), async || sleep(100.0).await));
        yield_now().await;
        task.cancel_with("first");
        yield_now().await;
        task.cancel_with("second");
        assert_eq!(cancelled(task).await.reason(), Some("first"));
    });
}

#[test]
fn a_request_that_goes_on_past_a_scope_leaves_the_reason_of_that_scope_behind() {
    run(async {
        let scope = CancelScope::new();
        let task = create_task({
            let scope = scope.clone();
            async move {
                let work = async {
                    let caught = catch_cancel(pending::<()>()).await;
                    let reason = caught.as_ref().unwrap_err().reason();
                    assert_eq!(reason, None, "the scope has asked first");
                    caught.or_propagate().await
                };
                scope.run(work).await.map(drop)
            }
        });
        yield_now().await;
        scope.cancel();
        task.cancel_with("shutdown");
        assert_eq!(cancelled(task).await.reason(), Some("shutdown"));
    });
}

#[test]
fn a_task_that_cancels_itself_is_told_as_the_one_who_asked() {
    run(async {
        let task = create_task(async {
            here().scheduler.current_task().unwrap().cancel();
            yield_now().await;
        });
        task.set_name("selfish");
        assert_eq!(cancelled(task).await.asked_by(), Some("selfish"));
    });
}
