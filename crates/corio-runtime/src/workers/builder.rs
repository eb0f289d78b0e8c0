//! `Workers`: how many, and how they are started.

use std::io;
use std::sync::{Arc, mpsc};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use crate::blocking::thread_name;
use crate::remote::Remote;
use crate::workers::crew::Crew;
use crate::workers::pin;
use crate::workers::report::WorkersReport;
use crate::workers::running::{Results, RunningWorkers};
use crate::workers::thread::{Plan, live};
use crate::workers::worker::Worker;

const GRACE: Duration = Duration::from_secs(30);
/// With two digits behind it, it fits into the 15 bytes that Linux shows.
const NAME: &str = "corio-worker";

/// Several loops, each on a thread of its own, that run the same program. See the [module](crate::workers).
#[derive(Clone, Debug)]
#[must_use = "workers do nothing until they are started"]
#[doc(alias = "multi_thread")]
pub struct Workers {
    count: usize,
    name: String,
    grace: Duration,
    pinned: bool,
}

impl Workers {
    /// So many workers.
    ///
    /// # Panics
    ///
    /// When it is zero.
    #[track_caller]
    pub fn new(count: usize) -> Workers {
        assert!(count > 0, "no workers would never do anything");
        Workers {
            count,
            name: NAME.to_owned(),
            grace: GRACE,
            pinned: true,
        }
    }

    /// As many workers as there are cores for this process.
    pub fn per_core() -> Workers {
        Workers::new(thread::available_parallelism().map_or(1, usize::from))
    }

    /// What the threads and the loops are called, with the worker's index behind it. `corio-worker`, unless told otherwise.
    ///
    /// # Panics
    ///
    /// When there is a zero byte in it.
    #[track_caller]
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = thread_name(name.into());
        self
    }

    /// How long, at the end, a main task may take to end, and after it what else there is on its loop. 30 s each, unless told
    /// otherwise.
    pub fn grace(mut self, grace: Duration) -> Self {
        self.grace = grace;
        self
    }

    /// Whether each thread stays on a core of its own, out of those that the process may use, as long as there are enough of them.
    /// They do, unless told otherwise. On Linux and Android; elsewhere the system moves threads as it sees fit.
    pub fn pinned(mut self, pinned: bool) -> Self {
        self.pinned = pinned;
        self
    }

    /// Starts the program on all threads: `program(worker)` is the main task of each. It begins when all loops are there. What
    /// it returns is sent back; the futures in between stay on their threads.
    ///
    /// # Errors
    ///
    /// When the system has no threads or descriptors left. Nothing has begun then.
    pub fn start<P, T>(self, program: P) -> io::Result<RunningWorkers<T>>
    where
        P: AsyncFn(Worker) -> T + Send + Sync + 'static,
        T: Send + 'static,
    {
        let program = Arc::new(program);
        let results = Arc::new(Results::new(self.count));
        let cores = if self.pinned {
            pin::cores()
        } else {
            Vec::new()
        };
        let mut threads = Vec::new();
        for index in 0..self.count {
            let plan = Plan {
                index,
                name: format!("{}-{index}", self.name),
                grace: self.grace,
                core: (self.count <= cores.len()).then(|| cores[index]),
            };
            threads.push(Thread::start(plan, program.clone(), results.clone())?);
        }
        let remotes = threads
            .iter()
            .map(Thread::remote)
            .collect::<io::Result<_>>()?;
        let crew = Crew::new(remotes);
        let join = |thread: Thread| thread.begin(crew.clone());
        let threads = threads.into_iter().map(join).collect();
        Ok(RunningWorkers::new(crew, results, threads, self.grace))
    }

    /// Starts the program and waits until all workers have ended, see [`RunningWorkers::wait`].
    ///
    /// # Errors
    ///
    /// As [`start`](Workers::start).
    ///
    /// # Panics
    ///
    /// When a loop is running on this thread: it would be blocked.
    #[track_caller]
    pub fn run<P, T>(self, program: P) -> io::Result<WorkersReport<T>>
    where
        P: AsyncFn(Worker) -> T + Send + Sync + 'static,
        T: Send + 'static,
    {
        RunningWorkers::<T>::assert_may_block();
        Ok(self.start(program)?.wait())
    }
}

/// A thread on its way: it makes its loop, and then waits for the word to begin. When the word does not come it ends.
struct Thread {
    handle: JoinHandle<()>,
    begin: mpsc::Sender<Arc<Crew>>,
    there: mpsc::Receiver<io::Result<Remote>>,
}

impl Thread {
    fn start<P, T>(plan: Plan, program: Arc<P>, results: Arc<Results<T>>) -> io::Result<Thread>
    where
        P: AsyncFn(Worker) -> T + Send + Sync + 'static,
        T: Send + 'static,
    {
        let (begin, begun) = mpsc::channel();
        let (say, there) = mpsc::channel();
        let handle = thread::Builder::new()
            .name(plan.name.clone())
            .spawn(move || live(plan, &*program, &results, &say, &begun))?;
        Ok(Thread {
            handle,
            begin,
            there,
        })
    }

    fn remote(&self) -> io::Result<Remote> {
        let remote = self.there.recv();
        remote.unwrap_or_else(|_| Err(io::Error::other("a worker has ended before it began")))
    }

    fn begin(self, crew: Arc<Crew>) -> JoinHandle<()> {
        // A thread that has ended already is found out by whoever waits for its result.
        let _ = self.begin.send(crew);
        self.handle
    }
}
