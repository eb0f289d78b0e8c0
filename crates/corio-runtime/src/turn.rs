//! The turn of the loop: a batch, the reactor, the timers.
//!
//! A batch is the ready queue as it stands; what is queued meanwhile belongs to the next one. While there is work, the reactor
//! and the clock are not asked after every batch but after a bounded number of steps, see [`Pace`](crate::pace::Pace).
//!
//! A virtual clock is visited after every batch. It stands still while anything is ready or outstanding, and otherwise jumps to
//! the next deadline.
//!
//! A run ends one batch after its target, so that the callbacks of the target's end have run; the scheduler pauses there.

mod virtual_time;

use std::cell::Cell;
use std::future::Future;
use std::ops::ControlFlow;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};

use corio_core::combine::{Drive, RunTarget};
use corio_core::time::Moment;
use corio_core::{AnyTask, Panic, Report, Scheduler, TaskError};

use crate::event_loop::Loop;
use crate::interrupt::{Interrupts, shorten};
use crate::io_source::here::WithinReach;
use crate::run_error::RunError;

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
    _reactor: WithinReach,
    /// The scheduler has paused one batch after the end of the target.
    paused: Cell<bool>,
    /// The target has been told to pause the scheduler at its end.
    told: Cell<bool>,
    /// It was said that a virtual clock stands still.
    told_still: Cell<bool>,
    /// Tells the target of this run from those of others, which may end now.
    number: u64,
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
        if self.stopping.get() {
            // A loop that was stopped before it runs makes one pass that does not wait.
            run.visit_now();
        }
        loop {
            match run.interruptible_turn(|| false) {
                ControlFlow::Break(Left::Stopped) => return Ok(()),
                ControlFlow::Break(Left::Interrupted) => return Err(RunError::Interrupted),
                ControlFlow::Continue(()) => {}
            }
        }
    }

    /// Runs a future that may borrow, and puts its task into `task` before its first step. What Ctrl-C does is the business of
    /// `on_interrupt`; with `None` nobody listens for it.
    #[track_caller]
    pub(crate) fn run_with<F: Future>(
        &self,
        future: F,
        task: &mut Option<AnyTask>,
        mut on_interrupt: Option<OnInterrupt<'_>>,
    ) -> Result<Result<F::Output, TaskError>, RunError> {
        let run = Run::begin(self, on_interrupt.is_some());
        let result = self.borrowing(future, |main| {
            task.get_or_insert_with(|| main.clone());
            run.pause_after(main);
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
            !inside && !event_loop.driving.get(),
            "an event loop is already running on this thread: await the future instead of running a loop inside of a loop"
        );
        event_loop.driving.set(true);
        event_loop.pace.woke(event_loop.timers.clock.now());
        event_loop.runs.set(event_loop.runs.get() + 1);
        let interrupts = if interruptible {
            Interrupts::listen(event_loop)
        } else {
            None
        };
        Run {
            event_loop,
            interrupts,
            _reactor: WithinReach::of(event_loop.scheduler.number(), &event_loop.reactor),
            paused: Cell::new(false),
            told: Cell::new(false),
            told_still: Cell::new(false),
            number: event_loop.runs.get(),
        }
    }

    fn interrupted(&self) -> bool {
        self.interrupts
            .as_ref()
            .is_some_and(|interrupts| interrupts.take(self.event_loop))
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

    /// Asks the scheduler to pause one batch after the end of the target, once.
    fn pause_after(&self, target: &AnyTask) {
        if !self.told.replace(true) {
            target.pause_at_end(self.number);
        }
    }

    /// One turn. `over` is asked after the steps: a run that is about to end does not wait any more, and a stop that comes with
    /// the end does not take the result away.
    fn turn(&self, over: impl FnOnce() -> bool) -> ControlFlow<Left> {
        let Loop {
            scheduler,
            timers,
            pace,
            ..
        } = self.event_loop;
        scheduler.take_mail();
        let is_virtual = timers.clock.is_virtual();
        let ran = if is_virtual {
            self.run_batch()
        } else {
            self.run_steps(pace.share())
        };
        let due = pace.made(ran);
        let over = over();
        if scheduler.take_pause() {
            self.paused.set(over && scheduler.target_ended(self.number));
            if self.event_loop.stopping.get() && !over {
                return ControlFlow::Break(Left::Stopped);
            }
        }
        let idle = scheduler.ready() == 0;
        let wait = idle && !over;
        if is_virtual {
            self.visit_virtual(wait);
        } else if idle || due || timers.is_due() {
            self.visit(wait);
        }
        let signals = &self.event_loop.signals;
        if signals.is_listening() {
            signals.deliver(self.event_loop);
        }
        ControlFlow::Continue(())
    }

    /// Looks at the reactor and the timers without waiting.
    fn visit_now(&self) {
        if self.event_loop.timers.clock.is_virtual() {
            self.visit_virtual(false);
        } else {
            self.visit(false);
        }
    }

    fn run_batch(&self) -> usize {
        if self.event_loop.debug.get() {
            self.run_steps(self.event_loop.scheduler.ready())
        } else {
            self.event_loop.scheduler.run_batch()
        }
    }

    fn run_steps(&self, steps: usize) -> usize {
        let scheduler = &self.event_loop.scheduler;
        if !self.event_loop.debug.get() {
            return scheduler.run(steps);
        }
        for done in 0..steps {
            if done > 0 && scheduler.is_paused() {
                return done;
            }
            let next = scheduler.describe_next();
            let start = Instant::now();
            if scheduler.run(1) == 0 {
                return done;
            }
            let took = start.elapsed();
            if took >= self.event_loop.slow.get() {
                let next = next.unwrap_or_default();
                let message = format!("executing {next} took {:.3} seconds", took.as_secs_f64());
                scheduler.report(&Report::new(message));
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
        let io = reactor.len() > self.event_loop.own_sources.get();
        if !armed && !io && !wait {
            return pace.pass();
        }
        let mut now = timers.clock.now();
        pace.visit(now);
        if wait {
            if !self.poll_busily(&mut now) {
                match armed.then(|| timers.next_wake()).flatten() {
                    Some(next) => self.wait_for_timer(next, now),
                    None => {
                        self.wait(None);
                        timers.fired.set(0);
                    }
                }
            }
            scheduler.take_mail();
            now = timers.clock.now();
            pace.woke(now);
        } else if io {
            self.wait(Some(Duration::ZERO));
        }
        if armed {
            timers.fire(scheduler, now);
        }
        pace.leave(scheduler.ready());
    }

    /// Sleeps until something happens or the next timer is due. Woken a little before that, the loop looks until then.
    fn wait_for_timer(&self, next: Moment, now: Moment) {
        let Loop { timers, aim, .. } = self.event_loop;
        let at = aim.at(next, now, timers.fired.get());
        let events = self.wait(Some(Duration::from_nanos(at.since(now))));
        if at == now {
            return;
        }
        timers.fired.set(0);
        if events > 0 || self.is_called() {
            return;
        }
        let mut now = timers.clock.now();
        // A wait that has ended before its time was woken by something else, or is to be continued.
        if now >= at {
            aim.woken(at, now);
            self.look_until(next, &mut now);
        }
    }

    /// Looks for I/O without sleeping, for as long as the builder was told. True: there is something to do.
    fn poll_busily(&self, now: &mut Moment) -> bool {
        let busy = self.event_loop.busy_poll.get();
        if busy == 0 {
            return false;
        }
        let due = self.event_loop.timers.next_wake().unwrap_or(Moment::NEVER);
        self.look_until(now.after(busy).min(due), now) || *now >= due
    }

    /// Looks for I/O without sleeping. True: there is some, or mail, or a signal. A clock that goes back does not make it longer.
    fn look_until(&self, until: Moment, now: &mut Moment) -> bool {
        let Loop {
            scheduler, timers, ..
        } = self.event_loop;
        let since = *now;
        while (since..until).contains(now) {
            let events = self.wait(Some(Duration::ZERO));
            if events > 0 || self.is_called() || scheduler.ready() > 0 {
                return true;
            }
            *now = timers.clock.now();
        }
        false
    }

    /// Returns how many sources had an event.
    fn wait(&self, timeout: Option<Duration>) -> usize {
        let Loop {
            scheduler, reactor, ..
        } = self.event_loop;
        let may_sleep = || !self.is_called();
        let listening = self.interrupts.is_some() || self.event_loop.signals.is_listening();
        let timeout = shorten(timeout, listening);
        let look = AssertUnwindSafe(|| reactor.wait(timeout, may_sleep));
        match scheduler.enter(|| catch_unwind(look)) {
            Ok(Ok(events)) => events,
            // Nothing a program does can bring this about; going on without a reactor would be a silent hang.
            Ok(Err(error)) => panic!("the reactor cannot wait any more: {error}"),
            // By a waker. The reactor has woken all others before it let the panic go on.
            Err(payload) => {
                let panic = Panic::from_payload(payload);
                let report = Report::new("exception in a foreign waker").with_panic(panic);
                scheduler.enter(|| scheduler.report(&report));
                1
            }
        }
    }

    /// There is mail, or a signal.
    fn is_called(&self) -> bool {
        self.event_loop.scheduler.has_mail() || self.signal_is_pending()
    }

    /// A signal has come, and is dealt with at the end of this turn.
    fn signal_is_pending(&self) -> bool {
        self.event_loop.signals.is_pending()
            || self.interrupts.as_ref().is_some_and(Interrupts::pending)
    }

    /// The target has ended: what is left of its batch, and the batch after it, in which the callbacks of the end are.
    fn last_batch(&self) {
        let scheduler = &self.event_loop.scheduler;
        while !self.paused.get() && self.run_steps(usize::MAX) > 0 {
            self.paused
                .set(scheduler.take_pause() && scheduler.target_ended(self.number));
        }
    }

    /// The promise that was waited for is done: what is left of this batch, and the one after it.
    fn batch_of_promise(&self) {
        let scheduler = &self.event_loop.scheduler;
        scheduler.pause();
        if !scheduler.is_paused() {
            self.run_steps(usize::MAX);
        }
        self.run_steps(usize::MAX);
        scheduler.take_pause();
    }
}

impl Drive for Run<'_> {
    type Break = RunError;

    #[track_caller]
    fn future<F: Future>(&mut self, future: F) -> Result<Result<F::Output, TaskError>, RunError> {
        let result = self.event_loop.borrowing(future, |main| {
            self.pause_after(main);
            match self.interruptible_turn(|| main.done()) {
                ControlFlow::Break(left) => ControlFlow::Break(RunError::from(left)),
                ControlFlow::Continue(()) => ControlFlow::Continue(()),
            }
        })?;
        self.last_batch();
        Ok(result)
    }

    fn until(
        &mut self,
        task: Option<&AnyTask>,
        there: &mut dyn FnMut() -> bool,
    ) -> Result<(), RunError> {
        if there() {
            return Ok(());
        }
        match task {
            Some(task) => self.pause_after(task),
            // The end of a promise is looked for after every batch.
            None => self.event_loop.scheduler.pause(),
        }
        while !there() {
            match self.interruptible_turn(&mut *there) {
                // It has ended with the stop, and its callbacks are still to run: a value that is given away would be lost.
                ControlFlow::Break(Left::Stopped) if task.is_some_and(AnyTask::done) => {}
                ControlFlow::Break(left) => return Err(left.into()),
                ControlFlow::Continue(()) => {}
            }
            if task.is_none() {
                self.event_loop.scheduler.pause();
            }
        }
        match task {
            Some(_) => self.last_batch(),
            None => self.batch_of_promise(),
        }
        Ok(())
    }
}

impl Drop for Run<'_> {
    fn drop(&mut self) {
        self.event_loop.driving.set(false);
        self.event_loop.stopping.set(false);
    }
}
