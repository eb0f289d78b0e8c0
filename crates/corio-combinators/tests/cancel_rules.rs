//! The rules of cancellation, one by one.

mod support;

use std::cell::{Cell, RefCell};
use std::future::{Future, pending, poll_fn};
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::task::Poll;

use corio_combinators::{CancelScope, catch_cancel, finally, timeout};
use corio_core::{AnyTask, Cancelled, OrPropagate, Task, TaskError};
use futures_lite::future::{or, poll_once, zip};
use support::{create_task, here, raise, run, seconds, sleep, yield_now};

fn current() -> AnyTask {
    here().scheduler.current_task().expect("a running task")
}

/// Calls a function when it is dropped.
struct OnDrop<F: FnMut()>(F);

impl<F: FnMut()> Drop for OnDrop<F> {
    fn drop(&mut self) {
        (self.0)();
    }
}

async fn is_cancelled<T: std::fmt::Debug>(task: Task<T>) {
    match task.await {
        Err(TaskError::Cancelled(_)) => {}
        other => panic!("not cancelled: {other:?}"),
    }
}

#[test]
fn cancel_of_a_task_that_is_done_is_false_and_changes_nothing() {
    run(async {
        let task = create_task(async { 7 });
        assert!(!task.done());
        (&task).await.unwrap();
        assert!(!task.cancel());
        assert_eq!(task.cancelling(), 0);
        assert_eq!(task.await.unwrap(), 7);
    });
}

#[test]
fn cancel_before_the_first_step_drops_what_the_body_captured() {
    run(async {
        let dropped = Rc::new(Cell::new(false));
        let seen = dropped.clone();
        let captured = OnDrop(move || seen.set(true));
        let task = create_task(async move {
            let _captured = captured;
            panic!("it ran");
        });
        assert!(task.cancel());
        assert_eq!(task.cancelling(), 1);
        assert!(!dropped.get());
        is_cancelled(task).await;
        assert!(dropped.get());
    });
}

#[test]
fn a_task_that_does_nothing_but_yield_is_cancelled_where_it_yields() {
    for zero_sleeps in [true, false] {
        run(async move {
            let steps = Rc::new(Cell::new(0));
            let seen = steps.clone();
            let task = create_task(async move {
                loop {
                    seen.set(seen.get() + 1);
                    if zero_sleeps {
                        sleep(0.0).await;
                    } else {
                        yield_now().await;
                    }
                }
            });
            yield_now().await;
            yield_now().await;
            task.cancel();
            let before = steps.get();
            assert!(before > 0);
            is_cancelled(task).await;
            assert_eq!(steps.get(), before);
        });
    }
}

#[test]
fn cancel_wins_and_the_item_goes_to_the_next_receiver() {
    run(async {
        let (sender, receiver) = async_channel::unbounded();
        let other = receiver.clone();
        let first = create_task(async move { receiver.recv().await });
        yield_now().await;
        sender.send("item").await.unwrap();
        first.cancel();
        is_cancelled(first).await;
        assert_eq!(other.try_recv(), Ok("item"));
    });
}

#[test]
fn uncancel_before_the_delivery_withdraws_the_request() {
    run(async {
        let promise = here().scheduler.create_promise();
        let waited = promise.clone();
        let task = create_task(async move { waited.await.unwrap() });
        yield_now().await;
        promise.set_result(42).unwrap();
        task.cancel();
        task.cancel();
        assert_eq!(task.uncancel(), 1);
        assert_eq!(task.uncancel(), 0);
        assert_eq!(task.await.unwrap(), 42);
    });
}

#[test]
fn uncancel_never_withdraws_the_request_of_a_deadline() {
    run(async {
        let started = current();
        let scope = CancelScope::new();
        let work = async {
            scope.cancel();
            assert_eq!(started.cancelling(), 1);
            assert_eq!(started.uncancel(), 0);
            sleep(100.0).await;
        };
        scope.run(work).await.unwrap_err();
        assert_eq!(here().time(), seconds(0.0));
        assert_eq!(started.cancelling(), 0);
    });
}

#[test]
fn uncancel_does_not_withdraw_what_was_passed_on_to_another_task() {
    run(async {
        let inner = create_task(sleep(100.0));
        let watched = inner.any();
        let outer = create_task(async move { inner.await });
        yield_now().await;
        outer.cancel();
        outer.uncancel();
        is_cancelled(outer).await;
        assert!(watched.cancelled());
    });
}

#[test]
fn a_task_that_cancels_itself_and_returns_loses_value_and_error_but_not_a_panic() {
    run(async {
        let value = create_task(async {
            current().cancel();
            Ok::<_, ()>(1)
        });
        is_cancelled(value).await;
        let error = create_task(async {
            current().cancel();
            Err::<(), _>("error")
        });
        is_cancelled(error).await;
        let panicking = create_task(async {
            current().cancel();
            raise("panic");
        });
        assert!(matches!(panicking.await, Err(TaskError::Panicked(_))));
    });
}

#[test]
fn a_scope_that_its_own_body_cancels_without_waiting_ends_with_the_value() {
    run(async {
        let scope = CancelScope::new();
        let value = scope
            .run(async {
                scope.cancel();
                7
            })
            .await;
        assert_eq!(value.unwrap(), 7);
        assert!(!scope.expired());
        assert_eq!(current().cancelling(), 0);
    });
}

#[test]
fn cancel_inside_the_destructors_of_a_cancelled_task_counts_and_does_nothing() {
    run(async {
        let asked = Rc::new(Cell::new(false));
        let seen = asked.clone();
        let task = create_task(async move {
            let me = current();
            let _guard = OnDrop(move || seen.set(me.cancel()));
            sleep(100.0).await;
        });
        yield_now().await;
        task.cancel();
        let watched = task.any();
        is_cancelled(task).await;
        assert!(asked.get());
        assert_eq!(watched.cancelling(), 2);
    });
}

#[test]
fn a_destructor_inside_a_catcher_that_cancels_its_task_makes_a_new_request() {
    run(async {
        let task = create_task(async {
            let me = current();
            let caught = catch_cancel(async move {
                let _guard = OnDrop(|| assert!(me.cancel()));
                sleep(100.0).await;
            });
            caught.await.unwrap_err();
            log!("caught");
            yield_now().await;
            log!("must not show");
        });
        yield_now().await;
        task.cancel();
        is_cancelled(task).await;
        assert_eq!(here().lines(), ["k+0 t=0.0 caught"]);
    });
}

#[test]
fn a_wait_by_reference_does_not_cancel_the_task() {
    run(async {
        let inner = Rc::new(create_task(async {
            sleep(1.0).await;
            7
        }));
        let watched = inner.clone();
        let outer = create_task(async move { (&*watched).await.cloned() });
        yield_now().await;
        outer.cancel();
        is_cancelled(outer).await;
        assert_eq!((&*inner).await.unwrap(), &7);
        assert_eq!(inner.cancelling(), 0);
    });
}

#[test]
fn a_ring_of_owned_waits_is_gone_through_once_and_ends() {
    run(async {
        type Place = Rc<RefCell<Option<Task<()>>>>;
        let places: Vec<Place> = (0..3).map(|_| Place::default()).collect();
        let tasks: Vec<AnyTask> = (0..3)
            .map(|index: usize| {
                let next = places[(index + 1) % 3].clone();
                let task = create_task(async move {
                    let next = next.borrow_mut().take().expect("a task");
                    next.await.unwrap();
                });
                let any = task.any();
                *places[index].borrow_mut() = Some(task);
                any
            })
            .collect();
        yield_now().await;
        tasks[0].cancel();
        for task in &tasks {
            let _ = task.clone().await;
            assert!(task.cancelled());
            assert_eq!(task.cancelling(), 1);
        }
    });
}

#[test]
fn a_task_that_awaits_itself_panics() {
    run(async {
        let place: Rc<RefCell<Option<Task<()>>>> = Rc::default();
        let mine = place.clone();
        let task = create_task(async move {
            let me = mine.borrow_mut().take().expect("myself");
            me.await.unwrap();
        });
        let any = task.any();
        *place.borrow_mut() = Some(task);
        match any.clone().await {
            Err(TaskError::Panicked(panic)) => {
                assert!(panic.message().contains("cannot await itself"));
            }
            other => panic!("{other:?}"),
        }
    });
}

#[test]
fn a_request_goes_through_twenty_thousand_waits() {
    run(async {
        let mut task = create_task(sleep(1000.0));
        for _ in 0..20_000 {
            let inner = task;
            task = create_task(async move { inner.await.unwrap() });
        }
        yield_now().await;
        task.cancel();
        is_cancelled(task).await;
        assert_eq!(here().time(), seconds(0.0));
    });
}

#[test]
fn the_outcome_of_a_task_that_was_asked_and_ended_well_is_the_outcome_of_its_wait() {
    run(async {
        let stubborn = create_task(async {
            catch_cancel(sleep(100.0)).await.unwrap_err();
            "done all the same"
        });
        let outer = create_task(async move { stubborn.await.unwrap() });
        yield_now().await;
        outer.cancel();
        assert_eq!(outer.await.unwrap(), "done all the same");
        let panicking = create_task(async {
            catch_cancel(sleep(100.0)).await.unwrap_err();
            raise("in the clean-up");
        });
        let outer = create_task(async move { panicking.await.map_err(|error| error.to_string()) });
        yield_now().await;
        outer.cancel();
        let error = outer.await.unwrap().unwrap_err();
        assert!(error.contains("in the clean-up"), "{error}");
    });
}

#[test]
fn a_first_request_lets_the_clean_up_after_a_value_end_and_then_goes_on() {
    run(async {
        let task = create_task(async {
            let value = finally(async { "value" }, async || {
                // Not even a catcher inside of the clean-up hears of it.
                catch_cancel(sleep(2.0)).await.unwrap();
                log!("cleaned up");
            });
            let value = value.await;
            log!("must not show: {value}");
        });
        sleep(1.0).await;
        task.cancel();
        is_cancelled(task).await;
        assert_eq!(here().lines(), ["k+0 t=2.0 cleaned up"]);
    });
}

#[test]
fn a_second_request_interrupts_the_clean_up_after_a_value_too() {
    run(async {
        let task = create_task(finally(async {}, async || sleep(10.0).await));
        sleep(1.0).await;
        task.cancel();
        sleep(1.0).await;
        task.cancel();
        is_cancelled(task).await;
        assert_eq!(here().time(), seconds(2.0));
    });
}

#[test]
fn the_clean_up_runs_after_a_value_and_after_an_error() {
    run(async {
        let cleaned = Cell::new(0);
        let cleanup = async || cleaned.set(cleaned.get() + 1);
        assert_eq!(finally(async { 1 }, cleanup).await, 1);
        let failed = finally(async { Err::<(), _>("error") }, cleanup).await;
        assert_eq!(failed, Err("error"));
        assert_eq!(cleaned.get(), 2);
    });
}

#[test]
fn a_request_that_is_propagated_by_a_clean_up_interrupts_it() {
    run(async {
        let task = create_task(async {
            let caught = catch_cancel(sleep(100.0)).await.unwrap_err();
            finally(async {}, async move || {
                caught.propagate().await;
            })
            .await;
            log!("must not show");
        });
        yield_now().await;
        task.cancel();
        is_cancelled(task).await;
        assert!(here().lines().is_empty());
    });
}

#[test]
fn a_catcher_that_was_put_aside_is_passed_over() {
    run(async {
        let task = create_task(async {
            let mut aside = pin!(catch_cancel(sleep(100.0)));
            assert!(poll_once(aside.as_mut()).await.is_none());
            sleep(100.0).await;
        });
        sleep(1.0).await;
        task.cancel();
        is_cancelled(task).await;
        assert_eq!(here().time(), seconds(1.0));
    });
}

#[test]
fn a_catcher_that_was_leaked_is_passed_over() {
    run(async {
        let task = create_task(async {
            let mut leaked = Box::pin(catch_cancel(pending::<()>()));
            assert!(poll_once(&mut leaked).await.is_none());
            support::leak(leaked);
            // Woken all the time, which puts the judgement off for a while only.
            loop {
                yield_now().await;
            }
        });
        yield_now().await;
        yield_now().await;
        let before = corio_core::cancel::nodes_alive();
        task.cancel();
        is_cancelled(task).await;
        // The leaked node is all that is left.
        assert_eq!(before, corio_core::cancel::nodes_alive() + 1);
        here().forgive_nodes(1);
    });
}

#[test]
fn a_target_that_is_dropped_with_the_request_on_its_way_hands_it_on() {
    run(async {
        let task = create_task(async {
            let mut inner = Some(Box::pin(catch_cancel(sleep(100.0))));
            let me = current();
            poll_fn(|cx| {
                let pending = inner.as_mut().unwrap().as_mut().poll(cx).is_pending();
                assert!(pending);
                Poll::Ready(())
            })
            .await;
            create_task(async move { me.cancel() });
            yield_now().await; // the request is made, and finds the catcher
            inner = None;
            drop(inner);
            sleep(100.0).await;
        });
        sleep(1.0).await;
        is_cancelled(task).await;
        assert_eq!(here().time(), seconds(1.0));
    });
}

#[test]
fn a_branch_without_a_node_is_told_when_the_request_comes_up() {
    run(async {
        let task = create_task(async {
            let beside = async {
                let _told = OnDrop(|| log!("beside is told"));
                sleep(100.0).await;
            };
            let cleaning = async {
                let caught = catch_cancel(sleep(100.0)).await;
                log!("caught");
                sleep(1.0).await;
                caught.or_propagate().await
            };
            zip(beside, cleaning).await;
        });
        sleep(1.0).await;
        task.cancel();
        is_cancelled(task).await;
        assert_eq!(
            here().lines(),
            ["k+0 t=1.0 caught", "k+2 t=2.0 beside is told"]
        );
    });
}

#[test]
fn a_request_that_comes_up_waits_for_the_branches_still_at_work_on_it() {
    run(async {
        let task = create_task(async {
            let quick = finally(sleep(100.0), async || sleep(1.0).await);
            let slow = finally(sleep(100.0), async || {
                sleep(3.0).await;
                log!("slow has cleaned up");
            });
            zip(quick, slow).await;
        });
        sleep(1.0).await;
        task.cancel();
        is_cancelled(task).await;
        assert_eq!(here().lines(), ["k+0 t=4.0 slow has cleaned up"]);
    });
}

#[test]
fn a_branch_at_work_that_was_put_aside_is_not_waited_for() {
    run(async {
        let task = create_task(async {
            let mut aside = Box::pin(finally(sleep(100.0), async || sleep(50.0).await));
            let mut beside = Box::pin(finally(sleep(100.0), async || sleep(1.0).await));
            let mut polls = 0;
            poll_fn(|cx| {
                polls += 1;
                // Both take the request in the second poll; after that only one is polled.
                if polls <= 2 {
                    assert!(aside.as_mut().poll(cx).is_pending());
                }
                beside.as_mut().poll(cx)
            })
            .await;
        });
        sleep(1.0).await;
        task.cancel();
        is_cancelled(task).await;
        assert_eq!(here().time(), seconds(2.0));
    });
}

#[test]
fn a_second_request_does_not_wait_for_the_branches_at_work() {
    run(async {
        let task = create_task(async {
            let one = finally(sleep(100.0), async || sleep(50.0).await);
            let two = finally(sleep(100.0), async || sleep(50.0).await);
            zip(one, two).await;
        });
        sleep(1.0).await;
        task.cancel();
        sleep(1.0).await;
        task.cancel();
        is_cancelled(task).await;
        assert_eq!(here().time(), seconds(2.0));
    });
}

#[test]
fn a_cancelled_that_a_catcher_further_out_drops_was_not_swallowed() {
    run(async {
        let task = create_task(async {
            let inner = timeout(seconds(5.0), async {
                let caught = catch_cancel(sleep(100.0)).await;
                sleep(100.0).await; // cut short by the deadline, with the request in hand
                drop(caught);
            });
            let ended = inner.await;
            log!("must not show: {ended:?}");
        });
        sleep(1.0).await;
        task.cancel();
        is_cancelled(task).await;
        assert_eq!(here().time(), seconds(5.0));
        assert!(here().lines().is_empty());
    });
}

#[test]
fn propagating_a_request_from_elsewhere_asks_the_current_task() {
    run(async {
        let other = create_task(sleep(100.0));
        other.cancel_with("reason");
        let cancelled = match other.await {
            Err(TaskError::Cancelled(cancelled)) => cancelled,
            other => panic!("{other:?}"),
        };
        let task = create_task(async move {
            catch_cancel(async { cancelled.propagate().await })
                .await
                .map(drop)
        });
        let caught = task.await.unwrap().unwrap_err();
        assert_eq!(caught.reason(), Some("reason"));
    });
}

#[test]
#[should_panic(expected = "would wait for ever")]
fn propagate_outside_of_any_task_and_catcher_panics() {
    let cancelled = Cancelled::because("test");
    futures_lite::future::block_on(cancelled.propagate());
}

#[test]
fn the_reason_and_the_asker_are_those_of_the_first_request() {
    run(async {
        let task = create_task(sleep(100.0));
        yield_now().await;
        current().set_name("asker");
        task.cancel_with("first");
        task.cancel_with("second");
        match task.await {
            Err(TaskError::Cancelled(cancelled)) => {
                assert_eq!(cancelled.reason(), Some("first"));
                assert_eq!(cancelled.asked_by(), Some("asker"));
            }
            other => panic!("{other:?}"),
        }
    });
}

#[test]
fn an_owned_wait_that_foreign_code_drops_asks_its_task_once() {
    run(async {
        let cleaned = Rc::new(Cell::new(false));
        let seen = cleaned.clone();
        let task = create_task(finally(sleep(100.0), async move || {
            sleep(1.0).await;
            seen.set(true);
        }));
        let watched = task.any();
        or(async { drop(task.await) }, yield_now()).await;
        assert_eq!(watched.cancelling(), 1);
        assert!(!cleaned.get(), "nobody waits");
        sleep(2.0).await;
        assert!(cleaned.get() && watched.cancelled());
    });
}

#[test]
fn foreign_code_that_drops_a_finally_skips_its_clean_up() {
    run(async {
        let cleaned = Cell::new(false);
        let work = finally(sleep(100.0), async || cleaned.set(true));
        or(work, async { yield_now().await }).await;
        assert!(!cleaned.get());
    });
}

#[test]
fn a_future_that_ignores_everything_is_cancelled_all_the_same() {
    /// Never ready, never woken, and it wakes nobody.
    struct Deaf;

    impl Future for Deaf {
        type Output = ();

        fn poll(self: Pin<&mut Self>, _: &mut std::task::Context<'_>) -> Poll<()> {
            Poll::Pending
        }
    }

    run(async {
        let cleaned = Rc::new(Cell::new(false));
        let seen = cleaned.clone();
        let task = create_task(finally(Deaf, async move || seen.set(true)));
        sleep(1.0).await;
        task.cancel();
        is_cancelled(task).await;
        assert!(cleaned.get());
        timeout(seconds(1.0), Deaf).await.unwrap_err();
    });
}

#[test]
fn a_listener_inside_of_a_cancelled_task_passes_its_notification_on() {
    run(async {
        let event = Rc::new(event_listener::Event::new());
        let wait = |event: Rc<event_listener::Event>| async move { event.listen().await };
        let first = create_task(wait(event.clone()));
        let second = create_task(wait(event.clone()));
        yield_now().await;
        event.notify(1);
        first.cancel();
        is_cancelled(first).await;
        second.await.unwrap();
    });
}

#[test]
fn a_future_may_move_between_tasks_with_its_catcher() {
    type Moving = Pin<Box<dyn Future<Output = bool>>>;

    run(async {
        let place: Rc<RefCell<Option<Moving>>> = Rc::default();
        let mut moving: Moving = Box::pin(async { catch_cancel(sleep(100.0)).await.is_err() });
        let left = place.clone();
        let first = create_task(async move {
            assert!(poll_once(&mut moving).await.is_none());
            *left.borrow_mut() = Some(moving);
            sleep(100.0).await;
        });
        yield_now().await;
        let second = create_task(async move {
            let moved = place.borrow_mut().take().expect("the future");
            moved.await
        });
        yield_now().await;
        yield_now().await;
        first.cancel();
        is_cancelled(first).await;
        assert!(!second.done(), "the catcher is no more in the first task");
        second.cancel();
        assert!(second.await.unwrap());
    });
}

#[test]
fn edge_triggered_a_swallowed_deadline_is_gone() {
    run(async {
        let value = timeout(seconds(1.0), async {
            catch_cancel(sleep(100.0)).await.unwrap_err();
            sleep(5.0).await;
            "late"
        });
        assert_eq!(value.await.unwrap(), "late");
        assert_eq!(here().time(), seconds(6.0));
    });
}

/// With a look at all that had been asked before, each of these would take longer than the one before it.
#[test]
fn any_number_of_requests_before_one_step_are_one_delivery() {
    run(async {
        let caught = create_task(async {
            let first = catch_cancel(sleep(1.0)).await.is_err();
            let second = catch_cancel(sleep(1.0)).await.is_err();
            (first, second)
        });
        yield_now().await;
        for _ in 0..200_000 {
            assert!(caught.cancel());
        }
        assert_eq!(caught.await.unwrap(), (true, false));
    });
}
