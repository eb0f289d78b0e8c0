//! The rules of time limits and scopes, one by one.

mod support;

use std::cell::Cell;
use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Wake, Waker};
use std::time::Duration;

use corio_combinators::{
    CancelScope, TimeoutError, catch_cancel, deadline, finally, gather, move_on_after, timeout,
    timeout_at,
};
use corio_core::{AnyTask, TaskError};
use support::{call_later, create_task, here, run, seconds, sleep, yield_now};

fn current() -> AnyTask {
    here().scheduler.current_task().expect("a running task")
}

fn now() -> std::time::Instant {
    here().clock.now()
}

#[test]
fn a_limit_that_is_not_reached_leaves_no_timer() {
    run(async {
        let value = timeout(seconds(5.0), async {
            sleep(1.0).await;
            7
        });
        assert_eq!(value.await, Ok(7));
        assert_eq!(here().clock.armed(), 0);
        assert_eq!(timeout(seconds(5.0), async { 8 }).await, Ok(8));
    });
}

#[test]
fn what_ends_the_work_before_its_time_is_no_timeout() {
    run(async {
        let failing = timeout(seconds(5.0), async {
            sleep(1.0).await;
            Err::<(), _>("its own")
        });
        assert_eq!(failing.await, Ok(Err("its own")));
        let cancelled = create_task(timeout(seconds(10.0), async {
            current().cancel();
            sleep(100.0).await;
        }));
        assert!(matches!(cancelled.await, Err(TaskError::Cancelled(_))));
        assert_eq!(here().time(), seconds(1.0));
        assert_eq!(here().clock.armed(), 0);
    });
}

#[test]
fn the_time_counts_from_the_first_poll() {
    run(async {
        let limited = timeout(seconds(2.0), sleep(1.0));
        sleep(5.0).await;
        limited.await.unwrap();
        assert_eq!(here().time(), seconds(6.0));
    });
}

#[test]
fn the_longest_duration_is_no_limit() {
    run(async {
        assert_eq!(timeout(Duration::MAX, sleep(1.0)).await, Ok(()));
        let huge = Duration::from_secs(u64::MAX);
        assert_eq!(timeout(huge, sleep(1.0)).await, Ok(()));
        assert!(
            CancelScope::with_timeout(Duration::MAX)
                .run(sleep(1.0))
                .await
                .is_ok()
        );
    });
}

#[test]
fn no_time_at_all_lets_an_unstarted_future_never_run() {
    run(async {
        let ran = Cell::new(false);
        let ended = timeout(Duration::ZERO, async { ran.set(true) }).await;
        assert_eq!(ended, Err(TimeoutError::new()));
        assert_eq!(
            move_on_after(Duration::ZERO, async { ran.set(true) }).await,
            None
        );
        assert!(!ran.get());
    });
}

#[test]
fn no_time_at_all_wakes_nobody_once_it_is_dropped() {
    struct Count(AtomicUsize);
    impl Wake for Count {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }
    run(async {
        let wakes = Arc::new(Count(AtomicUsize::new(0)));
        for (dropped, expected) in [(false, 1), (true, 1)] {
            let waker = Waker::from(wakes.clone());
            let mut limited = Box::pin(timeout(Duration::ZERO, std::future::pending::<()>()));
            let polled = limited.as_mut().poll(&mut Context::from_waker(&waker));
            assert!(polled.is_pending());
            if dropped {
                drop(limited);
            }
            for _ in 0..4 {
                yield_now().await;
            }
            assert_eq!(wakes.0.load(Ordering::Relaxed), expected);
        }
    });
}

#[test]
fn no_time_at_all_gives_the_result_of_a_finished_task() {
    run(async {
        let task = create_task(async { 7 });
        (&task).await.unwrap();
        assert_eq!(timeout(Duration::ZERO, &task).await.unwrap().unwrap(), &7);
        assert_eq!(timeout(Duration::ZERO, task).await.unwrap().unwrap(), 7);
    });
}

#[test]
fn no_time_at_all_cancels_an_unfinished_task_and_waits_for_it() {
    run(async {
        let cleaned = std::rc::Rc::new(Cell::new(false));
        let seen = cleaned.clone();
        let task = create_task(finally(sleep(100.0), async move || {
            sleep(1.0).await;
            seen.set(true);
        }));
        yield_now().await;
        let watched = task.any();
        timeout(Duration::ZERO, task).await.unwrap_err();
        assert!(cleaned.get() && watched.cancelled());
    });
}

#[test]
fn a_time_that_has_come_ends_the_work_at_its_first_wait() {
    run(async {
        sleep(5.0).await;
        let past = now() - seconds(1.0);
        let steps = Cell::new(0);
        let work = async {
            steps.set(1);
            yield_now().await;
            steps.set(2);
        };
        timeout_at(past, work).await.unwrap_err();
        assert_eq!(steps.get(), 1);
        assert_eq!(timeout_at(past, async { 7 }).await, Ok(7));
    });
}

#[test]
fn a_deadline_wins_over_completion_in_the_same_turn() {
    run(async {
        assert!(timeout(seconds(1.0), sleep(1.0)).await.is_err());
        let promise = here().scheduler.create_promise();
        let done = promise.clone();
        call_later(1.0, move || done.set_result(7).unwrap());
        let ended = timeout(seconds(1.0), promise).await;
        assert!(ended.is_err());
    });
}

#[test]
fn a_value_or_an_error_that_comes_all_the_same_is_the_result() {
    run(async {
        let value = timeout(seconds(1.0), async {
            catch_cancel(sleep(100.0)).await.unwrap_err();
            sleep(1.0).await;
            Err::<(), _>("its own")
        });
        assert_eq!(value.await, Ok(Err("its own")));
        assert_eq!(here().time(), seconds(2.0));
    });
}

#[test]
fn the_timeout_comes_after_the_clean_up() {
    run(async {
        let work = finally(sleep(100.0), async || sleep(3.0).await);
        assert_eq!(move_on_after(seconds(1.0), work).await, None);
        assert_eq!(here().time(), seconds(4.0));
    });
}

#[test]
fn a_timeout_reaches_the_tasks_that_the_work_owns() {
    run(async {
        let inner = create_task(finally(sleep(100.0), async || sleep(2.0).await));
        let watched = inner.any();
        timeout(seconds(1.0), inner).await.unwrap_err();
        assert!(watched.cancelled());
        assert_eq!(here().time(), seconds(3.0));
        let members = [1, 2].map(|_| create_task(sleep(100.0)));
        timeout(seconds(1.0), gather(members)).await.unwrap_err();
    });
}

#[test]
fn a_cancel_in_the_turn_of_the_expiry_stays_a_cancel() {
    run(async {
        for cancel_first in [true, false] {
            let task = create_task(async move { timeout(seconds(1.0), sleep(100.0)).await });
            let watched = task.any();
            let ask = move || {
                watched.cancel();
            };
            if cancel_first {
                // Armed before the task has armed its own.
                call_later(1.0, ask);
            } else {
                yield_now().await;
                call_later(1.0, ask);
            }
            let ended = task.await;
            assert!(matches!(ended, Err(TaskError::Cancelled(_))), "{ended:?}");
        }
    });
}

#[test]
fn a_cancel_during_the_clean_up_after_the_expiry_stays_a_cancel() {
    run(async {
        let work = finally(sleep(100.0), async || sleep(10.0).await);
        let task = create_task(async move { timeout(seconds(1.0), work).await });
        sleep(2.0).await;
        task.cancel();
        assert!(matches!(task.await, Err(TaskError::Cancelled(_))));
        assert_eq!(here().time(), seconds(2.0));
    });
}

#[test]
fn a_fresh_timeout_in_a_clean_up_works() {
    run(async {
        let task = create_task(async {
            let caught = catch_cancel(sleep(100.0)).await.unwrap_err();
            timeout(seconds(1.0), sleep(50.0)).await.unwrap_err();
            log!("recovered");
            caught.propagate().await
        });
        sleep(1.0).await;
        task.cancel();
        assert!(matches!(task.await, Err(TaskError::Cancelled(_))));
        assert_eq!(here().lines(), ["k+0 t=2.0 recovered"]);
    });
}

#[test]
fn of_two_deadlines_that_are_up_together_only_the_outer_one_reports() {
    run(async {
        let inner = Cell::new(None);
        let outer = timeout(seconds(2.0), async {
            inner.set(Some(timeout(seconds(2.0), sleep(100.0)).await));
        });
        assert!(outer.await.is_err());
        assert!(inner.take().is_none());
    });
}

#[test]
fn a_borrowed_future_is_left_half_run_and_can_be_finished() {
    run(async {
        let mut work = Box::pin(finally(sleep(5.0), async || sleep(1.0).await));
        timeout(seconds(2.0), &mut work).await.unwrap_err();
        // The request was taken by the finally, and ended with the timeout's scope.
        assert_eq!(here().time(), seconds(3.0));
    });
}

#[test]
fn the_deadline_that_counts_is_the_nearest_one_around() {
    run(async {
        assert_eq!(deadline(), None);
        let start = now();
        let work = async {
            assert_eq!(deadline(), Some(start + seconds(5.0)));
            let near = async {
                assert_eq!(deadline(), Some(start + seconds(2.0)));
                sleep(1.0).await;
                assert_eq!(deadline(), Some(start + seconds(2.0)));
            };
            timeout(seconds(2.0), near).await.unwrap();
            let far = async { assert_eq!(deadline(), Some(start + seconds(5.0))) };
            timeout(seconds(100.0), far).await.unwrap();
            let at = async { assert_eq!(deadline(), Some(start + seconds(3.0))) };
            timeout_at(start + seconds(3.0), at).await.unwrap();
            let own = create_task(async { deadline() });
            assert_eq!(own.await.unwrap(), None, "a task has its own");
        };
        timeout(seconds(5.0), work).await.unwrap();
        let scope = CancelScope::with_deadline(start + seconds(50.0));
        let work = async {
            assert_eq!(deadline(), Some(start + seconds(50.0)));
            scope.reschedule(None);
            yield_now().await;
            assert_eq!(deadline(), None);
        };
        scope.run(work).await.unwrap();
        assert_eq!(deadline(), None);
    });
}

#[test]
fn a_scope_is_ended_by_its_handle() {
    run(async {
        let scope = CancelScope::new();
        let handle = scope.clone();
        call_later(1.0, move || handle.cancel());
        let cleaned = Cell::new(false);
        let work = finally(sleep(100.0), async || {
            sleep(1.0).await;
            cleaned.set(true);
        });
        scope.run(work).await.unwrap_err();
        assert!(cleaned.get() && !scope.expired());
        assert_eq!(here().time(), seconds(2.0));
    });
}

#[test]
fn a_scope_that_is_cancelled_before_runs_nothing() {
    run(async {
        let scope = CancelScope::new();
        scope.cancel();
        let ran = Cell::new(false);
        scope.run(async { ran.set(true) }).await.unwrap_err();
        assert!(!ran.get());
    });
}

#[test]
fn one_scope_ends_all_that_runs_in_it() {
    run(async {
        let scope = CancelScope::new();
        let tasks = [1, 2].map(|_| {
            let scope = scope.clone();
            create_task(async move { scope.run(sleep(100.0)).await.is_err() })
        });
        sleep(1.0).await;
        scope.cancel();
        for task in tasks {
            assert!(task.await.unwrap());
        }
    });
}

#[test]
fn a_scope_is_not_ended_by_what_came_from_outside() {
    run(async {
        let task = create_task(async {
            let scope = CancelScope::with_timeout(seconds(10.0));
            let ended = scope.run(sleep(100.0)).await;
            log!("must not show: {ended:?}");
        });
        sleep(1.0).await;
        task.cancel();
        assert!(matches!(task.await, Err(TaskError::Cancelled(_))));
        assert!(here().lines().is_empty());
        assert_eq!(here().clock.armed(), 0);
    });
}

#[test]
fn a_deadline_can_be_moved_closer_away_and_off() {
    run(async {
        let scope = CancelScope::with_timeout(seconds(1.0));
        let handle = scope.clone();
        let start = now();
        call_later(0.5, move || handle.reschedule(Some(start + seconds(3.0))));
        scope.run(sleep(100.0)).await.unwrap_err();
        assert!(scope.expired());
        assert_eq!(here().time(), seconds(3.0));

        let scope = CancelScope::with_timeout(seconds(50.0));
        let handle = scope.clone();
        call_later(1.0, move || handle.reschedule(Some(start)));
        scope.run(sleep(100.0)).await.unwrap_err();
        assert_eq!(here().time(), seconds(4.0));

        let scope = CancelScope::with_timeout(seconds(1.0));
        scope.reschedule(None);
        scope.run(sleep(5.0)).await.unwrap();
        assert!(!scope.expired());
    });
}

#[test]
fn a_deadline_that_is_moved_in_the_turn_in_which_it_is_up_counts_as_moved() {
    run(async {
        let scope = CancelScope::with_timeout(seconds(1.0));
        let handle = scope.clone();
        let later = now() + seconds(5.0);
        // Armed first, so it rings first.
        call_later(1.0, move || handle.reschedule(Some(later)));
        scope.run(sleep(2.0)).await.unwrap();
        assert_eq!(here().time(), seconds(2.0));
    });
}

#[test]
fn after_its_grace_a_scope_drops_the_work_by_force_and_says_so() {
    run(async {
        let dropped = Cell::new(false);
        struct Flag<'a>(&'a Cell<bool>);
        impl Drop for Flag<'_> {
            fn drop(&mut self) {
                self.0.set(true);
            }
        }
        let scope = CancelScope::with_timeout(seconds(1.0)).grace(seconds(2.0));
        let work = async {
            let _flag = Flag(&dropped);
            loop {
                // It swallows whatever comes.
                let _ = catch_cancel(sleep(100.0)).await;
            }
        };
        let ended: Result<(), _> = scope.run(work).await;
        assert!(ended.is_err() && dropped.get());
        assert_eq!(here().time(), seconds(3.0));
        let reports = here().reports.take();
        assert_eq!(reports.len(), 1);
        assert!(reports[0].contains("by force"), "{reports:?}");
    });
}

#[test]
fn a_grace_that_is_not_needed_leaves_no_trace() {
    run(async {
        let scope = CancelScope::with_timeout(seconds(1.0)).grace(seconds(5.0));
        let work = finally(sleep(100.0), async || sleep(1.0).await);
        scope.run(work).await.unwrap_err();
        assert_eq!(here().time(), seconds(2.0));
        assert!(here().reports.borrow().is_empty());
        assert_eq!(here().clock.armed(), 0);
    });
}

#[test]
fn a_request_from_outside_that_force_finds_in_the_work_goes_on() {
    run(async {
        let task = create_task(async {
            let scope = CancelScope::with_timeout(seconds(1.0)).grace(seconds(1.0));
            let work = finally(sleep(100.0), async || sleep(50.0).await);
            let ended = scope.run(work).await;
            log!("must not show: {ended:?}");
        });
        sleep(0.5).await;
        task.cancel();
        let watched = task.any();
        task.await.unwrap_err();
        assert!(watched.cancelled());
        assert!(here().time() <= seconds(2.0));
        here().reports.take();
    });
}

#[test]
fn the_count_of_requests_is_balanced_when_a_scope_has_ended() {
    run(async {
        let me = current();
        timeout(seconds(1.0), async {
            catch_cancel(sleep(100.0)).await.unwrap_err();
            assert_eq!(current().cancelling(), 1);
        })
        .await
        .unwrap();
        assert_eq!(me.cancelling(), 0);
        let scope = CancelScope::new();
        let work = async {
            scope.cancel();
            scope.cancel();
            assert_eq!(current().cancelling(), 2);
        };
        scope.run(work).await.unwrap();
        assert_eq!(me.cancelling(), 0);
    });
}
