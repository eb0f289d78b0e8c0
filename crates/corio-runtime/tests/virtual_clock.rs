//! A loop that keeps its own time: it jumps when nothing else can happen, stands still while something can, and says when nothing
//! ever will.

mod support;

use std::cell::{Cell, RefCell};
use std::future::Future;
use std::panic::catch_unwind;
use std::rc::Rc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, mpsc};
use std::task::Poll;
use std::thread;
use std::time::{Duration, Instant};

use corio_core::Promise;
use corio_runtime::{create_task, get_running_loop, sleep, yield_now};
use support::{my_waker, nap, panic_of, run, seconds, virtual_loop};

fn now() -> Instant {
    get_running_loop().time()
}

#[test]
fn time_jumps_to_the_next_deadline() {
    let real = Instant::now();
    run(async {
        let start = now();
        let long = create_task(sleep(Duration::from_secs(86_400 * 365)));
        nap(0.5).await;
        assert_eq!(now() - start, seconds(0.5));
        sleep(Duration::from_nanos(1)).await;
        assert_eq!(now() - start, seconds(0.5) + Duration::from_nanos(1));
        long.await.unwrap();
        assert_eq!(now() - start, Duration::from_secs(86_400 * 365));
    });
    assert!(
        real.elapsed() < Duration::from_secs(3600),
        "it did not wait for real"
    );
}

#[test]
fn time_stands_still_while_something_is_ready() {
    run(async {
        let start = now();
        let timer = create_task(nap(0.001));
        for _ in 0..10_000 {
            yield_now().await;
        }
        assert_eq!(now(), start);
        assert!(!timer.done());
        timer.await.unwrap();
        assert_eq!(now() - start, seconds(0.001));
    });
}

#[test]
fn time_stands_still_while_a_remote_handle_is_out_and_goes_on_when_the_last_one_goes() {
    run(async {
        let start = now();
        let promise: Promise<()> = get_running_loop().create_promise();
        let said = Rc::new(Cell::new(None));
        let timer = create_task({
            let said = said.clone();
            async move {
                nap(1.0).await;
                said.set(Some(now() - start));
            }
        });
        let remote = get_running_loop().remote();
        let other = remote.clone();
        let (go, gone) = mpsc::channel::<()>();
        let helper = thread::spawn(move || {
            gone.recv().unwrap();
            let named =
                remote.create_task(|| async { corio_runtime::current_task().unwrap().name() });
            named.wait().unwrap();
            drop(other);
        });
        create_task({
            let promise = promise.clone();
            async move {
                yield_now().await;
                go.send(()).unwrap();
                promise.set_result(()).unwrap();
            }
        });
        promise.await.unwrap();
        assert_eq!(now(), start, "a thread may still want something");
        timer.await.unwrap();
        assert_eq!(said.get(), Some(seconds(1.0)));
        helper.join().unwrap();
    });
}

#[test]
fn a_loop_may_await_its_own_remote_task_whose_work_sleeps() {
    run(async {
        let start = now();
        let task = get_running_loop().remote().create_task(|| async {
            nap(5.0).await;
            7
        });
        assert_eq!(task.await.unwrap(), 7);
        assert_eq!(now() - start, seconds(5.0));
        // Asked through a task that does not hold the clock any more.
        let mut task = get_running_loop().remote().create_task(|| nap(50.0));
        let polled = std::future::poll_fn(|cx| {
            let polled = std::pin::Pin::new(&mut task).poll(cx);
            std::task::Poll::Ready(polled.is_pending())
        });
        assert!(polled.await);
        nap(5.0).await;
        task.cancel();
        assert!(task.await.unwrap_err().is_cancelled());
        assert_eq!(now() - start, seconds(10.0));
    });
}

#[test]
fn a_thread_that_waits_for_work_that_sleeps_does_not_hold_the_clock() {
    run(async {
        let start = now();
        let task = get_running_loop().remote().create_task(move || async move {
            nap(5.0).await;
            now() - start
        });
        let helper = thread::spawn(move || task.wait().unwrap());
        nap(10.0).await;
        assert_eq!(helper.join().unwrap(), seconds(5.0));
    });
}

#[test]
fn a_clock_that_handles_keep_still_says_so_once() {
    let event_loop = virtual_loop();
    let kept = Rc::new(RefCell::new(Some(event_loop.remote())));
    let reports = Rc::new(RefCell::new(Vec::new()));
    let (held, told) = (kept.clone(), reports.clone());
    event_loop.set_exception_handler(move |report| {
        told.borrow_mut().push(report.to_string());
        drop(held.borrow_mut().take());
    });
    event_loop.run_until_complete(nap(5.0)).unwrap();
    let reports = reports.take();
    assert_eq!(reports.len(), 1, "{reports:?}");
    assert!(
        reports[0].contains("stands still: 1 `Remote`"),
        "{reports:?}"
    );
}

/// A handle that goes on another thread, and sends nothing at all, must not leave the loop asleep.
#[test]
fn a_handle_that_goes_without_a_word_lets_time_go_on() {
    for _ in 0..200 {
        run(async {
            let remote = get_running_loop().remote();
            let helper = thread::spawn(move || drop(remote));
            nap(1.0).await;
            helper.join().unwrap();
        });
    }
}

#[test]
fn a_waker_on_another_thread_is_waited_for() {
    // Nobody can count wakers, so they are waited for a second. A thread that does not get on in that time was too slow.
    for tries_left in (0..10).rev() {
        let ended = catch_unwind(|| run(woken_by_another_thread()));
        if ended.is_ok() || tries_left == 0 {
            return ended.expect("the waker is waited for");
        }
    }
}

async fn woken_by_another_thread() {
    let waker = my_waker().await;
    let woken = Arc::new(AtomicBool::new(false));
    let flag = woken.clone();
    let helper = thread::spawn(move || {
        // Real time, in which a loop that does not wait would give up.
        thread::sleep(Duration::from_millis(20));
        flag.store(true, Ordering::Release);
        waker.wake();
    });
    std::future::poll_fn(|_| match woken.load(Ordering::Acquire) {
        true => Poll::Ready(()),
        false => Poll::Pending,
    })
    .await;
    helper.join().unwrap();
}

#[test]
fn a_program_that_can_never_go_on_is_told_so_with_its_tasks() {
    let event_loop = virtual_loop();
    let stuck = event_loop.create_task(sleep(Duration::MAX)).named("stuck");
    let promise: Promise<()> = event_loop.create_promise();
    let message = panic_of(|| event_loop.run_until_complete(async { promise.await }));
    let mut lines = message.lines();
    assert_eq!(
        lines.next(),
        Some("deadlock: nothing is ready, no timer is set, and nothing can ever run again")
    );
    let tasks: Vec<&str> = lines.map(str::trim).collect();
    assert_eq!(tasks.len(), 2, "{message}");
    assert!(
        tasks[0].starts_with("<Task pending name='stuck'"),
        "{message}"
    );
    assert!(tasks[0].contains("wait_for=sleep at "), "{message}");
    assert!(tasks[1].contains("wait_for=promise at "), "{message}");
    // The loop can still be used.
    stuck.cancel();
    assert!(event_loop.run_until_complete(&stuck).is_err());
    assert_eq!(event_loop.run_until_complete(async { 1 }).unwrap(), 1);
}

#[test]
fn two_virtual_loops_keep_their_times_apart() {
    let (one, two) = (virtual_loop(), virtual_loop());
    let (first, second) = (one.time(), two.time());
    one.run_until_complete(nap(5.0)).unwrap();
    two.run_until_complete(nap(7.0)).unwrap();
    assert_eq!(one.time() - first, seconds(5.0));
    assert_eq!(two.time() - second, seconds(7.0));
}
