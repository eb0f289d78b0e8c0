//! What a cancellation does to a gather and its members.

mod support;

use std::cell::{Cell, RefCell};
use std::future::pending;
use std::rc::Rc;
use std::task::Poll;

use corio_combinators::gather;
use corio_core::{AnyTask, Promise, Task, TaskError};
use support::{
    both, catching, cleaning, create_task, here, poll_once, raise, run, sleep, yield_now,
};

/// A task that cleans up for a while when it is cancelled.
fn slow_to_end(cleanup: f64) -> Task<()> {
    create_task(async move {
        if let Err(cancelled) = catching(pending::<()>()).await {
            sleep(cleanup).await;
            cancelled.propagate().await
        }
    })
}

/// A task that takes no notice of the first request.
fn stubborn() -> Task<u32> {
    create_task(async {
        catching(pending::<()>()).await.unwrap_err();
        sleep(1.0).await;
        5
    })
}

fn time() -> f64 {
    thread_local!(static START: Cell<Option<std::time::Instant>> = const { Cell::new(None) });
    let now = here().clock.now();
    let start = START.get().unwrap_or(now);
    START.set(Some(start));
    (now - start).as_secs_f64()
}

#[test]
fn the_members_and_what_they_wait_for_are_cancelled() {
    // C050
    run(async {
        let leaf: Task<()> = create_task(pending());
        let (watched, leaf) = (leaf.any(), leaf);
        let tasks = [
            create_task(async move { drop(leaf.await) }),
            create_task(pending()),
        ];
        let members = [tasks[0].any(), tasks[1].any()];
        let outer = create_task(async { gather(tasks).await });
        yield_now().await;
        yield_now().await;
        assert!(outer.cancel());
        (&outer).await.unwrap_err();
        assert!(outer.cancelled() && watched.cancelled());
        assert!(members.iter().all(AnyTask::cancelled));
    });
}

#[test]
fn a_cancelled_gather_goes_on_when_the_last_member_has_cleaned_up() {
    run(async {
        time();
        let tasks = [slow_to_end(1.0), slow_to_end(3.0), slow_to_end(2.0)];
        let outer = create_task(async { gather(tasks).await });
        yield_now().await;
        yield_now().await;
        outer.cancel();
        sleep(2.5).await;
        assert!(!outer.done(), "one member is still cleaning up");
        (&outer).await.unwrap_err();
        assert_eq!(time(), 3.0);
        assert!(outer.cancelled());
    });
}

#[test]
fn a_second_request_interrupts_the_clean_up_of_the_members() {
    run(async {
        time();
        let outer = create_task(async { gather([slow_to_end(9.0), slow_to_end(9.0)]).await });
        yield_now().await;
        yield_now().await;
        outer.cancel();
        sleep(1.0).await;
        assert!(outer.cancel());
        (&outer).await.unwrap_err();
        assert_eq!(time(), 1.0);
        assert_eq!(outer.cancelling(), 2);
    });
}

#[test]
fn a_second_request_reaches_the_others_also_between_the_first_end_and_its_turn() {
    run(async {
        time();
        let tasks = [slow_to_end(0.0), slow_to_end(9.0)];
        let slow = tasks[1].any();
        let outer = create_task(async { gather(tasks).await });
        yield_now().await;
        yield_now().await;
        outer.cancel();
        for _ in 0..4 {
            yield_now().await;
            sleep(0.0).await;
            assert!(outer.cancel() || outer.done());
            if outer.done() {
                break;
            }
        }
        (&outer).await.unwrap_err();
        assert!(outer.cancelled() && slow.cancelled());
        assert_eq!(time(), 0.0);
    });
}

#[test]
fn a_cancelled_gather_goes_up_even_if_its_members_took_no_notice() {
    run(async {
        let tasks = [stubborn(), stubborn()];
        let members = [tasks[0].any(), tasks[1].any()];
        let outer = create_task(async { gather(tasks).await });
        yield_now().await;
        yield_now().await;
        outer.cancel();
        (&outer).await.unwrap_err();
        assert!(outer.cancelled());
        assert!(members.iter().all(|task| task.done() && !task.cancelled()));
    });
}

#[test]
fn return_exceptions_does_not_turn_a_cancellation_into_a_list() {
    // R076
    run(async {
        let outer = create_task(async {
            gather([pending::<()>(), pending()])
                .return_exceptions()
                .await
                .len()
        });
        yield_now().await;
        outer.cancel();
        let result = outer.await;
        assert!(matches!(result, Err(TaskError::Cancelled(_))), "{result:?}");
    });
}

#[test]
fn a_request_goes_to_the_catcher_around_the_gather() {
    run(async {
        let members: Rc<Cell<Vec<AnyTask>>> = Rc::default();
        let made = members.clone();
        let outer = create_task(async move {
            let tasks = [slow_to_end(1.0), slow_to_end(2.0)];
            made.set(tasks.iter().map(Task::any).collect());
            let caught = catching(gather(tasks)).await.unwrap_err();
            caught.reason().map(str::to_owned)
        });
        yield_now().await;
        yield_now().await;
        outer.cancel_with("enough");
        assert_eq!(outer.await.unwrap().as_deref(), Some("enough"));
        assert!(members.take().iter().all(AnyTask::cancelled));
    });
}

#[test]
fn a_request_that_comes_after_the_members_have_ended_wins_over_their_values() {
    run(async {
        let outer = create_task(async { gather([async { 1 }]).await });
        yield_now().await; // outer makes the member
        yield_now().await; // the member ends
        assert!(!outer.done());
        outer.cancel();
        (&outer).await.unwrap_err();
        assert!(outer.cancelled());
    });
}

#[test]
fn a_request_that_comes_after_a_failure_was_told_leaves_the_others_running() {
    run(async {
        let other = slow_to_end(1.0);
        let watched = other.any();
        let failing = create_task(async {
            yield_now().await;
            raise("failure")
        });
        let outer = create_task(async { gather([other, failing]).await });
        // The beginning of all, the failure, the telling; the waiter would have its step next.
        for _ in 0..3 {
            yield_now().await;
            assert!(!outer.done());
        }
        outer.cancel();
        (&outer).await.unwrap_err();
        assert!(outer.cancelled());
        assert_eq!(watched.cancelling(), 0, "it is nobody's any more");
        watched.cancel();
    });
}

#[test]
fn a_request_between_a_failure_and_its_turn_reaches_the_others_and_goes_up() {
    run(async {
        time();
        let other = slow_to_end(2.0);
        let watched = other.any();
        let failing = create_task(async {
            yield_now().await;
            raise("failure")
        });
        let outer = create_task(async { gather([other, failing]).await });
        yield_now().await; // all have begun
        let current = outer.any();
        create_task(async move { current.cancel() }); // runs right behind the failure
        (&outer).await.unwrap_err();
        assert!(outer.cancelled() && watched.cancelled());
        assert_eq!(time(), 2.0, "the gather has waited for the clean-up");
    });
    let reports = here().reports.borrow().clone();
    assert_eq!(reports.len(), 1, "nobody has seen the failure: {reports:?}");
}

#[test]
fn references_are_never_cancelled() {
    run(async {
        let tasks = Rc::new([create_task(sleep(1.0)), create_task(sleep(2.0))]);
        let shared = tasks.clone();
        let outer = create_task(async move { gather(&*shared).await.map(|_| ()) });
        yield_now().await;
        outer.cancel();
        (&outer).await.unwrap_err();
        assert!(
            tasks
                .iter()
                .all(|task| task.cancelling() == 0 && !task.done())
        );
        gather(&*tasks).await.unwrap();
    });
}

#[test]
fn of_a_mixed_gather_only_what_is_owned_is_cancelled_and_waited_for() {
    run(async {
        time();
        let shared = Rc::new(create_task(sleep(9.0)));
        let watched = shared.clone();
        let owned = slow_to_end(2.0);
        let outer = create_task(async move { gather!(&*watched, owned).await.map(|_| ()) });
        yield_now().await;
        yield_now().await;
        outer.cancel();
        (&outer).await.unwrap_err();
        assert_eq!(time(), 2.0);
        assert!(!shared.done() && shared.cancelling() == 0);
        shared.cancel();
    });
}

#[test]
fn cancel_asks_every_member_and_the_wait_ends_when_all_have_ended() {
    run(async {
        time();
        let (owned, shared) = (slow_to_end(1.0), slow_to_end(2.0));
        yield_now().await;
        let gathered = gather!(owned, &shared);
        assert!(gathered.cancel());
        let result = gathered.await;
        assert!(matches!(result, Err(TaskError::Cancelled(_))), "{result:?}");
        assert!(shared.cancelled());
        assert_eq!(time(), 2.0);
        let current = here().scheduler.current_task().unwrap();
        assert_eq!(current.cancelling(), 0, "the waiter was not asked");
    });
}

#[test]
fn cancel_with_return_exceptions_says_of_each_how_it_ended() {
    run(async {
        let tasks = [stubborn(), create_task(pending())];
        yield_now().await;
        let gathered = gather(tasks).return_exceptions();
        assert!(gathered.cancel());
        let results = gathered.await;
        assert!(matches!(results[0], Ok(5)));
        assert!(matches!(results[1], Err(TaskError::Cancelled(_))));
    });
}

#[test]
fn cancel_is_false_when_nothing_is_left_to_cancel() {
    run(async {
        let done = create_task(async {});
        yield_now().await;
        let mut finished = gather([&done]);
        assert!(!finished.cancel());
        (&mut finished).await.unwrap();
        assert!(!finished.cancel());
        let nothing: [Task<()>; 0] = [];
        assert!(!gather(nothing).cancel());
    });
}

#[test]
fn cancel_before_a_loop_runs_means_that_no_body_runs() {
    let ran = Rc::new(Cell::new(false));
    let set = ran.clone();
    let gathered = gather([async move { set.set(true) }]);
    assert!(gathered.cancel());
    let result = run(gathered);
    assert!(matches!(result, Err(TaskError::Cancelled(_))));
    assert!(!ran.get());
}

#[test]
fn a_gather_that_has_passed_its_request_on_stays_pending_beside_a_branch_that_cleans_up() {
    run(async {
        time();
        let went_on = Rc::new(Cell::new(false));
        let flag = went_on.clone();
        let outer = create_task(async move {
            let branch = async {
                gather([pending::<()>()]).await.ok();
                flag.set(true);
            };
            // Sleeping twice polls the other branch again after its request has gone up.
            let cleanup = async {
                sleep(1.0).await;
                sleep(1.0).await;
            };
            both(branch, cleaning(pending(), cleanup)).await;
        });
        yield_now().await;
        outer.cancel();
        (&outer).await.unwrap_err();
        assert!(outer.cancelled());
        assert!(!went_on.get(), "the code behind the gather ran");
        assert_eq!(time(), 2.0, "the clean-up was waited for");
    });
}

#[test]
fn a_promise_behind_the_members_is_left_alone() {
    run(async {
        let promise: Promise<u32> = here().scheduler.create_promise();
        let waiting = promise.clone();
        let outer = create_task(async { gather([async { waiting.await.ok() }]).await });
        yield_now().await;
        yield_now().await;
        outer.cancel();
        (&outer).await.unwrap_err();
        assert!(!promise.done() && promise.set_result(1).is_ok());
    });
}

#[test]
fn a_spurious_poll_changes_nothing() {
    run(async {
        let mut gathered = gather([sleep(1.0), sleep(2.0)]);
        for _ in 0..5 {
            assert!(matches!(poll_once(&mut gathered).await, Poll::Pending));
            yield_now().await;
        }
        gathered.await.unwrap();
    });
}

/// What ends in the turn in which an earlier end is told is told in the next one.
#[test]
fn a_cancelled_gather_tells_an_end_one_turn_after_it() {
    run(async {
        let order = Rc::new(RefCell::new(Vec::new()));
        let noted = order.clone();
        let gathering = create_task(async move {
            let sleeping = create_task(sleep(50.0));
            let me = here().scheduler.current_task().unwrap();
            // The canceller is a member, so it ends a turn before the sleeper does.
            let canceller = create_task(async move { assert!(me.cancel()) });
            let all = async { drop(gather([sleeping, canceller]).await) };
            let cancelled = catching(all).await.unwrap_err();
            noted.borrow_mut().push("gather");
            cancelled.propagate().await
        });
        let noted = order.clone();
        let waiting = create_task(async move {
            create_task(yield_now()).await.unwrap();
            noted.borrow_mut().push("task");
        });
        assert!(gathering.await.is_err());
        waiting.await.unwrap();
        assert_eq!(*order.borrow(), ["task", "gather"]);
    });
}
