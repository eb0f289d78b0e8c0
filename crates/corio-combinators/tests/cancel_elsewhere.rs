//! Scopes outside of a task: under another executor, on another thread, in another loop.

mod support;

use std::cell::Cell;
use std::future::{Future, pending};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;
use std::task::{Context, Poll, Wake, Waker};
use std::thread;
use std::time::{Duration, Instant};

use corio_combinators::{
    CancelScope, CatchCancel, MoveOnAfter, RunScope, Timeout, catch_cancel, finally, move_on_after,
    timeout, with,
};
use corio_core::OrPropagate;
use futures_lite::future::{block_on, or, yield_now, zip};
use support::TestLoop;

fn is_send<T: Send>(value: T) -> T {
    value
}

#[test]
fn what_a_server_holds_across_an_await_is_send_when_its_inner_is() {
    fn all<F: Future<Output = ()> + Send + 'static>(make: fn() -> F) {
        drop::<CatchCancel<F>>(is_send(catch_cancel(make())));
        drop::<Timeout<F>>(is_send(timeout(Duration::ZERO, make())));
        drop::<MoveOnAfter<F>>(is_send(move_on_after(Duration::ZERO, make())));
        drop(is_send(finally(make(), async || ())));
        let scope = CancelScope::new();
        drop::<RunScope<F>>(is_send(scope.run(make())));
        drop::<Arc<CancelScope>>(is_send(Arc::new(scope)));
    }
    all(|| async {});
    drop(is_send(with(1, async |_: &mut i32| (), async |_: i32| ())));
}

#[test]
fn scopes_and_clean_ups_work_under_another_executor() {
    let cleaned = Cell::new(0);
    let scope = CancelScope::new();
    let work = async {
        let one = finally(pending::<()>(), async || {
            yield_now().await;
            cleaned.set(cleaned.get() + 1);
        });
        let two = async {
            let caught = catch_cancel(pending::<()>()).await;
            cleaned.set(cleaned.get() + 1);
            caught.or_propagate().await
        };
        zip(one, two).await;
    };
    let cancel = async {
        yield_now().await;
        scope.cancel();
    };
    let (ended, ()) = block_on(zip(scope.run(work), cancel));
    assert!(ended.is_err());
    assert_eq!(cleaned.get(), 2);
    assert_eq!(corio_core::cancel::nodes_alive(), 0);
}

#[test]
fn a_request_that_nobody_takes_ends_at_the_topmost_catcher() {
    let caught = block_on(catch_cancel(async {
        let inner = catch_cancel(async {
            let cancelled = corio_core::Cancelled::because("test");
            cancelled.propagate().await
        });
        inner.await.map(drop).or_propagate().await;
    }));
    assert_eq!(caught.unwrap_err().reason(), Some("test"));
}

#[test]
fn a_scope_is_cancelled_from_another_thread() {
    let scope = CancelScope::new();
    let remote = scope.clone();
    let (started, wait) = mpsc::channel();
    let canceller = thread::spawn(move || {
        wait.recv().expect("it starts");
        remote.cancel();
    });
    let ended = block_on(scope.run(async {
        started.send(()).expect("somebody waits");
        pending::<()>().await;
    }));
    canceller.join().expect("no panic there");
    assert!(ended.is_err());
}

#[test]
fn a_future_that_is_dropped_on_another_thread_leaves_its_tree_later() {
    let before = corio_core::cancel::nodes_alive();
    let mut caught = Box::pin(catch_cancel(pending::<()>()));
    assert!(poll(&mut caught).is_pending());
    assert_eq!(corio_core::cancel::nodes_alive(), before + 1);
    thread::spawn(move || drop(caught))
        .join()
        .expect("no panic");
    // The next poll of a node here takes the place back.
    let mut other = Box::pin(catch_cancel(pending::<()>()));
    assert!(poll(&mut other).is_pending());
    assert_eq!(corio_core::cancel::nodes_alive(), before + 1);
}

#[test]
fn a_future_that_is_polled_on_another_thread_joins_there_anew() {
    let scope = CancelScope::new();
    let mut work = Box::pin(scope.run(pending::<()>()));
    assert!(poll(&mut work).is_pending());
    let mut work = thread::spawn(move || {
        assert!(poll(&mut work).is_pending());
        assert_eq!(corio_core::cancel::nodes_alive(), 1);
        work
    })
    .join()
    .expect("no panic");
    assert!(poll(&mut work).is_pending());
    scope.cancel();
    assert!(poll(&mut work).is_ready());
}

#[test]
fn a_time_limit_follows_its_future_to_another_loop() {
    let first = TestLoop::new();
    let mut work = Box::pin(timeout(Duration::from_secs(2), pending::<()>()));
    let woken = Arc::new(Counter::default());
    let waker = Waker::from(woken.clone());
    let mut cx = Context::from_waker(&waker);
    first.scheduler.enter(|| {
        assert!(work.as_mut().poll(&mut cx).is_pending());
    });
    assert_eq!(first.clock.armed(), 1);
    let second = TestLoop::new();
    second.scheduler.enter(|| {
        assert!(work.as_mut().poll(&mut cx).is_pending());
    });
    assert_eq!((first.clock.armed(), second.clock.armed()), (0, 1));
    while woken.0.load(Ordering::Relaxed) == 0 {
        assert!(second.turn());
    }
    second.scheduler.enter(|| {
        assert!(matches!(work.as_mut().poll(&mut cx), Poll::Ready(Err(_))));
    });
}

#[test]
fn a_time_limit_may_be_dropped_outside_of_its_loop_and_on_another_thread() {
    let test = TestLoop::new();
    let limited = || {
        let mut work = Box::pin(timeout(Duration::from_secs(5), pending::<()>()));
        test.scheduler
            .enter(|| assert!(poll(&mut work).is_pending()));
        work
    };
    let (one, two) = (limited(), limited());
    assert_eq!(test.clock.armed(), 2);
    drop(one);
    assert_eq!(test.clock.armed(), 1);
    thread::spawn(move || drop(two)).join().expect("no panic");
    test.turn();
    assert_eq!(test.clock.armed(), 0);
}

#[test]
#[should_panic(expected = "none runs on this thread")]
fn a_time_limit_needs_a_loop() {
    let deadline = Instant::now() + Duration::from_secs(5);
    let work = corio_combinators::timeout_at(deadline, pending::<()>());
    let _ = block_on(or(async { work.await.is_ok() }, async {
        yield_now().await;
        false
    }));
}

#[test]
fn a_loop_inside_of_a_scope_of_another_one_has_its_own_tasks() {
    let outer = TestLoop::new();
    let inner = TestLoop::new();
    let scheduler = inner.scheduler.clone();
    let task = outer.scheduler.create_task(async move {
        catch_cancel(async move {
            // A catcher in a task of the inner loop is not below the one around this.
            let nested = scheduler.create_task(async {
                catch_cancel(pending::<()>()).await.unwrap_err();
                "caught inside"
            });
            scheduler.run(1);
            nested.cancel();
            scheduler.run(1);
            nested.into_result().unwrap()
        })
        .await
        .unwrap()
    });
    outer.scheduler.run(1);
    assert_eq!(*task.result().unwrap(), "caught inside");
    inner.scheduler.close();
    outer.scheduler.close();
}

fn poll<F: Future>(future: &mut Pin<Box<F>>) -> Poll<F::Output> {
    future
        .as_mut()
        .poll(&mut Context::from_waker(Waker::noop()))
}

#[derive(Default)]
struct Counter(AtomicUsize);

impl Wake for Counter {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}
