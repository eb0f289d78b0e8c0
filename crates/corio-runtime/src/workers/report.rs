//! `WorkersReport`: how the workers ended.

use std::error::Error;
use std::fmt;

use crate::exit::ExitReport;
use crate::run_error::RunError;

/// How all workers ended, in the order of their indices.
#[derive(Debug)]
#[must_use = "it tells of panics"]
pub struct WorkersReport<T> {
    workers: Vec<WorkerReport<T>>,
}

/// How a worker ended.
#[derive(Debug)]
pub struct WorkerReport<T> {
    /// Which worker.
    pub index: usize,
    /// What its main task gave.
    pub outcome: Result<T, WorkerError>,
    /// What the orderly end of its loop found.
    pub exit: ExitReport,
}

/// Why a worker gave no value.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum WorkerError {
    /// Its main task gave none.
    Run(RunError),
    /// Something blocks its thread. It was left to itself when the time was over.
    LeftBehind,
}

impl<T> WorkersReport<T> {
    pub(crate) fn new(workers: Vec<WorkerReport<T>>) -> WorkersReport<T> {
        WorkersReport { workers }
    }

    /// All main tasks gave a value, and nothing had to be ended by force.
    pub fn is_clean(&self) -> bool {
        let clean = |worker: &WorkerReport<T>| worker.outcome.is_ok() && worker.exit.is_clean();
        self.workers.iter().all(clean)
    }

    /// Ctrl-C ended some of them.
    pub fn interrupted(&self) -> bool {
        let interrupted = |worker: &WorkerReport<T>| {
            matches!(worker.outcome, Err(WorkerError::Run(RunError::Interrupted)))
        };
        self.workers.iter().any(interrupted)
    }

    /// The workers, in the order of their indices.
    pub fn workers(&self) -> &[WorkerReport<T>] {
        &self.workers
    }

    /// The workers by value, in the order of their indices.
    pub fn into_workers(self) -> Vec<WorkerReport<T>> {
        self.workers
    }

    /// What the main tasks gave, in the order of the indices.
    ///
    /// # Errors
    ///
    /// Why the first of the workers gave no value that did not. A panic goes first: the others were shut down because of it.
    pub fn into_values(self) -> Result<Vec<T>, WorkerError> {
        let panicked = |worker: &WorkerReport<T>| {
            matches!(worker.outcome, Err(WorkerError::Run(RunError::Panicked(_))))
        };
        let mut workers = self.workers;
        if let Some(first) = workers.iter().position(panicked) {
            workers.swap(0, first);
        }
        workers.into_iter().map(|worker| worker.outcome).collect()
    }
}

impl<T> fmt::Display for WorkersReport<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let values = self.workers.iter().filter(|worker| worker.outcome.is_ok());
        write!(
            f,
            "{} of {} workers gave a value",
            values.count(),
            self.workers.len()
        )?;
        for worker in &self.workers {
            if let Err(error) = &worker.outcome {
                write!(f, "\n  worker {}: {error}", worker.index)?;
            }
            if !worker.exit.is_clean() {
                write!(f, "\n  worker {}: {}", worker.index, worker.exit)?;
            }
        }
        Ok(())
    }
}

impl fmt::Display for WorkerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            WorkerError::Run(error) => fmt::Display::fmt(error, f),
            WorkerError::LeftBehind => {
                f.write_str("something blocks the thread, which was left to itself")
            }
        }
    }
}

impl Error for WorkerError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            WorkerError::Run(error) => Some(error),
            WorkerError::LeftBehind => None,
        }
    }
}
