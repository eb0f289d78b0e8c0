//! `to_thread` and its future.

use std::fmt;
use std::future::Future;
use std::panic::Location;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use corio_core::waiting::{self, WaitKind};
use corio_core::{Remote, Scheduler, TaskError};

use crate::blocking::job::{Job, Outcome, Work};
use crate::blocking::pool::BlockingPool;
use crate::blocking::threads::Shared;
use crate::context;
use crate::current::no_loop;
use crate::event_loop::EventLoop;

static TO_THREAD: WaitKind = WaitKind::new("to_thread");

/// The future of [`to_thread`] and of [`EventLoop::run_in_executor`]. It is `Send` and `Unpin`.
///
/// Its output is what the closure returned, or how the job ended otherwise: [`TaskError::Panicked`] when the closure panicked (or
/// the system had no thread for it), [`TaskError::Cancelled`] when the pool was shut down before the job began.
///
/// # Cancel safety
///
/// A job that has not begun is taken out when the future is dropped, and its closure is dropped there. One that runs cannot be
/// stopped: it runs to its end, and what it returns is dropped on its thread. The wait itself ends at once in both cases. A panic
/// that nobody hears of in this way is reported to the loop's exception handler.
#[must_use = "a future does nothing unless it is awaited, and takes the job back when it is dropped"]
pub struct ToThread<T> {
    stage: Stage<T>,
    site: &'static Location<'static>,
}

enum Stage<T> {
    New(Box<MakeJob<T>>),
    Started(Started<T>),
    Over,
}

/// Makes the job, once it is known where its outcome goes.
type MakeJob<T> = dyn FnOnce(Arc<Outcome<T>>) -> Box<dyn Work> + Send;

struct Started<T> {
    outcome: Arc<Outcome<T>>,
    pool: Arc<Shared>,
    job: u64,
}

/// Runs a closure that blocks on another thread, and waits for what it returns.
///
/// The job begins when the future is first polled: it goes to the pool of the loop that runs there, see
/// [`EventLoop::blocking_pool`], and starts in the order of coming, as soon as a thread is free. The closure sees the context
/// variables as they are at this call. What it sets itself stays with it.
///
/// While a job is outstanding a virtual clock stands still.
///
/// # Panics
///
/// When it is first polled on a thread where no loop is running.
///
/// # Cancel safety
///
/// See [`ToThread`]: a job that has begun runs on, and its result is dropped.
///
/// ```
/// # use corio_runtime as corio;
/// corio::run(async {
///     let text = corio::to_thread(|| std::fs::read_to_string("/etc/hostname")).await;
///     match text.expect("it does not panic") {
///         Ok(name) => println!("this is {name}"),
///         Err(error) => println!("no name: {error}"),
///     }
/// });
/// ```
#[doc(alias = "spawn_blocking")]
#[doc(alias = "unblock")]
#[track_caller]
pub fn to_thread<F, T>(work: F) -> ToThread<T>
where
    F: FnOnce() -> T + Send + 'static,
    T: Send + 'static,
{
    let context = context::current();
    let job = move |outcome| Box::new(Job::new(work, context, outcome)) as Box<dyn Work>;
    ToThread {
        stage: Stage::New(Box::new(job)),
        site: Location::caller(),
    }
}

impl EventLoop {
    /// Runs a closure that blocks on a thread of a pool. The job is handed to the pool by this call, and begins as soon as a thread
    /// is free; the future waits for what the closure returns, on this loop or elsewhere.
    ///
    /// Unlike [`to_thread`] it does not carry the context variables over, as in asyncio.
    ///
    /// # Cancel safety
    ///
    /// See [`ToThread`]: a job that has begun runs on, and its result is dropped.
    #[track_caller]
    pub fn run_in_executor<F, T>(&self, pool: &BlockingPool, work: F) -> ToThread<T>
    where
        F: FnOnce() -> T + Send + 'static,
        T: Send + 'static,
    {
        let site = Location::caller();
        let outcome = Outcome::new(self.scheduler().remote());
        let job = Box::new(Job::new(work, None, outcome.clone()));
        ToThread {
            stage: Stage::Started(Started::new(pool, outcome, job, site)),
            site,
        }
    }

    /// The pool that [`to_thread`] uses on this loop. It is made when it is first needed, belongs to the loop, and is shut down
    /// when the loop is closed; a [`Runner`](crate::Runner) waits for its jobs before, within the grace period.
    #[doc(alias = "default_executor")]
    pub fn blocking_pool(&self) -> BlockingPool {
        self.inner.blocking.get()
    }

    /// Gives the loop a pool for [`to_thread`], from the next job on. Its end is its owner's business: the loop does not shut it
    /// down, and a [`Runner`](crate::Runner) does not wait for it.
    #[doc(alias = "set_default_executor")]
    pub fn set_blocking_pool(&self, pool: &BlockingPool) {
        self.inner.blocking.set(pool.clone());
    }
}

impl<T> ToThread<T> {
    /// The outcome is there, or was taken.
    pub fn done(&self) -> bool {
        match &self.stage {
            Stage::New(_) => false,
            Stage::Started(started) => started.outcome.is_there(),
            Stage::Over => true,
        }
    }
}

impl<T> Started<T> {
    fn new(
        pool: &BlockingPool,
        outcome: Arc<Outcome<T>>,
        job: Box<dyn Work>,
        site: &'static Location<'static>,
    ) -> Started<T> {
        let (pool, job) = pool.submit(job, site);
        Started { outcome, pool, job }
    }
}

impl<T> Drop for Started<T> {
    fn drop(&mut self) {
        self.outcome.abandon();
        let taken_out = self.pool.take_out(self.job);
        drop(taken_out);
    }
}

/// The pool and the remote handle of the loop that runs here.
fn of_this_loop() -> (BlockingPool, Remote) {
    let found = Scheduler::with_current(|scheduler| {
        let event_loop = EventLoop::of(scheduler?)?;
        Some((event_loop.blocking_pool(), event_loop.scheduler().remote()))
    });
    found.unwrap_or_else(|| no_loop("to_thread"))
}

impl<T> Future for ToThread<T> {
    type Output = Result<T, TaskError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = &mut *self;
        if let Stage::New(_) = this.stage {
            let (pool, remote) = of_this_loop();
            if let Stage::New(job) = std::mem::replace(&mut this.stage, Stage::Over) {
                let outcome = Outcome::new(remote);
                let job = job(outcome.clone());
                this.stage = Stage::Started(Started::new(&pool, outcome, job, this.site));
            }
        }
        let Stage::Started(started) = &this.stage else {
            panic!("a `ToThread` that has given its outcome was polled again")
        };
        let polled = started.outcome.poll(cx);
        if polled.is_ready() {
            this.stage = Stage::Over;
        } else {
            waiting::note(&TO_THREAD, this.site);
        }
        polled
    }
}

impl<T> fmt::Debug for ToThread<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ToThread")
            .field("started", &!matches!(self.stage, Stage::New(_)))
            .field("done", &self.done())
            .field("site", &format_args!("{}", self.site))
            .finish()
    }
}
