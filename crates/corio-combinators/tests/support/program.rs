//! Random programs of everything that can be cancelled, and the ledger of what they must not do.

#![allow(
    dead_code,
    unreachable_pub,
    reason = "each test file uses its part of it"
)]

use std::cell::{Cell, OnceCell, RefCell};
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::rc::Rc;
use std::task::Poll;
use std::time::Duration;

use corio_combinators::{
    CancelScope, TaskGroup, catch_cancel, finally, gather, scope, shield, task_group, timeout,
};
use corio_core::{AnyTask, Task};
use proptest::prelude::*;

use crate::support::{create_task, here, seconds, sleep, yield_now};

/// Longer than any program that is asked to end may take.
pub const FOREVER: f64 = 1e6;

/// One step of a program.
#[derive(Clone, Debug)]
pub enum Op {
    /// Halves of a second, so that much happens at the same time.
    Sleep(u8),
    Forever,
    Yield,
    Seq(Vec<Op>),
    /// Catches, cleans up, and propagates or (`true`) swallows.
    Catch(Box<Op>, Box<Op>, bool),
    Finally(Box<Op>, Box<Op>),
    Timeout(u8, Box<Op>),
    /// A scope that is cancelled by another branch after so long.
    Scope(u8, Box<Op>),
    /// A scope that is cancelled by its own body before that goes on.
    OwnScope(Box<Op>),
    Await(Box<Op>),
    Watch(Box<Op>),
    Spawn(Box<Op>),
    /// Children, body; a child with `true` fails in the end.
    Group(Vec<(Op, bool)>, Box<Op>),
    /// The same with children that live in the scope.
    Borrow(Vec<Op>, Box<Op>),
    Gather(Vec<Op>),
    Shield(Box<Op>),
    /// The first one that ends drops the other.
    Select(Box<Op>, Box<Op>),
    Join(Box<Op>, Box<Op>),
    /// The first is polled once, put aside during the second, and then dropped or finished.
    Aside(Box<Op>, Box<Op>, bool),
    /// Polled once in the first place, and then moved below a catcher.
    Move(Box<Op>),
    CancelSelf,
    /// Cancels the task with this number, modulo.
    Cancel(u8),
}

/// Which ops a program may have.
#[derive(Clone, Copy, Debug)]
pub struct Kinds {
    /// Catchers that swallow, and children that fail.
    pub swallow: bool,
    /// Foreign code that drops or neglects futures.
    pub foreign: bool,
}

pub fn op(kinds: Kinds) -> impl Strategy<Value = Op> {
    let leaf = prop_oneof![
        6 => (0..4u8).prop_map(Op::Sleep),
        2 => Just(Op::Forever),
        3 => Just(Op::Yield),
        1 => Just(Op::CancelSelf),
        2 => any::<u8>().prop_map(Op::Cancel),
    ];
    leaf.prop_recursive(5, 40, 4, move |inner| branch(kinds, inner))
}

fn branch(kinds: Kinds, inner: BoxedStrategy<Op>) -> BoxedStrategy<Op> {
    let one = || inner.clone().prop_map(Box::new);
    let many = || prop::collection::vec(inner.clone(), 1..4);
    let swallow = if kinds.swallow {
        any::<bool>().boxed()
    } else {
        Just(false).boxed()
    };
    let clean = || short().prop_map(Box::new);
    let structured = prop_oneof![
        3 => many().prop_map(Op::Seq),
        2 => (one(), clean(), swallow.clone()).prop_map(|(a, b, c)| Op::Catch(a, b, c)),
        3 => (one(), clean()).prop_map(|(a, b)| Op::Finally(a, b)),
        2 => (0..5u8, one()).prop_map(|(a, b)| Op::Timeout(a, b)),
        1 => (0..5u8, one()).prop_map(|(a, b)| Op::Scope(a, b)),
        1 => one().prop_map(Op::OwnScope),
        2 => one().prop_map(Op::Await),
        1 => one().prop_map(Op::Watch),
        1 => one().prop_map(Op::Spawn),
        3 => (prop::collection::vec((inner.clone(), swallow), 0..3), one())
            .prop_map(|(a, b)| Op::Group(a, b)),
        2 => (prop::collection::vec(inner.clone(), 0..3), one())
            .prop_map(|(a, b)| Op::Borrow(a, b)),
        2 => many().prop_map(Op::Gather),
        1 => one().prop_map(Op::Shield),
    ];
    if !kinds.foreign {
        return structured.boxed();
    }
    prop_oneof![
        6 => structured,
        2 => (one(), one()).prop_map(|(a, b)| Op::Select(a, b)),
        2 => (one(), one()).prop_map(|(a, b)| Op::Join(a, b)),
        1 => (one(), clean(), any::<bool>()).prop_map(|(a, b, c)| Op::Aside(a, b, c)),
        1 => one().prop_map(Op::Move),
    ]
    .boxed()
}

/// When (in quarters of a second) which task is asked.
pub type Requests = Vec<(u8, u8)>;

pub fn requests() -> impl Strategy<Value = Requests> {
    prop::collection::vec((0..12u8, 0..12u8), 0..6)
}

/// `PROPTEST_CASES` asks for more.
pub fn config() -> ProptestConfig {
    let more = std::env::var("PROPTEST_CASES").ok();
    ProptestConfig {
        cases: more.and_then(|more| more.parse().ok()).unwrap_or(500),
        max_shrink_iters: 20_000,
        failure_persistence: None,
        ..ProptestConfig::default()
    }
}

/// A clean-up.
fn short() -> impl Strategy<Value = Op> {
    prop_oneof![
        Just(Op::Seq(Vec::new())),
        Just(Op::Yield),
        (0..3u8).prop_map(Op::Sleep),
        (0..3u8).prop_map(|n| Op::Await(Box::new(Op::Sleep(n)))),
        Just(Op::Finally(Box::new(Op::Yield), Box::new(Op::Sleep(1)))),
    ]
}

/// What happened in a run.
#[derive(Default)]
pub struct Ledger {
    tasks: RefCell<Vec<Record>>,
    /// Each `finally` whose work began.
    finals: RefCell<Vec<Rc<Final>>>,
    pub mistakes: RefCell<Vec<String>>,
    /// Limits that have ended in a timeout with a request on their task. Where foreign code joins branches in one task, a limit
    /// may: the request is with another branch, and has not come up yet.
    pub turned: RefCell<Vec<String>>,
}

pub struct Record {
    pub task: AnyTask,
    /// When it was asked for the first time while it was unfinished.
    pub asked: Cell<Option<Duration>>,
    /// How often it was asked directly while it was unfinished.
    pub asks: Cell<u32>,
    /// Others may ask it too.
    pub owned: bool,
    pub ended: Rc<Cell<Option<Duration>>>,
    /// A request on it was swallowed, or foreign code has dropped one that was caught and not propagated yet.
    pub excused: Cell<bool>,
}

impl Record {
    /// The task is about to be asked.
    fn asking(&self) -> AnyTask {
        if !self.task.done() {
            self.asks.set(self.asks.get() + 1);
            self.asked.set(self.asked.get().or(Some(here().time())));
        }
        self.task.clone()
    }
}

/// A `finally` whose work has begun.
pub struct Final {
    pub task: AnyTask,
    /// How often its clean-up began.
    pub cleanups: Cell<u32>,
    pub cleaned: Cell<bool>,
}

/// Between a catch and its `propagate` no node is there to be seen: whoever drops that code swallows the request.
struct Bare(Option<(Rc<Ledger>, AnyTask)>);

impl Bare {
    fn new(ledger: &Rc<Ledger>) -> Bare {
        Bare(Some((ledger.clone(), current())))
    }

    fn end(mut self) {
        self.0 = None;
    }
}

impl Drop for Bare {
    fn drop(&mut self) {
        let Some((ledger, me)) = self.0.take() else {
            return;
        };
        ledger.excuse(&me);
    }
}

impl Ledger {
    pub fn mistake(&self, what: impl Into<String>) {
        self.mistakes.borrow_mut().push(what.into());
    }

    /// Lists a task.
    pub fn note<T: 'static>(&self, task: Task<T>, owned: bool) -> Task<T> {
        self.note_any(task.any(), owned);
        task
    }

    pub fn note_any(&self, task: AnyTask, owned: bool) {
        let ended = Rc::new(Cell::new(None));
        let set = ended.clone();
        task.add_done_callback(move |_| set.set(Some(here().time())));
        self.tasks.borrow_mut().push(Record {
            task,
            asked: Cell::new(None),
            asks: Cell::new(0),
            owned,
            ended,
            excused: Cell::new(false),
        });
    }

    /// Asks the task with this number, modulo.
    pub fn cancel(&self, number: usize) {
        let tasks = self.tasks.borrow();
        let Some(record) = tasks.get(number % tasks.len().max(1)) else {
            return;
        };
        let task = record.asking();
        drop(tasks);
        task.cancel();
    }

    pub fn cancel_self(&self) {
        let me = current();
        self.with(&me, |record| drop(record.asking()));
        me.cancel();
    }

    /// A request on the task was swallowed.
    fn excuse(&self, task: &AnyTask) {
        self.with(task, |record| record.excused.set(true));
    }

    /// How often the task was asked directly.
    fn asks(&self, task: &AnyTask) -> u32 {
        let mut asks = 0;
        self.with(task, |record| asks = record.asks.get());
        asks
    }

    /// A limit of the running task, which was asked so often when the limit began, has ended in a timeout.
    fn judge_timeout(&self, deadline: Duration, asks: u32) {
        if here().time() < deadline {
            self.mistake("a timeout before the time was up");
        }
        self.with(&current(), |record| {
            if record.asks.get() > asks && !record.excused.get() {
                let what = format!("a request became a timeout: {:?}", record.task);
                self.turned.borrow_mut().push(what);
            }
        });
    }

    fn with(&self, task: &AnyTask, mut look: impl FnMut(&Record)) {
        self.each(|record| {
            if record.task == *task {
                look(record);
            }
        });
    }

    fn begin_finally(&self) -> Rc<Final> {
        let begun = Rc::new(Final {
            task: current(),
            cleanups: Cell::new(0),
            cleaned: Cell::new(false),
        });
        self.finals.borrow_mut().push(begun.clone());
        begun
    }

    pub fn finals(&self) -> Vec<Rc<Final>> {
        self.finals.borrow().clone()
    }

    pub fn each(&self, look: impl FnMut(&Record)) {
        self.tasks.borrow().iter().for_each(look);
    }
}

type Running = Pin<Box<dyn Future<Output = ()>>>;

fn current() -> AnyTask {
    here().scheduler.current_task().expect("a running task")
}

fn halves(number: u8) -> f64 {
    f64::from(number) / 2.0
}

/// The future of a program.
pub fn run_op(op: Op, ledger: Rc<Ledger>) -> Running {
    Box::pin(async move {
        match op {
            Op::Sleep(time) => sleep(halves(time)).await,
            Op::Forever => sleep(FOREVER).await,
            Op::Yield => yield_now().await,
            Op::CancelSelf => ledger.cancel_self(),
            Op::Cancel(number) => ledger.cancel(number.into()),
            Op::Seq(ops) => {
                for op in ops {
                    run_op(op, ledger.clone()).await;
                }
            }
            Op::Catch(work, cleanup, swallow) => {
                if let Err(cancelled) = catch_cancel(run_op(*work, ledger.clone())).await {
                    let bare = Bare::new(&ledger);
                    run_op(*cleanup, ledger.clone()).await;
                    bare.end();
                    if swallow {
                        ledger.excuse(&current());
                    } else {
                        cancelled.propagate().await;
                    }
                }
            }
            Op::Finally(work, cleanup) => run_finally(*work, *cleanup, ledger).await,
            Op::Timeout(time, work) => {
                let limit = seconds(halves(time));
                let (began, asks) = (here().time(), ledger.asks(&current()));
                let ended = timeout(limit, run_op(*work, ledger.clone())).await;
                if ended.is_err() {
                    ledger.judge_timeout(began + limit, asks);
                }
            }
            Op::Scope(time, work) => {
                let scope = CancelScope::new();
                let handle = scope.clone();
                let canceller = create_task(async move {
                    sleep(halves(time)).await;
                    handle.cancel();
                });
                let canceller = ledger.note(canceller, false);
                let _ = scope.run(run_op(*work, ledger)).await;
                drop(canceller);
            }
            Op::OwnScope(work) => {
                let scope = CancelScope::new();
                let work = run_op(*work, ledger);
                let body = async {
                    scope.cancel();
                    work.await;
                };
                let _ = scope.run(body).await;
            }
            Op::Await(work) => drop(spawn(*work, &ledger, true).await),
            Op::Watch(work) => {
                let task = spawn(*work, &ledger, false);
                let _ = (&task).await;
            }
            Op::Spawn(work) => drop(spawn(*work, &ledger, false)),
            Op::Group(children, body) => run_group(children, *body, ledger).await,
            Op::Borrow(children, body) => run_scope(children, *body, &ledger).await,
            Op::Gather(ops) => {
                let tasks = ops.into_iter().map(|op| spawn(op, &ledger, true));
                let _ = gather(tasks.collect::<Vec<_>>()).await;
            }
            Op::Shield(work) => {
                let _ = shield(spawn(*work, &ledger, false)).await;
            }
            Op::Select(a, b) => select(run_op(*a, ledger.clone()), run_op(*b, ledger)).await,
            Op::Join(a, b) => join(run_op(*a, ledger.clone()), run_op(*b, ledger)).await,
            Op::Aside(aside, then, finish) => {
                let mut aside = run_op(*aside, ledger.clone());
                let polled = poll_once(&mut aside).await;
                run_op(*then, ledger).await;
                if finish && !polled {
                    aside.await;
                }
            }
            Op::Move(work) => {
                let mut work = run_op(*work, ledger);
                if !poll_once(&mut work).await {
                    match catch_cancel(work).await {
                        Ok(()) => {}
                        Err(cancelled) => cancelled.propagate().await,
                    }
                }
            }
        }
    })
}

fn spawn(op: Op, ledger: &Rc<Ledger>, owned: bool) -> Task<()> {
    ledger.note(create_task(run_op(op, ledger.clone())), owned)
}

async fn run_finally(work: Op, cleanup: Op, ledger: Rc<Ledger>) {
    let inner = ledger.clone();
    let begun: Rc<OnceCell<Rc<Final>>> = Rc::default();
    let begin = begun.clone();
    let work = async move {
        drop(begin.set(inner.begin_finally()));
        run_op(work, inner).await;
    };
    let cleanup = async move || {
        let begun = begun.get().expect("a clean-up follows work").clone();
        begun.cleanups.set(begun.cleanups.get() + 1);
        run_op(cleanup, ledger).await;
        begun.cleaned.set(true);
    };
    finally(work, cleanup).await;
}

async fn run_group(children: Vec<(Op, bool)>, body: Op, ledger: Rc<Ledger>) {
    let members: Rc<RefCell<Vec<AnyTask>>> = Rc::default();
    let listed = members.clone();
    let noted = ledger.clone();
    let result = task_group(async move |group: TaskGroup<u8>| {
        for (child, fails) in children {
            let ledger = noted.clone();
            let task = group.create_task(async move {
                run_op(child, ledger).await;
                if fails { Err(1) } else { Ok(()) }
            });
            listed.borrow_mut().push(task.any());
            noted.note(task, true);
        }
        run_op(body, noted).await;
        Ok(())
    })
    .await;
    drop(result);
    if !members.borrow().iter().all(AnyTask::done) {
        ledger.mistake("a child has outlived its group");
    }
}

async fn run_scope(children: Vec<Op>, body: Op, ledger: &Rc<Ledger>) {
    let members: RefCell<Vec<AnyTask>> = RefCell::default();
    scope(async |s| {
        for child in children {
            let task = s.spawn(run_op(child, ledger.clone())).any();
            members.borrow_mut().push(task.clone());
            ledger.note_any(task, true);
        }
        run_op(body, ledger.clone()).await;
    })
    .await;
    if !members.borrow().iter().all(AnyTask::done) {
        ledger.mistake("a child has outlived its scope");
    }
}

/// Polls both, as other libraries do; the first one that ends drops the other.
async fn select(mut a: Running, mut b: Running) {
    poll_fn(move |cx| {
        let a = a.as_mut().poll(cx).is_ready();
        if a || b.as_mut().poll(cx).is_ready() {
            return Poll::Ready(());
        }
        Poll::Pending
    })
    .await;
}

async fn join(a: Running, b: Running) {
    let mut both = [Some(a), Some(b)];
    poll_fn(move |cx| {
        for branch in &mut both {
            if let Some(future) = branch {
                if future.as_mut().poll(cx).is_ready() {
                    *branch = None;
                }
            }
        }
        if both.iter().all(Option::is_none) {
            Poll::Ready(())
        } else {
            Poll::Pending
        }
    })
    .await;
}

async fn poll_once(future: &mut Running) -> bool {
    poll_fn(|cx| Poll::Ready(future.as_mut().poll(cx).is_ready())).await
}
