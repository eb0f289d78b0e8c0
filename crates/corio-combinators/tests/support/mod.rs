//! A loop for tests: a scheduler and a clock that stands still until nothing is ready. What a program logs is compared with what
//! asyncio logged for the same program: the number of the turn, the time, the event.

#![allow(
    dead_code,
    unreachable_pub,
    reason = "each test file uses its part of it"
)]

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Mutex;
use std::sync::atomic::AtomicPtr;
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use corio_core::cancel::{Kind, Node};
use corio_core::time::{Alarm, Moment, Timers};
use corio_core::{Cancelled, Report, Scheduler, Task};

/// The clock and its timers, equal deadlines in the order in which they were armed.
pub struct Clock {
    start: Instant,
    now: Cell<Instant>,
    next_key: Cell<u64>,
    timers: RefCell<BTreeMap<(Instant, u64), Alarm>>,
    deadlines: RefCell<BTreeMap<u64, Instant>>,
}

impl Clock {
    fn new() -> Rc<Clock> {
        // Not before the origin of all moments.
        let start = Moment::origin().max(Instant::now());
        Rc::new(Clock {
            start,
            now: Cell::new(start),
            next_key: Cell::new(1),
            timers: RefCell::new(BTreeMap::new()),
            deadlines: RefCell::new(BTreeMap::new()),
        })
    }

    /// How many timers are armed.
    pub fn armed(&self) -> usize {
        self.timers.borrow().len()
    }

    /// Takes back every timer.
    pub fn disarm_all(&self) {
        self.deadlines.take();
        drop(self.timers.take());
    }

    /// The running step takes this long.
    pub fn pass(&self, duration: Duration) {
        self.now.set(self.now.get() + duration);
    }

    fn jump(&self) -> bool {
        let next = self.timers.borrow().keys().next().map(|(when, _)| *when);
        if let Some(next) = next {
            self.now.set(self.now.get().max(next));
        }
        next.is_some()
    }

    fn due(&self) -> Vec<Alarm> {
        let mut timers = self.timers.borrow_mut();
        let mut due = Vec::new();
        while let Some(entry) = timers.first_entry() {
            if entry.key().0 > self.now.get() {
                break;
            }
            self.deadlines.borrow_mut().remove(&entry.key().1);
            due.push(entry.remove());
        }
        due
    }
}

impl Clock {
    /// The time.
    pub fn now(&self) -> Instant {
        self.now.get()
    }

    /// Rings `alarm` at `deadline`.
    pub fn arm(&self, deadline: Instant, alarm: Alarm) -> u64 {
        let key = self.next_key.get();
        self.next_key.set(key + 1);
        self.timers.borrow_mut().insert((deadline, key), alarm);
        self.deadlines.borrow_mut().insert(key, deadline);
        key
    }
}

impl Timers for Clock {
    fn now(&self) -> Moment {
        self.now.get().into()
    }

    fn arm(&self, deadline: Moment, alarm: Alarm) -> u64 {
        Clock::arm(self, deadline.instant(), alarm)
    }

    fn rearm(&self, key: u64, deadline: Moment) -> bool {
        let deadline = deadline.instant();
        let Some(before) = self.deadlines.borrow_mut().insert(key, deadline) else {
            self.deadlines.borrow_mut().remove(&key);
            return false;
        };
        let alarm = self.timers.borrow_mut().remove(&(before, key));
        let alarm = alarm.expect("a timer with a deadline");
        self.timers.borrow_mut().insert((deadline, key), alarm);
        true
    }

    fn rewake(&self, key: u64, waker: &Waker) -> bool {
        let Some(deadline) = self.deadlines.borrow().get(&key).copied() else {
            return false;
        };
        let mut timers = self.timers.borrow_mut();
        if let Some(Alarm::Wake(old)) = timers.get_mut(&(deadline, key)) {
            old.clone_from(waker);
        }
        true
    }

    fn disarm(&self, key: u64) -> bool {
        let Some(deadline) = self.deadlines.borrow_mut().remove(&key) else {
            return false;
        };
        let alarm = self.timers.borrow_mut().remove(&(deadline, key));
        drop(alarm);
        true
    }
}

/// One loop, its turns counted, and what its program has logged.
pub struct TestLoop {
    pub scheduler: Scheduler,
    pub clock: Rc<Clock>,
    turn: Cell<u64>,
    events: RefCell<Vec<(u64, Duration, String)>>,
    pub reports: RefCell<Vec<String>>,
    /// Nodes that the program has leaked on purpose.
    leaked: Cell<usize>,
}

thread_local! {
    static LOOP: RefCell<Option<Rc<TestLoop>>> = const { RefCell::new(None) };
}

/// The loop of the running test.
pub fn here() -> Rc<TestLoop> {
    LOOP.with_borrow(|here| here.clone().expect("a test loop"))
}

impl TestLoop {
    pub fn new() -> Rc<TestLoop> {
        let scheduler = Scheduler::new(|| {});
        let clock = Clock::new();
        scheduler.set_timers(clock.clone());
        scheduler.set_reporter(Some(Rc::new(|report: &Report| {
            here().reports.borrow_mut().push(report.to_string());
        })));
        let new = Rc::new(TestLoop {
            scheduler,
            clock,
            turn: Cell::new(0),
            events: RefCell::new(Vec::new()),
            reports: RefCell::new(Vec::new()),
            leaked: Cell::new(0),
        });
        LOOP.set(Some(new.clone()));
        new
    }

    /// One pass: due timers, then everything that is ready, and nothing that becomes so. False: nothing will ever happen.
    pub fn turn(&self) -> bool {
        self.turn.set(self.turn.get() + 1);
        self.scheduler.take_mail();
        if self.scheduler.ready() == 0 && !self.clock.jump() {
            return false;
        }
        for alarm in self.clock.due() {
            alarm.ring(&self.scheduler);
        }
        self.scheduler.run(self.scheduler.ready());
        true
    }

    pub fn turns(&self, count: usize) {
        for _ in 0..count {
            self.turn();
        }
    }

    /// Turns until nothing is ready, without letting time pass.
    pub fn settle(&self) {
        while self.scheduler.ready() > 0 {
            self.turn();
        }
    }

    /// Cancels a task after a second. It ends cancelled, so many seconds later; what it has leaked stays until the loop closes.
    pub fn assert_ends_cancelled<T>(&self, task: &Task<T>, after: f64, about: &str) {
        let asked = task.any();
        let clock = self.scheduler.create_task(async move {
            sleep(1.0).await;
            assert!(asked.cancel());
        });
        while !task.done() && self.time() < seconds(99.0) && self.turn() {}
        let (cancelled, time) = (task.cancelled() && clock.done(), self.time());
        let task = format!("{about}: {task:?}");
        self.scheduler.close();
        assert!(cancelled, "{task}");
        assert_eq!(time, seconds(1.0 + after), "{task}");
    }

    /// Runs until the task is done.
    pub fn finish<T>(&self, task: Task<T>) -> T {
        while !task.any().is_settled() {
            assert!(self.turn(), "the program waits for ever: {task:?}");
        }
        match task.into_result() {
            Ok(value) => value,
            Err(error) => panic!("the program failed: {error}"),
        }
    }

    /// So many nodes are left behind on purpose.
    pub fn forgive_nodes(&self, count: usize) {
        self.leaked.set(count);
    }

    /// The time since the loop was made.
    pub fn time(&self) -> Duration {
        self.clock.now.get() - self.clock.start
    }

    pub fn log(&self, event: impl Into<String>) {
        let time = self.clock.now.get() - self.clock.start;
        let event = event.into();
        self.events
            .borrow_mut()
            .push((self.turn.get(), time, event));
    }

    /// The events in the form of the traces: turns counted from the first event.
    pub fn lines(&self) -> Vec<String> {
        let events = self.events.borrow();
        let base = events.first().map_or(0, |event| event.0);
        let line = |(turn, time, event): &(u64, Duration, String)| {
            format!("k+{} t={:?} {event}", turn - base, time.as_secs_f64())
        };
        events.iter().map(line).collect()
    }
}

impl Drop for TestLoop {
    fn drop(&mut self) {
        self.scheduler.close();
    }
}

/// Runs a program to its end on a new loop, and then lets everything else end.
#[track_caller]
pub fn run<F: Future<Output: 'static> + 'static>(program: F) -> F::Output {
    let test = TestLoop::new();
    let main = test.scheduler.create_task(program);
    let result = test.finish(main);
    while test.scheduler.task_count() > 0 && test.turn() {}
    assert_eq!(test.scheduler.task_count(), 0, "tasks that wait for ever");
    assert_eq!(test.clock.armed(), 0, "timers that nobody took back");
    let nodes = corio_core::cancel::nodes_alive();
    assert_eq!(nodes, test.leaked.get(), "nodes left behind");
    result
}

/// Runs a program, and compares what it logs with the lines of a trace: the same events in the same order at the same times, and
/// within each instant in the same turns.
///
/// Turns are counted from the first event of each instant: asyncio spends a turn on every end that a combinator merely counts,
/// and here such an end is counted when it happens.
#[track_caller]
pub fn assert_trace(trace: &str, program: impl Future<Output = ()> + 'static) {
    run(program);
    let expected = within_instants(trace.lines());
    let lines = here().lines();
    let logged = within_instants(lines.iter().map(String::as_str));
    assert!(
        logged == expected,
        "expected:\n{}\n\nlogged:\n{}",
        expected.join("\n"),
        logged.join("\n")
    );
}

fn within_instants<'a>(lines: impl Iterator<Item = &'a str>) -> Vec<String> {
    let mut instant = (String::new(), 0);
    let mut rebased = Vec::new();
    for line in lines.map(str::trim).filter(|line| !line.is_empty()) {
        let mut words = line.split_whitespace();
        let turn = words.next().and_then(|word| word.strip_prefix("k+"));
        let turn: u64 = turn.and_then(|turn| turn.parse().ok()).expect("k+turn");
        let time = words.next().expect("t=time");
        if instant.0 != time {
            instant = (time.to_owned(), turn);
        }
        let event: Vec<&str> = words.collect();
        rebased.push(format!("{time} +{} {}", turn - instant.1, event.join(" ")));
    }
    rebased
}

/// Logs in the running test loop.
#[macro_export]
macro_rules! log {
    ($($argument:tt)*) => { $crate::support::here().log(format!($($argument)*)) };
}

#[track_caller]
pub fn create_task<F: Future<Output: 'static> + 'static>(future: F) -> Task<F::Output> {
    here().scheduler.create_task(future)
}

/// Runs `call` after `seconds`.
pub fn call_later<R>(seconds: f64, call: impl FnOnce() -> R + 'static) -> Timer {
    call_when(here().clock.now() + Duration::from_secs_f64(seconds), call)
}

/// Runs `call` when the test has gone on for `time`.
pub fn call_at<R>(time: Duration, call: impl FnOnce() -> R + 'static) -> Timer {
    let test = here();
    call_when(test.clock.now() - test.time() + time, call)
}

fn call_when<R>(deadline: Instant, call: impl FnOnce() -> R + 'static) -> Timer {
    let test = here();
    let handle = test.scheduler.callback(|| {
        call();
    });
    test.clock.arm(deadline, Alarm::Call(handle.clone()));
    handle
}

/// What a call that is to come may be taken back with.
pub type Timer = corio_core::Handle;

pub fn now() -> Instant {
    here().clock.now()
}

pub fn seconds(seconds: f64) -> Duration {
    Duration::from_secs_f64(seconds)
}

/// A sleep on the clock of the test.
pub fn sleep(duration: f64) -> Sleep {
    Sleep {
        duration: seconds(duration),
        key: None,
    }
}

pub struct Sleep {
    duration: Duration,
    key: Option<u64>,
}

impl Future for Sleep {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let clock = here().clock.clone();
        match self.key {
            Some(key) if clock.rewake(key, cx.waker()) => Poll::Pending,
            Some(_) => Poll::Ready(()),
            None => {
                let deadline = clock.now() + self.duration;
                self.key = Some(clock.arm(deadline, Alarm::Wake(cx.waker().clone())));
                Poll::Pending
            }
        }
    }
}

impl Drop for Sleep {
    fn drop(&mut self) {
        if let Some(key) = self.key {
            here().clock.disarm(key);
        }
    }
}

/// One turn for the others.
pub fn yield_now() -> impl Future<Output = ()> {
    let mut yielded = false;
    std::future::poll_fn(move |cx| {
        if std::mem::replace(&mut yielded, true) {
            return Poll::Ready(());
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    })
}

/// Logs when it is dropped before it was told to be quiet: the code around an await that is cancelled.
pub struct Interrupted(pub Option<String>);

impl Interrupted {
    pub fn new(event: impl Into<String>) -> Interrupted {
        Interrupted(Some(event.into()))
    }

    pub fn quiet(mut self) {
        self.0 = None;
    }
}

impl Drop for Interrupted {
    fn drop(&mut self) {
        if let Some(event) = self.0.take() {
            here().log(event);
        }
    }
}

/// A catcher made by hand: the outcome of the future, or the request that it was dropped for.
pub fn catching<F: Future>(inner: F) -> Catching<F> {
    Catching {
        inner: Some(Box::pin(inner)),
        node: Node::new(Kind::Catch),
    }
}

pub struct Catching<F> {
    inner: Option<Pin<Box<F>>>,
    node: Node,
}

impl<F: Future> Future for Catching<F> {
    type Output = Result<F::Output, Cancelled>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = &mut *self;
        let mut taking = this.node.enter(cx);
        if !taking {
            let inner = this.inner.as_mut().expect("not taken yet");
            if let Poll::Ready(output) = this.node.inside(|| inner.as_mut().poll(cx)) {
                return Poll::Ready(Ok(output));
            }
            taking = this.node.look();
        }
        if !taking {
            return Poll::Pending;
        }
        let inner = this.inner.take();
        let taken = this.node.take(move || drop(inner));
        this.node.leave();
        Poll::Ready(Err(taken.into_cancelled()))
    }
}

/// The same, but with a clean-up that others wait for, after which the request goes on.
pub fn cleaning<F: Future<Output = ()>, G: Future<Output = ()>>(
    inner: F,
    cleanup: G,
) -> Cleaning<F, G> {
    Cleaning {
        inner: Some(Box::pin(inner)),
        cleanup: Box::pin(cleanup),
        over: false,
        node: Node::new(Kind::Catch),
    }
}

pub struct Cleaning<F, G> {
    inner: Option<Pin<Box<F>>>,
    cleanup: Pin<Box<G>>,
    over: bool,
    node: Node,
}

impl<F: Future<Output = ()>, G: Future<Output = ()>> Future for Cleaning<F, G> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let this = &mut *self;
        if this.over {
            return Poll::Pending;
        }
        let mut taking = this.node.enter(cx);
        if let (false, Some(inner)) = (taking, &mut this.inner) {
            if this.node.inside(|| inner.as_mut().poll(cx)).is_ready() {
                return Poll::Ready(());
            }
            taking = this.node.look();
        }
        if taking {
            let inner = this.inner.take();
            let taken = this.node.take(move || drop(inner));
            this.node.work_on(&taken);
        }
        if this.inner.is_none() {
            let cleanup = &mut this.cleanup;
            if this.node.inside(|| cleanup.as_mut().poll(cx)).is_ready() {
                this.over = true;
                this.node.pass_on();
            }
        }
        Poll::Pending
    }
}

/// Both, in one task, polled with the task's own waker.
pub async fn both<A: Future, B: Future>(a: A, b: B) -> (A::Output, B::Output) {
    let (mut a, mut b) = (std::pin::pin!(a), std::pin::pin!(b));
    let (mut left, mut right) = (None, None);
    std::future::poll_fn(move |cx| {
        if left.is_none() {
            if let Poll::Ready(value) = a.as_mut().poll(cx) {
                left = Some(value);
            }
        }
        if right.is_none() {
            if let Poll::Ready(value) = b.as_mut().poll(cx) {
                right = Some(value);
            }
        }
        if left.is_none() || right.is_none() {
            return Poll::Pending;
        }
        Poll::Ready(left.take().zip(right.take()).expect("both are there"))
    })
    .await
}

/// Polls once.
pub async fn poll_once<F: Future + Unpin>(future: &mut F) -> Poll<F::Output> {
    std::future::poll_fn(|cx| Poll::Ready(Pin::new(&mut *future).poll(cx))).await
}

/// Forgets a value whose memory a leak checker is still to find.
pub fn leak<T>(value: T) {
    static LEAKED: Mutex<Vec<AtomicPtr<()>>> = Mutex::new(Vec::new());
    let place = std::ptr::from_mut(Box::leak(Box::new(value)));
    LEAKED.lock().unwrap().push(AtomicPtr::new(place.cast()));
}

/// A flag that says when what holds it has been dropped.
#[derive(Clone, Default)]
pub struct Dropped(Rc<Cell<u32>>);

impl Dropped {
    pub fn count(&self) -> u32 {
        self.0.get()
    }

    pub fn guard(&self) -> DropGuard {
        DropGuard(self.clone())
    }
}

pub struct DropGuard(Dropped);

impl Drop for DropGuard {
    fn drop(&mut self) {
        self.0.0.set(self.0.0.get() + 1);
    }
}

/// Fails like an exception of asyncio: a panic, but without the message on standard error.
pub fn raise(error: impl Into<String>) -> ! {
    std::panic::resume_unwind(Box::new(error.into()))
}

/// The sleeper of the traces: says that it starts, sleeps, and says how it ends.
pub async fn sleeper(name: &'static str, duration: f64) -> String {
    log!("{name} start");
    let interrupted = Interrupted::new(format!("{name} cancelled"));
    sleep(duration).await;
    interrupted.quiet();
    log!("{name} end");
    name.to_lowercase()
}

/// The same, but it fails at the end.
pub async fn failing(name: &'static str, duration: f64, error: &'static str) -> String {
    log!("{name} start");
    let interrupted = Interrupted::new(format!("{name} cancelled"));
    sleep(duration).await;
    interrupted.quiet();
    log!("{name} raises {error}");
    raise(format!("{error}('{name}')"))
}
