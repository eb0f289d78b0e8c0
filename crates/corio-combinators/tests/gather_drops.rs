//! What foreign code may do to a gather: drop it at any moment, abort its task, move it.

mod support;

use std::cell::{Cell, RefCell};
use std::future::{Future, pending};
use std::pin::pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};

use corio_combinators::{gather, try_gather};
use corio_core::{AnyTask, Task};
use support::{create_task, poll_once, run, sleep, yield_now};

async fn steps(count: usize) {
    for _ in 0..count {
        yield_now().await;
    }
}

#[test]
fn dropped_unpolled_it_leaves_its_tasks_running() {
    run(async {
        let tasks = [create_task(sleep(1.0)), create_task(sleep(1.0))];
        let members: Vec<AnyTask> = tasks.iter().map(Task::any).collect();
        drop(gather(tasks));
        assert!(members.iter().all(|task| task.cancelling() == 0));
        sleep(2.0).await;
        assert!(members.iter().all(|task| task.done() && !task.cancelled()));
    });
}

#[test]
fn dropped_after_a_poll_it_asks_what_it_owns_once() {
    run(async {
        let tasks = [create_task(sleep(1.0)), create_task(async {})];
        let members: Vec<AnyTask> = tasks.iter().map(Task::any).collect();
        let mut gathered = gather(tasks);
        assert!(poll_once(&mut gathered).await.is_pending());
        yield_now().await;
        drop(gathered);
        assert_eq!(members[0].cancelling(), 1);
        assert_eq!(members[1].cancelling(), 0, "it was done");
        yield_now().await;
        assert!(members[0].cancelled());
    });
}

#[test]
fn dropped_after_a_poll_it_leaves_references_alone() {
    run(async {
        let (a, b) = (create_task(sleep(1.0)), create_task(sleep(1.0)));
        let mut both = gather([&a, &b]);
        assert!(poll_once(&mut both).await.is_pending());
        drop(both);
        let owned = create_task(sleep(1.0));
        let watched = owned.any();
        let mut mixed = gather!(&a, owned);
        assert!(poll_once(&mut mixed).await.is_pending());
        drop(mixed);
        assert_eq!(
            (a.cancelling(), b.cancelling(), watched.cancelling()),
            (0, 0, 1)
        );
        gather([&a, &b]).await.unwrap();
    });
}

#[test]
fn dropped_at_every_turn_of_its_life_it_leaves_nothing_behind() {
    // `run` counts the tasks, the timers and the nodes that are left.
    for turns in 0..8 {
        run(async move {
            let members = || (0..5).map(|n| async move { steps(n).await });
            let mut gathered = gather(members());
            let mut results = gather(members()).return_exceptions();
            let mut tried = try_gather((0..5).map(|n| async move {
                steps(n).await;
                if n == 2 {
                    Err(std::io::Error::other("two"))
                } else {
                    Ok(n)
                }
            }));
            let mut over = (false, false, false);
            for _ in 0..turns {
                over.0 |= !over.0 && matches!(poll_once(&mut gathered).await, Poll::Ready(_));
                over.1 |= !over.1 && matches!(poll_once(&mut results).await, Poll::Ready(_));
                over.2 |= !over.2 && matches!(poll_once(&mut tried).await, Poll::Ready(_));
                yield_now().await;
            }
            assert!(turns < 7 || over == (true, true, true), "{turns}: {over:?}");
        });
    }
}

#[test]
fn an_aborted_waiter_ends_what_it_owns() {
    run(async {
        let tasks = [create_task(pending::<()>()), create_task(pending())];
        let members: Vec<AnyTask> = tasks.iter().map(Task::any).collect();
        let outer = create_task(async { gather(tasks).await });
        yield_now().await;
        outer.abort();
        (&outer).await.unwrap_err();
        sleep(0.0).await;
        assert!(members.iter().all(AnyTask::cancelled));
    });
}

#[test]
fn a_gather_may_move_to_another_task_between_polls() {
    run(async {
        let mut gathered = gather([sleep(2.0), sleep(1.0)]);
        assert!(poll_once(&mut gathered).await.is_pending());
        let moved = create_task(async { gathered.await.unwrap().len() });
        assert_eq!(moved.await.unwrap(), 2);
    });
}

#[test]
fn a_request_in_the_new_task_reaches_the_members() {
    run(async {
        let tasks = [create_task(pending::<()>())];
        let member = tasks[0].any();
        let mut gathered = gather(tasks);
        assert!(poll_once(&mut gathered).await.is_pending());
        let moved = create_task(async { gathered.await.is_err() });
        yield_now().await;
        moved.cancel();
        (&moved).await.unwrap_err();
        assert!(moved.cancelled() && member.cancelled());
    });
}

#[test]
fn ten_thousand_members_that_are_dropped_pending() {
    run(async {
        let mut gathered = gather((0..10_000).map(|_| pending::<()>()));
        assert!(poll_once(&mut gathered).await.is_pending());
        drop(gathered);
    });
}

#[test]
fn a_task_that_is_watched_many_times_over_is_let_go_by_one_watcher_only() {
    run(async {
        let task = create_task(sleep(1.0));
        let mut dropped = gather(std::iter::repeat_n(&task, 30_000));
        let kept = gather([&task; 3]);
        assert!(poll_once(&mut dropped).await.is_pending());
        drop(dropped);
        assert_eq!(kept.await.unwrap().len(), 3);
    });
}

/// Runs what is in `CHANGE`, on the thread that wakes.
struct Change;

thread_local! {
    static CHANGE: RefCell<Option<Box<dyn FnOnce()>>> = const { RefCell::new(None) };
}

impl Wake for Change {
    fn wake(self: Arc<Self>) {
        if let Some(change) = CHANGE.take() {
            change();
        }
    }
}

#[test]
fn dropped_while_its_task_tells_of_its_end_it_leaves_the_next_gather_alone() {
    run(async {
        let (ends, stays) = (Rc::new(create_task(sleep(1.0))), create_task(sleep(2.0)));
        let waker = Waker::from(Arc::new(Change));
        let mut foreign = pin!(ends.watch());
        let foreign_context = &mut Context::from_waker(&waker);
        assert!(foreign.as_mut().poll(foreign_context).is_pending());
        let member = ends.clone();
        let mut first = Box::pin(async move { drop(gather([&*member]).await) });
        assert!(poll_once(&mut first).await.is_pending());
        let second = Rc::new(Cell::new(None));
        let begun = second.clone();
        CHANGE.set(Some(Box::new(move || {
            drop(first);
            begun.set(Some(gather([stays])));
        })));
        sleep(1.5).await;
        let mut second = second.take().expect("the waker was woken");
        let early = poll_once(&mut second).await;
        assert!(early.is_pending(), "its task has not ended");
        sleep(1.0).await;
        assert!(poll_once(&mut second).await.is_ready());
    });
}
