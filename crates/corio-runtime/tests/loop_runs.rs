//! run_until_complete, run_forever, stop and close: when a run ends, what it leaves, and what the next one finds.

mod support;

use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

use corio_core::TaskState;
use corio_runtime::{EventLoop, RunError, create_task, get_running_loop, sleep, yield_now};
use support::{OnDrop, logged, nap, panic_of, raise, seconds, virtual_loop};

/// C106
#[test]
fn a_stopped_loop_finishes_its_batch_and_keeps_the_rest_for_the_next_run() {
    // T83
    let event_loop = virtual_loop();
    event_loop.call_soon(|| {
        log!("a: stop(), schedules c");
        get_running_loop().stop();
        get_running_loop().call_soon(|| log!("c (needs the next run_forever)"));
    });
    event_loop.call_soon(|| log!("b (same iteration as stop)"));
    event_loop.run_forever().unwrap();
    log!("run_forever returned");
    event_loop.stop();
    event_loop.run_forever().unwrap();
    log!("pre-stopped run_forever ran exactly one iteration");
    {
        let event_loop = event_loop.clone();
        event_loop
            .clone()
            .call_later(seconds(0.01), move || event_loop.stop());
    }
    let task = event_loop.create_task(nap(10.0));
    let stopped = event_loop.run_until_complete(&task).unwrap_err();
    assert!(matches!(stopped, RunError::Stopped));
    log!(
        "stop during run_until_complete -> {stopped}; task done: {}",
        task.done()
    );
    task.cancel();
    let cancelled = event_loop.run_until_complete(&task).unwrap_err();
    assert!(matches!(cancelled, RunError::Cancelled(_)));
    log!("{cancelled}");
    assert!(event_loop.close().is_clean());
    event_loop.close();
    log!("close twice is fine");
    let handle = event_loop.call_soon(|| unreachable!("the loop is closed"));
    drop(handle);
    assert_eq!(
        logged(),
        [
            "a: stop(), schedules c",
            "b (same iteration as stop)",
            "run_forever returned",
            "c (needs the next run_forever)",
            "pre-stopped run_forever ran exactly one iteration",
            "stop during run_until_complete -> the event loop was stopped before the target had ended; task done: false",
            "cancelled",
            "close twice is fine",
        ]
    );
}

/// C105
#[test]
fn a_loop_that_was_stopped_before_makes_one_pass_that_does_not_wait() {
    for event_loop in [virtual_loop(), EventLoop::new().unwrap()] {
        let ran = Rc::new(Cell::new(0));
        for _ in 0..3 {
            let (ran, again) = (ran.clone(), ran.clone());
            event_loop.call_soon(move || {
                ran.set(ran.get() + 1);
                get_running_loop().call_soon(move || again.set(again.get() + 10));
            });
        }
        let due = ran.clone();
        event_loop.call_later(Duration::ZERO, move || due.set(due.get() + 100));
        let late = event_loop.call_later(Duration::from_secs(3600), || unreachable!("not due"));
        event_loop.stop();
        event_loop.run_forever().unwrap();
        assert_eq!(ran.get() % 100, 3, "what they queued is for the next pass");
        event_loop.stop();
        event_loop.run_forever().unwrap();
        assert_eq!(ran.get(), 133);
        late.cancel();
    }
}

#[test]
fn a_run_gives_what_its_target_gives() {
    let event_loop = virtual_loop();
    let borrowed = String::from("borrowed");
    let length = event_loop
        .run_until_complete(async {
            nap(1.0).await;
            borrowed.len()
        })
        .unwrap();
    assert_eq!(length, 8);
    let task = event_loop.create_task(async { vec![1] });
    assert_eq!(event_loop.run_until_complete(&task).unwrap(), &vec![1]);
    assert_eq!(event_loop.run_until_complete(task).unwrap(), [1]);
    let promise = event_loop.create_promise();
    event_loop.call_later(seconds(1.0), {
        let promise = promise.clone();
        move || promise.set_result(5).unwrap()
    });
    assert_eq!(event_loop.run_until_complete(&promise).unwrap(), &5);
    assert_eq!(
        event_loop.run_until_complete(&promise).unwrap(),
        &5,
        "it is done"
    );
    promise.cancel();
    let cancelled = event_loop.create_promise::<()>();
    event_loop.call_soon({
        let cancelled = cancelled.clone();
        move || assert!(cancelled.cancel())
    });
    assert!(matches!(
        event_loop.run_until_complete(&cancelled),
        Err(RunError::Cancelled(_))
    ));
}

#[test]
fn the_callbacks_of_the_end_run_before_the_run_returns_and_nothing_behind_them() {
    let event_loop = virtual_loop();
    let task = event_loop.create_task(async {
        nap(1.0).await;
        yield_now().await;
    });
    task.add_done_callback(|_| {
        log!("callback");
        get_running_loop().call_soon(|| log!("behind"));
    });
    event_loop.run_until_complete(&task).unwrap();
    assert_eq!(logged(), ["callback"]);
    let owned = event_loop.create_task(async { 3 });
    owned.add_done_callback(|_| log!("owned"));
    assert_eq!(event_loop.run_until_complete(owned).unwrap(), 3);
    assert_eq!(logged(), ["behind", "owned"]);
}

#[test]
fn a_panic_of_a_future_is_resumed_and_that_of_a_task_is_an_error() {
    let event_loop = virtual_loop();
    let message = panic_of(|| event_loop.run_until_complete(async { raise("in the future") }));
    assert_eq!(message, "in the future");
    let task = event_loop.create_task(async { raise("in the task") });
    let Err(RunError::Panicked(panic)) = event_loop.run_until_complete(&task) else {
        panic!("another outcome")
    };
    assert_eq!(panic.message(), "in the task");
    assert_eq!(
        event_loop.run_until_complete(async { 1 }).unwrap(),
        1,
        "the loop goes on"
    );
}

#[test]
fn a_borrowing_future_that_is_stopped_is_dropped_before_the_call_returns() {
    let event_loop = virtual_loop();
    let dropped = Cell::new(0);
    let (stopping, task) = (event_loop.clone(), event_loop.create_task(nap(100.0)));
    event_loop.call_later(seconds(1.0), move || stopping.stop());
    let result = event_loop.run_until_complete(async {
        let _guard = OnDrop::new(|| dropped.set(dropped.get() + 1));
        nap(50.0).await;
    });
    assert!(matches!(result, Err(RunError::Stopped)));
    assert_eq!(dropped.get(), 1);
    assert_eq!(task.state(), TaskState::Pending, "other tasks live on");
    assert_eq!(event_loop.all_tasks().len(), 1);
    event_loop.run_until_complete(task).unwrap();
}

#[test]
fn a_stop_that_comes_with_the_end_does_not_take_the_result() {
    let event_loop = virtual_loop();
    let task = event_loop.create_task(async {
        get_running_loop().stop();
        7
    });
    // The stop is honoured at the end of the batch in which the task ends too; what counts is that nothing is lost.
    match event_loop.run_until_complete(&task) {
        Ok(value) => assert_eq!(value, &7),
        Err(error) => assert!(matches!(error, RunError::Stopped)),
    }
    assert_eq!(event_loop.run_until_complete(task).unwrap(), 7);
}

/// A value that the run takes with the task would be lost with it.
#[test]
fn a_stop_that_comes_with_the_end_takes_no_value_also_when_callbacks_are_to_see_it_first() {
    for event_loop in [virtual_loop(), EventLoop::new().unwrap()] {
        for debug in [false, true] {
            event_loop.set_debug(debug);
            let task = event_loop.create_task(async {
                get_running_loop().stop();
                String::from("value")
            });
            task.add_done_callback(|task| log!("sees {:?}", task.state()));
            assert_eq!(event_loop.run_until_complete(task).unwrap(), "value");
            assert_eq!(logged(), ["sees Done"]);
            // The stop was this run's, and is over with it.
            assert!(event_loop.run_until_complete(nap(1e-3)).is_ok());
        }
    }
}

#[test]
fn tasks_made_before_the_run_start_in_their_order() {
    let event_loop = virtual_loop();
    let tasks = [1, 2, 3].map(|number| {
        event_loop.create_task(async move {
            log!("{number}");
            number
        })
    });
    assert!(!event_loop.is_running());
    let [_, _, last] = tasks;
    assert_eq!(event_loop.run_until_complete(last).unwrap(), 3);
    assert_eq!(logged(), ["1", "2", "3"]);
}

#[test]
fn a_close_drops_what_is_left_and_names_it() {
    let event_loop = virtual_loop();
    let dropped = Rc::new(Cell::new(0));
    let count = || {
        let dropped = dropped.clone();
        OnDrop::new(move || dropped.set(dropped.get() + 1))
    };
    let guard = count();
    let task = event_loop
        .create_task(async move {
            let _guard = guard;
            nap(10.0).await;
        })
        .named("left");
    let line = line!() - 5;
    event_loop.run_until_complete(nap(1.0)).unwrap();
    let guard = count();
    event_loop.call_soon(move || drop(guard));
    let guard = count();
    event_loop.call_later(seconds(1.0), move || drop(guard));
    let guard = count();
    event_loop
        .remote()
        .call_soon({
            // A destructor that crosses threads may count nothing here; it is enough that it is dropped.
            let sent = std::sync::Arc::new(());
            move || drop(sent)
        })
        .unwrap();
    drop(guard);
    let report = event_loop.close();
    assert_eq!(dropped.get(), 4);
    assert!(task.cancelled());
    assert!(event_loop.is_closed() && !event_loop.is_running());
    assert!(!report.is_clean());
    assert!(report.cancelled().is_empty());
    let [forced] = report.forced() else {
        panic!("{report}")
    };
    assert_eq!((forced.name.as_str(), forced.site.line()), ("left", line));
    assert!(forced.waits_for.as_ref().unwrap().starts_with("sleep at "));
    assert!(
        report
            .to_string()
            .starts_with("0 cancelled, 1 ended by force\n  by force: left (created at ")
    );
    assert!(event_loop.close().is_clean(), "twice is fine");
}

#[test]
fn a_loop_is_closed_with_its_last_handle() {
    let dropped = Rc::new(Cell::new(false));
    let event_loop = virtual_loop();
    let guard = OnDrop::new({
        let dropped = dropped.clone();
        move || dropped.set(true)
    });
    let task = event_loop.create_task(async move {
        let _guard = guard;
        sleep(Duration::MAX).await;
    });
    let other = event_loop.clone();
    drop(event_loop);
    assert!(!dropped.get());
    drop(other);
    assert!(dropped.get());
    assert!(task.cancelled());
}

#[test]
fn a_task_outlives_its_loop() {
    let event_loop = virtual_loop();
    let done = event_loop.create_task(async { String::from("value") });
    event_loop.run_until_complete(&done).unwrap();
    let pending = event_loop.create_task(nap(1.0));
    drop(event_loop);
    assert_eq!(done.into_result().unwrap(), "value");
    assert!(pending.cancelled());
    assert!(!pending.cancel());
    assert!(pending.scheduler().is_closed());
}

#[test]
fn several_loops_of_a_thread_run_one_after_the_other() {
    let (one, two) = (virtual_loop(), virtual_loop());
    let task = one.create_task(nap(1.0));
    two.run_until_complete(async {
        nap(5.0).await;
        create_task(async {}).await.unwrap();
    })
    .unwrap();
    assert!(!task.done());
    one.run_until_complete(task).unwrap();
}

#[test]
fn a_run_that_ended_in_the_middle_of_a_batch_loses_nothing() {
    // More steps than one visit budget, on the system's clock.
    let event_loop = EventLoop::new().unwrap();
    let ran = Rc::new(Cell::new(0));
    let target = event_loop.create_task(async {});
    for _ in 0..5_000 {
        let ran = ran.clone();
        event_loop.call_soon(move || ran.set(ran.get() + 1));
    }
    event_loop.run_until_complete(target).unwrap();
    event_loop
        .run_until_complete(async { yield_now().await })
        .unwrap();
    assert_eq!(ran.get(), 5_000);
}

/// The same batches whether or not each step is timed.
#[test]
fn a_stop_ends_the_batch_in_debug_mode_and_on_every_clock() {
    for event_loop in [virtual_loop(), EventLoop::new().unwrap()] {
        for debug in [false, true] {
            event_loop.set_debug(debug);
            event_loop.call_soon(|| {
                get_running_loop().stop();
                get_running_loop().call_soon(|| log!("next run"));
            });
            event_loop.call_soon(|| log!("same batch"));
            event_loop.run_forever().unwrap();
            assert_eq!(logged(), ["same batch"]);
            let restless = event_loop.create_task(async {
                loop {
                    yield_now().await;
                }
            });
            event_loop.run_until_complete(async {}).unwrap();
            assert_eq!(logged(), ["next run"]);
            restless.abort();
            event_loop.run_until_complete(&restless).unwrap_err();
        }
    }
}

#[test]
fn the_callbacks_of_a_promise_run_before_the_run_returns() {
    for event_loop in [virtual_loop(), EventLoop::new().unwrap()] {
        let promise = event_loop.create_promise::<()>();
        promise.add_done_callback(|_| log!("callback"));
        event_loop.call_later(Duration::from_millis(1), {
            let promise = promise.clone();
            move || promise.set_result(()).unwrap()
        });
        event_loop.run_until_complete(&promise).unwrap();
        assert_eq!(logged(), ["callback"]);
    }
}

#[test]
fn a_target_that_outlives_its_run_does_not_pause_the_next_one() {
    let event_loop = virtual_loop();
    let target = event_loop.create_task(nap(2.0));
    event_loop.call_later(seconds(1.0), {
        let event_loop = event_loop.clone();
        move || event_loop.stop()
    });
    assert!(event_loop.run_until_complete(&target).is_err());
    let start = event_loop.time();
    event_loop.run_until_complete(nap(5.0)).unwrap();
    assert_eq!(event_loop.time() - start, seconds(5.0));
    assert!(target.done());
}

/// Whatever else makes the loop pause at the end of a batch.
#[test]
fn the_callbacks_of_the_end_run_also_when_a_timer_is_due_or_a_stop_comes_with_it() {
    for event_loop in [virtual_loop(), EventLoop::new().unwrap()] {
        for stops in [false, true] {
            let task = event_loop.create_task(async move {
                get_running_loop().call_later(Duration::ZERO, || ());
                if stops {
                    get_running_loop().stop();
                }
            });
            task.add_done_callback(|_| log!("callback"));
            let result = event_loop.run_until_complete(&task);
            if result.is_ok() {
                assert_eq!(logged(), ["callback"]);
            } else {
                assert!(stops);
                event_loop.run_until_complete(&task).unwrap();
                assert_eq!(logged(), ["callback"]);
            }
            event_loop
                .run_until_complete(async move {
                    let me = corio_runtime::current_task().unwrap();
                    me.add_done_callback(|_| log!("of main"));
                    get_running_loop().call_later(Duration::ZERO, || ());
                    if stops {
                        get_running_loop().stop();
                    }
                })
                .unwrap();
            assert_eq!(logged(), ["of main"], "stops {stops} {event_loop:?}");
        }
    }
}

/// R119: whatever order the variables of a thread are destroyed in.
#[test]
fn a_loop_and_what_belongs_to_it_may_sit_in_thread_locals() {
    use std::cell::RefCell;
    thread_local! {
        static FIRST: RefCell<Vec<Box<dyn std::any::Any>>> = const { RefCell::new(Vec::new()) };
        static SECOND: RefCell<Vec<Box<dyn std::any::Any>>> = const { RefCell::new(Vec::new()) };
    }
    let dropped = std::sync::Arc::new(std::sync::atomic::AtomicUsize::new(0));
    for loop_first in [false, true] {
        let dropped = dropped.clone();
        std::thread::spawn(move || {
            if loop_first {
                FIRST.with_borrow_mut(Vec::clear);
            } else {
                SECOND.with_borrow_mut(Vec::clear);
            }
            let event_loop = virtual_loop();
            let count = {
                let dropped = dropped.clone();
                move || {
                    let dropped = dropped.clone();
                    OnDrop::new(move || {
                        dropped.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
                    })
                }
            };
            let guard = count();
            let task = event_loop.create_task(async move {
                let _guard = guard;
                sleep(Duration::MAX).await;
            });
            let guard = count();
            let later = event_loop.call_later(seconds(1.0), move || drop(guard));
            let mut nap = sleep(seconds(5.0));
            event_loop
                .run_until_complete(async {
                    assert!(support::poll_once(&mut nap).await.is_pending())
                })
                .unwrap();
            let remote = event_loop.remote();
            let rest: Vec<Box<dyn std::any::Any>> = vec![
                Box::new(task),
                Box::new(later),
                Box::new(nap),
                Box::new(remote),
            ];
            if loop_first {
                FIRST.with_borrow_mut(|first| first.push(Box::new(event_loop)));
                SECOND.with_borrow_mut(|second| second.extend(rest));
            } else {
                SECOND.with_borrow_mut(|second| second.push(Box::new(event_loop)));
                FIRST.with_borrow_mut(|first| first.extend(rest));
            }
        })
        .join()
        .unwrap();
    }
    assert_eq!(dropped.load(std::sync::atomic::Ordering::SeqCst), 4);
}
