//! `BlockingPool`: threads for work that blocks.

use std::cell::RefCell;
use std::fmt;
use std::panic::Location;
use std::sync::Arc;
use std::time::Duration;

use crate::blocking::job::Work;
use crate::blocking::threads::{Running, Shared};

/// What blocks uses no core, so the number is the same on every machine.
const MAX_THREADS: usize = 64;
const IDLE_TIMEOUT: Duration = Duration::from_secs(10);
/// With a number behind it, it fits into the 15 bytes that Linux shows.
const NAME: &str = "corio-pool";

/// Threads for work that blocks. Clones are the same pool.
///
/// A thread is started when a job comes and none is free, up to a maximum, and ends when it had nothing to do for a while. Jobs
/// begin in the order in which they came. When the system refuses a thread, they wait for those that there are; if there is none,
/// they end with [`TaskError::Panicked`](corio_core::TaskError::Panicked), and the reason.
///
/// Every loop has a pool of its own for [`to_thread`](crate::to_thread()), which is made when it is first needed; others are for
/// work that should not stand in that line, through [`EventLoop::run_in_executor`](crate::EventLoop::run_in_executor).
///
/// A job cannot be interrupted. So nothing here ever waits for one without a limit: not the drop of the last handle, which lets
/// what is queued run and then ends the threads, and not the end of the process.
///
/// ```
/// use std::time::Duration;
/// # use corio_runtime as corio;
/// use corio::BlockingPool;
///
/// let pool = BlockingPool::builder().name("disk").max_threads(2).build();
/// let length = corio::run(async {
///     let event_loop = corio::get_running_loop();
///     event_loop.run_in_executor(&pool, || "slowly read".len()).await
/// });
/// assert_eq!(length.unwrap(), 11);
/// assert!(pool.close(Duration::from_secs(1)).is_empty());
/// ```
#[derive(Clone)]
#[doc(alias = "ThreadPoolExecutor")]
#[doc(alias = "Executor")]
pub struct BlockingPool {
    handle: Arc<Handle>,
}

/// The last one of these ends the threads.
struct Handle(Arc<Shared>);

/// The options of a [`BlockingPool`].
#[derive(Clone, Debug)]
#[must_use = "a builder does nothing until `build`"]
pub struct BlockingPoolBuilder {
    name: String,
    max_threads: usize,
    idle_timeout: Duration,
}

/// A job that a thread of a pool is running.
#[derive(Clone, Debug)]
pub struct JobInfo {
    /// The name of the thread.
    pub thread: String,
    /// The line that handed the job over.
    pub site: &'static Location<'static>,
}

impl BlockingPool {
    /// A pool with up to 64 threads, which end after 10 s without work. No thread is started yet.
    pub fn new() -> BlockingPool {
        BlockingPool::builder().build()
    }

    /// A pool with options.
    pub fn builder() -> BlockingPoolBuilder {
        BlockingPoolBuilder {
            name: NAME.to_owned(),
            max_threads: MAX_THREADS,
            idle_timeout: IDLE_TIMEOUT,
        }
    }

    pub(crate) fn of(shared: Shared) -> BlockingPool {
        BlockingPool {
            handle: Arc::new(Handle(Arc::new(shared))),
        }
    }

    /// How many threads there are now.
    pub fn threads(&self) -> usize {
        self.handle.0.counts().threads
    }

    /// How many jobs wait for a thread.
    pub fn queued(&self) -> usize {
        self.handle.0.counts().queued
    }

    /// The jobs that run now.
    pub fn running(&self) -> Vec<JobInfo> {
        JobInfo::all(self.handle.0.running())
    }

    /// Takes no job any more; one that comes ends cancelled. What is queued still runs, then the threads end. Does not wait.
    pub fn shutdown(&self) {
        self.handle.0.shut_down();
    }

    /// Shuts the pool down and blocks the calling thread until its jobs have ended, but no longer than `limit`. Jobs that have not
    /// begun by then end cancelled. Those that still run are returned; their threads go on, and end with them or with the process.
    #[doc(alias = "shutdown_default_executor")]
    #[doc(alias = "shutdown_timeout")]
    pub fn close(&self, limit: Duration) -> Vec<JobInfo> {
        JobInfo::all(self.handle.0.close(limit))
    }

    /// Nothing is queued and nothing runs.
    pub(crate) fn is_quiet(&self) -> bool {
        self.handle.0.is_quiet()
    }

    pub(crate) fn submit(
        &self,
        work: Box<dyn Work>,
        site: &'static Location<'static>,
    ) -> (Arc<Shared>, u64) {
        let shared = self.handle.0.clone();
        let number = shared.submit(work, site);
        (shared, number)
    }
}

impl BlockingPoolBuilder {
    /// What the threads are called, with a number behind it. `corio-pool`, unless told otherwise.
    ///
    /// # Panics
    ///
    /// When there is a zero byte in it.
    #[track_caller]
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = thread_name(name.into());
        self
    }

    /// How many threads there may be at a time. 64, unless told otherwise.
    ///
    /// Jobs that wait for other jobs of the pool need as many threads as there are of them, or wait for ever.
    ///
    /// # Panics
    ///
    /// When it is zero.
    #[track_caller]
    pub fn max_threads(mut self, max_threads: usize) -> Self {
        assert!(
            max_threads > 0,
            "a pool without threads would never run a job"
        );
        self.max_threads = max_threads;
        self
    }

    /// After how long without work a thread ends. 10 s, unless told otherwise.
    pub fn idle_timeout(mut self, idle_timeout: Duration) -> Self {
        self.idle_timeout = idle_timeout;
        self
    }

    /// Makes the pool. No thread is started yet.
    pub fn build(self) -> BlockingPool {
        BlockingPool::of(Shared::new(self.name, self.max_threads, self.idle_timeout))
    }
}

impl Default for BlockingPool {
    fn default() -> BlockingPool {
        BlockingPool::new()
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        self.0.shut_down();
    }
}

impl JobInfo {
    fn all(running: Vec<Running>) -> Vec<JobInfo> {
        let info = |job: Running| JobInfo {
            thread: job.thread.to_string(),
            site: job.site,
        };
        running.into_iter().map(info).collect()
    }
}

impl fmt::Display for JobInfo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let JobInfo { thread, site } = self;
        write!(
            f,
            "a job on {thread} (handed over at {}:{})",
            site.file(),
            site.line()
        )
    }
}

impl fmt::Debug for BlockingPool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shared = &self.handle.0;
        let counts = shared.counts();
        f.debug_struct("BlockingPool")
            .field("name", &shared.name)
            .field("threads", &counts.threads)
            .field("queued", &counts.queued)
            .field("running", &shared.running().len())
            .finish()
    }
}

/// A name that the system can give to a thread.
#[track_caller]
pub(crate) fn thread_name(name: String) -> String {
    assert!(
        !name.contains('\0'),
        "the name of a thread cannot have a zero byte in it"
    );
    name
}

/// The pool that a loop uses for `to_thread`.
#[derive(Default)]
pub(crate) struct LoopPool(RefCell<Which>);

#[derive(Default)]
enum Which {
    #[default]
    NotYet,
    /// Made by the loop, and ended with it.
    Own(BlockingPool),
    /// Given to the loop: its end is somebody else's business.
    Given(BlockingPool),
}

impl LoopPool {
    pub(crate) fn get(&self) -> BlockingPool {
        let mut which = self.0.borrow_mut();
        match &*which {
            Which::Own(pool) | Which::Given(pool) => pool.clone(),
            Which::NotYet => {
                let pool = BlockingPool::new();
                *which = Which::Own(pool.clone());
                pool
            }
        }
    }

    pub(crate) fn set(&self, pool: BlockingPool) {
        let before = self.0.replace(Which::Given(pool));
        drop(before);
    }

    /// The loop's own pool has jobs.
    pub(crate) fn is_busy(&self) -> bool {
        self.own().is_some_and(|pool| !pool.is_quiet())
    }

    /// Ends the loop's own pool without waiting, and tells what is left running.
    pub(crate) fn close(&self) -> Vec<JobInfo> {
        self.own()
            .map_or_else(Vec::new, |pool| pool.close(Duration::ZERO))
    }

    /// The pool that belongs to the loop, if it was needed.
    pub(crate) fn own(&self) -> Option<BlockingPool> {
        match &*self.0.borrow() {
            Which::Own(pool) => Some(pool.clone()),
            Which::NotYet | Which::Given(_) => None,
        }
    }
}
