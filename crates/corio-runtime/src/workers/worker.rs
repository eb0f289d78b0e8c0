//! `Worker`: what a program knows of the worker that it runs on.

use std::fmt;
use std::sync::Arc;

use crate::remote::Remote;
use crate::workers::crew::Crew;

/// One of several workers, for the program that runs on it. Clones are the same worker; it may be sent anywhere.
#[derive(Clone)]
pub struct Worker {
    index: usize,
    core: Option<usize>,
    crew: Arc<Crew>,
}

impl Worker {
    pub(crate) fn new(index: usize, core: Option<usize>, crew: Arc<Crew>) -> Worker {
        Worker { index, core, crew }
    }

    /// Which one it is, from zero.
    pub fn index(&self) -> usize {
        self.index
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.crew.remotes.len()
    }

    /// The core that its thread stays on, if it does.
    pub fn core(&self) -> Option<usize> {
        self.core
    }

    /// The loops of all workers, by their indices, this one included.
    pub fn remotes(&self) -> &[Remote] {
        &self.crew.remotes
    }

    /// Asks the main tasks of all workers to cancel, this one included. Who waits for the workers then goes on with their orderly
    /// end.
    pub fn shutdown(&self) {
        self.crew.ask_all();
    }
}

impl fmt::Debug for Worker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Worker")
            .field("index", &self.index)
            .field("count", &self.count())
            .field("core", &self.core)
            .finish()
    }
}
