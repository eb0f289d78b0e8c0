//! What the tests of the task core share: a scheduler whose reports are kept, wakers that count, values that say how often and
//! where they were dropped.

#![allow(
    dead_code,
    unreachable_pub,
    reason = "each test file uses its part of it"
)]

use std::cell::{Cell, RefCell};
use std::future::{Future, poll_fn};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, Wake, Waker};
use std::thread::ThreadId;

use corio_core::{Report, Scheduler};

/// A scheduler that is closed at the end, and what it reported.
pub struct Bed {
    pub scheduler: Scheduler,
    reports: Rc<RefCell<Vec<Report>>>,
    notified: Arc<AtomicUsize>,
}

impl Bed {
    pub fn new() -> Bed {
        let notified = Arc::new(AtomicUsize::new(0));
        let count = notified.clone();
        let scheduler = Scheduler::new(move || {
            count.fetch_add(1, Ordering::SeqCst);
        });
        let reports = Rc::new(RefCell::new(Vec::new()));
        let kept = reports.clone();
        scheduler.set_reporter(Some(Rc::new(move |report: &Report| {
            kept.borrow_mut().push(report.clone());
        })));
        Bed {
            scheduler,
            reports,
            notified,
        }
    }

    /// The ready queue as it stands, and nothing that becomes ready meanwhile.
    pub fn turn(&self) -> usize {
        self.scheduler.take_mail();
        self.scheduler.run(self.scheduler.ready())
    }

    /// Turns until nothing is ready.
    #[track_caller]
    pub fn settle(&self) {
        for _ in 0..10_000 {
            if self.turn() == 0 {
                return;
            }
        }
        panic!("it never comes to rest");
    }

    pub fn reports(&self) -> Vec<Report> {
        self.reports.borrow().clone()
    }

    /// The reports as `message: panic`, taken out.
    pub fn take_reports(&self) -> Vec<String> {
        let reports = std::mem::take(&mut *self.reports.borrow_mut());
        let text = |report: &Report| match report.panic() {
            Some(panic) => format!("{}: {}", report.message(), panic.message()),
            None => report.message().to_owned(),
        };
        reports.iter().map(text).collect()
    }

    /// How often the loop was told that something came from another thread.
    pub fn notified(&self) -> usize {
        self.notified.load(Ordering::SeqCst)
    }
}

impl Drop for Bed {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            self.scheduler.close();
        }
    }
}

/// A waker that counts.
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

/// Polls once with the given waker.
pub fn poll_with<F: Future + Unpin>(future: &mut F, waker: &Waker) -> Poll<F::Output> {
    Pin::new(future).poll(&mut Context::from_waker(waker))
}

/// Polls once with the waker of the task around.
pub async fn poll_once<F: Future + Unpin>(future: &mut F) -> Poll<F::Output> {
    poll_fn(|cx| Poll::Ready(Pin::new(&mut *future).poll(cx))).await
}

/// The waker of the task around.
pub async fn my_waker() -> Waker {
    poll_fn(|cx| Poll::Ready(cx.waker().clone())).await
}

/// One turn for the others.
pub async fn yield_now() {
    let mut yielded = false;
    poll_fn(|cx| {
        if std::mem::replace(&mut yielded, true) {
            return Poll::Ready(());
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

/// Never ends.
pub fn forever() -> impl Future<Output = ()> {
    std::future::pending()
}

/// A panic without a message on standard error.
pub fn raise(message: &'static str) -> ! {
    std::panic::resume_unwind(Box::new(message))
}

/// The message of the panic that `body` ends with.
#[track_caller]
pub fn panic_of<R>(body: impl FnOnce() -> R) -> String {
    match catch_unwind(AssertUnwindSafe(body)) {
        Ok(_) => panic!("it did not panic"),
        Err(payload) => match payload.downcast::<String>() {
            Ok(text) => *text,
            Err(payload) => (*payload.downcast::<&str>().expect("a panic with a text")).to_owned(),
        },
    }
}

/// How often something was dropped, and where the last time.
#[derive(Clone, Default)]
pub struct Drops(Rc<(Cell<usize>, Cell<Option<ThreadId>>)>);

impl Drops {
    pub fn new() -> Drops {
        Drops::default()
    }

    pub fn count(&self) -> usize {
        self.0.0.get()
    }

    pub fn thread(&self) -> Option<ThreadId> {
        self.0.1.get()
    }

    pub fn guard(&self) -> DropGuard {
        DropGuard(self.clone())
    }
}

/// Counts its end.
pub struct DropGuard(Drops);

impl Drop for DropGuard {
    fn drop(&mut self) {
        let (count, thread) = &*self.0.0;
        count.set(count.get() + 1);
        thread.set(Some(std::thread::current().id()));
    }
}

/// Runs a function when it is dropped.
pub struct OnDrop<F: FnOnce()>(Option<F>);

impl<F: FnOnce()> OnDrop<F> {
    pub fn new(call: F) -> OnDrop<F> {
        OnDrop(Some(call))
    }
}

impl<F: FnOnce()> Drop for OnDrop<F> {
    fn drop(&mut self) {
        if let Some(call) = self.0.take() {
            call();
        }
    }
}

/// A log that tasks and callbacks share.
#[derive(Clone, Default)]
pub struct Log(Rc<RefCell<Vec<String>>>);

impl Log {
    pub fn new() -> Log {
        Log::default()
    }

    pub fn add(&self, line: impl Into<String>) {
        self.0.borrow_mut().push(line.into());
    }

    pub fn take(&self) -> Vec<String> {
        std::mem::take(&mut *self.0.borrow_mut())
    }
}
