//! Two requests of one step that entered at different places, and meet at the same owned wait.

mod support;

use std::future::pending;

use corio_combinators::{CancelScope, catch_cancel, finally, gather};
use corio_core::{AnyTask, Task};
use support::{create_task, here, run, seconds, sleep, yield_now};

/// A task that has begun, and cleans up for three seconds when it is asked to end.
async fn slow_to_end() -> Task<()> {
    let task = create_task(finally(pending(), async || sleep(3.0).await));
    yield_now().await;
    task
}

/// Asks the running task and its innermost scope in one step, and then waits. Gives how often `child` was asked.
async fn asked_twice(child: AnyTask, wait: impl Future<Output = ()>) -> u32 {
    let me = here().scheduler.current_task().unwrap();
    let scope = CancelScope::new();
    let work = scope.run(async {
        me.cancel();
        scope.cancel();
        catch_cancel(wait).await.unwrap_err();
        assert_eq!(here().time(), seconds(3.0), "the child cleans up first");
    });
    work.await.unwrap();
    child.cancelling()
}

#[test]
fn the_task_that_is_awaited_hears_of_one_request_and_cleans_up() {
    let asked = run(async {
        let child = slow_to_end().await;
        asked_twice(child.any(), async { drop(child.await) }).await
    });
    assert_eq!(asked, 1);
}

#[test]
fn members_of_a_gather_hear_of_one_request_and_clean_up() {
    let asked = run(async {
        let children = [slow_to_end().await, slow_to_end().await];
        let last = children[1].any();
        asked_twice(last, async { drop(gather(children).await) }).await
    });
    assert_eq!(asked, 1);
}
