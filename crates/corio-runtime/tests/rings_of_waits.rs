//! Tasks of which each waits for the next one, and the last one for the first.

mod support;

use std::cell::RefCell;
use std::future::Future;
use std::rc::Rc;
use std::time::Duration;

use corio_combinators::{
    TaskGroup, as_completed, gather, scope, shield, task_group, timeout, wait,
};
use corio_core::{AnyTask, Task};
use corio_runtime::{ExitReport, Runner, create_task, sleep, yield_now};
use support::seconds;

/// Where a child finds the task that waits for it.
type Slot = Rc<RefCell<Option<Task<()>>>>;

async fn closes_the_ring(how: &str, slot: Slot) {
    yield_now().await;
    let parent = slot.take().expect("the parent is there");
    match how {
        "own" => drop(parent.await),
        "gather" => drop(gather([parent]).await),
        "own in a task" => drop(create_task(async { drop(parent.await) }).await),
        "watch" => drop((&parent).await),
        "shield" => drop(shield(parent).await),
        "wait" => drop(wait([parent]).await),
        "as_completed" => drop(as_completed([parent]).next().await),
        other => panic!("{other}?"),
    }
}

async fn waits(how: &str, child: impl Future<Output = ()> + 'static) {
    let fails = |with_failure: bool| async move {
        sleep(seconds(0.5)).await;
        if with_failure { Err(()) } else { Ok(()) }
    };
    let group = async |child, with_failure| {
        let ended = task_group(async |group: TaskGroup<()>| {
            group.create_task(async move {
                let _: () = Box::pin(child).await;
                Ok::<(), ()>(())
            });
            group.create_task(fails(with_failure));
            Ok(())
        });
        drop(ended.await);
    };
    match how {
        "own" => drop(create_task(child).await),
        "gather" => drop(gather([child]).await),
        "timeout" => drop(timeout(seconds(9.0), create_task(child)).await),
        "wait" => drop(wait([create_task(child)]).await),
        "group" => group(child, false).await,
        "failing group" => group(child, true).await,
        "limited group" => drop(timeout(seconds(1.0), group(child, false)).await),
        "scope" => scope(async |scope| drop(scope.spawn(child))).await,
        other => panic!("{other}?"),
    }
}

/// A ring that was asked, or has failed by itself. Tells whether its first task had ended soon after, and what was left at the end.
fn play(first: &'static str, last: &'static str, ask: fn(&AnyTask)) -> (bool, ExitReport) {
    let grace = Duration::from_secs(4);
    let mut runner = Runner::builder()
        .virtual_clock()
        .grace(grace)
        .build()
        .unwrap();
    runner.event_loop().set_exception_handler(|_| {});
    let ended = runner.run(async {
        let slot = Slot::default();
        let task = create_task(waits(first, closes_the_ring(last, slot.clone())));
        let task = task.named("first");
        let first = task.any();
        slot.replace(Some(task));
        sleep(seconds(2.0)).await;
        ask(&first);
        sleep(seconds(0.1)).await;
        first.done()
    });
    // The clock goes on only while nothing is ready.
    let begin = runner.event_loop().time();
    let report = runner.close();
    let took = runner.event_loop().time() - begin;
    let expected = if report.forced().is_empty() {
        Duration::ZERO
    } else {
        grace
    };
    assert_eq!(took, expected, "{first}, {last}");
    (ended.unwrap(), report)
}

fn cancel(task: &AnyTask) {
    task.cancel();
}

#[test]
fn a_ring_of_waits_ends_when_one_of_its_tasks_is_asked() {
    for first in ["own", "gather", "timeout", "wait"] {
        for last in [
            "own",
            "gather",
            "own in a task",
            "watch",
            "shield",
            "wait",
            "as_completed",
        ] {
            let (ended, report) = play(first, last, cancel);
            assert!(ended && report.is_clean(), "{first}, {last}: {report}");
        }
    }
}

#[test]
fn a_ring_through_a_group_ends_when_it_is_asked_if_the_child_only_watches() {
    for first in ["group", "failing group", "limited group", "scope"] {
        for last in ["watch", "shield", "wait", "as_completed"] {
            let (ended, report) = play(first, last, cancel);
            assert!(ended && report.is_clean(), "{first}, {last}: {report}");
        }
    }
}

#[test]
fn a_child_that_owns_the_task_of_its_group_rests_until_the_end_which_names_both() {
    let asks: [fn(&AnyTask); 2] = [cancel, |task| {
        task.cancel();
        task.cancel();
    }];
    for ask in asks {
        for first in ["group", "failing group", "limited group", "scope"] {
            for last in ["own", "gather", "own in a task"] {
                let (ended, report) = play(first, last, ask);
                assert!(!ended, "{first}, {last}");
                let names: Vec<_> = report.forced().iter().map(|task| &*task.name).collect();
                assert!(names.len() > 1 && names[0] == "first", "{names:?}");
                let (ended, report) = play(first, last, |task| {
                    task.abort();
                });
                assert!(ended && report.is_clean(), "{first}, {last}: {report}");
            }
        }
    }
}
