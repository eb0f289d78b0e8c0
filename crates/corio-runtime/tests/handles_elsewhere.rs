//! What may be held and dropped on other threads: after the loop is gone, after its thread is gone, and in thread-locals.

mod support;

use std::cell::RefCell;
use std::future::Future;
use std::sync::mpsc;
use std::task::{Context, Poll, Waker};
use std::thread;

use corio_runtime::signal::{CtrlC, Recv, Signal, ctrl_c};
use corio_runtime::workers::{RunningWorkers, Worker, Workers, WorkersReport};
use corio_runtime::{
    BlockingPool, EventLoop, Remote, RemoteTask, ToThread, get_running_loop, run, to_thread,
};
use support::poll_once;

fn is_send<T: Send>() {}
fn is_send_and_sync<T: Send + Sync>() {}

/// R101: only what is promised; it is compiled, and need not run.
#[test]
fn what_reaches_other_threads_may_go_there() {
    is_send_and_sync::<BlockingPool>();
    is_send::<ToThread<u32>>();
    is_send_and_sync::<Remote>();
    is_send_and_sync::<RemoteTask<u32>>();
    is_send_and_sync::<Signal>();
    is_send_and_sync::<Recv<'static>>();
    is_send_and_sync::<CtrlC>();
    is_send_and_sync::<Worker>();
    is_send_and_sync::<RunningWorkers<u32>>();
    is_send::<WorkersReport<u32>>();
    is_send_and_sync::<Workers>();
}

/// C128
#[test]
fn handles_outlive_their_loop_and_its_thread() {
    let (go, gone) = mpsc::channel::<()>();
    let (remote, task, mut running, mut queued, pool) = thread::spawn(move || {
        run(async move {
            let event_loop = get_running_loop();
            let pool = BlockingPool::builder().max_threads(1).build();
            let running = event_loop.run_in_executor(&pool, move || {
                let _ = gone.recv();
                3
            });
            let queued = event_loop.run_in_executor(&pool, || 4);
            let task = event_loop.remote().create_task(std::future::pending::<()>);
            (event_loop.remote(), task, running, queued, pool)
        })
    })
    .join()
    .unwrap();
    assert!(remote.call_soon(|| ()).is_err());
    assert!(task.wait().unwrap_err().is_cancelled());
    drop(go);
    // Another loop, or none, may wait for what goes on.
    assert_eq!(run(async { (&mut running).await.unwrap() }), 3);
    let mut cx = Context::from_waker(Waker::noop());
    while std::pin::Pin::new(&mut queued).poll(&mut cx).is_pending() {
        thread::yield_now();
    }
    drop((running, queued, pool));
}

#[test]
fn a_waker_that_panics_does_not_take_a_thread_with_it() {
    struct Panics;
    impl std::task::Wake for Panics {
        fn wake(self: std::sync::Arc<Self>) {
            support::raise("in a waker");
        }
    }
    let event_loop = EventLoop::new().unwrap();
    let pool = BlockingPool::builder().max_threads(1).build();
    let (go, gone) = mpsc::channel::<()>();
    let mut first = event_loop.run_in_executor(&pool, move || {
        let _ = gone.recv();
        1
    });
    let waker = Waker::from(std::sync::Arc::new(Panics));
    let mut cx = Context::from_waker(&waker);
    assert!(std::pin::Pin::new(&mut first).poll(&mut cx).is_pending());
    drop(go);
    let second = event_loop.run_in_executor(&pool, || 2);
    assert_eq!(event_loop.run_until_complete(second).unwrap().unwrap(), 2);
    assert_eq!(event_loop.run_until_complete(first).unwrap().unwrap(), 1);
}

thread_local! {
    static KEPT: RefCell<Vec<Box<dyn std::any::Any>>> = const { RefCell::new(Vec::new()) };
}

/// R119
#[test]
fn handles_may_sit_in_thread_locals() {
    let (go, gone) = mpsc::channel::<()>();
    thread::spawn(move || {
        // Made before anything of the loop's own, and so dropped after it.
        KEPT.with_borrow_mut(Vec::clear);
        let kept = run(async move {
            let mut running = to_thread(move || gone.recv().is_err());
            assert!(poll_once(&mut running).await.is_pending());
            let mut interrupt = ctrl_c();
            assert!(poll_once(&mut interrupt).await.is_pending());
            go.send(()).unwrap();
            while !running.done() {
                corio_runtime::yield_now().await;
            }
            let event_loop = get_running_loop();
            let pool = event_loop.blocking_pool();
            vec![
                Box::new(running) as Box<dyn std::any::Any>,
                Box::new(to_thread(|| 2)),
                Box::new(interrupt),
                Box::new(pool),
                Box::new(event_loop),
            ]
        });
        KEPT.set(kept);
    })
    .join()
    .unwrap();
}

/// A future that was taken out of its pool, or has given its outcome, is only dropped.
#[test]
fn a_future_that_is_over_says_so_when_it_is_polled_again() {
    run(async {
        let mut job = to_thread(|| 1);
        let first = std::future::poll_fn(|cx| std::pin::Pin::new(&mut job).poll(cx)).await;
        assert_eq!(first.unwrap(), 1);
        assert!(job.done());
        let message = support::panic_of(|| {
            let mut cx = Context::from_waker(Waker::noop());
            let _: Poll<_> = std::pin::Pin::new(&mut job).poll(&mut cx);
        });
        assert_eq!(
            message,
            "a `ToThread` that has given its outcome was polled again"
        );
    });
}
