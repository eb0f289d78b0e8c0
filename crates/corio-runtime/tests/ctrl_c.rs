//! Ctrl-C, as a process gets it: each program below runs as a child of this one, sends itself the signal, and is judged by what it
//! prints and how it ends. Only the main thread listens, so the programs need a `main` of their own.

#[cfg(unix)]
#[path = "support/programs.rs"]
#[macro_use]
mod programs;

#[cfg(unix)]
fn main() {
    programs::main(unix::CASES);
}

#[cfg(not(unix))]
fn main() {}

#[cfg(unix)]
mod unix {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicBool, Ordering};
    use std::time::Duration;

    use corio_combinators::{catch_cancel, finally, wait};
    use corio_core::{OrPropagate, Task};
    use corio_runtime::{
        EventLoop, RunError, Runner, create_task, current_task, get_running_loop, sleep, yield_now,
    };
    use signal_hook::consts::SIGINT;

    cases! {
        #[test]
        fn the_trace_of_keyboard_interrupts()
            prints TRACE,
            ends None;
        #[test]
        fn a_main_that_awaits_is_cancelled_cleans_up_and_the_process_ends_by_the_signal()
            prints "main is cancelled: interrupted by Ctrl-C, cancelling 1\nmain cleanup awaited\nleft over is cancelled\n",
            ends Some(SIGINT);
        #[test]
        fn a_main_that_swallows_the_request_goes_on()
            prints "swallowed\nrun -> 5\n",
            ends None;
        #[test]
        fn a_main_that_spins_is_cancelled_too()
            prints "cancelled after some turns\nInterrupted\n",
            ends None;
        #[test]
        fn a_loop_that_sleeps_is_woken_by_a_signal_from_another_thread()
            prints "Interrupted\n",
            ends None;
        #[test]
        fn the_second_signal_drops_a_main_that_will_not_end()
            prints "asked\ndropped\nInterrupted\n",
            ends None;
        #[test]
        fn a_signal_between_two_runs_has_its_default_action()
            prints "first run\n",
            ends Some(SIGINT);
        #[test]
        fn run_until_complete_is_interrupted_and_its_tasks_live_on_to_be_cancelled()
            prints "Interrupted\ntrue\ntrue\ntrue\ntrue\n0 left\n",
            ends None;
        #[test]
        fn run_forever_is_interrupted_and_the_loop_can_run_again()
            prints "Interrupted\nagain 3\n",
            ends None;
        #[test]
        fn a_borrowing_future_is_dropped_when_the_run_is_interrupted()
            prints "dropped\nInterrupted\n",
            ends None;
        #[test]
        fn a_loop_of_another_thread_does_not_listen()
            prints "running\n",
            ends Some(SIGINT);
        #[test]
        fn a_handler_that_was_there_before_is_left_in_charge()
            prints "main goes on\nother handler: true\n",
            ends None;
        #[test]
        fn a_runner_that_was_told_not_to_listen_does_not()
            prints "running\n",
            ends Some(SIGINT);
        #[test]
        fn a_signal_during_the_orderly_end_hastens_it()
            prints "main returns\nasked\nforced [\"stubborn\"]\n",
            ends None;
    }

    /// T84
    const TRACE: &str = "\
main task got a request; cancelling 1
main cleanup awaited
run() gave Interrupted
swallowed
run -> 5
raise returned, handler not run yet: true
own SIGINT handler ran as a loop callback
remove -> true again -> false
";

    fn the_trace_of_keyboard_interrupts() {
        let mut runner = Runner::new().unwrap();
        let interrupted = runner.run(async {
            press_soon();
            let caught = catch_cancel(sleep(Duration::from_secs(10))).await;
            let cancelling = current_task().unwrap().cancelling();
            println!("main task got a request; cancelling {cancelling}");
            yield_now().await;
            println!("main cleanup awaited");
            caught.or_propagate().await;
        });
        if let Err(RunError::Interrupted) = interrupted {
            println!("run() gave Interrupted");
        }
        let value = runner.run(async {
            press_soon();
            catch_cancel(sleep(Duration::from_secs(10)))
                .await
                .unwrap_err();
            println!("swallowed");
            5
        });
        println!("run -> {}", value.unwrap());
        let handled = runner.run(async {
            let event_loop = get_running_loop();
            let heard = event_loop.create_promise();
            let hears = heard.clone();
            let handler = move || {
                println!("own SIGINT handler ran as a loop callback");
                hears.set_result(()).unwrap();
            };
            event_loop.add_signal_handler(SIGINT, handler).unwrap();
            press();
            println!("raise returned, handler not run yet: {}", !heard.done());
            heard.await.unwrap();
            let removed = event_loop.remove_signal_handler(SIGINT);
            let again = event_loop.remove_signal_handler(SIGINT);
            println!("remove -> {removed} again -> {again}");
        });
        handled.unwrap();
    }

    fn press() {
        signal_hook::low_level::raise(SIGINT).expect("the signal is sent");
    }

    fn press_soon() {
        get_running_loop().call_soon(press);
    }

    fn show<T>(result: Result<T, RunError>) {
        match result {
            Ok(_) => println!("a value"),
            Err(RunError::Interrupted) => println!("Interrupted"),
            Err(error) => println!("{error}"),
        }
    }

    /// Says that it was dropped.
    struct Says(&'static str);

    impl Drop for Says {
        fn drop(&mut self) {
            println!("{}", self.0);
        }
    }

    /// C122
    fn a_main_that_awaits_is_cancelled_cleans_up_and_the_process_ends_by_the_signal() {
        corio_runtime::run(async {
            create_task(async {
                let _says = Says("left over is cancelled");
                sleep(Duration::MAX).await;
            });
            press_soon();
            let cancelled = catch_cancel(sleep(Duration::from_secs(3600)))
                .await
                .unwrap_err();
            let cancelling = current_task().unwrap().cancelling();
            println!("main is {cancelled}, cancelling {cancelling}");
            yield_now().await;
            println!("main cleanup awaited");
            cancelled.propagate().await
        })
    }

    fn a_main_that_swallows_the_request_goes_on() {
        let value = corio_runtime::run(async {
            press_soon();
            match catch_cancel(sleep(Duration::from_secs(3600))).await {
                Ok(()) => 0,
                Err(_) => {
                    println!("swallowed");
                    5
                }
            }
        });
        println!("run -> {value}");
    }

    /// C122
    fn a_main_that_spins_is_cancelled_too() {
        let mut runner = Runner::new().unwrap();
        show(runner.run(async {
            let _says = Says("cancelled after some turns");
            for turn in 0u64.. {
                if turn == 100 {
                    press();
                }
                yield_now().await;
            }
        }));
    }

    fn a_loop_that_sleeps_is_woken_by_a_signal_from_another_thread() {
        let mut runner = Runner::new().unwrap();
        show(runner.run(async {
            std::thread::spawn(press);
            sleep(Duration::MAX).await;
        }));
    }

    fn the_second_signal_drops_a_main_that_will_not_end() {
        let mut runner = Runner::new().unwrap();
        show(runner.run(async {
            let _says = Says("dropped");
            press_soon();
            catch_cancel(sleep(Duration::MAX)).await.unwrap_err();
            println!("asked");
            press_soon();
            loop {
                let _ = catch_cancel(sleep(Duration::MAX)).await;
            }
        }));
    }

    fn a_signal_between_two_runs_has_its_default_action() {
        let mut runner = Runner::new().unwrap();
        runner.run(async { println!("first run") }).unwrap();
        press();
        println!("the process is still there");
    }

    fn run_until_complete_is_interrupted_and_its_tasks_live_on_to_be_cancelled() {
        let event_loop = EventLoop::new().unwrap();
        let tasks: Vec<Task<()>> = (1..=3)
            .map(|_| event_loop.create_task(sleep(Duration::from_secs(3600))))
            .collect();
        let waiting = event_loop.create_task(async move { drop(wait(tasks).await) });
        event_loop.call_soon(press);
        show(event_loop.run_until_complete(&waiting));
        for task in event_loop.all_tasks() {
            println!("{}", task.cancel());
        }
        event_loop.stop();
        event_loop.run_forever().unwrap();
        println!("{} left", event_loop.all_tasks().len());
        event_loop.close();
    }

    fn run_forever_is_interrupted_and_the_loop_can_run_again() {
        let event_loop = EventLoop::new().unwrap();
        event_loop.call_soon(press);
        show(event_loop.run_forever());
        let value = event_loop.run_until_complete(async {
            yield_now().await;
            3
        });
        println!("again {}", value.unwrap());
    }

    fn a_borrowing_future_is_dropped_when_the_run_is_interrupted() {
        let event_loop = EventLoop::new().unwrap();
        let text = String::from("dropped");
        let result = event_loop.run_until_complete(async {
            struct Borrows<'a>(&'a str);
            impl Drop for Borrows<'_> {
                fn drop(&mut self) {
                    println!("{}", self.0);
                }
            }
            let _borrows = Borrows(&text);
            press_soon();
            sleep(Duration::MAX).await;
        });
        show(result);
    }

    fn a_loop_of_another_thread_does_not_listen() {
        std::thread::spawn(|| {
            let event_loop = EventLoop::new().unwrap();
            event_loop
                .run_until_complete(async {
                    println!("running");
                    press();
                    sleep(Duration::from_secs(3600)).await;
                })
                .unwrap();
        })
        .join()
        .unwrap();
    }

    fn a_handler_that_was_there_before_is_left_in_charge() {
        let pressed = Arc::new(AtomicBool::new(false));
        signal_hook::flag::register(SIGINT, pressed.clone()).unwrap();
        corio_runtime::run(async {
            press_soon();
            sleep(Duration::from_millis(1)).await;
            println!("main goes on");
        });
        println!("other handler: {}", pressed.load(Ordering::SeqCst));
    }

    fn a_runner_that_was_told_not_to_listen_does_not() {
        let mut runner = Runner::builder().sigint(false).build().unwrap();
        runner
            .run(async {
                println!("running");
                press_soon();
                sleep(Duration::from_secs(3600)).await;
            })
            .unwrap();
    }

    fn a_signal_during_the_orderly_end_hastens_it() {
        let mut runner = Runner::new().unwrap();
        runner.event_loop().set_exception_handler(|_| {});
        runner
            .run(async {
                create_task(async {
                    finally(sleep(Duration::MAX), async || {
                        println!("asked");
                        press_soon();
                        sleep(Duration::MAX).await;
                    })
                    .await;
                })
                .set_name("stubborn");
                yield_now().await;
                println!("main returns");
            })
            .unwrap();
        let report = runner.close();
        let names: Vec<&str> = report
            .forced()
            .iter()
            .map(|task| task.name.as_str())
            .collect();
        println!("forced {names:?}");
    }
}
