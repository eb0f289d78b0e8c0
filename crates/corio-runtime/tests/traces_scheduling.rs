//! The loop runs what is ready in the order and at the times of asyncio: the programs and the logs of its traces.

mod support;

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use corio_combinators::{gather, shield, task_group, timeout, wait};
use corio_core::{Promise, TaskError};
use corio_runtime::{create_task, get_running_loop, sleep, yield_now};
use support::{assert_trace, nap, raise, run, seconds, soon};

#[test]
fn tasks_start_in_the_order_of_their_creation() {
    // T01
    let trace = "
        k+0   t=0.0  main begins
        k+0   t=0.0  main created A,B,C (none ran yet)
        k+1   t=0.0  start A
        k+1   t=0.0  start B
        k+1   t=0.0  start C
        k+2   t=0.0  main resumed after awaiting C
    ";
    assert_trace(trace, async {
        log!("main begins");
        let [_a, _b, c] =
            ["A", "B", "C"].map(|name| create_task(async move { log!("start {name}") }));
        log!("main created A,B,C (none ran yet)");
        c.await.unwrap();
        log!("main resumed after awaiting C");
    });
}

#[test]
fn zero_sleeps_interleave() {
    // T02
    let trace = "
        k+0   t=0.0  A step 0
        k+0   t=0.0  B step 0
        k+0   t=0.0  C step 0
        k+1   t=0.0  A step 1
        k+1   t=0.0  B step 1
        k+1   t=0.0  C step 1
        k+2   t=0.0  A step 2
        k+2   t=0.0  B step 2
        k+2   t=0.0  C step 2
        k+3   t=0.0  A end
        k+3   t=0.0  B end
        k+3   t=0.0  C end
        k+4   t=0.0  main resumed
    ";
    for zero in [false, true] {
        assert_trace(trace, async move {
            let tasks = ["A", "B", "C"].map(|name| {
                create_task(async move {
                    for step in 0..3 {
                        log!("{name} step {step}");
                        if zero {
                            sleep(Duration::ZERO).await;
                        } else {
                            yield_now().await;
                        }
                    }
                    log!("{name} end");
                })
            });
            for task in tasks {
                task.await.unwrap();
            }
            log!("main resumed");
        });
    }
}

#[test]
fn due_timers_run_behind_what_was_ready_and_before_what_it_queued() {
    // T03, begun at a time that has something before it, and with equal deadlines in the order of their registration.
    let trace = "
        k+0   t=10.0  soon#1
        k+0   t=10.0  soon#2
        k+0   t=10.0  soon#3 runs; schedules soon#4 and later(0)#3
        k+0   t=10.0  main after 1st sleep(0)
        k+0   t=10.0  at(before)
        k+0   t=10.0  later(0)#1
        k+0   t=10.0  at(now)
        k+0   t=10.0  later(0)#2
        k+1   t=10.0  soon#4
        k+1   t=10.0  main after 2nd sleep(0)
        k+1   t=10.0  later(0)#3
        k+2   t=10.0  main after 3rd sleep(0)
    ";
    assert_trace(trace, async {
        nap(10.0).await;
        let event_loop = get_running_loop();
        event_loop.call_later(Duration::ZERO, || log!("later(0)#1"));
        soon("soon#1");
        event_loop.call_at(event_loop.time() - seconds(1.0), || log!("at(before)"));
        event_loop.call_at(event_loop.time(), || log!("at(now)"));
        soon("soon#2");
        event_loop.call_later(Duration::ZERO, || log!("later(0)#2"));
        event_loop.call_soon(|| {
            log!("soon#3 runs; schedules soon#4 and later(0)#3");
            soon("soon#4");
            get_running_loop().call_later(Duration::ZERO, || log!("later(0)#3"));
        });
        for count in ["1st", "2nd", "3rd"] {
            sleep(Duration::ZERO).await;
            log!("main after {count} sleep(0)");
        }
    });
}

#[test]
fn equal_deadlines_fire_in_the_order_of_registration() {
    // T04, where asyncio gives no order.
    run(async {
        for count in 1..10 {
            let order = Rc::new(RefCell::new(Vec::new()));
            let event_loop = get_running_loop();
            let when = event_loop.time() + seconds(1.0);
            for index in 0..count {
                let order = order.clone();
                event_loop.call_at(when, move || order.borrow_mut().push(index));
            }
            nap(2.0).await;
            assert!(order.take().into_iter().eq(0..count));
        }
    });
}

#[test]
fn handles_are_cancelled_in_time_or_too_late() {
    // T05
    let trace = "
        k+0   t=0.0  h1.cancelled false h2.cancelled true
        k+1   t=0.0  soon#1 ran (its cancel was queued behind it)
        k+2   t=2.0  later(2)
        k+4   t=3.0  h3.cancelled after it ran true
    ";
    assert_trace(trace, async {
        let event_loop = get_running_loop();
        let h1 = event_loop.call_soon(|| log!("soon#1 ran (its cancel was queued behind it)"));
        let h2 = event_loop.call_later(seconds(1.0), || unreachable!("cancelled"));
        let h3 = event_loop.call_later(seconds(2.0), || log!("later(2)"));
        event_loop.call_soon({
            let h1 = h1.clone();
            move || h1.cancel()
        });
        h2.cancel();
        h2.cancel();
        log!(
            "h1.cancelled {} h2.cancelled {}",
            h1.cancelled(),
            h2.cancelled()
        );
        nap(3.0).await;
        assert!(h1.cancelled());
        h3.cancel();
        log!("h3.cancelled after it ran {}", h3.cancelled());
    });
}

#[test]
fn each_await_costs_the_turns_of_asyncio() {
    // T06. What a turn is for the program: how often a task that only yields has run meanwhile.
    async fn inner() -> char {
        'v'
    }
    async fn chain(depth: u32) -> char {
        if depth == 0 {
            inner().await
        } else {
            Box::pin(chain(depth - 1)).await
        }
    }
    run(async {
        let turns = Rc::new(RefCell::new(0));
        let clock = create_task({
            let turns = turns.clone();
            async move {
                loop {
                    *turns.borrow_mut() += 1;
                    yield_now().await;
                }
            }
        });
        yield_now().await;
        let since = {
            let turns = turns.clone();
            let mut last = *turns.borrow();
            move || {
                let now = *turns.borrow();
                now - std::mem::replace(&mut last, now)
            }
        };
        let mut since = since;
        assert_eq!(chain(5).await, 'v');
        assert_eq!(since(), 0, "a direct await does not suspend");
        let promise: Promise<i32> = get_running_loop().create_promise();
        promise.set_result(1).unwrap();
        promise.await.unwrap();
        assert_eq!(since(), 0, "nor does a promise that is done");
        let task = create_task(inner());
        (&task).await.unwrap();
        assert_eq!(since(), 2, "a new task that returns at once");
        task.await.unwrap();
        assert_eq!(since(), 0, "the finished task again");
        gather(Vec::<std::future::Ready<()>>::new()).await.unwrap();
        assert_eq!(since(), 0, "nothing");
        gather([inner(), inner()]).await.unwrap();
        assert_eq!(since(), 3, "two immediate coroutines");
        wait([create_task(inner())]).await;
        assert_eq!(since(), 3, "wait for one immediate task");
        timeout(seconds(5.0), inner()).await.unwrap();
        assert_eq!(since(), 0, "an immediate coroutine with a limit");
        timeout(Duration::MAX, inner()).await.unwrap();
        assert_eq!(since(), 0, "and with one that never comes");
        shield(inner()).await.unwrap();
        assert_eq!(since(), 3, "shield of an immediate coroutine");
        timeout(seconds(5.0), async {}).await.unwrap();
        assert_eq!(since(), 0, "a limit around nothing");
        let group = task_group(async |_| Ok::<_, TaskError>(()));
        group.await.unwrap();
        assert_eq!(since(), 0, "a group without children");
        let group = task_group(async |group| {
            group.create_task(async { Ok(inner().await) });
            Ok::<_, TaskError>(())
        });
        group.await.unwrap();
        assert_eq!(since(), 3, "a group with one immediate child");
        clock.abort();
    });
}

#[test]
fn waiters_and_callbacks_of_a_promise_run_in_their_order() {
    // T07
    let trace = "
        k+0   t=0.0  W1 waits
        k+1   t=0.0  W2 waits
        k+1   t=0.0  set_result
        k+1   t=0.0  set_result returned (no callback ran)
        k+1   t=0.0  remove cb3 after done -> false
        k+2   t=0.0  soon queued before set_result
        k+2   t=0.0  cb1
        k+2   t=0.0  W1 woke
        k+2   t=0.0  cb2
        k+2   t=0.0  W2 woke
        k+2   t=0.0  cb3
        k+2   t=0.0  cb3
        k+2   t=0.0  cb4 added after done
        k+2   t=0.0  soon queued after set_result
        k+2   t=0.0  main next tick
        k+2   t=0.0  remove cb3 (registered twice) -> true true
        k+3   t=0.0  boom raises
        k+3   t=0.0  exception handler: exception in callback
        k+3   t=0.0  callback after boom still runs
    ";
    assert_trace(trace, async {
        let event_loop = get_running_loop();
        let promise: Promise<i32> = event_loop.create_promise();
        let waiter = |name: &'static str| {
            let promise = promise.clone();
            create_task(async move {
                log!("{name} waits");
                promise.await.unwrap();
                log!("{name} woke");
            })
        };
        promise.add_done_callback(|_| log!("cb1"));
        waiter("W1");
        yield_now().await;
        promise.add_done_callback(|_| log!("cb2"));
        waiter("W2");
        yield_now().await;
        let cb3 = promise.add_done_callback(|_| log!("cb3"));
        promise.add_done_callback(|_| log!("cb3"));
        soon("soon queued before set_result");
        log!("set_result");
        promise.set_result(7).unwrap();
        log!("set_result returned (no callback ran)");
        promise.add_done_callback(|_| log!("cb4 added after done"));
        soon("soon queued after set_result");
        log!(
            "remove cb3 after done -> {}",
            promise.remove_done_callback(cb3)
        );
        yield_now().await;
        log!("main next tick");
        let second: Promise<i32> = event_loop.create_promise();
        let ids = [(); 2].map(|()| second.add_done_callback(|_| unreachable!("removed")));
        let [a, b] = ids.map(|id| second.remove_done_callback(id));
        log!("remove cb3 (registered twice) -> {a} {b}");
        event_loop.set_exception_handler(|report| log!("exception handler: {}", report.message()));
        second.add_done_callback(|_| {
            log!("boom raises");
            raise("boom");
        });
        second.add_done_callback(|_| log!("callback after boom still runs"));
        second.set_result(1).unwrap();
        yield_now().await;
    });
}

#[test]
fn an_outcome_is_given_once() {
    // T08
    run(async {
        let pending: Promise<i32> = get_running_loop().create_promise();
        assert!(matches!(pending.result(), Err(TaskError::NotDone)));
        assert!(pending.cancel());
        assert!(!pending.cancel());
        assert!(matches!(pending.result(), Err(TaskError::Cancelled(_))));
        assert!(pending.set_result(1).is_err());
        let done = get_running_loop().create_promise();
        done.set_result(3).unwrap();
        assert!(done.set_result(1).is_err());
        assert!(!done.cancel());
        assert_eq!(done.result().unwrap(), &3);
        let task = create_task(async { 1 });
        (&task).await.unwrap();
        assert!(!task.cancel());
        assert_eq!(task.cancelling(), 0);
    });
}
