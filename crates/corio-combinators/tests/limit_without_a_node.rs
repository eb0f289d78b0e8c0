//! A time limit that is all there is in its task waits without a node of the cancellation tree. Whatever comes meanwhile finds it
//! all the same.

mod support;

use std::cell::{Cell, RefCell};
use std::future::{Future, pending, poll_fn};
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::thread;

use corio_combinators::{
    Timeout, TimeoutError, catch_cancel, deadline, finally, move_on_after, timeout,
};
use corio_core::cancel::nodes_alive;
use corio_core::{AnyTask, Task, TaskError};
use support::{
    Dropped, TestLoop, both, call_later, create_task, here, leak, poll_once, run, seconds, sleep,
    yield_now,
};

fn current() -> AnyTask {
    here().scheduler.current_task().expect("a running task")
}

async fn is_cancelled<T: std::fmt::Debug>(task: Task<T>) {
    match task.await {
        Err(TaskError::Cancelled(_)) => {}
        other => panic!("not cancelled: {other:?}"),
    }
}

/// A task that has come to its first wait, which took no node.
async fn waiting<F: Future<Output: 'static> + 'static>(work: F) -> Task<F::Output> {
    let task = create_task(work);
    yield_now().await;
    assert_eq!(nodes_alive(), 0, "it waits without a node");
    task
}

/// A waker of somebody else that passes everything on, as a select makes one.
struct Passing(Waker);

impl Wake for Passing {
    fn wake(self: Arc<Self>) {
        self.0.wake_by_ref();
    }
}

fn passing(cx: &Context<'_>) -> Waker {
    Arc::new(Passing(cx.waker().clone())).into()
}

#[test]
fn its_time_ends_the_work_and_waits_for_the_clean_up() {
    run(async {
        let work = async { timeout(seconds(2.0), sleep(100.0)).await };
        let task = waiting(work).await;
        assert_eq!(task.await.unwrap(), Err(TimeoutError::new()));
        assert_eq!(here().time(), seconds(2.0));
        // The clean-up needs a node, and joins in a later poll.
        let work = async {
            yield_now().await;
            finally(sleep(100.0), async || sleep(3.0).await).await;
        };
        let task = waiting(async { move_on_after(seconds(2.0), work).await }).await;
        assert_eq!(task.await.unwrap(), None);
        assert_eq!(here().time(), seconds(7.0));
    });
}

#[test]
fn a_request_from_outside_stays_one_and_takes_the_timer_back() {
    run(async {
        let dropped = Dropped::default();
        let guard = dropped.guard();
        let work = async move {
            let _guard = guard;
            timeout(seconds(2.0), sleep(100.0)).await
        };
        let task = waiting(work).await;
        task.cancel();
        is_cancelled(task).await;
        assert_eq!(dropped.count(), 1);
        assert_eq!((here().clock.armed(), nodes_alive()), (0, 0));
        // In the turn of the expiry too, whichever comes first.
        for cancel_first in [true, false] {
            let place: Rc<RefCell<Option<AnyTask>>> = Rc::default();
            let asked = place.clone();
            let ask = move || asked.borrow().as_ref().map(AnyTask::cancel);
            if cancel_first {
                call_later(1.0, ask.clone());
            }
            let task = waiting(async { timeout(seconds(1.0), sleep(100.0)).await }).await;
            *place.borrow_mut() = Some(task.any());
            if !cancel_first {
                call_later(1.0, ask);
            }
            is_cancelled(task).await;
        }
    });
}

#[test]
fn its_time_still_comes_after_a_request_that_was_withdrawn() {
    run(async {
        let task = waiting(async { timeout(seconds(2.0), sleep(2.0)).await }).await;
        task.cancel();
        assert_eq!(task.uncancel(), 0);
        assert_eq!(task.await.unwrap(), Err(TimeoutError::new()));
        assert_eq!(here().time(), seconds(2.0));
    });
}

#[test]
fn a_catcher_that_joins_in_a_later_poll_stands_inside_of_it() {
    run(async {
        let work = async {
            yield_now().await;
            let caught = catch_cancel(sleep(100.0)).await.unwrap_err();
            assert_eq!(here().time(), seconds(2.0));
            sleep(1.0).await;
            drop(caught);
            7
        };
        let task = waiting(async { timeout(seconds(2.0), work).await }).await;
        assert_eq!(task.await.unwrap(), Ok(7));
        assert_eq!(here().time(), seconds(3.0));
    });
}

#[test]
fn what_joins_comes_and_goes_while_the_limit_stays() {
    run(async {
        let work = async {
            for _ in 0..3 {
                yield_now().await;
                catch_cancel(sleep(0.25)).await.unwrap();
                timeout(seconds(5.0), sleep(0.25)).await.unwrap();
            }
            sleep(100.0).await;
        };
        let task = waiting(async { timeout(seconds(2.0), work).await }).await;
        assert!(task.await.unwrap().is_err());
        assert_eq!(here().time(), seconds(2.0));
    });
}

#[test]
fn of_two_beside_each_other_each_ends_at_its_time_and_wins_over_the_work() {
    run(async {
        let equal = both(
            timeout(seconds(1.0), sleep(1.0)),
            timeout(seconds(1.0), sleep(1.0)),
        );
        let (one, two) = equal.await;
        assert!(one.is_err() && two.is_err(), "{one:?} {two:?}");
        let first = async {
            let ended = timeout(seconds(1.0), sleep(100.0)).await;
            (ended, here().time())
        };
        let second = async {
            let ended = timeout(seconds(2.0), sleep(100.0)).await;
            (ended, here().time())
        };
        let (first, second) = both(first, second).await;
        assert_eq!(first, (Err(TimeoutError::new()), seconds(2.0)));
        assert_eq!(second, (Err(TimeoutError::new()), seconds(3.0)));
        assert_eq!(current().cancelling(), 0);
    });
}

#[test]
fn a_node_beside_it_is_not_touched_by_its_time() {
    run(async {
        let caught = async { catch_cancel(sleep(3.0)).await.is_ok() };
        let limited = async {
            let ended = timeout(seconds(1.0), sleep(1.0)).await;
            (ended.is_err(), here().time())
        };
        let (limited, undisturbed) = both(limited, caught).await;
        assert_eq!(limited, (true, seconds(1.0)));
        assert!(undisturbed);
    });
}

#[test]
fn the_deadline_is_seen_in_every_poll() {
    run(async {
        let until = here().clock.now() + seconds(5.0);
        let work = async move {
            assert_eq!(deadline(), Some(until));
            sleep(1.0).await;
            assert_eq!(deadline(), Some(until));
            catch_cancel(async {
                assert_eq!(deadline(), Some(until));
                yield_now().await;
                assert_eq!(deadline(), Some(until));
            })
            .await
            .unwrap();
            yield_now().await;
            assert_eq!(deadline(), Some(until));
        };
        timeout(seconds(5.0), work).await.unwrap();
        assert_eq!(deadline(), None);
    });
}

type Place<T> = Rc<RefCell<Option<Pin<Box<T>>>>>;

/// A limit that was polled once in a task that goes on without it for so long.
async fn left_by_a_task(limit: f64, stays: f64) -> (Pin<Box<Timeout<support::Sleep>>>, Task<()>) {
    let place: Place<Timeout<support::Sleep>> = Rc::default();
    let left = place.clone();
    let first = waiting(async move {
        let mut limited = Box::pin(timeout(seconds(limit), sleep(100.0)));
        assert!(poll_once(&mut limited).await.is_pending());
        *left.borrow_mut() = Some(limited);
        sleep(stays).await;
    })
    .await;
    let limited = place.borrow_mut().take().expect("it was polled");
    (limited, first)
}

#[test]
fn it_may_move_to_another_task() {
    run(async {
        let (limited, first) = left_by_a_task(2.0, 3.0).await;
        let second = create_task(limited);
        assert!(second.await.unwrap().is_err());
        assert_eq!(here().time(), seconds(2.0));
        assert_eq!(first.cancelling(), 0);
        first.await.unwrap();
    });
}

#[test]
fn its_time_may_come_while_it_is_on_the_way_to_another_task() {
    run(async {
        let (limited, first) = left_by_a_task(2.0, 5.0).await;
        sleep(3.0).await;
        let second = create_task(limited);
        assert!(second.await.unwrap().is_err());
        assert_eq!(here().time(), seconds(3.0));
        first.await.unwrap();
        assert_eq!(here().time(), seconds(5.0), "the first was not disturbed");
    });
}

#[test]
fn its_time_disturbs_nobody_who_has_the_place_of_its_task() {
    run(async {
        let (limited, first) = left_by_a_task(2.0, 1.0).await;
        first.await.unwrap();
        // They get the places that are free, and one of them has a limit of its own.
        let other = create_task(async { timeout(seconds(9.0), sleep(5.0)).await });
        let more = [1, 2, 3].map(|_| create_task(sleep(5.0)));
        sleep(2.0).await;
        other.await.unwrap().unwrap();
        for task in more {
            assert_eq!(task.cancelling(), 0);
            task.await.unwrap();
        }
        assert!(limited.await.is_err());
    });
}

#[test]
fn it_may_move_to_another_loop_beside_a_limit_of_that_loop() {
    type Limited = Pin<Box<Timeout<std::future::Pending<()>>>>;
    let mut limited: Limited = Box::pin(timeout(seconds(100.0), pending()));
    run(async {
        let waited = create_task(async move {
            assert!(poll_once(&mut limited).await.is_pending());
            [limited]
        });
        let [limited] = waited.await.unwrap();
        let elsewhere = thread::spawn(move || {
            run(async {
                let ends = Rc::new(Cell::new(None));
                let noted = ends.clone();
                let short = async move {
                    let ended = timeout(seconds(5.0), sleep(50.0)).await;
                    noted.set(Some(here().time()));
                    ended
                };
                let long = async move {
                    let ended = limited.await;
                    assert!(here().time() > seconds(50.0));
                    ended
                };
                // Both loops count their limits from the same number.
                let (short, long) = both(short, long).await;
                assert!(short.is_err() && long.is_err());
                assert_eq!(ends.get(), Some(seconds(5.0)));
            });
        });
        elsewhere.join().unwrap();
        assert_eq!(nodes_alive(), 0);
        yield_now().await; // the timer is taken back by mail
        yield_now().await;
    });
}

#[test]
fn dropped_it_leaves_its_place_to_the_next_one() {
    run(async {
        let task = create_task(async {
            for _ in 0..3 {
                let mut limited = Box::pin(timeout(seconds(5.0), pending::<()>()));
                assert!(poll_once(&mut limited).await.is_pending());
                assert_eq!((nodes_alive(), here().clock.armed()), (0, 1));
                drop(limited);
                assert_eq!(here().clock.armed(), 0);
            }
        });
        task.await.unwrap();
    });
}

#[test]
fn dropped_on_another_thread_it_leaves_its_place_and_its_timer_too() {
    run(async {
        let task = create_task(async {
            for made_way in [false, true] {
                let mut limited = Box::pin(timeout(seconds(5.0), pending::<()>()));
                assert!(poll_once(&mut limited).await.is_pending());
                assert_eq!(nodes_alive(), 0);
                let mut beside = Box::pin(catch_cancel(pending::<()>()));
                if made_way {
                    assert!(poll_once(&mut beside).await.is_pending());
                }
                thread::spawn(move || drop(limited)).join().unwrap();
                drop(beside);
                yield_now().await;
                yield_now().await;
                assert_eq!(here().clock.armed(), 0, "made way: {made_way}");
            }
        });
        task.await.unwrap();
        assert_eq!(nodes_alive(), 0);
    });
}

#[test]
fn it_may_be_dropped_on_another_thread_when_its_time_has_come() {
    run(async {
        let place: Place<Timeout<std::future::Pending<()>>> = Rc::default();
        let left = place.clone();
        let task = waiting(async move {
            let mut limited = Box::pin(timeout(seconds(1.0), pending()));
            assert!(poll_once(&mut limited).await.is_pending());
            *left.borrow_mut() = Some(limited);
            sleep(5.0).await;
        })
        .await;
        sleep(2.0).await;
        let limited = place.borrow_mut().take().unwrap();
        thread::spawn(move || drop(limited)).join().unwrap();
        task.await.unwrap();
        assert_eq!(nodes_alive(), 0);
    });
}

#[test]
fn polled_with_the_waker_of_a_select_it_has_a_node() {
    run(async {
        let mut limited = pin!(timeout(seconds(1.0), sleep(100.0)));
        let ended = poll_fn(|cx| {
            let waker = passing(cx);
            let polled = limited.as_mut().poll(&mut Context::from_waker(&waker));
            assert!(polled.is_ready() || nodes_alive() > 0);
            polled
        });
        assert!(ended.await.is_err());
        assert_eq!(here().time(), seconds(1.0));
    });
}

#[test]
fn it_may_get_the_waker_of_a_select_in_a_later_poll_and_lose_it_again() {
    run(async {
        let task = create_task(async {
            let work = async {
                for _ in 0..4 {
                    yield_now().await;
                }
                sleep(100.0).await;
            };
            let mut limited = pin!(timeout(seconds(1.0), work));
            let mut polls = 0;
            poll_fn(|cx| {
                polls += 1;
                let waker = passing(cx);
                match polls {
                    2 | 4 => limited.as_mut().poll(&mut Context::from_waker(&waker)),
                    _ => limited.as_mut().poll(cx),
                }
            })
            .await
        });
        assert!(task.await.unwrap().is_err());
        assert_eq!(here().time(), seconds(1.0));
    });
}

#[test]
fn forgotten_it_harms_nobody() {
    run(async {
        let task = create_task(async {
            let mut limited = Box::pin(timeout(seconds(1.0), pending::<()>()));
            assert!(poll_once(&mut limited).await.is_pending());
            leak(limited);
            sleep(2.0).await;
            assert_eq!(timeout(seconds(5.0), async { 7 }).await, Ok(7));
            timeout(seconds(1.0), sleep(5.0)).await.unwrap_err();
            catch_cancel(sleep(1.0)).await.unwrap();
            here().time()
        });
        assert_eq!(task.await.unwrap(), seconds(4.0));
        // Its time made a node for it, which it would have taken, and which has gone with the task.
    });
}

#[test]
fn forgotten_by_a_task_that_has_ended_it_harms_nobody_who_comes_after() {
    run(async {
        let task = create_task(async {
            let mut limited = Box::pin(timeout(seconds(1.0), pending::<()>()));
            assert!(poll_once(&mut limited).await.is_pending());
            leak(limited);
        });
        task.await.unwrap();
        let after =
            [1, 2, 3].map(|_| create_task(async { timeout(seconds(5.0), sleep(2.0)).await }));
        for task in after {
            assert_eq!(task.await.unwrap(), Ok(()));
        }
    });
}

#[test]
fn a_panic_of_the_work_in_a_later_poll_leaves_nothing() {
    run(async {
        let work = async {
            yield_now().await;
            if here().time() == seconds(0.0) {
                support::raise("in the work");
            }
        };
        let task = waiting(async { timeout(seconds(5.0), work).await }).await;
        assert!(matches!(task.await, Err(TaskError::Panicked(_))));
        assert_eq!((here().clock.armed(), nodes_alive()), (0, 0));
    });
}

#[test]
fn a_loop_that_is_closed_ends_it() {
    let dropped = Dropped::default();
    let guard = dropped.guard();
    let test = TestLoop::new();
    drop(test.scheduler.create_task(async move {
        let _guard = guard;
        let _ = timeout(seconds(5.0), pending::<()>()).await;
    }));
    test.turn();
    assert_eq!((nodes_alive(), test.clock.armed()), (0, 1));
    test.scheduler.close();
    assert_eq!((dropped.count(), test.clock.armed()), (1, 0));
}

#[test]
fn limits_come_and_go_in_many_tasks_without_a_node() {
    run(async {
        let tasks: Vec<Task<bool>> = (0..100_u8)
            .map(|number| {
                create_task(async move {
                    let work = sleep(f64::from(number % 10));
                    let ended = timeout(seconds(f64::from(number % 7) + 0.5), work).await;
                    ended.is_ok() == (f64::from(number % 10) < f64::from(number % 7) + 0.5)
                })
            })
            .collect();
        yield_now().await;
        assert_eq!(nodes_alive(), 0);
        for task in tasks {
            assert!(task.await.unwrap());
        }
    });
}

#[test]
fn the_last_task_that_polled_it_is_the_one_that_ends() {
    run(async {
        let (mut limited, first) = left_by_a_task(2.0, 9.0).await;
        let back: Place<Timeout<support::Sleep>> = Rc::default();
        // To another task for one poll, and back to this one, which has a limit around it.
        let second = create_task({
            let back = back.clone();
            async move {
                assert!(matches!(poll_once(&mut limited).await, Poll::Pending));
                *back.borrow_mut() = Some(limited);
                sleep(9.0).await;
            }
        });
        yield_now().await;
        let limited = back.borrow_mut().take().unwrap();
        assert!(timeout(seconds(50.0), limited).await.unwrap().is_err());
        assert_eq!(here().time(), seconds(2.0));
        assert_eq!((first.cancelling(), second.cancelling()), (0, 0));
        first.await.unwrap();
        second.await.unwrap();
    });
}
