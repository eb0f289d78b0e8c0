//! What a program may count on from `run` to its end: nothing vanishes, nothing starves, time does not lie.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::Duration;

use corio::{EventLoop, Runner, create_task, finally, sleep, yield_now};

const HOUR: Duration = Duration::from_secs(3600);
const SECOND: Duration = Duration::from_secs(1);

fn virtual_runner() -> Runner {
    let builder = Runner::builder().virtual_clock().sigint(false);
    builder.build().expect("a loop")
}

#[test]
fn a_task_whose_handle_was_dropped_runs_on_and_is_listed() {
    let ended = Rc::new(Cell::new(false));
    virtual_runner()
        .run(async {
            let ended = ended.clone();
            drop(create_task(async move {
                sleep(SECOND).await;
                ended.set(true);
            }));
            yield_now().await;
            assert_eq!(corio::all_tasks().len(), 2);
            sleep(2 * SECOND).await;
        })
        .unwrap();
    assert!(ended.get());
}

#[test]
fn what_is_left_at_the_end_cleans_up_with_awaits_before_the_runner_is_closed() {
    let log = Rc::new(RefCell::new(Vec::new()));
    let mut runner = virtual_runner();
    runner
        .run(async {
            let log = log.clone();
            create_task(async move {
                finally(sleep(HOUR), async || {
                    log.borrow_mut().push("clean-up begins");
                    sleep(SECOND).await;
                    log.borrow_mut().push("clean-up ends");
                })
                .await
            });
            yield_now().await;
        })
        .unwrap();
    assert!(log.borrow().is_empty());
    let report = runner.close();
    assert!(report.is_clean());
    assert_eq!(report.cancelled().len(), 1);
    assert_eq!(*log.borrow(), ["clean-up begins", "clean-up ends"]);
}

#[test]
fn what_will_not_end_is_asked_again_at_half_the_grace_and_then_ended_by_force_and_named() {
    let asked = Rc::new(RefCell::new(Vec::new()));
    let builder = Runner::builder().virtual_clock().sigint(false);
    let mut runner = builder.grace(4 * SECOND).build().unwrap();
    let event_loop = runner.event_loop();
    let begin = event_loop.time();
    event_loop.set_exception_handler(|_| {});
    runner
        .run(async {
            let asked = asked.clone();
            let event_loop = event_loop.clone();
            create_task(async move {
                loop {
                    let _ = corio::catch_cancel(sleep(HOUR)).await;
                    asked.borrow_mut().push(event_loop.time() - begin);
                }
            })
            .set_name("stubborn");
            yield_now().await;
        })
        .unwrap();
    let report = runner.close();
    assert_eq!(*asked.borrow(), [Duration::ZERO, 2 * SECOND]);
    assert_eq!(report.forced().len(), 1);
    assert_eq!(report.forced()[0].name, "stubborn");
    assert_eq!(event_loop.time() - begin, 4 * SECOND);
}

#[test]
fn timers_and_other_threads_are_heard_while_a_task_is_always_ready() {
    let event_loop = EventLoop::new().unwrap();
    let heard = Rc::new(Cell::new(0));
    let timer = heard.clone();
    event_loop.call_later(Duration::from_millis(1), move || timer.set(timer.get() + 1));
    let remote = event_loop.remote();
    let sender = std::thread::spawn(move || {
        remote
            .create_task(|| async { yield_now().await })
            .wait()
            .unwrap();
    });
    let spin = async {
        // Ends only if the loop looks up from its ready queue.
        while heard.get() == 0 || !sender.is_finished() {
            yield_now().await;
        }
    };
    event_loop.run_until_complete(spin).unwrap();
    sender.join().unwrap();
    event_loop.close();
}

#[test]
fn on_the_virtual_clock_sleeps_take_no_time_and_keep_their_order() {
    let log = RefCell::new(Vec::new());
    let event_loop = EventLoop::builder().virtual_clock().build().unwrap();
    let begin = event_loop.time();
    let all = [3, 1, 2].map(|hours| {
        let event_loop = event_loop.clone();
        event_loop.clone().create_task(async move {
            sleep(hours * HOUR).await;
            (hours, event_loop.time() - begin)
        })
    });
    let ends = async {
        let mut ends = corio::as_completed(all);
        while let Some(task) = ends.next().await {
            log.borrow_mut().push(task.into_result().unwrap());
        }
    };
    event_loop.run_until_complete(ends).unwrap();
    assert_eq!(*log.borrow(), [1, 2, 3].map(|hours| (hours, hours * HOUR)));
    event_loop.close();
}

#[test]
#[should_panic = "nothing can ever run again"]
fn on_the_virtual_clock_a_program_that_can_never_go_on_says_so() {
    virtual_runner().run(std::future::pending::<()>()).unwrap();
}

#[test]
fn asking_for_the_deadline_does_not_let_the_time_of_the_step_begin() {
    corio::run(async {
        assert_eq!(corio::deadline(), None);
        // The clock of this step has not been read, so what is read later counts from later.
        std::thread::sleep(Duration::from_millis(2));
        let now = std::time::Instant::now();
        let inside = corio::timeout(HOUR, async { corio::deadline() }).await;
        assert!(inside.expect("it is ready").expect("a limit") >= now + HOUR);
    });
}
