//! A wait by value that was set aside, where nobody is woken for it any more, holds up nobody.

mod support;

use std::future::{Future, IntoFuture, pending};
use std::pin::Pin;
use std::task::{Context, Waker};

use corio_combinators::{
    Readiness, TaskGroup, catch_cancel, finally, gather, scope, task_group, try_gather,
};
use corio_core::Task;
use support::{TestLoop, both, create_task, leak, sleep, yield_now};

type Work = Pin<Box<dyn Future<Output = ()>>>;

/// Polls with a waker that wakes nobody.
async fn set_aside(mut work: Work, leaked: bool) -> Option<Work> {
    for _ in 0..4 {
        let mut cx = Context::from_waker(Waker::noop());
        assert!(work.as_mut().poll(&mut cx).is_pending());
        yield_now().await;
    }
    if leaked {
        leak(work);
        return None;
    }
    Some(work)
}

/// Cancelled after a second, the task has ended so many seconds later.
fn assert_ends(after: f64, work: impl Fn() -> Work) {
    for leaked in [false, true] {
        let test = TestLoop::new();
        // It makes tasks.
        let work = test.scheduler.enter(&work);
        let task = test.scheduler.create_task(async move {
            let _kept = set_aside(work, leaked).await;
            pending::<()>().await;
        });
        test.assert_ends_cancelled(&task, after, &format!("leaked: {leaked}"));
    }
}

fn careful(cleanup: f64) -> Task<()> {
    create_task(finally(pending::<()>(), async move || sleep(cleanup).await))
}

#[test]
fn a_wait_for_a_task_ends_when_the_task_has_ended() {
    assert_ends(2.0, || {
        let wait = careful(2.0).into_future();
        Box::pin(async {
            let _ = wait.await;
        })
    });
}

#[test]
fn a_gather_ends_when_its_tasks_have_ended() {
    assert_ends(2.0, || {
        let wait = gather([careful(1.0), careful(2.0)]);
        Box::pin(async {
            let _ = wait.await;
        })
    });
}

#[test]
fn a_gather_whose_tasks_have_ended_when_the_request_comes_is_passed_over() {
    assert_ends(0.0, || {
        let wait = gather([1.0, 1.0].map(|time| create_task(sleep(time))));
        Box::pin(async {
            let _ = wait.await;
        })
    });
}

#[test]
fn a_scope_and_a_group_with_children_are_passed_over() {
    assert_ends(0.0, || {
        Box::pin(scope(async |s| {
            let _ = s.spawn(sleep(0.5)).await;
        }))
    });
    assert_ends(0.0, || {
        let group = task_group(async |group: TaskGroup<()>| {
            group.create_task(sleep(50.0));
            Ok(())
        });
        Box::pin(async {
            let _ = group.await;
        })
    });
}

#[test]
fn the_start_of_a_child_ends_when_the_child_has_ended() {
    assert_ends(2.0, || {
        let group = task_group(async |group: TaskGroup<()>| {
            let child = async |_: Readiness<()>| {
                let _ = careful(2.0).await;
            };
            let _ = group.start(child).await;
            Ok(())
        });
        Box::pin(async {
            let _ = group.await;
        })
    });
}

#[test]
fn a_try_gather_ends_when_its_tasks_have_ended() {
    assert_ends(2.0, || {
        let work = |time| async move {
            let _ = careful(time).await;
            Ok::<(), corio_core::TaskError>(())
        };
        let wait = try_gather([1.0, 2.0].map(|time| create_task(work(time))));
        Box::pin(async {
            let _ = wait.await;
        })
    });
}

/// What comes up in one branch waits for the wait in the other.
#[test]
fn a_branch_beside_it_is_not_held_up() {
    assert_ends(2.0, || {
        let wait = careful(2.0).into_future();
        let clean = finally(pending::<()>(), async || sleep(1.0).await);
        Box::pin(async {
            let _ = both(wait, clean).await;
        })
    });
}

#[test]
fn a_catcher_in_which_it_was_set_aside_takes_the_request() {
    assert_ends(2.0, || {
        Box::pin(async {
            let caught = catch_cancel(async {
                let _ = careful(2.0).await;
            });
            let _ = caught.await;
            pending().await
        })
    });
}
