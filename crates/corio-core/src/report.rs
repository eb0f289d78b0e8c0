//! Outcomes that nobody awaited, and panics that have nobody to go to: they reach the reporter, once.

use std::fmt;
use std::panic::Location;
use std::rc::Rc;

use crate::caught::caught;
use crate::cell::CellRef;
use crate::error::Panic;
use crate::scheduler::Scheduler;
use crate::state::Outcome;

/// The function that reports go to.
pub type Reporter = Rc<dyn Fn(&Report)>;

/// Something went wrong and no code of the program will hear of it in another way.
#[derive(Clone, Debug)]
#[doc(alias = "context")]
pub struct Report {
    message: String,
    task: Option<String>,
    site: Option<&'static Location<'static>>,
    panic: Option<Panic>,
}

impl Report {
    /// A report with a message of its own.
    pub fn new(message: impl Into<String>) -> Report {
        Report {
            message: message.into(),
            task: None,
            site: None,
            panic: None,
        }
    }

    /// The same, with the panic that is the reason.
    #[must_use]
    pub fn with_panic(mut self, panic: Panic) -> Report {
        self.panic = Some(panic);
        self
    }

    /// The same, with the line that it is about.
    #[must_use]
    pub fn at(mut self, site: &'static Location<'static>) -> Report {
        self.site = Some(site);
        self
    }

    /// What happened, such as `exception was never retrieved`.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// The name of the task that it is about.
    pub fn task(&self) -> Option<&str> {
        self.task.as_deref()
    }

    /// Where the task or callback was created.
    pub fn site(&self) -> Option<&'static Location<'static>> {
        self.site
    }

    /// The panic, if it was one.
    pub fn panic(&self) -> Option<&Panic> {
        self.panic.as_ref()
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)?;
        if let Some(task) = &self.task {
            write!(f, ": task '{task}'")?;
        }
        if let Some(site) = self.site {
            write!(f, ", created at {}:{}", site.file(), site.line())?;
        }
        if let Some(panic) = &self.panic {
            write!(f, ": {}", panic.message())?;
        }
        Ok(())
    }
}

impl Scheduler {
    /// Replaces the function that reports go to; without one they are written to standard error. A reporter that panics is
    /// passed over: its panic and the report are written to standard error.
    pub fn set_reporter(&self, reporter: Option<Reporter>) {
        let before = self.inner().reporter.replace(reporter);
        drop(before);
    }

    /// Hands a report to the reporter.
    pub fn report(&self, report: &Report) {
        let reporter = self.inner().reporter.borrow().clone();
        match reporter {
            None => eprintln!("corio: {report}"),
            Some(reporter) => {
                if let Err(panic) = caught(|| reporter(report)) {
                    eprintln!("corio: {report}");
                    eprintln!("corio: the exception handler itself {panic}");
                }
            }
        }
    }

    /// Reports a panic that belongs to `cell`, in the context of that cell.
    fn report_of(&self, cell: &CellRef, message: &str, panic: Panic) {
        let task = (cell.id() != 0).then(|| cell.name());
        let report = Report {
            message: message.into(),
            task,
            site: Some(cell.site),
            panic: Some(panic),
        };
        let outside = self.context();
        self.set_context(cell.extras(|extras| extras.context.clone()));
        self.report(&report);
        self.set_context(outside);
    }

    pub(crate) fn report_callback(&self, cell: &CellRef, panic: Panic) {
        self.report_of(cell, "exception in callback", panic);
    }

    pub(crate) fn report_drop(&self, cell: &CellRef, panic: Panic) {
        self.report_of(cell, "exception in a destructor", panic);
    }

    pub(crate) fn report_foreign_waker(&self, panic: Panic) {
        self.report(&Report::new("exception in a foreign waker").with_panic(panic));
    }

    /// What panicked was part of a task that had got its outcome by force meanwhile.
    pub(crate) fn report_late(&self, cell: &CellRef, panic: Panic) {
        self.report_of(cell, "exception in a task that was ended by force", panic);
    }

    pub(crate) fn report_waker(&self, cell: &CellRef, panic: Panic) {
        self.report_of(
            cell,
            "exception in a foreign waker at the end of a task",
            panic,
        );
    }

    /// The last reference to a cell goes: the last chance to speak of an outcome that nobody saw.
    pub(crate) fn cell_unreachable(&self, cell: &CellRef) {
        if cell.state.outcome() == Some(Outcome::Panicked) && !cell.state.is_seen() {
            if let Some(crate::TaskError::Panicked(panic)) = cell.error() {
                self.report_of(cell, "exception was never retrieved", panic);
            }
        }
        cell.report_unread_error();
        cell.drop_extras();
    }
}

impl CellRef {
    /// Reports the `Err` of a task that was asked to do so, when the value is about to go unread.
    #[inline]
    pub(crate) fn report_unread_error(&self) {
        if self.extras.get() != 0 && !self.state.is_seen() {
            self.report_error();
        }
    }

    #[cold]
    fn report_error(&self) {
        let Some(error_of) = self.extras(|extras| extras.error_of) else {
            return;
        };
        // To write an error is foreign code with a reference to the value: as long as it runs, it counts as a callback does.
        self.callback_queued();
        let error = caught(|| error_of(self));
        self.callback_gone();
        let (message, panic) = match error {
            Ok(None) => return,
            Ok(Some(error)) => (format!("error was never read: {error}"), None),
            Err(panic) => (
                "error was never read, and writing it panicked".to_owned(),
                Some(panic),
            ),
        };
        self.state.see();
        let report = Report {
            message,
            task: Some(self.name()),
            site: Some(self.site),
            panic,
        };
        self.scheduler.report(&report);
    }
}
