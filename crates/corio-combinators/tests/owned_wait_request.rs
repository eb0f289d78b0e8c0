//! A request that has gone up from `task.await` is not turned into a result of that await.

mod support;

use std::cell::Cell;
use std::future::pending;
use std::rc::Rc;

use corio_combinators::finally;
use support::{both, create_task, here, run, sleep, yield_now};

#[test]
fn the_code_behind_the_await_does_not_run_while_another_branch_cleans_up() {
    run(async {
        let went_on = Rc::new(Cell::new(false));
        let cleaned = Rc::new(Cell::new(false));
        let (went, clean) = (went_on.clone(), cleaned.clone());
        let outer = create_task(async move {
            let inner = create_task(pending::<()>());
            let branch = async {
                inner.await.ok();
                went.set(true);
            };
            // Two sleeps, so that the other branch is polled again while this one cleans up.
            let cleanup = async || {
                sleep(1.0).await;
                sleep(1.0).await;
                clean.set(true);
            };
            both(branch, finally(pending::<()>(), cleanup)).await;
        });
        yield_now().await;
        yield_now().await;
        outer.cancel();
        (&outer).await.unwrap_err();
        assert!(outer.cancelled() && cleaned.get());
        assert!(!went_on.get());
        assert_eq!(here().clock.armed(), 0);
    });
}
