//! Work that comes to a loop from other threads: every result, panic and cancellation arrives, and nothing is left waiting.

mod support;

use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use corio_core::{LoopClosed, Promise, TaskError};
use corio_runtime::{
    EventLoop, Remote, all_tasks, create_task, get_running_loop, run, sleep, yield_now,
};
use support::{collect_reports, raise};

/// Runs the loop on the system's clock until `thread` has ended.
fn serve<T: Send + 'static>(
    event_loop: &EventLoop,
    work: impl FnOnce(Remote) -> T + Send + 'static,
) -> T {
    let remote = event_loop.remote();
    let stop = remote.clone();
    let helper = thread::spawn(move || {
        // Also when it panics, so that its panic is told.
        let _stop = support::OnDrop::new(move || stop.stop());
        work(remote)
    });
    event_loop.run_forever().unwrap();
    helper.join().unwrap()
}

fn run_some_turns(event_loop: &EventLoop) {
    let turns = async {
        for _ in 0..10 {
            yield_now().await;
        }
    };
    event_loop.run_until_complete(turns).unwrap();
}

/// C129
#[test]
fn results_panics_and_values_that_are_not_send_inside_arrive_on_every_thread() {
    let event_loop = EventLoop::new().unwrap();
    let sum = serve(&event_loop, |remote| {
        let threads: Vec<_> = (0..10u64)
            .map(|number| {
                let remote = remote.clone();
                thread::spawn(move || {
                    let squared = remote.create_task(move || {
                        let held = Rc::new(number);
                        async move {
                            yield_now().await;
                            *held * *held
                        }
                    });
                    let failing = remote.create_task(move || async move {
                        yield_now().await;
                        raise(format!("number {number}"))
                    });
                    let result: Result<(), TaskError> = failing.wait();
                    let Err(TaskError::Panicked(panic)) = result else {
                        panic!("another outcome")
                    };
                    assert_eq!(panic.message(), format!("number {number}"));
                    squared.wait().unwrap()
                })
            })
            .collect();
        threads
            .into_iter()
            .map(|thread| thread.join().unwrap())
            .sum::<u64>()
    });
    assert_eq!(sum, 285);
    assert!(event_loop.all_tasks().is_empty());
}

#[test]
fn a_panic_while_the_future_is_made_is_an_outcome_too() {
    let event_loop = EventLoop::new().unwrap();
    serve(&event_loop, |remote| {
        fn make() -> std::future::Ready<()> {
            raise("made")
        }
        let Err(TaskError::Panicked(panic)) = remote.create_task(make).wait() else {
            panic!("another outcome")
        };
        assert_eq!(panic.message(), "made");
    });
}

/// C130
#[test]
fn a_cancelled_remote_task_ends_on_its_loop_and_says_so() {
    let event_loop = EventLoop::new().unwrap();
    let dropped = Arc::new(AtomicBool::new(false));
    let told = dropped.clone();
    serve(&event_loop, move |remote| {
        let (begun, begins) = mpsc::channel();
        let task = remote.create_task(move || async move {
            let _guard = support::OnDrop::new(move || told.store(true, Ordering::SeqCst));
            begun.send(()).unwrap();
            sleep(Duration::MAX).await;
        });
        begins.recv().unwrap();
        assert!(!task.done());
        task.cancel();
        task.cancel();
        assert!(task.wait().unwrap_err().is_cancelled());
    });
    assert!(dropped.load(Ordering::SeqCst));
    assert!(event_loop.all_tasks().is_empty());
}

/// C113
#[test]
fn a_remote_task_that_is_cancelled_before_it_begins_never_runs() {
    let event_loop = EventLoop::new().unwrap();
    let remote = event_loop.remote();
    let task = remote.create_task(|| async { unreachable!("it was cancelled") });
    task.cancel();
    event_loop
        .run_until_complete(async { yield_now().await })
        .unwrap();
    assert!(task.done());
    assert!(task.wait().unwrap_err().is_cancelled());
}

#[test]
fn a_remote_task_of_a_loop_that_is_closed_ends_cancelled() {
    let event_loop = EventLoop::new().unwrap();
    let remote = event_loop.remote();
    let unheard = remote.create_task(|| async { 1 });
    let running = remote.create_task(|| sleep(Duration::MAX));
    run_some_turns(&event_loop);
    let late = remote.create_task(|| async { 2 });
    event_loop.close();
    let after = remote.create_task(|| async { 3 });
    assert_eq!(unheard.wait().unwrap(), 1, "it had its turn");
    assert!(running.wait().unwrap_err().is_cancelled());
    assert!(late.wait().unwrap_err().is_cancelled());
    assert!(after.wait().unwrap_err().is_cancelled());
    assert_eq!(remote.call_soon(|| ()), Err(LoopClosed));
    remote.stop();
    drop(event_loop);
    assert!(
        remote
            .create_task(|| async { 4 })
            .wait()
            .unwrap_err()
            .is_cancelled()
    );
}

#[test]
fn a_thread_that_waits_is_released_when_the_loop_goes() {
    let event_loop = EventLoop::new().unwrap();
    let remote = event_loop.remote();
    let (sent, waits) = mpsc::channel();
    let waiter = thread::spawn(move || {
        let task = remote.create_task(|| sleep(Duration::MAX));
        sent.send(()).unwrap();
        task.wait().unwrap_err().is_cancelled()
    });
    waits.recv().unwrap();
    event_loop
        .run_until_complete(async { yield_now().await })
        .unwrap();
    drop(event_loop);
    assert!(waiter.join().unwrap());
}

#[test]
fn a_remote_task_is_awaited_on_another_loop() {
    let (send, receive) = mpsc::channel();
    let worker = thread::spawn(move || {
        run(async {
            send.send(get_running_loop().remote()).unwrap();
            let promise: Promise<()> = get_running_loop().create_promise();
            STOP.with(|stop| *stop.borrow_mut() = Some(promise.clone()));
            promise.await.unwrap();
        });
    });
    thread_local! {
        static STOP: std::cell::RefCell<Option<Promise<()>>> = const { std::cell::RefCell::new(None) };
    }
    let remote = receive.recv().unwrap();
    let name = run(async {
        let there = remote
            .create_task(|| async { thread::current().id() })
            .await
            .unwrap();
        assert_ne!(there, thread::current().id());
        let task = remote.create_task(|| async { all_tasks().len() });
        task.await.unwrap()
    });
    assert!(name >= 2, "main and the remote one");
    remote
        .call_soon(|| STOP.with(|stop| stop.take().unwrap().set_result(()).unwrap()))
        .unwrap();
    worker.join().unwrap();
}

#[test]
fn a_panic_that_nobody_waits_for_is_reported_once() {
    // Dropped before the end, and after it.
    let event_loop = EventLoop::new().unwrap();
    let reports = collect_reports(&event_loop);
    let remote = event_loop.remote();
    drop(remote.create_task(|| async { raise("dropped before") }));
    let kept = remote.create_task(|| async { raise("dropped after") });
    let seen = remote.create_task(|| async { raise("seen") });
    run_some_turns(&event_loop);
    let unseen = "exception of a remote task was never retrieved";
    assert_eq!(reports.take(), [format!("{unseen}: dropped before")]);
    drop(kept);
    assert!(seen.wait().unwrap_err().is_panic());
    run_some_turns(&event_loop);
    assert_eq!(reports.take(), [format!("{unseen}: dropped after")]);
}

#[test]
fn dropping_a_remote_task_lets_it_run_on() {
    let event_loop = EventLoop::new().unwrap();
    let done = Arc::new(AtomicBool::new(false));
    let told = done.clone();
    drop(event_loop.remote().create_task(move || async move {
        yield_now().await;
        told.store(true, Ordering::SeqCst);
    }));
    run_some_turns(&event_loop);
    assert!(done.load(Ordering::SeqCst));
}

/// C112, R065: one message at a time, so that nearly every one meets a loop that is falling asleep, asleep, or waking up.
#[test]
fn a_loop_on_its_way_into_sleep_hears_every_message() {
    let event_loop = EventLoop::new().unwrap();
    let heard = serve(&event_loop, |remote| {
        let heard = Arc::new(AtomicUsize::new(0));
        let (answer, answers) = mpsc::channel();
        for round in 0..3_000 {
            let (heard, answer) = (heard.clone(), answer.clone());
            remote
                .call_soon(move || {
                    heard.fetch_add(1, Ordering::SeqCst);
                    answer.send(()).unwrap();
                })
                .unwrap();
            answers.recv().unwrap();
            if round % 3 == 0 {
                thread::yield_now();
            }
        }
        heard.load(Ordering::SeqCst)
    });
    assert_eq!(heard, 3_000);
}

/// R066
#[test]
fn messages_to_a_loop_that_starts_stops_and_ends_run_once_or_are_refused() {
    struct Counted(Arc<[AtomicUsize; 2]>, usize);
    impl Drop for Counted {
        fn drop(&mut self) {
            self.0[1].fetch_add(1, Ordering::SeqCst);
        }
    }
    let event_loop = EventLoop::new().unwrap();
    let counts: Arc<[AtomicUsize; 2]> = Arc::default();
    let finished = Arc::new(AtomicUsize::new(0));
    let threads: Vec<_> = (0..3)
        .map(|_| {
            let (remote, counts, finished) =
                (event_loop.remote(), counts.clone(), finished.clone());
            thread::spawn(move || {
                let mut accepted = 0;
                for number in 0..1_000 {
                    let counted = Counted(counts.clone(), number);
                    let sent = remote.call_soon(move || {
                        counted.0[0].fetch_add(1, Ordering::SeqCst);
                        if counted.1 % 50 == 0 {
                            get_running_loop().stop();
                        }
                    });
                    accepted += usize::from(sent.is_ok());
                }
                finished.fetch_add(1, Ordering::SeqCst);
                remote.stop();
                accepted
            })
        })
        .collect();
    while finished.load(Ordering::SeqCst) < 3 {
        event_loop.run_forever().unwrap();
    }
    event_loop.stop();
    event_loop.run_forever().unwrap();
    event_loop.close();
    let accepted: usize = threads
        .into_iter()
        .map(|thread| thread.join().unwrap())
        .sum();
    assert_eq!(accepted, 3_000);
    assert!(counts[0].load(Ordering::SeqCst) <= 3_000);
    assert_eq!(
        counts[1].load(Ordering::SeqCst),
        3_000,
        "each is dropped once"
    );
}

#[test]
fn a_task_that_is_woken_from_many_threads_loses_no_wake() {
    const THREADS: usize = 4;
    const ROUNDS: usize = 500;
    run(async {
        let sent = Arc::new(AtomicUsize::new(0));
        let task = create_task({
            let sent = sent.clone();
            let mut wakers: Vec<mpsc::Sender<std::task::Waker>> = Vec::new();
            for _ in 0..THREADS {
                let (waker, wakers_here) = mpsc::channel::<std::task::Waker>();
                let sent = sent.clone();
                thread::spawn(move || {
                    for waker in wakers_here {
                        sent.fetch_add(1, Ordering::SeqCst);
                        waker.wake();
                    }
                });
                wakers.push(waker);
            }
            async move {
                for round in 1..=ROUNDS {
                    std::future::poll_fn({
                        let mut asked = false;
                        let (sent, wakers) = (&sent, &wakers);
                        move |cx| {
                            if !std::mem::replace(&mut asked, true) {
                                for thread in wakers {
                                    thread.send(cx.waker().clone()).unwrap();
                                }
                            }
                            if sent.load(Ordering::SeqCst) == round * THREADS {
                                std::task::Poll::Ready(())
                            } else {
                                std::task::Poll::Pending
                            }
                        }
                    })
                    .await;
                }
            }
        });
        task.await.unwrap();
        assert_eq!(sent.load(Ordering::SeqCst), THREADS * ROUNDS);
    });
}
