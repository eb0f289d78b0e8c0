//! The rules of task groups, one by one.

mod support;

use std::cell::{Cell, RefCell};
use std::error::Error;
use std::fmt;
use std::rc::Rc;

use corio_combinators::{
    Failure, GroupError, Readiness, TaskGroup, catch_cancel, finally, task_group, timeout,
};
use corio_core::{AnyTask, OrPropagate, TaskError};
use futures_lite::future::or;
use support::{create_task, here, raise, run, seconds, sleep, yield_now};

fn current() -> AnyTask {
    here().scheduler.current_task().expect("a running task")
}

fn texts<E: fmt::Display>(error: &GroupError<E>) -> Vec<String> {
    let failures = error.iter();
    failures
        .map(|(name, failure)| format!("{name}: {failure}"))
        .collect()
}

async fn fails_after(time: f64, error: &'static str) -> Result<(), &'static str> {
    sleep(time).await;
    Err(error)
}

#[test]
fn the_values_of_children_are_read_from_their_handles() {
    run(async {
        let sum = task_group(async |group: TaskGroup<TaskError>| {
            let plain = group.create_task(async {});
            let value = group.create_task(async { Ok(2) });
            plain.await?;
            Ok(value.await? + 1)
        });
        assert_eq!(sum.await.unwrap(), 3);
    });
}

#[test]
fn a_child_may_be_one_that_never_ends() {
    run(async {
        let beats = Rc::new(Cell::new(0));
        let seen = beats.clone();
        let group = task_group(async |group: TaskGroup<&str>| {
            let heart = group.create_task(async move {
                loop {
                    seen.set(seen.get() + 1);
                    sleep(1.0).await;
                }
            });
            sleep(2.5).await;
            heart.cancel();
            Ok(())
        });
        group.await.unwrap();
        assert_eq!(beats.get(), 3);
    });
}

#[test]
fn a_panic_of_a_child_is_a_failure_and_not_reported() {
    run(async {
        let group = task_group(async |group: TaskGroup<&str>| {
            group
                .create_task(async { raise("oh no") })
                .set_name("clumsy");
            sleep(100.0).await;
            Ok(())
        });
        let error = group.await.unwrap_err();
        assert_eq!(texts(&error), ["clumsy: panicked: oh no"]);
        assert!(matches!(
            error.iter().next(),
            Some((_, Failure::Panicked(_)))
        ));
        drop(error);
        assert!(here().reports.borrow().is_empty());
    });
}

#[test]
fn the_error_of_a_child_moves_into_the_group() {
    run(async {
        let child: Rc<RefCell<Option<AnyTask>>> = Rc::default();
        let seen = child.clone();
        let group = task_group(async |group: TaskGroup<Box<str>>| {
            let task = group.create_task(async { Err::<(), _>("moved".into()) });
            *seen.borrow_mut() = Some(task.any());
            Ok(())
        });
        let failures = group.await.unwrap_err().into_failures();
        assert!(matches!(&failures[..], [(_, Failure::Error(error))] if &**error == "moved"));
        let child = child.take().unwrap();
        assert!(matches!(child.result(), Err(TaskError::Failed)));
        assert!(child.done() && !child.cancelled());
    });
}

#[test]
fn an_error_that_comes_with_a_request_is_kept_although_the_child_ends_cancelled() {
    run(async {
        let group = task_group(async |group: TaskGroup<&str>| {
            let child = group.create_task(async {
                current().cancel();
                Err::<(), _>("kept")
            });
            let told = catch_cancel(sleep(1.0)).await;
            assert!(told.is_err() && child.cancelled());
            Ok(())
        });
        let error = group.await.unwrap_err();
        assert_eq!(error.len(), 1);
        assert!(texts(&error)[0].ends_with(": kept"));
    });
}

#[test]
fn failures_come_in_the_order_of_completion_and_the_body_last() {
    run(async {
        let group = task_group(async |group: TaskGroup<&str>| {
            let slow = group.create_task(async {
                catch_cancel(sleep(100.0)).await.unwrap_err();
                sleep(1.0).await;
                Err::<(), _>("in the clean-up")
            });
            let first = group.create_task(fails_after(1.0, "first"));
            slow.set_name("slow");
            first.set_name("first");
            catch_cancel(sleep(100.0)).await.unwrap_err();
            Err::<(), _>("of the body")
        });
        let error = group.await.unwrap_err();
        let expected = ["first: first", "slow: in the clean-up", "body: of the body"];
        assert_eq!(texts(&error), expected);
        assert_eq!(error.len(), 3);
    });
}

#[test]
fn an_error_is_shown_as_a_tree_with_names_and_places() {
    run(async {
        let outer = task_group(async |outer: TaskGroup<GroupError<&str>>| {
            let inner = task_group(async |inner: TaskGroup<&str>| {
                let one = inner.create_task(async { Err::<(), _>("out of\ncheese") });
                let two = inner.create_task(async { Err::<(), _>("too late") });
                one.set_name("one");
                two.set_name("two");
                Ok(())
            });
            outer.create_task(inner.named("pantry")).set_name("inner");
            Ok(())
        });
        let error = outer.await.unwrap_err();
        let shown = error.to_string();
        let lines: Vec<String> = shown
            .lines()
            .map(|line| match (line.find(" ("), line.find("): ")) {
                (Some(from), Some(to)) => format!("{}{}", &line[..from], &line[to + 1..]),
                _ => line.to_owned(),
            })
            .collect();
        let expected = [
            "1 failure in a task group",
            "└─ inner: 2 failures in the task group 'pantry'",
            "   ├─ one: out of",
            "   │  cheese",
            "   └─ two: too late",
        ];
        assert_eq!(lines, expected);
        assert!(shown.contains(&format!("one ({}:", file!())), "{shown}");
        let _: &dyn Error = &error;
    });
}

#[test]
fn an_error_can_be_divided() {
    run(async {
        let group = task_group(async |group: TaskGroup<u8>| {
            for code in [1, 2, 3] {
                group.create_task(async move { Err::<(), _>(code) });
            }
            Ok(())
        });
        let error = group.await.unwrap_err();
        let odd = |failure: &Failure<u8>| failure.error().is_some_and(|code| code % 2 == 1);
        let (odd, even) = error.split(odd);
        assert_eq!((odd.unwrap().len(), even.as_ref().unwrap().len()), (2, 1));
        assert!(even.unwrap().subgroup(|_| false).is_none());
        let stopped: GroupError<u8> = GroupError::Stopped;
        assert!(stopped.is_stopped() && stopped.is_empty());
    });
}

#[test]
fn a_group_that_is_aborting_or_over_disposes_of_what_it_refuses() {
    run(async {
        let ran = Rc::new(Cell::new(false));
        let refused: Rc<RefCell<Vec<AnyTask>>> = Rc::default();
        let kept = Rc::new(());
        let (listed, seen, held) = (refused.clone(), ran.clone(), kept.clone());
        let group = task_group(async |group: TaskGroup<&str>| {
            let add = move |group: &TaskGroup<&'static str>| {
                let (seen, held) = (seen.clone(), held.clone());
                let late = group.create_task(async move {
                    let _held = held;
                    seen.set(true);
                });
                listed.borrow_mut().push(late.any());
            };
            let siblings = group.clone();
            let add_late = add.clone();
            group.create_task(async move {
                catch_cancel(sleep(100.0)).await.unwrap_err();
                add_late(&siblings);
                sleep(1.0).await;
            });
            group.create_task(fails_after(1.0, "failure"));
            drop(add);
            Ok(())
        });
        group.await.unwrap_err();
        let refused = refused.take();
        assert!(refused.len() == 1 && refused[0].cancelled());
        assert!(!ran.get());
        assert_eq!(Rc::strong_count(&kept), 1, "the future is gone");
    });
}

#[test]
fn cancel_of_a_group_whose_body_has_ended_gives_its_value() {
    run(async {
        let group = task_group(async |group: TaskGroup<&str>| {
            let stopping = group.clone();
            group.create_task(async move {
                sleep(1.0).await;
                assert!(stopping.cancel());
                assert!(!stopping.cancel());
            });
            group.create_task(sleep_forever());
            Ok("value")
        });
        assert_eq!(group.await.unwrap(), "value");
        assert_eq!(here().time(), seconds(1.0));
        assert_eq!(current().cancelling(), 0);
    });
}

async fn sleep_forever() {
    sleep(1000.0).await;
}

#[test]
fn cancel_of_a_group_whose_body_runs_stops_it_without_failures() {
    run(async {
        let group = task_group(async |group: TaskGroup<&str>| {
            let stopping = group.clone();
            group.create_task(async move {
                sleep(1.0).await;
                stopping.cancel();
                sleep(1.0).await;
            });
            sleep(100.0).await;
            Ok(())
        });
        let error = group.await.unwrap_err();
        assert!(error.is_stopped() && error.is_empty());
    });
}

#[test]
fn a_body_that_cancels_its_group_and_returns_gives_its_value() {
    run(async {
        let group = task_group(async |group: TaskGroup<&str>| {
            let child = group.create_task(sleep_forever());
            group.cancel();
            Ok(child)
        });
        assert!(group.await.unwrap().cancelled());
    });
}

#[test]
fn a_request_from_outside_is_not_lost_in_a_group_that_ends_itself() {
    run(async {
        let task = create_task(async {
            let group = task_group(async |group: TaskGroup<&str>| {
                let slow = finally(sleep_forever(), async || sleep(2.0).await);
                group.create_task(slow);
                yield_now().await;
                group.cancel();
                sleep(100.0).await;
                Ok(())
            });
            let ended = group.await;
            log!("must not show: {ended:?}");
        });
        sleep(1.0).await;
        task.cancel();
        let watched = task.any();
        task.await.unwrap_err();
        assert!(watched.cancelled());
        assert_eq!(here().time(), seconds(2.0), "the clean-up was not cut");
        assert!(here().lines().is_empty());
    });
}

#[test]
fn a_child_that_cancels_the_group_before_its_first_wait_ends_it() {
    run(async {
        let group = task_group(async |group: TaskGroup<&str>| {
            let stopping = group.clone();
            group.create_task(async move {
                stopping.cancel();
                sleep(100.0).await;
            });
            sleep(100.0).await;
            Ok(())
        });
        assert!(group.await.unwrap_err().is_stopped());
        assert_eq!(here().time(), seconds(0.0));
    });
}

#[test]
fn a_child_that_adds_a_failing_sibling_is_cancelled_with_it() {
    run(async {
        let group = task_group(async |group: TaskGroup<&str>| {
            let siblings = group.clone();
            group.create_task(async move {
                siblings.create_task(async { Err::<(), _>("at once") });
                sleep(100.0).await;
            });
            Ok(())
        });
        assert_eq!(group.await.unwrap_err().len(), 1);
        assert_eq!(here().time(), seconds(0.0));
    });
}

#[test]
fn a_body_that_fails_at_once_keeps_its_children_from_running() {
    run(async {
        let ran = Rc::new(Cell::new(false));
        let seen = ran.clone();
        let group = task_group(async |group: TaskGroup<&str>| {
            group.create_task(async move { seen.set(true) });
            Err::<(), _>("body")
        });
        assert_eq!(texts(&group.await.unwrap_err()), ["body: body"]);
        assert!(!ran.get());
    });
}

#[test]
fn both_groups_hear_of_failures_in_the_same_turn() {
    run(async {
        let outer = task_group(async |outer: TaskGroup<&str>| {
            outer.create_task(fails_after(1.0, "outer"));
            let inner = task_group(async |inner: TaskGroup<&str>| {
                inner.create_task(fails_after(1.0, "inner"));
                sleep(100.0).await;
                Ok(())
            });
            let error = inner.await.unwrap_err();
            assert_eq!(error.len(), 1);
            assert_eq!(current().cancelling(), 1);
            sleep(100.0).await;
            Ok(())
        });
        let error = outer.await.unwrap_err();
        assert_eq!(error.len(), 1);
        assert_eq!(here().time(), seconds(1.0));
        assert_eq!(current().cancelling(), 0);
    });
}

#[test]
fn a_failure_in_the_turn_of_a_cancel_leaves_the_cancel_for_the_next_await() {
    run(async {
        let task = create_task(async {
            let group = task_group(async |group: TaskGroup<&str>| {
                group.create_task(fails_after(1.0, "failure"));
                sleep(100.0).await;
                Ok(())
            });
            assert_eq!(group.await.unwrap_err().len(), 1);
            assert_eq!(current().cancelling(), 1);
            log!("group error");
            sleep(100.0).await;
        });
        yield_now().await;
        yield_now().await; // the child has armed its timer
        let watched = task.any();
        support::call_later(1.0, move || watched.cancel());
        let watched = task.any();
        task.await.unwrap_err();
        assert!(watched.cancelled());
        assert_eq!(here().lines(), ["k+0 t=1.0 group error"]);
    });
}

#[test]
fn a_timeout_around_a_group_whose_child_fails_then_gives_the_error() {
    run(async {
        let group = task_group(async |group: TaskGroup<&str>| {
            group.create_task(async {
                catch_cancel(sleep(100.0)).await.unwrap_err();
                Err::<(), _>("in the clean-up")
            });
            Ok(())
        });
        let error = timeout(seconds(1.0), group).await.unwrap().unwrap_err();
        assert_eq!(error.len(), 1);
        sleep(10.0).await; // the deadline's request ended with its scope
        assert_eq!(here().time(), seconds(11.0));
    });
}

#[test]
fn a_group_that_foreign_code_drops_asks_its_children_and_waits_for_nobody() {
    run(async {
        let cleaned = Rc::new(Cell::new(false));
        let seen = cleaned.clone();
        let group = task_group(async |group: TaskGroup<&str>| {
            let work = finally(sleep_forever(), async move || {
                sleep(1.0).await;
                seen.set(true);
            });
            group.create_task(work);
            sleep(100.0).await;
            Ok(())
        });
        let group = async { drop(group.await) };
        or(group, sleep(1.0)).await;
        assert!(!cleaned.get());
        sleep(1.5).await;
        assert!(cleaned.get());
    });
}

#[test]
fn the_failure_of_a_child_whose_group_was_dropped_is_reported() {
    run(async {
        let group = task_group(async |group: TaskGroup<&str>| {
            group.create_task(async {
                catch_cancel(sleep(100.0)).await.unwrap_err();
                Err::<(), _>("nobody's")
            });
            sleep(100.0).await;
            Ok(())
        });
        let group = async { drop(group.await) };
        or(group, sleep(1.0)).await;
        yield_now().await;
        yield_now().await;
        let reports = here().reports.take();
        assert_eq!(reports.len(), 1);
        assert!(reports[0].contains("task group that was dropped"));
    });
}

#[test]
fn start_waits_until_the_child_is_ready() {
    run(async {
        let group = task_group(async |group: TaskGroup<TaskError>| {
            let (port, server) = group
                .start(async |readiness: Readiness<u16>| {
                    sleep(1.0).await;
                    readiness.ready(80);
                    sleep(1.0).await;
                })
                .await?;
            assert_eq!((port, server.done()), (80, false));
            assert_eq!(here().time(), seconds(1.0));
            Ok(())
        });
        group.await.unwrap();
        assert_eq!(here().time(), seconds(2.0));
    });
}

#[test]
fn start_tells_of_a_child_that_ends_before_it_is_ready() {
    run(async {
        let group = task_group(async |group: TaskGroup<TaskError>| {
            let started = group
                .start(async |_: Readiness<()>| {
                    current().cancel();
                    sleep(1.0).await;
                })
                .await;
            assert!(matches!(started, Err(TaskError::Cancelled(_))));
            let silent = catch_cancel(group.start(async |_: Readiness<()>| ())).await;
            drop(silent);
            Ok(())
        });
        let failures = group.await.unwrap_err().into_failures();
        match &failures[..] {
            [(body, Failure::Panicked(panic))] => {
                assert_eq!(body, "body");
                assert!(panic.message().contains("without saying that it is ready"));
            }
            other => panic!("{other:?}"),
        }
    });
}

#[test]
fn cancelling_a_start_cancels_the_child_and_waits_for_it() {
    run(async {
        let task = create_task(task_group(async |group: TaskGroup<TaskError>| {
            let child = async |readiness: Readiness<u8>| {
                finally(sleep_forever(), async || {
                    sleep(1.0).await;
                    log!("child has cleaned up");
                })
                .await;
                readiness.ready(1);
            };
            let started = catch_cancel(group.start(child)).await;
            log!("start was cancelled: {}", started.is_err());
            let (value, _) = started.or_propagate().await?;
            Ok(value)
        }));
        sleep(1.0).await;
        task.cancel();
        let watched = task.any();
        task.await.unwrap_err();
        assert!(watched.cancelled());
        let expected = [
            "k+0 t=2.0 child has cleaned up",
            "k+1 t=2.0 start was cancelled: true",
        ];
        assert_eq!(here().lines(), expected);
    });
}

#[test]
#[should_panic(expected = "no event loop runs")]
fn a_group_needs_a_loop() {
    let group = task_group(async |_: TaskGroup<&str>| Ok(()));
    let _ = futures_lite::future::block_on(group);
}
