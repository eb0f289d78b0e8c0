//! Limits whose time comes while a step still runs, and limits in the clean-up of what was cancelled before.

mod support;

use corio_combinators::{catch_cancel, timeout};
use corio_core::TaskError;
use support::{create_task, here, run, seconds, sleep};

#[test]
fn of_nested_limits_only_the_one_whose_time_has_come_in_a_long_step_reports() {
    // C069
    run(async {
        let outer = timeout(seconds(0.002), async {
            timeout(seconds(0.1), async {
                here().clock.pass(seconds(0.01));
                sleep(1.0).await;
            })
            .await
        });
        assert!(outer.await.is_err());
        assert!(here().time() < seconds(0.1));
    });
}

#[test]
fn an_inner_limit_reports_first_and_the_outer_one_ends_what_comes_after_it() {
    // C070, with an outer limit whose time has not come when the long step ends
    run(async {
        let outer = timeout(seconds(0.2), async {
            let inner = timeout(seconds(0.01), async {
                here().clock.pass(seconds(0.1));
                sleep(1.0).await;
            });
            assert!(inner.await.is_err());
            log!("inner");
            sleep(1.0).await;
            log!("never");
        });
        assert!(outer.await.is_err());
        assert!(here().time() < seconds(1.0));
        assert_eq!(here().lines().len(), 1);
    });
}

#[test]
fn a_cancel_inside_of_a_fresh_limit_in_a_clean_up_stays_a_cancel() {
    // C073
    run(async {
        let task = create_task(async {
            let first = catch_cancel(sleep(100.0)).await.unwrap_err();
            let limited = timeout(seconds(50.0), sleep(100.0)).await;
            unreachable!("{limited:?} after {first}");
        });
        sleep(1.0).await;
        task.cancel_with("first");
        sleep(1.0).await;
        task.cancel_with("second");
        let Err(TaskError::Cancelled(cancelled)) = task.await else {
            panic!("another outcome")
        };
        assert_eq!(cancelled.reason(), Some("second"));
        assert_eq!(here().time(), seconds(2.0));
    });
}
