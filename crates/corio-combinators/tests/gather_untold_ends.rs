//! A gather that is cancelled when all members have ended, but has not been told so yet.

mod support;

use std::cell::RefCell;
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::rc::Rc;
use std::task::Poll;

use corio_combinators::gather;
use corio_core::{Task, TaskError};
use support::{Interrupted, assert_trace, create_task, poll_once, run, sleep, yield_now};

/// In asyncio there is nothing left to cancel, so the task is stepped when the gather has heard of the ends, and not before.
#[test]
fn it_does_not_overtake_who_was_woken_before_it_is_told() {
    let trace = "
        k+0 t=0.0 member
        k+0 t=0.0 member
        k+0 t=0.0 cancels
        k+1 t=0.0 sleep cancelled
        k+1 t=0.0 turn 1
        k+2 t=0.0 gather cancelled
        k+2 t=0.0 turn 2
    ";
    assert_trace(trace, async {
        let member = async || {
            yield_now().await;
            crate::log!("member");
        };
        let gathers = create_task(async move {
            let interrupted = Interrupted::new("gather cancelled");
            drop(gather([member(), member()]).await);
            interrupted.quiet();
        });
        let sleeps = create_task(async {
            let interrupted = Interrupted::new("sleep cancelled");
            sleep(50.0).await;
            interrupted.quiet();
        });
        for _ in 0..3 {
            yield_now().await;
        }
        crate::log!("cancels");
        assert!(gathers.cancel() && sleeps.cancel());
        for turn in 1..3 {
            yield_now().await;
            crate::log!("turn {turn}");
        }
    });
}

type Shared = Rc<RefCell<Option<Pin<Box<dyn Future<Output = Result<Vec<()>, TaskError>>>>>>>;

/// A task that polls a gather which others can reach, and has been asked to end when its members had ended in the same turn.
async fn asked_untold() -> (Shared, Task<()>) {
    let members = [(); 2].map(|()| create_task(yield_now()));
    let shared: Shared = Rc::new(RefCell::new(Some(Box::pin(gather(members)))));
    let polled = shared.clone();
    let task = create_task(poll_fn(move |cx| match polled.borrow_mut().as_mut() {
        Some(gather) => gather.as_mut().poll(cx).map(drop),
        None => Poll::Pending,
    }));
    yield_now().await;
    yield_now().await;
    assert!(task.cancel());
    (shared, task)
}

#[test]
fn its_task_ends_although_somebody_else_drops_the_gather_before_that() {
    run(async {
        let (shared, task) = asked_untold().await;
        drop(shared.take());
        (&task).await.unwrap_err();
        assert!(task.cancelled());
    });
}

#[test]
fn its_task_ends_although_somebody_else_polls_the_gather_on() {
    run(async {
        let (shared, task) = asked_untold().await;
        let mut gather = shared.take().unwrap();
        assert!(poll_once(&mut gather).await.is_pending());
        (&task).await.unwrap_err();
        assert!(task.cancelled());
        assert_eq!(gather.await.unwrap().len(), 2);
    });
}
