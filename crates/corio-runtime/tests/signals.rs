//! Signals, as a process gets them: each program below runs as a child of this one and sends itself signals.

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
    use std::cell::{Cell, RefCell};
    use std::io;
    use std::rc::Rc;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
    use std::task::Poll;
    use std::thread;
    use std::time::Duration;

    use corio_combinators::{finally, move_on_after};
    use corio_runtime::signal::{SignalKind, ctrl_c, signal};
    use corio_runtime::workers::Workers;
    use corio_runtime::{
        EventLoop, RunError, Runner, context, create_task, current_task, get_running_loop, run,
        sleep, yield_now,
    };

    use signal_hook::consts;

    context! {
        static VARIABLE: u32 = 0;
    }

    const SIGINT: i32 = SignalKind::interrupt().as_raw();
    const SIGTERM: i32 = SignalKind::terminate().as_raw();
    const USR1: SignalKind = SignalKind::user_defined1();

    cases! {
        #[test]
        fn ctrl_c_is_heard_in_the_place_of_the_run_and_afterwards_the_run_hears_it_again()
            prints "heard\nstill here\nmain is cancelled\nInterrupted\n",
            ends None;
        #[test]
        fn a_ctrl_c_that_is_dropped_gives_the_run_its_place_back()
            prints "Interrupted\n",
            ends None;
        #[test]
        fn a_handler_for_sigint_goes_before_the_run_until_it_is_removed()
            prints "handler\nhandler\nremoved true\nInterrupted\n",
            ends None;
        #[test]
        fn a_listener_on_the_loop_of_another_thread_goes_before_the_run_of_the_main_thread()
            prints "the other one heard\nmain ends by itself\n",
            ends None;
        #[test]
        fn ctrl_c_without_a_run_around_it_has_the_default_action_back_at_its_end()
            prints "heard\n",
            ends Some(SIGINT);
        #[test]
        fn the_default_action_comes_back_with_the_last_listener()
            prints "one heard\nthe other heard\n",
            ends Some(SIGTERM);
        #[test]
        fn a_signal_that_was_ignored_is_ignored_again()
            prints "heard\nstill there\n",
            ends None;
        #[test]
        fn a_handler_that_was_there_before_is_called_too()
            prints "heard\nforeign: 2\n",
            ends None;
        #[test]
        fn signals_that_come_before_the_turn_are_one()
            prints "heard\nnothing more\nheard again\n",
            ends None;
        #[test]
        fn what_came_before_somebody_listens_is_not_for_him()
            prints "the first heard\nthe second: nothing\n",
            ends None;
        #[test]
        fn a_burst_is_heard_by_every_listener_on_every_loop_at_least_once_after_its_end()
            prints "all heard\n",
            ends None;
        #[test]
        fn a_handler_is_called_once_as_a_callback_of_the_sleeping_loop()
            prints "called on the loop's thread: true, in a task: false\n1 call\n",
            ends None;
        #[test]
        fn signals_that_do_not_exist_or_cannot_be_caught_are_refused()
            prints "0: invalid input\n-1: invalid input\n100000: invalid input\nSIGKILL: unsupported\nSIGSTOP: unsupported\nSIGSEGV: unsupported\nremoved: false\n",
            ends None;
        #[test]
        fn a_handler_that_is_removed_after_the_signal_came_is_not_called()
            prints "removed true\nnot called\n",
            ends None;
        #[test]
        fn a_new_handler_takes_the_place_of_the_old_one()
            prints "second\n",
            ends None;
        #[test]
        fn a_closed_loop_has_no_handlers_and_the_default_action_is_back()
            prints "called\nclosed\n",
            ends Some(USR1.as_raw());
        #[test]
        fn a_handler_that_panics_is_reported_and_stays()
            prints "report: exception in callback\nreport: exception in callback\n",
            ends None;
        #[test]
        fn a_handler_has_the_context_of_its_registration()
            prints "7\n8\n",
            ends None;
        #[test]
        fn a_loop_that_is_always_busy_hears_signals()
            prints "heard\n",
            ends None;
        #[test]
        fn a_listener_does_not_hold_a_virtual_clock()
            prints "100 s\nheard\n",
            ends None;
        #[test]
        fn a_listener_may_be_awaited_and_dropped_on_another_thread()
            prints "heard\ndropped\n",
            ends Some(USR1.as_raw());
        #[test]
        fn a_full_pipe_loses_no_signal()
            prints "heard\nheard asleep\n",
            ends None;
        #[test]
        fn real_time_signals_are_heard()
            prints "heard\n",
            ends None;
        #[test]
        fn ctrl_c_reaches_all_workers_and_their_clean_up_is_waited_for()
            prints "3 cleaned up\ninterrupted: true\n",
            ends None;
        #[test]
        fn workers_that_listen_for_ctrl_c_end_as_they_like()
            prints "interrupted: false\n[0, 1, 2]\n",
            ends None;
        #[test]
        fn handlers_of_several_loops_of_one_thread_are_all_called()
            prints "one\ntwo\n",
            ends None;
    }

    fn raise(kind: SignalKind) {
        signal_hook::low_level::raise(kind.as_raw()).expect("the signal is sent");
    }

    fn press() {
        raise(SignalKind::interrupt());
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

    fn ctrl_c_is_heard_in_the_place_of_the_run_and_afterwards_the_run_hears_it_again() {
        let mut runner = Runner::new().unwrap();
        show(runner.run(async {
            press_soon();
            ctrl_c().await.unwrap();
            println!("heard");
            sleep(Duration::from_millis(1)).await;
            println!("still here");
            let _says = Says("main is cancelled");
            press_soon();
            sleep(Duration::MAX).await;
        }));
    }

    fn a_ctrl_c_that_is_dropped_gives_the_run_its_place_back() {
        let mut runner = Runner::new().unwrap();
        show(runner.run(async {
            assert!(
                move_on_after(Duration::from_millis(1), ctrl_c())
                    .await
                    .is_none()
            );
            press_soon();
            sleep(Duration::MAX).await;
        }));
    }

    fn a_handler_for_sigint_goes_before_the_run_until_it_is_removed() {
        let mut runner = Runner::new().unwrap();
        // Before the run begins, so that its own wire is never laid.
        let calls = Rc::new(Cell::new(0));
        let called = calls.clone();
        let handler = move || {
            println!("handler");
            called.set(called.get() + 1);
        };
        runner
            .event_loop()
            .add_signal_handler(SIGINT, handler)
            .unwrap();
        show(runner.run(async move {
            for count in 1..=2 {
                press_soon();
                while calls.get() < count {
                    sleep(Duration::from_millis(1)).await;
                }
            }
            println!(
                "removed {}",
                get_running_loop().remove_signal_handler(SIGINT)
            );
            press_soon();
            sleep(Duration::MAX).await;
        }));
    }

    fn a_listener_on_the_loop_of_another_thread_goes_before_the_run_of_the_main_thread() {
        let ready = Arc::new(AtomicBool::new(false));
        let heard = Arc::new(AtomicBool::new(false));
        let other = thread::spawn({
            let (ready, heard) = (ready.clone(), heard.clone());
            move || {
                run(async move {
                    let mut interrupt = signal(SignalKind::interrupt()).unwrap();
                    ready.store(true, Ordering::SeqCst);
                    interrupt.recv().await;
                    println!("the other one heard");
                    drop(interrupt);
                    heard.store(true, Ordering::SeqCst);
                });
            }
        });
        run(async move {
            while !ready.load(Ordering::SeqCst) {
                yield_now().await;
            }
            press();
            // Longer than the other one listens: what it heard is not heard here afterwards.
            while !heard.load(Ordering::SeqCst) {
                yield_now().await;
            }
            sleep(Duration::from_millis(1)).await;
            println!("main ends by itself");
        });
        other.join().unwrap();
    }

    fn ctrl_c_without_a_run_around_it_has_the_default_action_back_at_its_end() {
        let mut runner = Runner::builder().sigint(false).build().unwrap();
        show(runner.run(async {
            press_soon();
            ctrl_c().await.unwrap();
            println!("heard");
            press();
        }));
    }

    /// R116
    fn the_default_action_comes_back_with_the_last_listener() {
        run(async {
            let mut one = signal(SignalKind::terminate()).unwrap();
            let mut other = signal(SignalKind::terminate()).unwrap();
            raise(SignalKind::terminate());
            one.recv().await;
            println!("one heard");
            drop(one);
            raise(SignalKind::terminate());
            other.recv().await;
            println!("the other heard");
            drop(other);
            raise(SignalKind::terminate());
            println!("not reached");
        });
    }

    fn a_signal_that_was_ignored_is_ignored_again() {
        run(async {
            let mut pipe = signal(SignalKind::pipe()).unwrap();
            raise(SignalKind::pipe());
            pipe.recv().await;
            println!("heard");
            drop(pipe);
            raise(SignalKind::pipe());
            println!("still there");
        });
    }

    fn a_handler_that_was_there_before_is_called_too() {
        let count = Arc::new(AtomicUsize::new(0));
        let set = Arc::new(AtomicBool::new(false));
        signal_hook::flag::register(USR1.as_raw(), set.clone()).unwrap();
        let check = || {
            if set.swap(false, Ordering::SeqCst) {
                count.fetch_add(1, Ordering::SeqCst);
            }
        };
        run(async {
            let mut listener = signal(USR1).unwrap();
            raise(USR1);
            check();
            listener.recv().await;
            println!("heard");
        });
        raise(USR1);
        check();
        println!("foreign: {}", count.load(Ordering::SeqCst));
    }

    fn signals_that_come_before_the_turn_are_one() {
        run(async {
            let mut listener = signal(USR1).unwrap();
            for _ in 0..3 {
                raise(USR1);
            }
            listener.recv().await;
            println!("heard");
            let more = move_on_after(Duration::from_millis(1), listener.recv()).await;
            assert!(more.is_none());
            println!("nothing more");
            // Kept until somebody asks.
            raise(USR1);
            sleep(Duration::from_millis(1)).await;
            listener.recv().await;
            println!("heard again");
        });
    }

    fn what_came_before_somebody_listens_is_not_for_him() {
        run(async {
            let mut first = signal(USR1).unwrap();
            raise(USR1);
            let mut second = signal(USR1).unwrap();
            first.recv().await;
            println!("the first heard");
            let heard = move_on_after(Duration::from_millis(1), second.recv()).await;
            assert!(heard.is_none());
            println!("the second: nothing");
            raise(USR1);
            second.recv().await;
        });
    }

    /// R115
    fn a_burst_is_heard_by_every_listener_on_every_loop_at_least_once_after_its_end() {
        const LOOPS: usize = 3;
        let listening = Arc::new(AtomicUsize::new(0));
        let over = Arc::new(AtomicBool::new(false));
        let threads: Vec<_> = (0..LOOPS)
            .map(|_| {
                let (listening, over) = (listening.clone(), over.clone());
                thread::spawn(move || {
                    run(async move {
                        let listeners: Vec<_> = (0..4)
                            .map(|_| {
                                let over = over.clone();
                                let mut listener = signal(USR1).unwrap();
                                create_task(async move {
                                    listener.recv().await;
                                    while !over.load(Ordering::SeqCst) {
                                        listener.recv().await;
                                    }
                                })
                            })
                            .collect();
                        listening.fetch_add(1, Ordering::SeqCst);
                        for listener in listeners {
                            listener.await.unwrap();
                        }
                    });
                })
            })
            .collect();
        while listening.load(Ordering::SeqCst) < LOOPS {
            thread::yield_now();
        }
        for _ in 0..100_000 {
            raise(USR1);
        }
        over.store(true, Ordering::SeqCst);
        raise(USR1);
        for thread in threads {
            thread.join().unwrap();
        }
        println!("all heard");
    }

    /// C117
    fn a_handler_is_called_once_as_a_callback_of_the_sleeping_loop() {
        let event_loop = EventLoop::new().unwrap();
        let here = thread::current().id();
        let calls = Rc::new(Cell::new(0));
        event_loop
            .add_signal_handler(USR1, {
                let calls = calls.clone();
                move || {
                    let on_loop = thread::current().id() == here;
                    let in_task = current_task().is_some();
                    println!("called on the loop's thread: {on_loop}, in a task: {in_task}");
                    calls.set(calls.get() + 1);
                    let event_loop = get_running_loop();
                    // Some time for a second call that must not come.
                    event_loop.call_later(Duration::from_millis(5), || get_running_loop().stop());
                }
            })
            .unwrap();
        let sender = thread::spawn(|| {
            thread::sleep(Duration::from_millis(20));
            raise(USR1);
        });
        event_loop.run_forever().unwrap();
        sender.join().unwrap();
        println!("{} call", calls.get());
    }

    /// C116
    fn signals_that_do_not_exist_or_cannot_be_caught_are_refused() {
        let event_loop = EventLoop::new().unwrap();
        for number in [0, -1, 100_000] {
            let error = event_loop.add_signal_handler(number, || ()).unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::InvalidInput);
            let message = format!("there is no signal with the number {number}");
            assert_eq!(error.to_string(), message);
            println!("{number}: invalid input");
        }
        for number in [consts::SIGKILL, consts::SIGSTOP, consts::SIGSEGV] {
            let kind = SignalKind::from_raw(number);
            let error = event_loop.add_signal_handler(kind, || ()).unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::Unsupported);
            println!("{kind}: unsupported");
        }
        println!("removed: {}", event_loop.remove_signal_handler(0));
    }

    /// C118
    fn a_handler_that_is_removed_after_the_signal_came_is_not_called() {
        let event_loop = EventLoop::new().unwrap();
        event_loop
            .add_signal_handler(USR1, || println!("called"))
            .unwrap();
        let keeps_the_signal = event_loop.clone();
        event_loop
            .run_until_complete(async move {
                let _listener = signal(USR1).unwrap();
                raise(USR1);
                // The loop has been told, and has queued the call behind this task.
                yield_now().await;
                println!("removed {}", keeps_the_signal.remove_signal_handler(USR1));
                sleep(Duration::from_millis(1)).await;
                println!("not called");
            })
            .unwrap();
    }

    fn a_new_handler_takes_the_place_of_the_old_one() {
        let event_loop = EventLoop::new().unwrap();
        event_loop
            .add_signal_handler(USR1, || println!("first"))
            .unwrap();
        event_loop
            .add_signal_handler(USR1, || {
                println!("second");
                get_running_loop().stop();
            })
            .unwrap();
        event_loop.call_soon(|| raise(USR1));
        event_loop.run_forever().unwrap();
    }

    fn a_closed_loop_has_no_handlers_and_the_default_action_is_back() {
        let event_loop = EventLoop::new().unwrap();
        event_loop
            .add_signal_handler(USR1, || {
                println!("called");
                get_running_loop().stop();
            })
            .unwrap();
        event_loop.call_soon(|| raise(USR1));
        event_loop.run_forever().unwrap();
        event_loop.close();
        assert!(!event_loop.remove_signal_handler(USR1));
        assert!(event_loop.add_signal_handler(USR1, || ()).is_err());
        println!("closed");
        raise(USR1);
        println!("not reached");
    }

    fn a_handler_that_panics_is_reported_and_stays() {
        let event_loop = EventLoop::new().unwrap();
        let reports = Rc::new(RefCell::new(Vec::new()));
        let kept = reports.clone();
        event_loop.set_exception_handler(move |report| {
            kept.borrow_mut().push(report.message().to_owned());
        });
        event_loop
            .add_signal_handler(USR1, || std::panic::resume_unwind(Box::new("ouch")))
            .unwrap();
        event_loop
            .run_until_complete(async {
                for count in 1..=2 {
                    raise(USR1);
                    while reports.borrow().len() < count {
                        yield_now().await;
                    }
                }
            })
            .unwrap();
        for report in reports.borrow().iter() {
            println!("report: {report}");
        }
    }

    fn a_handler_has_the_context_of_its_registration() {
        run(async {
            VARIABLE.set(7);
            let calls = Rc::new(Cell::new(0));
            let called = calls.clone();
            get_running_loop()
                .add_signal_handler(USR1, move || {
                    println!("{}", VARIABLE.get());
                    VARIABLE.set(VARIABLE.get() + 1);
                    called.set(called.get() + 1);
                })
                .unwrap();
            VARIABLE.set(99);
            for count in 1..=2 {
                raise(USR1);
                while calls.get() < count {
                    yield_now().await;
                }
            }
        });
    }

    /// There is no other I/O and no timer, so nothing but the turn itself can find the signal.
    fn a_loop_that_is_always_busy_hears_signals() {
        run(async {
            let mut listener = signal(USR1).unwrap();
            let task = create_task(async {
                loop {
                    yield_now().await;
                }
            });
            raise(USR1);
            listener.recv().await;
            println!("heard");
            task.cancel();
        });
    }

    fn a_listener_does_not_hold_a_virtual_clock() {
        let mut runner = Runner::builder().virtual_clock().build().unwrap();
        runner
            .run(async {
                let mut listener = signal(USR1).unwrap();
                let start = get_running_loop().time();
                sleep(Duration::from_secs(100)).await;
                println!("{} s", (get_running_loop().time() - start).as_secs());
                raise(USR1);
                listener.recv().await;
                println!("heard");
            })
            .unwrap();
    }

    fn a_listener_may_be_awaited_and_dropped_on_another_thread() {
        run(async {
            let mut listener = signal(USR1).unwrap();
            let other = get_running_loop().remote();
            let waiting = thread::spawn(move || {
                let mut cx = std::task::Context::from_waker(std::task::Waker::noop());
                raise(USR1);
                while listener.poll_recv(&mut cx) == Poll::Pending {
                    thread::yield_now();
                }
                println!("heard");
                drop(listener);
                println!("dropped");
                drop(other);
            });
            while !waiting.is_finished() {
                yield_now().await;
            }
            raise(USR1);
            println!("not reached");
        });
    }

    /// R114
    fn a_full_pipe_loses_no_signal() {
        run(async {
            let mut listener = signal(USR1).unwrap();
            // The loop reads nothing meanwhile.
            for _ in 0..100_000 {
                raise(USR1);
            }
            listener.recv().await;
            println!("heard");
            let sender = thread::spawn(|| {
                thread::sleep(Duration::from_millis(20));
                raise(USR1);
            });
            listener.recv().await;
            println!("heard asleep");
            sender.join().unwrap();
        });
    }

    fn real_time_signals_are_heard() {
        run(async {
            // Elsewhere there are none; then any other that signal-hook has no name for would do, and there is none.
            let number = if cfg!(target_os = "linux") {
                40
            } else {
                USR1.as_raw()
            };
            let kind = SignalKind::from_raw(number);
            let mut listener = signal(kind).unwrap();
            raise(kind);
            listener.recv().await;
            println!("heard");
        });
    }

    fn handlers_of_several_loops_of_one_thread_are_all_called() {
        let names = ["one", "two"];
        let loops = names.map(|name| {
            let event_loop = EventLoop::new().unwrap();
            event_loop
                .add_signal_handler(USR1, move || {
                    println!("{name}");
                    get_running_loop().stop();
                })
                .unwrap();
            event_loop
        });
        raise(USR1);
        for event_loop in loops {
            event_loop.run_forever().unwrap();
        }
    }

    /// Presses Ctrl-C when all workers have come to the place where they count themselves.
    fn press_when_all_are_there(there: &AtomicUsize, count: usize) {
        if there.fetch_add(1, Ordering::SeqCst) + 1 == count {
            press_soon();
        }
    }

    fn ctrl_c_reaches_all_workers_and_their_clean_up_is_waited_for() {
        let (there, cleaned) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        let report = Workers::new(3).run({
            let cleaned = cleaned.clone();
            async move |worker| {
                press_when_all_are_there(&there, worker.count());
                finally(sleep(Duration::MAX), async || {
                    yield_now().await;
                    cleaned.fetch_add(1, Ordering::SeqCst);
                })
                .await;
            }
        });
        let report = report.unwrap();
        println!("{} cleaned up", cleaned.load(Ordering::SeqCst));
        println!("interrupted: {}", report.interrupted());
    }

    fn workers_that_listen_for_ctrl_c_end_as_they_like() {
        let there = Arc::new(AtomicUsize::new(0));
        let report = Workers::new(3).run(async move |worker| {
            let mut interrupt = signal(SignalKind::interrupt()).unwrap();
            press_when_all_are_there(&there, worker.count());
            interrupt.recv().await;
            worker.index()
        });
        let report = report.unwrap();
        println!("interrupted: {}", report.interrupted());
        println!("{:?}", report.into_values().unwrap());
    }
}
