//! `RunningWorkers`: waiting for them, and ending them.

use std::fmt;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use corio_core::Scheduler;
use parking_lot::Mutex;

use crate::exit::ExitReport;
use crate::remote::Remote;
use crate::run_error::RunError;
use crate::workers::crew::Crew;
use crate::workers::report::{WorkerError, WorkerReport, WorkersReport};

/// How long, beyond the grace period, a thread may take that should have ended.
const SLACK: Duration = Duration::from_secs(1);

/// Workers that have been started.
///
/// Dropping it asks them to end, as [`shutdown`](RunningWorkers::shutdown) does, and does not wait for them.
#[must_use = "dropping it shuts the workers down: wait for them instead"]
pub struct RunningWorkers<T> {
    crew: Arc<Crew>,
    results: Arc<Results<T>>,
    threads: Vec<JoinHandle<()>>,
    grace: Duration,
}

impl<T> RunningWorkers<T> {
    pub(crate) fn new(
        crew: Arc<Crew>,
        results: Arc<Results<T>>,
        threads: Vec<JoinHandle<()>>,
        grace: Duration,
    ) -> RunningWorkers<T> {
        RunningWorkers {
            crew,
            results,
            threads,
            grace,
        }
    }

    /// The loops of all workers, by their indices.
    pub fn remotes(&self) -> &[Remote] {
        &self.crew.remotes
    }

    /// Blocks the calling thread until all workers have ended: because their main tasks have, or because one of them panicked,
    /// somebody called [`Worker::shutdown`](crate::workers::Worker::shutdown), or Ctrl-C was pressed.
    ///
    /// From a task it is called through [`to_thread`](crate::to_thread()).
    ///
    /// # Panics
    ///
    /// When a loop is running on this thread: it would be blocked.
    #[track_caller]
    #[doc(alias = "join")]
    pub fn wait(mut self) -> WorkersReport<T> {
        RunningWorkers::<T>::assert_may_block();
        self.crew.wait();
        self.finish()
    }

    /// Asks the main tasks to cancel, and blocks the calling thread until all workers have ended. A main task that has not ended
    /// after the grace period is dropped. Then each loop ends in order what else it has, within a grace period again. A worker
    /// whose thread is blocked is left behind after that. So the call takes twice the grace period and a second at most.
    ///
    /// # Panics
    ///
    /// When a loop is running on this thread: it would be blocked.
    #[track_caller]
    pub fn shutdown(mut self) -> WorkersReport<T> {
        RunningWorkers::<T>::assert_may_block();
        self.crew.ask_all();
        self.finish()
    }

    fn finish(&mut self) -> WorkersReport<T> {
        for index in self.crew.wait_for_mains(self.grace) {
            self.crew.remotes[index].stop();
        }
        let limit = self.grace.saturating_add(SLACK);
        let left_behind = self.crew.wait_for_ends(limit);
        for (index, thread) in self.threads.drain(..).enumerate() {
            if !left_behind.contains(&index) {
                // It has caught its panics, and is about to return.
                let _ = thread.join();
            }
        }
        WorkersReport::new(self.results.take())
    }

    #[track_caller]
    pub(crate) fn assert_may_block() {
        assert!(
            Scheduler::with_current(|scheduler| scheduler.is_none()),
            "to wait for workers would block the event loop of this thread: do it inside `to_thread`"
        );
    }
}

impl<T> Drop for RunningWorkers<T> {
    fn drop(&mut self) {
        self.crew.ask_all();
    }
}

impl<T> fmt::Debug for RunningWorkers<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RunningWorkers")
            .field("count", &self.crew.remotes.len())
            .field("grace", &self.grace)
            .finish_non_exhaustive()
    }
}

/// Where the threads leave what their main tasks gave, and what the ends of their loops found.
pub(crate) struct Results<T> {
    results: Mutex<Vec<Option<WorkerReport<T>>>>,
}

impl<T> Results<T> {
    pub(crate) fn new(count: usize) -> Results<T> {
        let results = (0..count).map(|_| None).collect();
        Results {
            results: Mutex::new(results),
        }
    }

    pub(crate) fn put(&self, index: usize, outcome: Result<T, RunError>, exit: ExitReport) {
        let mut results = self.results.lock();
        // Nobody waits any more for who was left behind.
        if let Some(place) = results.get_mut(index) {
            *place = Some(WorkerReport {
                index,
                outcome: outcome.map_err(WorkerError::Run),
                exit,
            });
        }
    }

    /// Takes what is there. Who has left nothing is left behind.
    fn take(&self) -> Vec<WorkerReport<T>> {
        let results = std::mem::take(&mut *self.results.lock());
        let report = |(index, report): (usize, Option<WorkerReport<T>>)| {
            report.unwrap_or_else(|| WorkerReport {
                index,
                outcome: Err(WorkerError::LeftBehind),
                exit: ExitReport::default(),
            })
        };
        results.into_iter().enumerate().map(report).collect()
    }
}
