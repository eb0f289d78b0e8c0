//! A clean-up that has begun and is not polled for a while keeps the request that it has taken: it is not cut, and nothing is lost.

mod support;

use std::cell::Cell;
use std::future::{Future, pending};
use std::pin::Pin;
use std::rc::Rc;

use corio_combinators::{CancelScope, finally, scope};
use futures_lite::future::or;
use support::{TestLoop, here, leak, poll_once, run, seconds, sleep};

type Work = Pin<Box<dyn Future<Output = ()>>>;

/// Work whose clean-up takes two seconds, and says when it has ended.
fn works(cleaned: &Rc<Cell<bool>>) -> [Work; 2] {
    let careful = || {
        let cleaned = cleaned.clone();
        finally(pending::<()>(), async move || {
            sleep(2.0).await;
            cleaned.set(true);
        })
    };
    let (alone, child) = (careful(), careful());
    let in_scope = scope(async move |s| {
        let _child = s.spawn(child);
        pending::<()>().await;
    });
    [Box::pin(alone), Box::pin(in_scope)]
}

/// A select that is left half a second after the task was asked.
async fn clean_up_begins(work: &mut Work) {
    or(work, sleep(1.5)).await;
}

/// The loop around a select handles what came, and then comes back to the clean-up.
#[test]
fn it_goes_on_when_it_is_polled_again_and_then_the_request_does() {
    for number in [0, 1] {
        let cleaned = Rc::default();
        let mut work = works(&cleaned).into_iter().nth(number).unwrap();
        let test = TestLoop::new();
        let task = test.scheduler.create_task(async move {
            clean_up_begins(&mut work).await;
            for _ in 0..50 {
                sleep(0.1).await;
            }
            work.await;
        });
        // The clean-up ends when it is looked at again.
        test.assert_ends_cancelled(&task, 5.5, &format!("polled again {number}"));
        assert!(cleaned.get());
    }
}

#[test]
fn its_request_goes_to_the_task_when_it_is_dropped() {
    for number in [0, 1] {
        let cleaned = Rc::default();
        let mut work = works(&cleaned).into_iter().nth(number).unwrap();
        let test = TestLoop::new();
        let task = test.scheduler.create_task(async move {
            clean_up_begins(&mut work).await;
            sleep(3.0).await;
            drop(work);
            pending::<()>().await;
        });
        test.assert_ends_cancelled(&task, 3.5, &format!("dropped {number}"));
        assert!(!cleaned.get());
    }
}

/// Where nobody ever comes back to it, somebody else has to end the task.
#[test]
fn a_second_request_passes_it_over() {
    for (number, leaked) in [(0, false), (0, true), (1, false), (1, true)] {
        let cleaned = Rc::default();
        let mut work = works(&cleaned).into_iter().nth(number).unwrap();
        let test = TestLoop::new();
        let task = test.scheduler.create_task(async move {
            clean_up_begins(&mut work).await;
            let _kept = if leaked {
                leak(work);
                None
            } else {
                Some(work)
            };
            pending::<()>().await;
        });
        let again = task.any();
        test.scheduler.create_task(async move {
            sleep(4.0).await;
            assert!(again.cancel());
        });
        test.assert_ends_cancelled(&task, 3.0, &format!("{number}, leaked: {leaked}"));
        assert!(!cleaned.get());
    }
}

#[test]
fn the_grace_of_a_scope_around_ends_it() {
    for number in [0, 1] {
        run(async move {
            let cleaned = Rc::default();
            let mut work = works(&cleaned).into_iter().nth(number).unwrap();
            let limit = CancelScope::with_timeout(seconds(1.0)).grace(seconds(3.0));
            let ended = limit.run(async move {
                clean_up_begins(&mut work).await;
                pending::<()>().await;
            });
            assert!(ended.await.is_err());
            assert_eq!(here().time(), seconds(4.0), "{number}");
        });
    }
}

/// Before its clean-up has begun, work that is not polled is passed over.
#[test]
fn what_has_not_begun_to_clean_up_is_not_waited_for() {
    for number in [0, 1] {
        let cleaned = Rc::default();
        let mut work = works(&cleaned).into_iter().nth(number).unwrap();
        let test = TestLoop::new();
        let task = test.scheduler.create_task(async move {
            for _ in 0..4 {
                assert!(poll_once(&mut work).await.is_pending());
            }
            pending::<()>().await;
        });
        test.assert_ends_cancelled(&task, 0.0, "passed over");
        assert!(!cleaned.get());
    }
}
