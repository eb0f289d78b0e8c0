//! Ctrl-C, as a process gets it: each program below runs as a child of this one, sends itself the signal, and is judged by what it
//! prints and how it ends. Only the main thread listens, so the programs need a `main` of their own.

#[cfg(unix)]
fn main() {
    let program = std::env::var(unix::PROGRAM).ok();
    match program {
        Some(name) => unix::run(&name),
        None if std::env::args().any(|argument| argument == "--list") => {}
        None => unix::judge_all(),
    }
}

#[cfg(not(unix))]
fn main() {}

#[cfg(unix)]
mod unix {
    use std::os::unix::process::ExitStatusExt;
    use std::process::{Command, Stdio};
    use std::sync::Arc;
    use std::sync::atomic::{AtomicBool, Ordering};
    use std::time::Duration;

    use corio_combinators::{catch_cancel, finally, wait};
    use corio_core::Task;
    use corio_runtime::{
        EventLoop, RunError, Runner, create_task, current_task, get_running_loop, sleep, yield_now,
    };
    use signal_hook::consts::SIGINT;

    pub(super) const PROGRAM: &str = "CORIO_CTRL_C_PROGRAM";

    /// A name, the program, what it prints, and whether the signal ends it.
    type Case = (&'static str, fn(), &'static str, bool);

    const CASES: &[Case] = &[
        (
            "a main that awaits is cancelled, cleans up, and the process ends by the signal",
            awaiting_main,
            "main is cancelled: interrupted by Ctrl-C, cancelling 1\nmain cleanup awaited\nleft over is cancelled\n",
            true,
        ),
        (
            "a main that swallows the request goes on",
            swallowing_main,
            "swallowed\nrun -> 5\n",
            false,
        ),
        (
            "a main that spins is cancelled too",
            spinning_main,
            "cancelled after some turns\nInterrupted\n",
            false,
        ),
        (
            "a loop that sleeps is woken by a signal from another thread",
            sleeping_main,
            "Interrupted\n",
            false,
        ),
        (
            "the second signal drops a main that will not end",
            stubborn_main,
            "asked\ndropped\nInterrupted\n",
            false,
        ),
        (
            "a signal between two runs has its default action",
            between_runs,
            "first run\n",
            true,
        ),
        (
            "run_until_complete is interrupted, and its tasks live on to be cancelled",
            stop_all_tasks,
            "Interrupted\ntrue\ntrue\ntrue\ntrue\n0 left\n",
            false,
        ),
        (
            "run_forever is interrupted, and the loop can run again",
            run_forever,
            "Interrupted\nagain 3\n",
            false,
        ),
        (
            "a borrowing future is dropped when the run is interrupted",
            borrowing,
            "dropped\nInterrupted\n",
            false,
        ),
        (
            "a loop of another thread does not listen",
            other_thread,
            "running\n",
            true,
        ),
        (
            "a handler that was there before is left in charge",
            other_handler,
            "main goes on\nother handler: true\n",
            false,
        ),
        (
            "a runner that was told not to listen does not",
            without_sigint,
            "running\n",
            true,
        ),
        (
            "a signal during the orderly end hastens it",
            during_the_end,
            "main returns\nasked\nforced [\"stubborn\"]\n",
            false,
        ),
    ];

    pub(super) fn judge_all() {
        let mut failed = 0;
        for (name, _, expected, by_signal) in CASES {
            let child = Command::new(std::env::current_exe().expect("the tests run from a file"))
                .env(PROGRAM, name)
                .stdin(Stdio::null())
                .output()
                .expect("it starts");
            let printed = String::from_utf8_lossy(&child.stdout);
            let killed = child.status.signal() == Some(SIGINT);
            let ended_well = if *by_signal {
                killed
            } else {
                child.status.success()
            };
            if printed == *expected && ended_well {
                println!("test {name} ... ok");
            } else {
                failed += 1;
                println!("test {name} ... FAILED");
                println!(
                    "expected:\n{expected}\nprinted:\n{printed}\nended: {}",
                    child.status
                );
                println!("{}", String::from_utf8_lossy(&child.stderr));
            }
        }
        assert_eq!(failed, 0, "programs failed");
    }

    pub(super) fn run(name: &str) {
        let case = CASES.iter().find(|case| case.0 == name);
        case.expect("a program of this file").1();
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

    fn awaiting_main() {
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

    fn swallowing_main() {
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

    fn spinning_main() {
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

    fn sleeping_main() {
        let mut runner = Runner::new().unwrap();
        show(runner.run(async {
            std::thread::spawn(press);
            sleep(Duration::MAX).await;
        }));
    }

    fn stubborn_main() {
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

    fn between_runs() {
        let mut runner = Runner::new().unwrap();
        runner.run(async { println!("first run") }).unwrap();
        press();
        println!("the process is still there");
    }

    fn stop_all_tasks() {
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

    fn run_forever() {
        let event_loop = EventLoop::new().unwrap();
        event_loop.call_soon(press);
        show(event_loop.run_forever());
        let value = event_loop.run_until_complete(async {
            yield_now().await;
            3
        });
        println!("again {}", value.unwrap());
    }

    fn borrowing() {
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

    fn other_thread() {
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

    fn other_handler() {
        let pressed = Arc::new(AtomicBool::new(false));
        signal_hook::flag::register(SIGINT, pressed.clone()).unwrap();
        corio_runtime::run(async {
            press_soon();
            sleep(Duration::from_millis(1)).await;
            println!("main goes on");
        });
        println!("other handler: {}", pressed.load(Ordering::SeqCst));
    }

    fn without_sigint() {
        let mut runner = Runner::builder().sigint(false).build().unwrap();
        runner
            .run(async {
                println!("running");
                press_soon();
                sleep(Duration::from_secs(3600)).await;
            })
            .unwrap();
    }

    fn during_the_end() {
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
