//! A body that panics: its children are asked to end, clean up and are waited for, before anybody outside goes on.

mod support;

use std::cell::RefCell;
use std::fmt::Display;
use std::rc::Rc;

use corio_combinators::{Failure, TaskGroup, catch_cancel, finally, scope, task_group};
use corio_core::TaskError;
use support::{create_task, here, raise, run, sleep};

type Log = RefCell<Vec<&'static str>>;

async fn cleans_up(log: &Log) {
    finally(sleep(100.0), async || {
        sleep(1.0).await;
        log.borrow_mut().push("child cleaned up");
    })
    .await;
}

#[test]
fn a_panic_of_the_body_is_a_failure_of_the_group_which_waits_for_its_children() {
    run(async {
        let log = Rc::new(Log::default());
        let group = task_group(async |group: TaskGroup<&str>| {
            let of_child = log.clone();
            group.create_task(async move { cleans_up(&of_child).await });
            let fails = async {
                let _ = catch_cancel(sleep(100.0)).await;
                Err::<(), _>("too")
            };
            group.create_task(fails).set_name("child");
            sleep(1.0).await;
            if log.borrow().is_empty() {
                raise("oh no");
            }
            Ok(())
        });
        let error = group.await.unwrap_err();
        log.borrow_mut().push("outside");
        assert_eq!(*log.borrow(), ["child cleaned up", "outside"]);
        let texts: Vec<String> = error.iter().map(text).collect();
        assert_eq!(texts, ["child: too", "body: panicked: oh no"]);
        assert!(here().reports.borrow().is_empty());
    });
}

fn text<E: Display>((name, failure): (&str, &Failure<E>)) -> String {
    format!("{name}: {failure}")
}

#[test]
fn a_panic_of_the_body_is_resumed_when_the_children_of_the_scope_have_ended() {
    run(async {
        let log = Rc::new(Log::default());
        let task = create_task({
            let log = log.clone();
            async move {
                scope(async |s| {
                    s.spawn(cleans_up(&log));
                    sleep(1.0).await;
                    raise("oh no");
                })
                .await;
                log.borrow_mut().push("never");
            }
        });
        match task.await {
            Err(TaskError::Panicked(panic)) => assert_eq!(panic.message(), "oh no"),
            other => panic!("{other:?}"),
        }
        assert_eq!(*log.borrow(), ["child cleaned up"]);
        assert!(here().reports.borrow().is_empty());
    });
}
