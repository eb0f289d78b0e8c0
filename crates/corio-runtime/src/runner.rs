//! `Runner`: the life of a loop from its first task to its orderly end, with several runs in between.

use std::cell::{Cell, RefCell};
use std::future::IntoFuture;
use std::io;
use std::ops::ControlFlow;
use std::time::Duration;

use corio_core::{AnyTask, ContextMap, Report, TaskError};

use crate::builder::EventLoopBuilder;
use crate::event_loop::EventLoop;
use crate::exit::{ExitReport, TaskInfo};
use crate::run_error::RunError;
use crate::shut_down::{ask_tasks, shut_down};

/// How long tasks may clean up at the end, unless told otherwise.
const GRACE: Duration = Duration::from_secs(30);

/// A loop and its orderly end. Several futures can be run one after the other on the same loop; context variables that one of
/// them sets are seen by the next.
///
/// ```
/// # use corio_runtime::Runner;
/// let mut runner = Runner::new()?;
/// let first = runner.run(async { 1 })?;
/// let second = runner.run(async move { first + 1 })?;
/// assert_eq!(second, 2);
/// assert!(runner.close().is_clean());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Runner {
    event_loop: EventLoop,
    sigint: bool,
    grace: Duration,
    context: RefCell<Option<ContextMap>>,
}

/// The options of a [`Runner`].
#[derive(Clone, Debug)]
#[must_use = "a builder does nothing until `build`"]
pub struct RunnerBuilder {
    event_loop: EventLoopBuilder,
    sigint: bool,
    grace: Duration,
}

impl Runner {
    /// A runner with a new loop.
    ///
    /// # Errors
    ///
    /// When the system gives no descriptors for the reactor.
    pub fn new() -> io::Result<Runner> {
        Runner::builder().build()
    }

    /// A runner with options.
    pub fn builder() -> RunnerBuilder {
        RunnerBuilder {
            event_loop: EventLoop::builder(),
            sigint: true,
            grace: GRACE,
        }
    }

    /// Runs a future as the main task. It may borrow.
    ///
    /// Ctrl-C asks the main task to cancel, once; a second one drops it. While the program listens for it in a way of its own, see
    /// [`signal`](crate::signal), it does neither. A panic of the future is resumed here.
    ///
    /// # Errors
    ///
    /// [`Interrupted`](RunError::Interrupted) if the main task ended cancelled because of Ctrl-C, or was dropped because of the
    /// second one; [`Cancelled`](RunError::Cancelled) if it was cancelled otherwise; [`Stopped`](RunError::Stopped) if the loop
    /// was stopped.
    ///
    /// # Panics
    ///
    /// When a loop is running on this thread already, or the runner is closed.
    #[track_caller]
    pub fn run<M: IntoFuture>(&mut self, main: M) -> Result<M::Output, RunError> {
        let scheduler = self.event_loop.scheduler().clone();
        let interrupted = Cell::new(false);
        let mut on_interrupt = |main: &AnyTask| {
            if interrupted.replace(true) {
                return ControlFlow::Break(RunError::Interrupted);
            }
            main.cancel_with("interrupted by Ctrl-C");
            ControlFlow::Continue(())
        };
        let outside = scheduler.context();
        scheduler.set_context(self.context.borrow_mut().take());
        let on_interrupt = self.sigint.then_some(&mut on_interrupt as _);
        let mut task = None;
        let result = self
            .event_loop
            .inner
            .run_with(main.into_future(), &mut task, on_interrupt);
        *self.context.borrow_mut() = task.and_then(|main| main.context());
        scheduler.set_context(outside);
        match result? {
            Ok(value) => Ok(value),
            Err(TaskError::Panicked(panic)) => panic.resume(),
            Err(TaskError::Cancelled(_)) if interrupted.get() => Err(RunError::Interrupted),
            Err(error) => Err(RunError::of(error)),
        }
    }

    /// The loop.
    #[doc(alias = "get_loop")]
    pub fn event_loop(&self) -> EventLoop {
        self.event_loop.clone()
    }

    /// Ends everything in order: tasks that were never asked to cancel are asked; those that are cleaning up are waited for;
    /// those that are left at half the grace period are asked again; after it they are ended by force, and the report names them.
    /// Then jobs that run on the threads of [`to_thread`](crate::to_thread()) are waited for, as long as there is grace left by the
    /// system's clock; those that still run are left behind, and the report names them too. Then the loop is closed. Closing twice
    /// is fine; dropping the runner closes it too.
    ///
    /// Ctrl-C while it waits ends the wait.
    pub fn close(&mut self) -> ExitReport {
        if self.event_loop.is_closed() {
            return ExitReport::default();
        }
        let mut report = ExitReport::default();
        let jobs = self.event_loop.inner.blocking.is_busy();
        // What other threads have sent may be a task, or the report of a panic. A job sends it before it ends.
        let scheduler = self.event_loop.scheduler();
        scheduler.take_mail();
        if jobs || scheduler.ready() > 0 || scheduler.task_count() > 0 {
            report = self.end_tasks();
        }
        let closed = self.event_loop.close();
        report.forced.extend(closed.forced);
        report.jobs = closed.jobs;
        if !report.is_clean() {
            let message = format!("not everything ended within the grace period: {report}");
            self.event_loop
                .call_exception_handler(&Report::new(message));
        }
        report
    }

    fn end_tasks(&self) -> ExitReport {
        let tasks = self.event_loop.all_tasks();
        // A task that has ended waits for nothing any more.
        let as_they_were: Vec<TaskInfo> = tasks.iter().map(TaskInfo::of).collect();
        let told = Cell::new(false);
        let tell = || {
            if !told.replace(true) {
                self.report_panics(&tasks);
            }
        };
        ask_tasks(&self.event_loop);
        let ended = {
            let mut forced = |_: &AnyTask| ControlFlow::Break(RunError::Interrupted);
            let on_interrupt = self.sigint.then_some(&mut forced as _);
            let end = shut_down(&self.event_loop, self.grace, tell);
            self.event_loop.inner.run_with(end, &mut None, on_interrupt)
        };
        tell();
        // A second Ctrl-C leaves the rest to the forced end, which names it.
        drop(ended);
        let cancelled = as_they_were
            .into_iter()
            .zip(&tasks)
            .filter_map(|(info, task)| task.done().then_some(info))
            .collect();
        ExitReport {
            cancelled,
            ..ExitReport::default()
        }
    }

    /// Tasks that were left by the last run and have panicked since.
    fn report_panics(&self, tasks: &[AnyTask]) {
        for task in tasks {
            if let Some(TaskError::Panicked(panic)) = task.peek_error() {
                task.mark_seen();
                let message = format!("unhandled panic of task '{}' during shutdown", task.name());
                let report = Report::new(message).at(task.site()).with_panic(panic);
                self.event_loop.call_exception_handler(&report);
            }
        }
    }
}

impl Drop for Runner {
    fn drop(&mut self) {
        if !self.event_loop.is_running() {
            self.close();
        }
    }
}

impl RunnerBuilder {
    /// The loop keeps its own time, see [`EventLoopBuilder::virtual_clock`].
    pub fn virtual_clock(mut self) -> Self {
        self.event_loop = self.event_loop.virtual_clock();
        self
    }

    /// Debug mode, see [`EventLoop::set_debug`].
    pub fn debug(mut self, debug: bool) -> Self {
        self.event_loop = self.event_loop.debug(debug);
        self
    }

    /// Whether Ctrl-C is listened for during runs. It is, unless told otherwise, on the main thread, if nobody else does.
    pub fn sigint(mut self, sigint: bool) -> Self {
        self.sigint = sigint;
        self
    }

    /// How long tasks may clean up at the end. 30 s unless told otherwise.
    pub fn grace(mut self, grace: Duration) -> Self {
        self.grace = grace;
        self
    }

    /// A name for the loop.
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.event_loop = self.event_loop.name(name);
        self
    }

    /// Makes the runner.
    ///
    /// # Errors
    ///
    /// When the system gives no descriptors for the reactor.
    pub fn build(self) -> io::Result<Runner> {
        Ok(Runner {
            event_loop: self.event_loop.build()?,
            sigint: self.sigint,
            grace: self.grace,
            context: RefCell::new(None),
        })
    }
}
