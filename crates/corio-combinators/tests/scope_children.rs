//! A scope's children borrow, are tasks, and end with the scope.

mod support;

use std::cell::{Cell, RefCell};
use std::error::Error;
use std::future::pending;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;

use corio_combinators::{catch_cancel, finally, gather, scope, timeout, try_gather};
use corio_core::{AnyTask, TaskError, TaskState};
use support::{create_task, here, raise, run, seconds, sleep, yield_now};

fn current() -> AnyTask {
    here().scheduler.current_task().expect("a running task")
}

/// Sets a flag when it is dropped.
struct Flag<'a>(&'a Cell<bool>);

impl Drop for Flag<'_> {
    fn drop(&mut self) {
        self.0.set(true);
    }
}

#[test]
fn children_borrow_what_outlives_the_scope_and_give_borrowed_values() {
    run(async {
        let words = [String::from("one"), String::from("two")];
        let counter = Cell::new(0);
        let longest: &str = scope(async |s| {
            let children: Vec<_> = words
                .iter()
                .map(|word| {
                    let counter = &counter;
                    s.spawn(async move {
                        yield_now().await;
                        counter.set(counter.get() + word.len());
                        word.as_str()
                    })
                })
                .collect();
            let mut last = "";
            for child in children {
                last = child.await.unwrap();
            }
            last
        })
        .await;
        assert_eq!((longest, counter.get()), ("two", 6));
    });
}

#[test]
fn a_child_may_have_what_it_needs_for_itself_alone() {
    run(async {
        let mut numbers = [1, 2, 3, 4];
        scope(async |s| {
            for half in numbers.chunks_mut(2) {
                s.spawn(async move {
                    sleep(1.0).await;
                    half.reverse();
                });
            }
        })
        .await;
        assert_eq!(numbers, [2, 1, 4, 3]);
    });
}

#[test]
fn gather_takes_the_children_of_a_scope() {
    run(async {
        let text = String::from("a b c");
        let sizes = scope(async |s| {
            gather(text.split(' ').map(|word| s.spawn(async { word.len() }))).await
        });
        assert_eq!(sizes.await.unwrap(), [1, 1, 1]);
    });
}

#[test]
fn try_gather_takes_the_children_of_a_scope_and_their_errors() {
    run(async {
        let words = [String::from("1"), String::from("two")];
        let parsed: Result<Vec<u8>, Box<dyn Error>> = scope(async |s| {
            let children = words
                .iter()
                .map(|word| s.spawn(async move { Ok(word.parse::<u8>()?) }));
            try_gather(children.collect::<Vec<_>>()).await
        })
        .await;
        let error = parsed.unwrap_err();
        assert_eq!(error.to_string(), "invalid digit found in string");
    });
}

#[test]
fn a_child_is_a_task() {
    run(async {
        let seen = RefCell::new(None);
        scope(async |s| {
            let child = s
                .spawn(async {
                    *seen.borrow_mut() = Some((current().id(), current().name()));
                    sleep(1.0).await;
                    current().id()
                })
                .named("child");
            assert_eq!(child.state(), TaskState::Pending);
            let all = here().scheduler.all_tasks();
            assert!(all.contains(&child.any()));
            assert!(child.any().site().file().ends_with("scope_children.rs"));
            let parent = current();
            assert_eq!((&child).await.unwrap(), &child.id());
            assert_eq!(current(), parent);
            assert_eq!(
                seen.borrow().clone(),
                Some((child.id(), String::from("child")))
            );
            assert!(!here().scheduler.all_tasks().contains(&child.any()));
        })
        .await;
    });
}

#[test]
fn the_scope_waits_for_children_and_for_what_they_spawn() {
    run(async {
        let ended = Cell::new(0);
        scope(async |s| {
            let siblings = s.clone();
            let ended = &ended;
            s.spawn(async move {
                sleep(1.0).await;
                siblings.spawn(async move {
                    sleep(1.0).await;
                    ended.set(ended.get() + 1);
                });
                ended.set(ended.get() + 1);
            });
        })
        .await;
        assert_eq!(ended.get(), 2);
        assert_eq!(here().time(), seconds(2.0));
    });
}

#[test]
fn a_cancelled_scope_waits_for_the_clean_up_of_its_children() {
    run(async {
        let cleaned = Rc::new(Cell::new(0));
        let seen = cleaned.clone();
        let task = create_task(async move {
            let cleaned = &*seen;
            scope(async |s| {
                for time in [1.0, 2.0] {
                    s.spawn(finally(sleep(100.0), async move || {
                        sleep(time).await;
                        cleaned.set(cleaned.get() + 1);
                    }));
                }
                sleep(100.0).await;
            })
            .await;
        });
        sleep(1.0).await;
        task.cancel();
        assert!(matches!(task.await, Err(TaskError::Cancelled(_))));
        assert_eq!(cleaned.get(), 2);
        assert_eq!(here().time(), seconds(3.0));
    });
}

#[test]
fn a_timeout_around_a_scope_is_a_timeout() {
    run(async {
        let caught = Cell::new(false);
        let work = scope(async |s| {
            s.spawn(async {
                let slept = catch_cancel(sleep(100.0)).await;
                caught.set(slept.is_err());
                slept.unwrap_err().propagate().await
            });
        });
        timeout(seconds(1.0), work).await.unwrap_err();
        assert!(caught.get());
    });
}

#[test]
fn a_child_that_is_cancelled_on_its_own_disturbs_nobody() {
    run(async {
        let value = scope(async |s| {
            let lost = s.spawn(sleep(100.0));
            let kept = s.spawn(async {
                sleep(1.0).await;
                7
            });
            lost.cancel();
            assert!(matches!((&lost).await, Err(TaskError::Cancelled(_))));
            kept.await.unwrap()
        });
        assert_eq!(value.await, 7);
    });
}

#[test]
fn cancelling_the_waiter_cancels_the_child_it_owns() {
    run(async {
        let outcome = scope(async |s| {
            let child = s.spawn(sleep(100.0));
            let watched = child.any();
            let waiter = s.spawn(async move { child.await.is_ok() });
            yield_now().await;
            yield_now().await;
            yield_now().await;
            waiter.cancel();
            (&waiter).await.unwrap_err();
            watched.cancelled() && waiter.cancelled()
        });
        assert!(outcome.await);
    });
}

#[test]
fn an_aborted_child_loses_its_future_at_once() {
    run(async {
        let dropped = Cell::new(false);
        scope(async |s| {
            let flag = Flag(&dropped);
            let child = s.spawn(async move {
                let _flag = flag;
                finally(sleep(100.0), async || sleep(100.0).await).await;
            });
            sleep(1.0).await;
            child.abort();
            (&child).await.unwrap_err();
        })
        .await;
        assert!(dropped.get());
        assert_eq!(here().time(), seconds(1.0));
    });
}

#[test]
fn an_unread_panic_ends_the_scope_and_is_resumed() {
    run(async {
        let cancelled = Rc::new(Cell::new(0));
        let seen = cancelled.clone();
        let task = create_task(async move {
            let cancelled = &*seen;
            scope(async |s| {
                s.spawn(async {
                    sleep(1.0).await;
                    raise("unread");
                });
                s.spawn(finally(sleep(100.0), async || {
                    sleep(1.0).await;
                    cancelled.set(cancelled.get() + 1);
                }));
                finally(sleep(100.0), async || cancelled.set(cancelled.get() + 1)).await;
            })
            .await;
        });
        match task.await {
            Err(TaskError::Panicked(panic)) => assert_eq!(panic.message(), "unread"),
            other => panic!("{other:?}"),
        }
        assert_eq!(cancelled.get(), 2);
        assert_eq!(here().time(), seconds(2.0));
    });
}

#[test]
fn a_panic_that_was_read_is_dealt_with() {
    run(async {
        let message = scope(async |s| {
            let child = s.spawn(async { raise("read") });
            match child.await {
                Err(TaskError::Panicked(panic)) => panic.message().to_owned(),
                other => panic!("{other:?}"),
            }
        });
        assert_eq!(message.await, "read");
    });
}

#[test]
fn foreign_code_that_drops_a_scope_drops_the_children_with_it() {
    run(async {
        let dropped = Cell::new(false);
        let cleaned = Cell::new(false);
        let mut work = Box::pin(scope(async |s| {
            let flag = Flag(&dropped);
            let cleaned = &cleaned;
            s.spawn(async move {
                let _flag = flag;
                finally(sleep(100.0), async || cleaned.set(true)).await;
            });
            sleep(100.0).await;
        }));
        for _ in 0..4 {
            assert!(futures_lite::future::poll_once(&mut work).await.is_none());
            yield_now().await;
        }
        drop(work);
        assert!(dropped.get() && !cleaned.get());
        assert_eq!(here().scheduler.task_count(), 1);
    });
}

#[test]
fn a_scope_that_is_over_takes_no_more_children() {
    run(async {
        let ran = Cell::new(false);
        let handle = scope(async |s| s).await;
        let refused = handle.spawn(async { ran.set(true) });
        assert!(refused.cancelled());
        yield_now().await;
        assert!(!ran.get());
    });
}

#[test]
fn closing_the_loop_drops_a_scope_and_its_children() {
    let test = support::TestLoop::new();
    let dropped = Rc::new(Cell::new(false));
    let seen = dropped.clone();
    let task = test.scheduler.create_task(async move {
        let seen = &*seen;
        scope(async |s| {
            let flag = Flag(seen);
            s.spawn(async move {
                let _flag = flag;
                sleep(100.0).await;
            });
        })
        .await;
    });
    test.turns(4);
    test.scheduler.close();
    assert!(dropped.get() && task.cancelled());
    assert_eq!(corio_core::cancel::nodes_alive(), 0);
}

/// Nothing tells a scope that was leaked from one that is polled later.
#[test]
fn children_of_a_leaked_scope_are_listed_until_the_loop_closes() {
    let test = support::TestLoop::new();
    let task = test.scheduler.create_task(async {
        let mut work = Box::pin(scope(async |s| {
            s.spawn(pending::<()>());
            pending::<()>().await;
        }));
        assert!(support::poll_once(&mut work).await.is_pending());
        support::leak(work);
    });
    while !task.done() {
        test.turn();
    }
    test.settle();
    let left = test.scheduler.all_tasks();
    assert_eq!(left.len(), 1);
    assert!(left[0].cancel() && !left[0].done());
    test.settle();
    assert_eq!(test.scheduler.task_count(), 1, "it has no step of its own");
    test.scheduler.close();
    assert!(left[0].cancelled());
    assert_eq!(test.scheduler.task_count(), 0);
}

#[test]
fn a_panic_of_the_body_drops_the_children() {
    let test = support::TestLoop::new();
    let dropped = Rc::new(Cell::new(false));
    let seen = dropped.clone();
    let task = test.scheduler.create_task(async move {
        let seen = &*seen;
        scope(async |s| {
            let flag = Flag(seen);
            s.spawn(async move {
                let _flag = flag;
                sleep(100.0).await;
            });
            sleep(1.0).await;
            raise("body");
        })
        .await;
    });
    while !task.done() {
        catch_unwind(AssertUnwindSafe(|| test.turn())).expect("a panic of a task is its outcome");
    }
    assert!(matches!(task.result(), Err(TaskError::Panicked(_))));
    assert!(dropped.get());
}
