//! What all workers and those who wait for them know: how far each of them is, and how to ask them to end.

use std::sync::Arc;
use std::time::Duration;

use corio_core::{Scheduler, TaskId};
use parking_lot::{Condvar, Mutex};

use crate::clock::WaitLimit;
use crate::current::current_task;
use crate::remote::Remote;

const REASON: &str = "the workers are shutting down";

pub(crate) struct Crew {
    pub(crate) remotes: Vec<Remote>,
    progress: Mutex<Progress>,
    changed: Condvar,
}

struct Progress {
    workers: Vec<Stage>,
    /// The main tasks have been asked to cancel.
    asked: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// The main task has not begun.
    New,
    Running(TaskId),
    /// The main task has ended; the loop ends what else it has.
    Ending,
    Ended,
}

impl Crew {
    pub(crate) fn new(remotes: Vec<Remote>) -> Arc<Crew> {
        let progress = Progress {
            workers: vec![Stage::New; remotes.len()],
            asked: false,
        };
        Arc::new(Crew {
            remotes,
            progress: Mutex::new(progress),
            changed: Condvar::new(),
        })
    }

    /// The main task of a worker takes its first step. If it was asked to end already it is told at its first await.
    pub(crate) fn main_begins(&self, index: usize) {
        let Some(main) = current_task() else { return };
        let asked = {
            let mut progress = self.progress.lock();
            progress.workers[index] = Stage::Running(main.id());
            progress.asked
        };
        if asked {
            main.cancel_with(REASON);
        }
    }

    pub(crate) fn main_has_ended(&self, index: usize) {
        self.reach(index, Stage::Ending);
    }

    pub(crate) fn has_ended(&self, index: usize) {
        self.reach(index, Stage::Ended);
    }

    fn reach(&self, index: usize, stage: Stage) {
        self.progress.lock().workers[index] = stage;
        self.changed.notify_all();
    }

    /// Asks the main tasks to cancel, once.
    pub(crate) fn ask_all(&self) {
        let workers = {
            let mut progress = self.progress.lock();
            if std::mem::replace(&mut progress.asked, true) {
                return;
            }
            progress.workers.clone()
        };
        self.changed.notify_all();
        for (stage, remote) in workers.into_iter().zip(&self.remotes) {
            let Stage::Running(id) = stage else { continue };
            // A loop that is closed has ended its main task.
            let _ = remote.call_soon(move || {
                let main = Scheduler::with_current(|scheduler| scheduler?.find_task(id));
                if let Some(main) = main {
                    main.cancel_with(REASON);
                }
            });
        }
    }

    /// Waits until all workers have ended, or have been asked to.
    pub(crate) fn wait(&self) {
        let mut progress = self.progress.lock();
        while !progress.asked && progress.late(Stage::Ended).next().is_some() {
            self.changed.wait(&mut progress);
        }
    }

    /// Waits for the main tasks, and tells which of them have not ended.
    pub(crate) fn wait_for_mains(&self, limit: Duration) -> Vec<usize> {
        self.wait_for(Stage::Ending, limit)
    }

    /// Waits for the ends, and tells who has not ended.
    pub(crate) fn wait_for_ends(&self, limit: Duration) -> Vec<usize> {
        self.wait_for(Stage::Ended, limit)
    }

    fn wait_for(&self, stage: Stage, limit: Duration) -> Vec<usize> {
        let limit = WaitLimit::new(limit);
        let mut progress = self.progress.lock();
        while progress.late(stage).next().is_some() && limit.wait(&self.changed, &mut progress) {}
        progress.late(stage).collect()
    }
}

impl Progress {
    /// Who has not come as far as this.
    fn late(&self, wanted: Stage) -> impl Iterator<Item = usize> {
        let workers = self.workers.iter().enumerate();
        workers
            .filter(move |(_, stage)| stage.rank() < wanted.rank())
            .map(|(index, _)| index)
    }
}

impl Stage {
    fn rank(self) -> u8 {
        match self {
            Stage::New => 0,
            Stage::Running(_) => 1,
            Stage::Ending => 2,
            Stage::Ended => 3,
        }
    }
}
