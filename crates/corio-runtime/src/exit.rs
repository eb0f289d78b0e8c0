//! What the end of a loop or runner found.

use std::fmt;
use std::panic::Location;

use corio_core::AnyTask;

use crate::blocking::JobInfo;

/// A task, as it was at the end.
#[derive(Clone, Debug)]
pub struct TaskInfo {
    /// Its name.
    pub name: String,
    /// Where it was created.
    pub site: &'static Location<'static>,
    /// What it waited for, as its last poll left it.
    pub waits_for: Option<String>,
}

impl TaskInfo {
    pub(crate) fn of(task: &AnyTask) -> TaskInfo {
        TaskInfo {
            name: task.name(),
            site: task.site(),
            waits_for: task.waits_for().map(|waiting| waiting.to_string()),
        }
    }
}

impl fmt::Display for TaskInfo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} (created at {}:{}",
            self.name,
            self.site.file(),
            self.site.line()
        )?;
        if let Some(waits_for) = &self.waits_for {
            write!(f, ", in {waits_for}")?;
        }
        f.write_str(")")
    }
}

/// What the end of a loop or runner found: which tasks were left, which of them would not end, and which jobs still run on threads.
#[derive(Clone, Debug, Default)]
pub struct ExitReport {
    pub(crate) cancelled: Vec<TaskInfo>,
    pub(crate) forced: Vec<TaskInfo>,
    pub(crate) jobs: Vec<JobInfo>,
}

impl ExitReport {
    /// Tasks that are dropped without having been asked.
    pub(crate) fn of_forced(tasks: Vec<AnyTask>) -> ExitReport {
        ExitReport {
            cancelled: Vec::new(),
            forced: tasks.iter().map(TaskInfo::of).collect(),
            jobs: Vec::new(),
        }
    }

    /// No task had to be ended by force, and no job was left running.
    pub fn is_clean(&self) -> bool {
        self.forced.is_empty() && self.jobs.is_empty()
    }

    /// The tasks that were asked to cancel and have ended.
    pub fn cancelled(&self) -> &[TaskInfo] {
        &self.cancelled
    }

    /// The tasks whose futures were dropped: not asked before, or still there after the grace period.
    pub fn forced(&self) -> &[TaskInfo] {
        &self.forced
    }

    /// The jobs of the loop's own pool that were still running; their threads were left to them.
    pub fn jobs(&self) -> &[JobInfo] {
        &self.jobs
    }
}

impl fmt::Display for ExitReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} cancelled, {} ended by force",
            self.cancelled.len(),
            self.forced.len()
        )?;
        for task in &self.forced {
            write!(f, "\n  by force: {task}")?;
        }
        for job in &self.jobs {
            write!(f, "\n  left running: {job}")?;
        }
        Ok(())
    }
}
