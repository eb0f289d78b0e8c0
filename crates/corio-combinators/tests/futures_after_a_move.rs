//! What went wrong with futures that were polled in another place before.

mod support;

use std::cell::Cell;
use std::future::{Future, IntoFuture, pending};
use std::pin::Pin;
use std::rc::Rc;
use std::time::Duration;

use corio_combinators::{CancelScope, catch_cancel, finally, gather, timeout};
use corio_core::cancel::nodes_alive;
use futures_lite::future::race;
use support::{both, create_task, here, poll_once, run, seconds, sleep, yield_now};

fn assert_time(expected: f64) {
    assert_eq!(here().time(), seconds(expected));
}

#[test]
fn a_wait_beside_a_limit_that_joins_late_does_not_end_with_it() {
    run(async {
        let task = create_task(async {
            sleep(4.0).await;
            7
        });
        // The wait has no node until the clean-up makes the root.
        let limited = timeout(seconds(1.0), finally(pending::<()>(), async || {}));
        let (value, limited) = both(task.into_future(), limited).await;
        assert!(limited.is_err());
        assert_eq!(value.unwrap(), 7);
        assert_time(4.0);
    });
}

#[test]
fn a_gather_that_was_polled_alone_before_obeys_the_limit_around_it() {
    run(async {
        let mut both = gather([create_task(pending::<()>()), create_task(pending())]);
        assert!(poll_once(&mut both).await.is_pending());
        assert!(timeout(seconds(1.0), &mut both).await.is_err());
        assert!(both.await.is_err());
        assert_time(1.0);
    });
}

#[test]
fn a_clean_up_that_was_polled_alone_before_runs_in_the_limit_around_it() {
    run(async {
        let cleaned_up = Rc::new(Cell::new(false));
        let done = cleaned_up.clone();
        let mut work = Box::pin(finally(pending::<()>(), async || {
            sleep(1.0).await;
            done.set(true);
        }));
        assert!(poll_once(&mut work).await.is_pending());
        assert!(timeout(seconds(1.0), &mut work).await.is_err());
        assert!(cleaned_up.get());
        assert_time(2.0);
    });
}

#[test]
fn a_limit_that_was_polled_alone_before_is_inside_of_the_limit_around_it() {
    run(async {
        let cleaned_up = Rc::new(Cell::new(false));
        let done = cleaned_up.clone();
        let work = finally(pending::<()>(), async move || done.set(true));
        let mut inner = Box::pin(timeout(seconds(9.0), work));
        assert!(poll_once(&mut inner).await.is_pending());
        assert!(timeout(seconds(1.0), &mut inner).await.is_err());
        assert!(cleaned_up.get());
    });
}

#[test]
fn a_wait_that_was_lent_to_a_task_which_was_cancelled_leaves_no_node_there() {
    run(async {
        let wait = Rc::new(Cell::new(Some(create_task(pending::<()>()).into_future())));
        let lent = wait.clone();
        let borrower = create_task(async move {
            let mut wait = lent.take().unwrap();
            assert!(poll_once(&mut wait).await.is_pending());
            lent.set(Some(wait));
            pending::<()>().await;
        });
        yield_now().await;
        borrower.cancel();
        assert!((&borrower).await.is_err());
        assert_eq!(nodes_alive(), 0);
        assert!(wait.take().unwrap().await.is_err());
    });
}

#[test]
fn a_limit_that_was_lent_to_a_task_which_has_ended_leaves_no_node_there() {
    run(async {
        let work: Pin<Box<dyn Future<Output = bool>>> =
            Box::pin(async { timeout(seconds(1.0), pending::<()>()).await.is_ok() });
        let work = Rc::new(Cell::new(Some(work)));
        let lent = work.clone();
        let borrower = create_task(async move {
            let mut work = lent.take().unwrap();
            assert!(poll_once(&mut work).await.is_pending());
            lent.set(Some(work));
            sleep(2.0).await;
        });
        borrower.await.unwrap();
        assert_eq!(nodes_alive(), 0);
        assert!(!work.take().unwrap().await);
        assert_time(2.0);
    });
}

#[test]
fn a_limit_that_has_joined_late_is_reached_in_the_task_that_it_goes_to() {
    run(async {
        let work = async {
            yield_now().await;
            finally(pending::<()>(), async || {}).await;
        };
        let mut limited = Box::pin(timeout(seconds(2.0), work));
        // It waits without a node, and joins because of the clean-up.
        for _ in 0..2 {
            assert!(poll_once(&mut limited).await.is_pending());
        }
        sleep(1.0).await;
        assert!(create_task(limited).await.unwrap().is_err());
        assert_time(2.0);
    });
}

#[test]
fn a_limit_of_no_time_wakes_who_polled_it_last() {
    run(async {
        let mut limit = timeout(Duration::ZERO, pending::<()>());
        assert!(poll_once(&mut Pin::new(&mut limit)).await.is_pending());
        assert!(create_task(limit).await.unwrap().is_err());
    });
}

#[test]
fn the_grace_of_a_scope_wakes_who_polled_it_last() {
    run(async {
        let stubborn = async { while catch_cancel(pending::<()>()).await.is_err() {} };
        let scope = CancelScope::with_timeout(seconds(1.0)).grace(seconds(2.0));
        let mut work = Box::pin(scope.run(stubborn));
        // Its grace begins here, and goes on in another task.
        let begun = async { (&mut work).await.is_ok() };
        race(begun, async {
            sleep(1.5).await;
            false
        })
        .await;
        assert!(create_task(work).await.unwrap().is_err());
        assert_time(3.0);
    });
}
