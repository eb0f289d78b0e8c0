//! The turn of the loop: a batch, the reactor, the timers.
//!
//! A batch is the ready queue as it stands; what is queued meanwhile belongs to the next one. While there is work, the reactor
//! and the clock are not asked in every turn but after a bounded number of steps, the *visit budget*. It starts at 64, is
//! halved when the steps between two visits took longer than they should, and doubled when they were short: so many short steps
//! share one system call, and after a few long steps every one is followed by a visit.
//!
//! A virtual clock is visited in every turn. It stands still while anything is ready or outstanding, and otherwise jumps to the
//! next deadline.

use std::cell::Cell;
use std::future::Future;
use std::ops::ControlFlow;
use std::time::{Duration, Instant};

use corio_core::combine::{Drive, RunTarget};
use corio_core::{AnyTask, Report, Scheduler, TaskError};

use crate::clock::Nanos;
use crate::event_loop::Loop;
use crate::interrupt::Interrupts;
use crate::run_error::RunError;

/// Steps between two visits, at most.
const MOST_STEPS: usize = 1024;
/// Steps between two visits, to begin with.
const FIRST_STEPS: usize = 64;
/// What the steps between two visits should take together.
const VISIT_EVERY: Nanos = 10_000;
/// A virtual clock without anything to jump to gives other threads this long before it says that nothing can ever run again.
const LAST_CHANCE: Duration = Duration::from_millis(1000);

pub(crate) struct Pace {
    /// Steps that are left of the current batch.
    batch: Cell<usize>,
    /// Steps between two visits.
    budget: Cell<usize>,
    /// Steps since the last visit.
    steps: Cell<usize>,
    visited: Cell<Nanos>,
    driving: Cell<bool>,
}

impl Pace {
    pub(crate) fn new() -> Pace {
        Pace {
            batch: Cell::new(0),
            budget: Cell::new(FIRST_STEPS),
            steps: Cell::new(0),
            visited: Cell::new(0),
            driving: Cell::new(false),
        }
    }

    pub(crate) fn is_driving(&self) -> bool {
        self.driving.get()
    }

    /// Steps that may be made before the next visit, at least one.
    fn share(&self) -> usize {
        self.budget.get().saturating_sub(self.steps.get()).max(1)
    }

    /// A visit at this time: adapts the budget to how long the steps since the last one took.
    fn visit(&self, now: Nanos) {
        let took = now.saturating_sub(self.visited.replace(now));
        let steps = self.steps.replace(0);
        let budget = self.budget.get();
        if took > 2 * VISIT_EVERY {
            self.budget.set((budget / 2).max(1));
        } else if took < VISIT_EVERY / 2 && steps >= budget {
            self.budget.set((budget * 2).min(MOST_STEPS));
        }
    }
}

/// What a run does about Ctrl-C, given its main task.
pub(crate) type OnInterrupt<'a> = &'a mut dyn FnMut(&AnyTask) -> ControlFlow<RunError>;

/// Why a run ended before its target.
enum Left {
    Stopped,
    Interrupted,
}

impl From<Left> for RunError {
    fn from(left: Left) -> RunError {
        match left {
            Left::Stopped => RunError::Stopped,
            Left::Interrupted => RunError::Interrupted,
        }
    }
}

/// One run of the loop: from the call of a `run_..` method to its end.
struct Run<'a> {
    event_loop: &'a Loop,
    interrupts: Option<Interrupts>,
}

impl Loop {
    #[track_caller]
    pub(crate) fn run_target<R: RunTarget>(&self, target: R) -> Result<R::Output, RunError> {
        let mut run = Run::begin(self, true);
        match target.drive(&mut run)? {
            Ok(value) => Ok(value),
            Err(TaskError::Panicked(panic)) if R::IS_FUTURE => panic.resume(),
            Err(error) => Err(RunError::of(error)),
        }
    }

    #[track_caller]
    pub(crate) fn run_forever(&self) -> Result<(), RunError> {
        let run = Run::begin(self, true);
        loop {
            // A loop that was stopped before it runs makes one turn that does not wait.
            let stopped = self.stopping.get();
            match run.interruptible_turn(|| stopped) {
                ControlFlow::Break(Left::Stopped) => return Ok(()),
                ControlFlow::Break(Left::Interrupted) => return Err(RunError::Interrupted),
                ControlFlow::Continue(()) => {}
            }
        }
    }

    /// Runs a future that may borrow. What Ctrl-C does is the business of `on_interrupt`; with `None` nobody listens for it.
    #[track_caller]
    pub(crate) fn run_with<F: Future>(
        &self,
        future: F,
        mut on_interrupt: Option<OnInterrupt<'_>>,
    ) -> Result<Result<F::Output, TaskError>, RunError> {
        let run = Run::begin(self, on_interrupt.is_some());
        let result = self.borrowing(future, |main| {
            if let ControlFlow::Break(_) = run.turn(|| main.done()) {
                return ControlFlow::Break(RunError::Stopped);
            }
            match &mut on_interrupt {
                Some(on_interrupt) if run.interrupted() => on_interrupt(main),
                _ => ControlFlow::Continue(()),
            }
        })?;
        run.last_batch();
        Ok(result)
    }
}

impl<'a> Run<'a> {
    #[track_caller]
    fn begin(event_loop: &'a Loop, interruptible: bool) -> Run<'a> {
        assert!(
            !event_loop.scheduler.is_closed(),
            "this event loop is closed: make a new one with `EventLoop::new()`"
        );
        let inside = Scheduler::with_current(|scheduler| scheduler.is_some());
        assert!(
            !inside && !event_loop.pace.driving.get(),
            "an event loop is already running on this thread: await the future instead of running a loop inside of a loop"
        );
        event_loop.pace.driving.set(true);
        let interrupts = if interruptible {
            Interrupts::listen(event_loop)
        } else {
            None
        };
        Run {
            event_loop,
            interrupts,
        }
    }

    fn interrupted(&self) -> bool {
        self.interrupts.as_ref().is_some_and(Interrupts::take)
    }

    /// A turn that Ctrl-C ends.
    fn interruptible_turn(&self, over: impl FnOnce() -> bool) -> ControlFlow<Left> {
        self.turn(over)?;
        if self.interrupted() {
            ControlFlow::Break(Left::Interrupted)
        } else {
            ControlFlow::Continue(())
        }
    }

    /// One turn. `over` is asked after the steps: a run that is about to end does not wait any more.
    fn turn(&self, over: impl FnOnce() -> bool) -> ControlFlow<Left> {
        let Loop {
            scheduler,
            timers,
            pace,
            ..
        } = self.event_loop;
        scheduler.take_mail();
        if pace.batch.get() == 0 {
            pace.batch.set(scheduler.ready());
        }
        let is_virtual = timers.clock.is_virtual();
        let share = if is_virtual { usize::MAX } else { pace.share() };
        let ran = self.run_steps(pace.batch.get().min(share));
        pace.batch
            .set(if ran == 0 { 0 } else { pace.batch.get() - ran });
        pace.steps.set(pace.steps.get() + ran);
        if pace.batch.get() == 0 && self.event_loop.stopping.get() {
            self.event_loop.stopping.set(false);
            return ControlFlow::Break(Left::Stopped);
        }
        let idle = scheduler.ready() == 0;
        let wait = idle && !over();
        if is_virtual {
            self.visit_virtual(wait);
        } else if idle || timers.is_due() || pace.steps.get() >= pace.budget.get() {
            self.visit(wait);
        }
        ControlFlow::Continue(())
    }

    fn run_steps(&self, steps: usize) -> usize {
        let event_loop = self.event_loop;
        if !event_loop.debug.get() {
            return event_loop.scheduler.run(steps);
        }
        for done in 0..steps {
            let next = event_loop.scheduler.describe_next();
            let start = Instant::now();
            if event_loop.scheduler.run(1) == 0 {
                return done;
            }
            let took = start.elapsed();
            if took >= event_loop.slow.get() {
                let next = next.unwrap_or_default();
                let message = format!("executing {next} took {:.3} seconds", took.as_secs_f64());
                event_loop.scheduler.report(&Report::new(message));
            }
        }
        steps
    }

    /// Reactor and timers by the system's clock.
    fn visit(&self, wait: bool) {
        let Loop {
            scheduler,
            timers,
            reactor,
            pace,
            ..
        } = self.event_loop;
        let armed = !timers.is_empty();
        let mut now = timers.clock.now();
        pace.visit(now);
        if wait {
            let timeout = if armed {
                timers.next_wake().map(|next| next.saturating_sub(now))
            } else {
                None
            };
            self.wait(timeout.map(Duration::from_nanos));
            scheduler.take_mail();
            now = timers.clock.now();
            // Time asleep says nothing about the length of steps.
            pace.visited.set(now);
        } else if reactor.len() > self.event_loop.own_sources.get() {
            self.wait(Some(Duration::ZERO));
        }
        if armed || timers.is_due() {
            timers.fire(scheduler, now);
        }
    }

    /// Reactor and timers by the loop's own clock.
    fn visit_virtual(&self, wait: bool) {
        let Loop {
            scheduler,
            timers,
            reactor,
            ..
        } = self.event_loop;
        let io = reactor.len() > self.event_loop.own_sources.get();
        if io {
            self.wait(Some(Duration::ZERO));
        }
        scheduler.take_mail();
        timers.fire(scheduler, timers.clock.now());
        if !wait || scheduler.ready() > 0 {
            return;
        }
        if io || self.event_loop.elsewhere.get() > 0 || scheduler.remotes() > 0 {
            self.wait(None);
            scheduler.take_mail();
            return;
        }
        match timers.next_wake() {
            Some(next) => {
                timers.clock.advance_to(next);
                timers.fire(scheduler, next);
            }
            None => self.last_chance(),
        }
    }

    /// Nothing is ready, no timer is set, and nothing outstanding is known: only a foreign thread with a waker could help.
    fn last_chance(&self) {
        let scheduler = &self.event_loop.scheduler;
        self.wait(Some(LAST_CHANCE));
        scheduler.take_mail();
        if scheduler.ready() > 0 || self.interrupts.as_ref().is_some_and(Interrupts::pending) {
            return;
        }
        let mut message = String::from(
            "deadlock: nothing is ready, no timer is set, and nothing can ever run again",
        );
        for task in scheduler.all_tasks() {
            message.push_str(&format!("\n  {task:?}"));
        }
        panic!("{message}");
    }

    fn wait(&self, timeout: Option<Duration>) {
        let Loop {
            scheduler, reactor, ..
        } = self.event_loop;
        let may_sleep =
            || !scheduler.has_mail() && !self.interrupts.as_ref().is_some_and(Interrupts::pending);
        let timeout = Interrupts::shorten(self.interrupts.as_ref(), timeout);
        let waited = scheduler.enter(|| reactor.wait(timeout, may_sleep));
        if let Err(error) = waited {
            // Nothing a program does can bring this about; going on without a reactor would be a silent hang.
            panic!("the reactor cannot wait any more: {error}");
        }
    }

    /// The target has ended in the last turn; its callbacks run in this one.
    fn last_batch(&self) {
        let Loop {
            scheduler, pace, ..
        } = self.event_loop;
        while pace.batch.get() > 0 {
            let ran = self.run_steps(pace.batch.get());
            pace.batch
                .set(if ran == 0 { 0 } else { pace.batch.get() - ran });
        }
        self.run_steps(scheduler.ready());
    }
}

impl Drive for Run<'_> {
    type Break = RunError;

    #[track_caller]
    fn future<F: Future>(&mut self, future: F) -> Result<Result<F::Output, TaskError>, RunError> {
        let result = {
            let turn = |main: &AnyTask| match self.interruptible_turn(|| main.done()) {
                ControlFlow::Break(left) => ControlFlow::Break(RunError::from(left)),
                ControlFlow::Continue(()) => ControlFlow::Continue(()),
            };
            self.event_loop.borrowing(future, turn)?
        };
        self.last_batch();
        Ok(result)
    }

    fn until(
        &mut self,
        _: Option<&AnyTask>,
        there: &mut dyn FnMut() -> bool,
    ) -> Result<(), RunError> {
        while !there() {
            if let ControlFlow::Break(left) = self.interruptible_turn(&mut *there) {
                return Err(left.into());
            }
        }
        self.last_batch();
        Ok(())
    }
}

impl Drop for Run<'_> {
    fn drop(&mut self) {
        self.event_loop.pace.driving.set(false);
        if let Some(interrupts) = self.interrupts.take() {
            interrupts.end(self.event_loop);
        }
    }
}
