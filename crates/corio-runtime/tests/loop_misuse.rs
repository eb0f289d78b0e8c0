//! What is used in the wrong place says what it is and what to write instead.

mod support;

use std::cell::RefCell;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Waker};
use std::time::{Duration, Instant};

use corio_core::{Task, TaskError};
use corio_runtime::{
    EventLoop, Runner, all_tasks, create_task, current_task, get_running_loop, interval, sleep,
    sleep_until, try_get_running_loop, yield_now,
};
use support::{panic_of, run, virtual_loop};

const INSIDE: &str = "an event loop is already running on this thread: await the future instead of running a loop inside of a loop";

fn poll_here<F: Future + Unpin>(future: &mut F) -> bool {
    Pin::new(future)
        .poll(&mut Context::from_waker(Waker::noop()))
        .is_pending()
}

#[test]
fn a_loop_inside_of_a_loop_is_refused() {
    // T81
    run(async {
        assert_eq!(panic_of(|| corio_runtime::run(async {})), INSIDE);
        let other = EventLoop::new().unwrap();
        assert_eq!(panic_of(|| other.run_until_complete(async {})), INSIDE);
        assert_eq!(panic_of(|| other.run_forever()), INSIDE);
        let own = get_running_loop();
        assert_eq!(panic_of(|| own.run_until_complete(yield_now())), INSIDE);
        let mut runner = Runner::new().unwrap();
        assert_eq!(panic_of(|| runner.run(async {})), INSIDE);
        get_running_loop().call_soon(|| {
            assert_eq!(panic_of(|| corio_runtime::run(async {})), INSIDE);
        });
        yield_now().await;
        assert!(own.is_running());
    });
}

#[test]
fn what_needs_a_loop_says_so_where_there_is_none() {
    // T81
    let needs = |what: &str, body: &mut dyn FnMut()| {
        let message = panic_of(body);
        let start =
            format!("`{what}` needs a running event loop, and none is running on this thread (");
        assert!(message.starts_with(&start), "{message}");
        assert!(
            message.contains("call it inside `corio::run(..)`"),
            "{message}"
        );
        assert!(message.contains("`EventLoop::remote()`"), "{message}");
    };
    needs("get_running_loop", &mut || drop(get_running_loop()));
    needs("all_tasks", &mut || drop(all_tasks()));
    needs("create_task", &mut || drop(create_task(async {})));
    needs("sleep", &mut || {
        assert!(poll_here(&mut sleep(Duration::from_secs(1))))
    });
    needs("sleep", &mut || {
        assert!(poll_here(&mut sleep(Duration::ZERO)))
    });
    needs("sleep", &mut || {
        assert!(poll_here(&mut sleep_until(Instant::now())))
    });
    needs("interval", &mut || {
        assert!(poll_here(&mut interval(Duration::from_secs(1)).tick()));
    });
    assert!(try_get_running_loop().is_none());
    assert!(current_task().is_none());
    // A loop that exists and does not run is none.
    let event_loop = virtual_loop();
    needs("create_task", &mut || drop(create_task(async {})));
    drop(event_loop);
    // What is made and never polled needs nothing.
    drop((sleep(Duration::from_secs(1)), yield_now()));
    assert!(poll_here(&mut yield_now()));
}

#[test]
fn a_closed_loop_runs_nothing_and_says_what_to_do() {
    let event_loop = virtual_loop();
    event_loop.close();
    let closed = "this event loop is closed: make a new one with `EventLoop::new()`";
    assert_eq!(panic_of(|| event_loop.run_until_complete(async {})), closed);
    assert_eq!(panic_of(|| event_loop.run_forever()), closed);
    let dropped = Rc::new(RefCell::new(Vec::new()));
    let note = |what: &'static str| {
        let dropped = dropped.clone();
        support::OnDrop::new(move || dropped.borrow_mut().push(what))
    };
    let guard = note("task");
    let task = event_loop.create_task(async move { drop(guard) });
    assert!(task.cancelled());
    let guard = note("soon");
    assert!(event_loop.call_soon(move || drop(guard)).cancelled());
    let guard = note("later");
    assert!(
        event_loop
            .call_later(Duration::from_secs(1), move || drop(guard))
            .cancelled()
    );
    assert_eq!(dropped.take(), ["task", "soon", "later"]);
    assert!(event_loop.remote().call_soon(|| ()).is_err());
    event_loop.stop();
    assert!(event_loop.all_tasks().is_empty());
}

#[test]
fn a_closed_runner_says_so() {
    // T82
    let mut runner = Runner::builder().virtual_clock().build().unwrap();
    let event_loop = runner.event_loop();
    runner.run(async {}).unwrap();
    runner.close();
    assert!(event_loop.is_closed());
    let message = panic_of(|| runner.run(async {}));
    assert!(
        message.starts_with("this event loop is closed"),
        "{message}"
    );
    assert!(runner.close().is_clean(), "closing twice is fine");
}

#[test]
fn a_loop_is_not_closed_while_it_runs() {
    run(async {
        let event_loop = get_running_loop();
        let message = panic_of(|| event_loop.close());
        assert_eq!(
            message,
            "an event loop cannot be closed while it is running"
        );
        assert!(!event_loop.is_closed());
        yield_now().await;
    });
}

#[test]
fn a_task_of_another_loop_is_refused_and_its_own_loop_can_still_end_it() {
    let other = virtual_loop();
    let stranger = other
        .create_task(sleep(Duration::from_secs(1)))
        .named("stranger");
    let slot: Rc<RefCell<Option<Task<()>>>> = Rc::new(RefCell::new(Some(stranger)));
    run({
        let slot = slot.clone();
        async move {
            let task = create_task(async move {
                let stranger = slot.take().unwrap();
                let any = stranger.any();
                *slot.borrow_mut() = Some(stranger);
                any.await
            });
            let Err(TaskError::Panicked(panic)) = task.await else {
                panic!("another outcome")
            };
            assert!(
                panic
                    .message()
                    .starts_with("task 'stranger' belongs to another event loop")
            );
        }
    });
    let stranger = slot.take().unwrap();
    assert!(!stranger.done());
    other.run_until_complete(stranger).unwrap();
}

#[test]
fn a_sleep_that_was_begun_on_one_loop_is_not_polled_on_another() {
    let (one, two) = (virtual_loop(), virtual_loop());
    let mut nap = sleep(Duration::from_secs(10));
    one.run_until_complete(async {
        assert!(support::poll_once(&mut nap).await.is_pending());
    })
    .unwrap();
    let message = panic_of(|| two.run_until_complete(async { support::poll_once(&mut nap).await }));
    assert_eq!(
        message,
        "this sleep was begun on another event loop: make a new one here"
    );
    let start = one.time();
    one.run_until_complete(nap).unwrap();
    assert_eq!(one.time() - start, Duration::from_secs(10));
}

#[test]
fn an_interval_without_a_period_is_refused() {
    let message = panic_of(|| interval(Duration::ZERO));
    assert_eq!(
        message,
        "the period of an interval is zero: use `yield_now`"
    );
}

#[test]
fn waiting_for_a_remote_task_on_the_loops_own_thread_is_refused() {
    run(async {
        let task = get_running_loop().remote().create_task(|| async { 1 });
        let message = panic_of(|| task.wait());
        assert!(
            message.ends_with("await the `RemoteTask` instead"),
            "{message}"
        );
    });
}
