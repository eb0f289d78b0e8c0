//! Groups inside of groups, and children that fail while they are cancelled.

mod support;

use corio_combinators::{Failure, GroupError, TaskGroup, catch_cancel, task_group};
use corio_core::TaskError;
use support::{create_task, here, run, seconds, sleep};

type Inner = GroupError<&'static str>;

#[derive(Debug)]
enum Outer {
    Own(&'static str),
    Group(Inner),
}

impl std::fmt::Display for Outer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Outer::Own(text) => f.write_str(text),
            Outer::Group(group) => group.fmt(f),
        }
    }
}

async fn fails_in_its_clean_up(error: &'static str) -> Result<(), &'static str> {
    match catch_cancel(sleep(100.0)).await {
        Ok(()) => Ok(()),
        Err(_) => Err(error),
    }
}

async fn fails_after(time: f64, error: &'static str) -> Result<(), &'static str> {
    sleep(time).await;
    Err(error)
}

/// What failed, flat or nested.
fn shape(error: &GroupError<Outer>) -> Vec<String> {
    let texts = |error: &Inner| -> Vec<String> {
        error
            .iter()
            .map(|(_, failure)| failure.to_string())
            .collect()
    };
    let failures = error.iter().map(|(_, failure)| match failure {
        Failure::Error(Outer::Group(inner)) => format!("group of {}", texts(inner).join(", ")),
        failure => failure.to_string(),
    });
    failures.collect()
}

#[test]
fn children_that_fail_in_their_clean_up_make_nested_errors_and_the_cancel_goes_on() {
    // C081
    run(async {
        let task = create_task(async {
            let outer = task_group(async |outer: TaskGroup<Outer>| {
                outer.create_task(async {
                    let inner = task_group(async |inner: TaskGroup<&'static str>| {
                        inner.create_task(fails_in_its_clean_up("one"));
                        inner.create_task(fails_in_its_clean_up("two"));
                        Ok(())
                    });
                    inner.await.map_err(Outer::Group)
                });
                outer.create_task(async {
                    let own = fails_in_its_clean_up("own").await;
                    own.map_err(Outer::Own)
                });
                Ok(())
            });
            log!("{:?}", shape(&outer.await.unwrap_err()));
            sleep(1.0).await;
            log!("never");
        });
        sleep(1.0).await;
        task.cancel();
        assert!(matches!(task.await, Err(TaskError::Cancelled(_))));
        let lines = here().lines();
        assert_eq!(lines.len(), 1, "{lines:?}");
        assert!(
            lines[0].ends_with(r#"["own", "group of one, two"]"#),
            "{lines:?}"
        );
    });
}

#[test]
fn a_failure_beside_an_inner_group_is_flat_and_one_inside_of_it_nested() {
    // C082
    run(async {
        let group = |beside: f64, inside: f64| {
            task_group(async move |outer: TaskGroup<Outer>| {
                outer.create_task(async move {
                    let failed = fails_after(beside, "beside").await;
                    failed.map_err(Outer::Own)
                });
                let inner = task_group(async move |inner: TaskGroup<&'static str>| {
                    inner.create_task(fails_after(inside, "inside"));
                    sleep(100.0).await;
                    Ok(())
                });
                inner.await.map_err(Outer::Group)
            })
        };
        let error = group(1.0, 50.0).await.unwrap_err();
        assert_eq!(shape(&error), ["beside"]);
        let error = group(50.0, 1.0).await.unwrap_err();
        assert_eq!(shape(&error), ["group of inside"]);
        assert_eq!(here().time(), seconds(2.0));
    });
}

#[test]
fn a_body_that_puts_its_own_error_in_the_place_of_the_cancel_is_a_failure() {
    // C084
    async fn group(child: impl Future<Output = Result<(), &'static str>> + 'static) -> Vec<String> {
        let group = task_group(async |group: TaskGroup<&'static str>| {
            group.create_task(child);
            catch_cancel(sleep(100.0)).await.unwrap_err();
            Err::<(), _>("body")
        });
        let error = group.await.unwrap_err();
        error
            .iter()
            .map(|(_, failure)| failure.to_string())
            .collect()
    }
    run(async {
        let alone = create_task(group(async {
            sleep(100.0).await;
            Ok(())
        }));
        let both = create_task(group(fails_in_its_clean_up("child")));
        sleep(1.0).await;
        alone.cancel();
        both.cancel();
        assert_eq!(alone.await.unwrap(), ["body"]);
        assert_eq!(both.await.unwrap(), ["child", "body"]);
    });
}

#[test]
fn children_of_children_are_waited_for_until_one_fails_and_then_refused() {
    // C085
    async fn grow(group: TaskGroup<&'static str>, depth: u32) -> Result<(), &'static str> {
        sleep(1.0).await;
        if depth == 0 {
            return Err("the last one");
        }
        let child = group.create_task(grow(group.clone(), depth - 1));
        let ended = catch_cancel(sleep(100.0)).await;
        assert!(ended.is_err());
        let late = group.create_task(async { unreachable!("the group takes no more") });
        assert!(late.cancelled() && !child.cancelled());
        log!("{depth} was told");
        Ok(())
    }
    run(async {
        let group = task_group(async |group: TaskGroup<&'static str>| {
            group.create_task(grow(group.clone(), 4));
            Ok(())
        });
        let error = group.await.unwrap_err();
        assert_eq!(error.len(), 1);
        assert_eq!(here().lines().len(), 4);
        assert_eq!(here().time(), seconds(5.0));
    });
}
