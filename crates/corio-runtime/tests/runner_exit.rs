//! run and Runner: what main may be, and how everything else ends after it.

mod support;

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, mpsc};
use std::time::Duration;

use corio_combinators::{catch_cancel, finally};
use corio_core::{OrPropagate, Task, TaskError};
use corio_runtime::{
    RunError, Runner, context, create_task, current_task, get_running_loop, run, sleep, to_thread,
    yield_now,
};
use support::{OnDrop, collect_reports, logged, nap, panic_of, raise, seconds, virtual_runner};

context! {
    static VARIABLE: u32 = 0;
}

#[test]
fn main_may_borrow_and_gives_its_value() {
    let words = vec![String::from("to"), String::from("be")];
    let mut seen = Vec::new();
    let count = run(async {
        for word in &words {
            yield_now().await;
            seen.push(word.as_str());
        }
        seen.len()
    });
    assert_eq!(count, 2);
    assert_eq!(seen, ["to", "be"]);
}

/// A job that runs on a thread, and that nobody waits for.
async fn begin_job(job: impl FnOnce() + Send + 'static) {
    let (begins, begun) = mpsc::channel();
    let waits = create_task(to_thread(move || {
        begins.send(()).unwrap();
        job();
    }));
    yield_now().await;
    begun.recv().unwrap();
    waits.cancel();
    waits.await.unwrap_err();
}

#[test]
fn what_is_ready_when_main_has_ended_takes_no_other_step_before_it_is_asked() {
    let mut runner = virtual_runner();
    let went_on = Rc::new(Cell::new(false));
    let began = Rc::new(Cell::new(false));
    let (steps, begins) = (went_on.clone(), began.clone());
    let main = async {
        create_task(async move {
            yield_now().await;
            // The last batch of the run. What it creates and what waits for the next one is ready then.
            create_task(async move { begins.set(true) });
            yield_now().await;
            steps.set(true);
        });
        yield_now().await;
    };
    runner.run(main).unwrap();
    let report = runner.close();
    assert!(report.is_clean(), "{report}");
    assert!(!began.get(), "a task has begun after the end");
    assert!(!went_on.get(), "a task went on after the end");
}

/// T80, C120. What asyncio has between the handler and the job, the end of an asynchronous generator, has no counterpart.
#[test]
fn the_tasks_that_main_leaves_are_cancelled_and_waited_for() {
    let mut runner = virtual_runner();
    runner
        .event_loop()
        .set_exception_handler(|report| log!("handler: {report}"));
    let kept: Rc<Cell<Option<Task<()>>>> = Rc::default();
    let (cleaned_up, go) = mpsc::channel::<()>();
    let finished = Arc::new(AtomicBool::new(false));
    let result = runner.run({
        let (kept, finished) = (kept.clone(), finished.clone());
        async move {
            let left = async {
                finally(sleep(Duration::from_secs(100)), async || {
                    log!("A cancelled at shutdown");
                    yield_now().await;
                    log!("A cleanup awaited");
                })
                .await;
            };
            kept.set(Some(create_task(left).named("A")));
            let bad = async {
                if catch_cancel(sleep(Duration::from_secs(100))).await.is_err() {
                    raise("in cleanup");
                }
            };
            create_task(bad).set_name("bad");
            // The job ends when the tasks do.
            begin_job(move || {
                go.recv().unwrap_err();
                finished.store(true, Ordering::SeqCst);
            })
            .await;
            let ends_last = async move {
                let _cleaned_up = cleaned_up;
                sleep(Duration::MAX).await;
            };
            create_task(ends_last).set_name("last");
            yield_now().await;
            log!("main returns");
            "result"
        }
    });
    let report = runner.close();
    if finished.load(Ordering::SeqCst) {
        log!("executor job finished before the end returned");
    }
    log!("run -> {}", result.unwrap());
    log!("A.cancelled {}", kept.take().unwrap().cancelled());
    let mut lines = logged();
    assert!(lines[3].ends_with(": in cleanup"), "{lines:?}");
    lines[3].truncate("handler: unhandled panic of task 'bad' during shutdown".len());
    assert_eq!(
        lines,
        [
            "main returns",
            "A cancelled at shutdown",
            "A cleanup awaited",
            "handler: unhandled panic of task 'bad' during shutdown",
            "executor job finished before the end returned",
            "run -> result",
            "A.cancelled true",
        ]
    );
    assert!(report.is_clean(), "{report}");
    let names: Vec<_> = report
        .cancelled()
        .iter()
        .map(|task| task.name.as_str())
        .collect();
    assert_eq!(names, ["A", "bad", "last"]);
}

#[test]
fn a_panic_of_a_task_that_main_left_is_told_before_jobs_are_waited_for() {
    let mut runner = virtual_runner();
    let (told, hears) = mpsc::channel();
    runner
        .event_loop()
        .set_exception_handler(move |report| told.send(report.to_string()).unwrap());
    let heard = runner.run(async move {
        create_task(async {
            if catch_cancel(sleep(Duration::MAX)).await.is_err() {
                raise("in cleanup");
            }
        });
        yield_now().await;
        let heard = Arc::new(AtomicBool::new(false));
        let hearing = heard.clone();
        // It waits for the report, and would wait for ever for one that waits for it.
        begin_job(move || {
            let report = hears.recv_timeout(Duration::from_secs(20));
            hearing.store(report.is_ok(), Ordering::SeqCst);
        })
        .await;
        heard
    });
    let report = runner.close();
    assert!(heard.unwrap().load(Ordering::SeqCst));
    assert!(report.is_clean(), "{report}");
}

/// T85: an exception of asyncio that is no `Exception` goes through the whole run if it says "end the process", and to who awaits
/// the task otherwise. A panic does the latter, whatever its payload is: a task that ends the run asks the main task.
#[test]
fn no_panic_of_a_task_escapes_the_run_and_each_goes_to_who_awaits_it() {
    struct Quit(u8);
    let mut runner = virtual_runner();
    let code = Rc::new(Cell::new(0));
    let set = code.clone();
    let result = runner.run(async move {
        let main = current_task().unwrap();
        create_task(async move {
            set.set(3);
            main.cancel();
        });
        let caught = catch_cancel(nap(10.0)).await;
        log!("main cancelled during shutdown");
        caught.or_propagate().await;
    });
    assert!(matches!(result, Err(RunError::Cancelled(_))), "{result:?}");
    log!(
        "the request of a child task ends the run at once, code {}",
        code.get()
    );
    let payload = runner.run(async {
        let child = create_task(async {
            std::panic::resume_unwind(Box::new(Quit(4)));
        });
        let Err(TaskError::Panicked(panic)) = (&child).await else {
            panic!("it has no value");
        };
        catch_unwind(AssertUnwindSafe(|| panic.resume())).unwrap_err()
    });
    let quit = payload.unwrap().downcast::<Quit>().map(|quit| quit.0);
    log!("other panics are delivered to the awaiter: {:?}", quit.ok());
    assert_eq!(
        logged(),
        [
            "main cancelled during shutdown",
            "the request of a child task ends the run at once, code 3",
            "other panics are delivered to the awaiter: Some(4)",
        ]
    );
    assert!(runner.close().is_clean());
}

#[test]
fn a_runner_keeps_its_loop_its_numbers_and_its_context_between_runs() {
    // T82, C121
    let mut runner = virtual_runner();
    let visit = async |value: u32| {
        let before = VARIABLE.get();
        VARIABLE.set(value);
        yield_now().await;
        (before, current_task().unwrap().name())
    };
    assert_eq!(runner.run(visit(1)).unwrap(), (0, "Task-1".into()));
    let start = runner.event_loop().time();
    assert_eq!(runner.run(visit(2)).unwrap(), (1, "Task-2".into()));
    runner.run(nap(1.0)).unwrap();
    assert_eq!(runner.event_loop().time() - start, seconds(1.0));
    assert_eq!(VARIABLE.get(), 0, "outside it is what it was");
    let background = runner
        .run(async { create_task(sleep(Duration::from_secs(10))) })
        .unwrap();
    runner.run(nap(10.0)).unwrap();
    assert!(background.done(), "tasks live on between the runs");
}

#[test]
fn a_panic_in_main_is_resumed_after_the_orderly_end() {
    let mut ended = false;
    let message = panic_of(|| {
        run(async {
            create_task(async {
                finally(sleep(Duration::MAX), async || {
                    yield_now().await;
                    log!("cleaned up");
                })
                .await;
            });
            let _guard = OnDrop::new(|| ended = true);
            yield_now().await;
            raise("main")
        })
    });
    assert_eq!(message, "main");
    assert!(ended);
    assert_eq!(logged(), ["cleaned up"]);
}

#[test]
fn a_runner_goes_on_after_a_panic_in_main() {
    let mut runner = virtual_runner();
    assert_eq!(panic_of(|| runner.run(async { raise("main") })), "main");
    assert_eq!(runner.run(async { 1 }).unwrap(), 1);
    assert!(runner.close().is_clean());
}

#[test]
fn a_main_that_was_cancelled_or_stopped_is_an_error_of_the_runner_and_a_panic_of_run() {
    let mut runner = virtual_runner();
    let cancelled = runner.run(async {
        current_task().unwrap().cancel_with("by itself");
        yield_now().await;
    });
    let Err(RunError::Cancelled(cancelled)) = cancelled else {
        panic!("{cancelled:?}")
    };
    assert_eq!(cancelled.reason(), Some("by itself"));
    let stopped = runner.run(async {
        get_running_loop().stop();
        sleep(Duration::from_secs(1)).await;
    });
    assert!(matches!(stopped, Err(RunError::Stopped)));
    assert_eq!(runner.run(async { 3 }).unwrap(), 3);
    let message = panic_of(|| {
        run(async {
            current_task().unwrap().cancel();
            yield_now().await;
        })
    });
    assert!(
        message.starts_with("the main task gave no value: cancelled"),
        "{message}"
    );
    let message = panic_of(|| {
        run(async {
            get_running_loop().stop();
            sleep(Duration::from_secs(1)).await;
        })
    });
    assert!(
        message.contains("stopped before the target had ended"),
        "{message}"
    );
}

/// Tasks in clean-up are waited for, those left at half the grace are asked again, and force comes at its end.
#[test]
fn the_grace_is_halved_and_then_over() {
    let mut runner = Runner::builder()
        .virtual_clock()
        .grace(seconds(10.0))
        .build()
        .unwrap();
    let event_loop = runner.event_loop();
    let start = event_loop.time();
    let at = move || (get_running_loop().time() - start).as_secs_f64();
    let reports = collect_reports(&event_loop);
    runner
        .run(async {
            // Cleans up for 3 s.
            create_task(async move {
                let cancelled = catch_cancel(sleep(Duration::MAX)).await.unwrap_err();
                nap(3.0).await;
                log!("patient ends at {}", at());
                cancelled.propagate().await;
            })
            .set_name("patient");
            // Needs to be asked twice.
            create_task(async move {
                catch_cancel(sleep(Duration::MAX)).await.unwrap_err();
                let cancelled = catch_cancel(sleep(Duration::MAX)).await.unwrap_err();
                log!("slow ends at {}", at());
                cancelled.propagate().await;
            })
            .set_name("slow");
            // Never hears.
            create_task(async move {
                let _guard = OnDrop::new(move || log!("stubborn dropped at {}", at()));
                loop {
                    let _ = catch_cancel(sleep(Duration::MAX)).await;
                }
            })
            .set_name("stubborn");
            yield_now().await;
        })
        .unwrap();
    let report = runner.close();
    let lines = logged();
    assert_eq!(lines[..2], ["patient ends at 3", "slow ends at 5"]);
    assert!(lines[2].starts_with("stubborn dropped"), "{lines:?}");
    assert_eq!(event_loop.time() - start, seconds(10.0));
    assert!(!report.is_clean());
    let names = |tasks: &[corio_runtime::TaskInfo]| {
        tasks
            .iter()
            .map(|task| task.name.clone())
            .collect::<Vec<_>>()
    };
    assert_eq!(names(report.cancelled()), ["patient", "slow"]);
    assert_eq!(names(report.forced()), ["stubborn"]);
    let reports = reports.take();
    assert_eq!(reports.len(), 1, "{reports:?}");
    assert!(reports[0].contains("by force: stubborn"), "{reports:?}");
}

#[test]
fn what_other_threads_sent_before_the_end_is_done() {
    let mut runner = virtual_runner();
    runner.run(async {}).unwrap();
    let remote = runner.event_loop().remote();
    remote.call_soon(|| log!("called")).unwrap();
    let task = remote.create_task(|| sleep(Duration::MAX));
    drop(remote);
    assert!(runner.close().is_clean());
    assert_eq!(logged(), ["called"]);
    assert!(task.wait().unwrap_err().is_cancelled());
}

#[test]
fn tasks_that_are_made_during_the_end_are_ended_too() {
    let mut runner = virtual_runner();
    let late = Rc::new(Cell::new(0));
    runner
        .run({
            let late = late.clone();
            async move {
                create_task(async move {
                    finally(sleep(Duration::MAX), async move || {
                        for _ in 0..3 {
                            let late = late.clone();
                            create_task(async move {
                                let _guard = OnDrop::new(move || late.set(late.get() + 1));
                                sleep(Duration::MAX).await;
                            });
                        }
                        yield_now().await;
                        yield_now().await;
                    })
                    .await;
                });
                yield_now().await;
            }
        })
        .unwrap();
    assert!(runner.close().is_clean());
    assert_eq!(late.get(), 3);
    assert!(runner.event_loop().all_tasks().is_empty());
}

#[test]
fn tasks_that_were_asked_before_the_end_are_not_asked_again_at_once() {
    let mut runner = virtual_runner();
    let asked = Rc::new(Cell::new(0));
    runner
        .run({
            let asked = asked.clone();
            async move {
                let task = create_task(async move {
                    let cancelled = catch_cancel(sleep(Duration::MAX)).await.unwrap_err();
                    asked.set(asked.get() + 1);
                    // Its clean-up goes on undisturbed.
                    let rest = catch_cancel(nap(2.0)).await;
                    asked.set(asked.get() + u32::from(rest.is_err()));
                    cancelled.propagate().await;
                });
                yield_now().await;
                task.cancel();
                yield_now().await;
            }
        })
        .unwrap();
    assert!(runner.close().is_clean());
    assert_eq!(asked.get(), 1);
}

#[test]
fn a_runner_that_is_dropped_ends_in_order_too_also_by_a_panic() {
    let left = || async {
        create_task(async {
            finally(sleep(Duration::MAX), async || {
                yield_now().await;
                log!("cleaned up");
            })
            .await;
        });
        yield_now().await;
    };
    let mut runner = virtual_runner();
    runner.run(left()).unwrap();
    drop(runner);
    assert_eq!(logged(), ["cleaned up"]);
    let result = catch_unwind(AssertUnwindSafe(|| {
        let mut runner = virtual_runner();
        runner.run(left()).unwrap();
        raise("between the runs")
    }));
    assert!(result.is_err());
    assert_eq!(logged(), ["cleaned up"]);
}

#[test]
fn a_swallowed_request_at_the_end_may_end_in_a_value() {
    let mut runner = virtual_runner();
    let task = runner
        .run(async {
            let task = create_task(async {
                match catch_cancel(sleep(Duration::MAX)).await {
                    Ok(()) => 0,
                    Err(_) => 5,
                }
            });
            yield_now().await;
            task
        })
        .unwrap();
    assert!(runner.close().is_clean());
    assert_eq!(task.into_result().unwrap(), 5);
    let propagating = async {
        catch_cancel(async {}).await.or_propagate().await;
        6
    };
    assert_eq!(run(propagating), 6);
}
