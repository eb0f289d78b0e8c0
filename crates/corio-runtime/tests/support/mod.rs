//! What the tests of the loop share: a log with the loop's time, and the comparison with what asyncio logged.

#![allow(
    dead_code,
    unreachable_pub,
    unused_macros,
    reason = "each test file uses its part of it"
)]

use std::cell::{Cell, RefCell};
use std::future::{Future, poll_fn};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Poll, Wake, Waker};
use std::time::{Duration, Instant};

use corio_runtime::{EventLoop, Runner, Sleep, create_task, get_running_loop, sleep};

thread_local! {
    static START: Cell<Option<Instant>> = const { Cell::new(None) };
    static EVENTS: RefCell<Vec<(Duration, String)>> = const { RefCell::new(Vec::new()) };
}

pub fn log(event: impl Into<String>) {
    let now = corio_runtime::try_get_running_loop().map(|event_loop| event_loop.time());
    let time = match (now, START.get()) {
        (Some(now), Some(start)) => now - start,
        _ => Duration::ZERO,
    };
    EVENTS.with_borrow_mut(|events| events.push((time, event.into())));
}

/// Logs with the time of the running loop.
#[macro_export]
macro_rules! log {
    ($($argument:tt)*) => { $crate::support::log(format!($($argument)*)) };
}

/// What was logged since the last call, without the times.
pub fn logged() -> Vec<String> {
    EVENTS.take().into_iter().map(|(_, event)| event).collect()
}

fn lines() -> Vec<String> {
    let line = |(time, event): (Duration, String)| format!("t={:?} {event}", time.as_secs_f64());
    EVENTS.take().into_iter().map(line).collect()
}

/// A loop that keeps its own time, whose log starts at its beginning.
pub fn virtual_loop() -> EventLoop {
    let event_loop = EventLoop::builder().virtual_clock().build().unwrap();
    START.set(Some(event_loop.time()));
    event_loop
}

pub fn virtual_runner() -> Runner {
    let runner = Runner::builder().virtual_clock().build().unwrap();
    START.set(Some(runner.event_loop().time()));
    runner
}

/// Runs a program on a virtual clock, until everything has ended.
#[track_caller]
pub fn run<F: Future>(program: F) -> F::Output {
    let mut runner = virtual_runner();
    let output = runner.run(program).expect("the program ends by itself");
    let report = runner.close();
    assert!(report.is_clean(), "{report}");
    output
}

/// Runs a program and compares what it logs with the lines of a trace: the same events, in the same order, at the same times.
/// The numbers of the turns stand in the lines for the reader.
#[track_caller]
pub fn assert_trace(trace: &str, program: impl Future<Output = ()>) {
    run(program);
    let expected: Vec<String> = trace
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty())
        .map(|line| {
            let words = line
                .split_whitespace()
                .filter(|word| !word.starts_with("k+"));
            words.collect::<Vec<_>>().join(" ")
        })
        .collect();
    let logged = lines();
    assert!(
        logged == expected,
        "expected:\n{}\n\nlogged:\n{}",
        expected.join("\n"),
        logged.join("\n")
    );
}

pub fn seconds(seconds: f64) -> Duration {
    Duration::from_secs_f64(seconds)
}

/// The time unit of the traces.
#[track_caller]
pub fn nap(units: f64) -> Sleep {
    sleep(seconds(units))
}

/// Fails like an exception of asyncio: a panic without a message on standard error.
pub fn raise(error: impl Into<String>) -> ! {
    std::panic::resume_unwind(Box::new(error.into()))
}

/// The message of the panic that `body` ends with.
#[track_caller]
pub fn panic_of<R>(body: impl FnOnce() -> R) -> String {
    match catch_unwind(AssertUnwindSafe(body)) {
        Ok(_) => panic!("it did not panic"),
        Err(payload) => match payload.downcast::<String>() {
            Ok(text) => *text,
            Err(payload) => (*payload.downcast::<&str>().expect("a text")).to_owned(),
        },
    }
}

/// The sleeper of the traces: says that it starts, sleeps, and says how it ends.
pub async fn sleeper(name: &'static str, units: f64) -> String {
    log!("{name} start");
    let interrupted = OnDrop::new(move || log!("{name} cancelled"));
    nap(units).await;
    interrupted.disarm();
    log!("{name} end");
    name.to_lowercase()
}

/// The same, but it fails at the end.
pub async fn failing(name: &'static str, units: f64, error: &'static str) -> String {
    log!("{name} start");
    let interrupted = OnDrop::new(move || log!("{name} cancelled"));
    nap(units).await;
    interrupted.disarm();
    log!("{name} raises {error}");
    raise(format!("{error}('{name}')"))
}

/// What a step of a program leaves to the end of the batch: a callback behind what is ready.
pub fn soon(event: &'static str) {
    get_running_loop().call_soon(move || log(event));
}

/// Counts its wakes.
#[derive(Default)]
pub struct Count(AtomicUsize);

impl Count {
    pub fn new() -> (Arc<Count>, Waker) {
        let count = Arc::new(Count::default());
        (count.clone(), Waker::from(count))
    }

    pub fn get(&self) -> usize {
        self.0.load(Ordering::SeqCst)
    }
}

impl Wake for Count {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

pub async fn poll_once<F: Future + Unpin>(future: &mut F) -> Poll<F::Output> {
    poll_fn(|cx| Poll::Ready(std::pin::Pin::new(&mut *future).poll(cx))).await
}

pub async fn my_waker() -> Waker {
    poll_fn(|cx| Poll::Ready(cx.waker().clone())).await
}

/// Runs a function when it is dropped.
pub struct OnDrop<F: FnOnce()>(Option<F>);

impl<F: FnOnce()> OnDrop<F> {
    pub fn new(call: F) -> OnDrop<F> {
        OnDrop(Some(call))
    }

    pub fn disarm(mut self) {
        self.0 = None;
    }
}

impl<F: FnOnce()> Drop for OnDrop<F> {
    fn drop(&mut self) {
        if let Some(call) = self.0.take() {
            call();
        }
    }
}

/// The reports of a loop as text.
pub fn collect_reports(event_loop: &EventLoop) -> Rc<RefCell<Vec<String>>> {
    let reports = Rc::new(RefCell::new(Vec::new()));
    let kept = reports.clone();
    event_loop.set_exception_handler(move |report| kept.borrow_mut().push(report.to_string()));
    reports
}

/// Tasks that do nothing, for those who need many.
pub fn spawn_many(count: usize) -> Vec<corio_core::Task<usize>> {
    (0..count)
        .map(|index| create_task(async move { index }))
        .collect()
}
