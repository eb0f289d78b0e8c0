//! What the tests share: executors to run a suite on, jobs that can be cancelled, a log.
//!
//! A suite is a function over an [`Executor`]; [`suite!`] makes a test of it for every executor. To add
//! one, implement the trait and name it in the macro.
#![allow(
    dead_code,
    unreachable_pub,
    unused_imports,
    unused_macros,
    reason = "every test file uses its own part of this"
)]

mod corio_loop;
mod driven;
mod everywhere;
mod job;
mod turns;

use std::cell::{Cell, RefCell};
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::rc::Rc;
use std::sync::atomic::{AtomicPtr, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Wake, Waker};

use corio_sync::oneshot;

pub use corio_loop::CorioLoop;
pub use driven::Driven;
pub use everywhere::PollAll;
pub use job::Job;
pub use turns::Turns;

pub type BoxFuture<'a> = Pin<Box<dyn Future<Output = ()> + 'a>>;

/// Something that runs one main future and the jobs that it starts.
pub trait Executor: Clone + 'static {
    /// A fresh one.
    fn new() -> Self;

    /// Runs `main` to its end; jobs run meanwhile.
    fn run_boxed(&self, main: BoxFuture<'_>);

    /// Starts a future that runs whenever it is woken, from its first poll on the next turn.
    fn start_boxed(&self, future: BoxFuture<'static>);

    fn run(&self, main: impl Future<Output = ()>) {
        self.run_boxed(Box::pin(main));
    }

    fn start(&self, future: impl Future<Output = ()> + 'static) -> Job {
        let (job, wrapped) = Job::wrap(future);
        self.start_boxed(Box::pin(wrapped));
        job
    }
}

/// One test a suite function and executor.
macro_rules! suite {
    ($($name:ident),+ $(,)?) => {
        mod by_turns {
            $(#[test] fn $name() {
                super::$name(&<crate::support::Turns as crate::support::Executor>::new());
            })+
        }
        mod on_the_corio_loop {
            $(#[test] fn $name() {
                super::$name(&<crate::support::CorioLoop as crate::support::Executor>::new());
            })+
        }
        mod poll_all_under_futures_lite {
            $(#[test] fn $name() {
                super::$name(&<crate::support::PollAll as crate::support::Executor>::new());
            })+
        }
    };
}
pub(crate) use suite;

/// Lets everybody else run once.
pub async fn yield_now() {
    let mut yielded = false;
    poll_fn(|cx| {
        if yielded {
            return Poll::Ready(());
        }
        yielded = true;
        cx.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

/// Lets everybody else run until nothing more happens in tests of this size.
pub async fn settle() {
    for _ in 0..32 {
        yield_now().await;
    }
}

/// A list that several jobs write to.
#[derive(Clone, Default)]
pub struct Log(Rc<RefCell<Vec<String>>>);

impl Log {
    pub fn add(&self, entry: impl Into<String>) {
        self.0.borrow_mut().push(entry.into());
    }

    pub fn take(&self) -> Vec<String> {
        self.0.take()
    }
}

/// A waker that counts.
#[derive(Default)]
pub struct Count(AtomicUsize);

impl Count {
    pub fn new() -> (Arc<Count>, Waker) {
        let count = Arc::new(Count::default());
        let waker = Waker::from(Arc::clone(&count));
        (count, waker)
    }

    pub fn get(&self) -> usize {
        self.0.load(Ordering::Relaxed)
    }
}

impl Wake for Count {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

/// Polls once with a waker that does nothing.
pub fn poll_once<F: Future + Unpin>(future: &mut F) -> Poll<F::Output> {
    Pin::new(future).poll(&mut Context::from_waker(Waker::noop()))
}

/// Forgets a value whose memory a leak checker is still to find.
pub fn leak<'a, T: 'a>(value: T) -> &'a mut T {
    static LEAKED: Mutex<Vec<AtomicPtr<()>>> = Mutex::new(Vec::new());
    let leaked = Box::leak(Box::new(value));
    let place = std::ptr::from_mut(leaked).cast();
    LEAKED.lock().unwrap().push(AtomicPtr::new(place));
    leaked
}

/// A way to open oneshot channels.
pub type Oneshot<T> = Box<dyn Fn() -> (oneshot::Sender<T>, oneshot::Receiver<T>)>;

/// Every way to a oneshot channel with ends of its own: allocated, by a pool, and by a pool of which other
/// channels are open.
pub fn oneshots<T: 'static>() -> Vec<Oneshot<T>> {
    let (pool, busy) = (oneshot::Pool::new(), oneshot::Pool::new());
    let open = Rc::new(busy.channel());
    vec![
        Box::new(oneshot::channel),
        Box::new(move || pool.channel()),
        Box::new(move || {
            assert!(!open.0.is_closed());
            busy.channel()
        }),
    ]
}

/// Counts how many are alive, to see that every value is dropped once.
#[derive(Debug)]
pub struct Tracked {
    pub number: usize,
    alive: Rc<Cell<usize>>,
}

impl Tracked {
    pub fn new(number: usize, alive: &Rc<Cell<usize>>) -> Self {
        alive.set(alive.get() + 1);
        Tracked {
            number,
            alive: Rc::clone(alive),
        }
    }
}

impl Drop for Tracked {
    fn drop(&mut self) {
        self.alive
            .set(self.alive.get().checked_sub(1).expect("dropped once only"));
    }
}
