//! `EventLoop`: the handle of a loop.

use std::cell::{Cell, RefCell};
use std::fmt;
use std::future::{Future, IntoFuture};
use std::io;
use std::panic::Location;
use std::rc::{Rc, Weak};
use std::time::{Duration, Instant};

use corio_core::combine::RunTarget;
use corio_core::time::{Alarm, Moment, Nanos, Timers, nanos};
use corio_core::{AnyTask, Handle, Promise, Report, Scheduler, Task};
use corio_reactor::Reactor;

use crate::aim::Aim;
use crate::blocking::LoopPool;
use crate::builder::EventLoopBuilder;
use crate::clock::Clock;
use crate::exit::ExitReport;
use crate::pace::Pace;
use crate::remote::Remote;
use crate::run_error::RunError;
use crate::signal::LoopSignals;
use crate::timer_handle::TimerHandle;
use crate::timers::LoopTimers;
use crate::watch::Watches;

/// An event loop of this thread: tasks, timers, callbacks and I/O. Clones are the same loop; it is closed with the last one.
///
/// At most one loop runs on a thread at a time.
///
/// ```
/// # use corio_runtime::EventLoop;
/// let event_loop = EventLoop::new()?;
/// let task = event_loop.create_task(async { 6 * 7 });
/// event_loop.run_until_complete(&task)?;
/// assert_eq!(*task.result()?, 42);
/// event_loop.close();
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
#[doc(alias = "Runtime")]
#[doc(alias = "LocalSet")]
#[doc(alias = "new_event_loop")]
pub struct EventLoop {
    pub(crate) inner: Rc<Loop>,
}

pub(crate) struct Loop {
    pub(crate) scheduler: Scheduler,
    pub(crate) timers: Rc<LoopTimers>,
    pub(crate) reactor: Rc<Reactor>,
    /// Sources of the loop's own, which do not count as I/O of the program.
    pub(crate) own_sources: Cell<usize>,
    pub(crate) pace: Pace,
    pub(crate) aim: Aim,
    pub(crate) stopping: Cell<bool>,
    /// How many runs there have been.
    pub(crate) runs: Cell<u64>,
    /// A run is on the stack.
    pub(crate) driving: Cell<bool>,
    pub(crate) debug: Cell<bool>,
    pub(crate) slow: Cell<Duration>,
    /// For how long the reactor is asked again and again before the loop sleeps.
    pub(crate) busy_poll: Cell<Nanos>,
    pub(crate) name: RefCell<Option<String>>,
    /// The threads of `to_thread`.
    pub(crate) blocking: LoopPool,
    /// The callbacks of `add_reader` and `add_writer`.
    pub(crate) watches: Watches,
    pub(crate) signals: LoopSignals,
    /// Runs take notice of Ctrl-C although this is not the main thread.
    pub(crate) hears_ctrl_c: Cell<bool>,
}

/// What a leaf finds in the scheduler.
pub(crate) struct Drivers {
    event_loop: Weak<Loop>,
    reactor: Weak<Reactor>,
}

/// The reactor of the loop that a scheduler belongs to.
#[inline]
pub(crate) fn reactor_of(scheduler: &Scheduler) -> Option<Rc<Reactor>> {
    scheduler.drivers::<Drivers>()?.reactor.upgrade()
}

/// How long a step may take in debug mode before it is reported.
pub(crate) const SLOW_CALLBACK: Duration = Duration::from_millis(100);

impl EventLoop {
    /// A loop with the system's clock.
    ///
    /// # Errors
    ///
    /// When the system gives no descriptors for the reactor.
    pub fn new() -> io::Result<EventLoop> {
        EventLoop::builder().build()
    }

    /// A loop with options.
    pub fn builder() -> EventLoopBuilder {
        EventLoopBuilder::new()
    }

    pub(crate) fn with_clock(clock: Clock) -> io::Result<EventLoop> {
        crate::record::install();
        let reactor = Rc::new(Reactor::new()?);
        let notifier = reactor.notifier();
        let scheduler = Scheduler::new(move || notifier.notify());
        let timers = Rc::new(LoopTimers::new(clock));
        scheduler.set_timers(timers.clone());
        let inner = Rc::new(Loop {
            scheduler,
            timers,
            reactor,
            own_sources: Cell::new(0),
            pace: Pace::new(),
            aim: Aim::new(),
            stopping: Cell::new(false),
            runs: Cell::new(0),
            driving: Cell::new(false),
            debug: Cell::new(std::env::var_os("CORIO_DEBUG").is_some_and(|value| value != "0")),
            slow: Cell::new(SLOW_CALLBACK),
            busy_poll: Cell::new(0),
            name: RefCell::new(None),
            blocking: LoopPool::default(),
            watches: Watches::default(),
            signals: LoopSignals::default(),
            hears_ctrl_c: Cell::new(false),
        });
        let event_loop = Rc::downgrade(&inner);
        let reactor = Rc::downgrade(&inner.reactor);
        inner.scheduler.set_drivers(Rc::new(Drivers {
            event_loop,
            reactor,
        }));
        Ok(EventLoop { inner })
    }

    /// The loop that a scheduler belongs to.
    pub(crate) fn of(scheduler: &Scheduler) -> Option<EventLoop> {
        let inner = scheduler.drivers::<Drivers>()?.event_loop.upgrade()?;
        Some(EventLoop { inner })
    }

    /// Makes a task of a future, also before the loop runs. Its first step is in the next turn.
    ///
    /// On a closed loop the task is cancelled at once.
    #[doc(alias = "spawn")]
    #[track_caller]
    pub fn create_task<F>(&self, future: F) -> Task<F::Output>
    where
        F: IntoFuture,
        F::IntoFuture: 'static,
        F::Output: 'static,
    {
        self.inner
            .scheduler
            .create_task_at(future.into_future(), Location::caller())
    }

    /// A promise whose callbacks run on this loop.
    #[doc(alias = "create_future")]
    pub fn create_promise<T>(&self) -> Promise<T> {
        self.inner.scheduler.create_promise()
    }

    /// Runs the loop until the target has ended: a future, which may borrow and becomes a task; a task by value or by reference;
    /// a promise by reference. Callbacks of the end run before the call returns.
    ///
    /// A panic of a future is resumed here.
    ///
    /// # Errors
    ///
    /// [`Interrupted`](RunError::Interrupted) by Ctrl-C, [`Stopped`](RunError::Stopped) by [`stop`](EventLoop::stop); then a
    /// future is dropped, and a task that was given by reference lives on in the loop. A stop that comes with the end of the target
    /// takes no value away. [`Cancelled`](RunError::Cancelled) and
    /// [`Panicked`](RunError::Panicked) if the target ended so.
    ///
    /// # Panics
    ///
    /// When a loop is running on this thread already; when this one is closed; and when it has a virtual clock and nothing can
    /// ever run again.
    #[doc(alias = "block_on")]
    #[track_caller]
    pub fn run_until_complete<R: RunTarget>(&self, target: R) -> Result<R::Output, RunError> {
        self.inner.run_target(target)
    }

    /// Runs the loop until [`stop`](EventLoop::stop). A loop that was stopped before it runs makes exactly one turn.
    ///
    /// # Errors
    ///
    /// [`Interrupted`](RunError::Interrupted) by Ctrl-C.
    ///
    /// # Panics
    ///
    /// As [`run_until_complete`](EventLoop::run_until_complete).
    #[track_caller]
    pub fn run_forever(&self) -> Result<(), RunError> {
        self.inner.run_forever()
    }

    /// Ends the run after the current turn. What is queued meanwhile waits for the next run.
    pub fn stop(&self) {
        self.inner.stopping.set(true);
        self.inner.scheduler.pause();
    }

    /// Closes the loop: unfinished tasks are ended by force, their futures dropped; callbacks and timers are dropped. To let them
    /// clean up, cancel them and run the loop before, or use a [`Runner`](crate::Runner). Jobs on threads that have not begun are
    /// dropped; those that run are left to run, and the report names them. Closing twice is fine.
    ///
    /// # Panics
    ///
    /// When the loop is running.
    pub fn close(&self) -> ExitReport {
        self.inner.close()
    }

    /// The loop is running, on this thread.
    pub fn is_running(&self) -> bool {
        self.inner.scheduler.is_running() || self.inner.driving.get()
    }

    /// The loop is closed.
    pub fn is_closed(&self) -> bool {
        self.inner.scheduler.is_closed()
    }

    /// The time of the loop's clock.
    pub fn time(&self) -> Instant {
        self.inner.timers.now().instant()
    }

    /// Calls `callback` in the next turn, behind what is ready now. A callback that panics is reported.
    ///
    /// A loop that is closed runs nothing any more: whatever is scheduled then is dropped, and its handle or task says that it was
    /// cancelled.
    #[track_caller]
    pub fn call_soon(&self, callback: impl FnOnce() + 'static) -> Handle {
        self.inner.scheduler.call_soon(callback)
    }

    /// Calls `callback` after this long; zero is the next turn, behind everything that was queued before.
    #[track_caller]
    pub fn call_later(&self, delay: Duration, callback: impl FnOnce() + 'static) -> TimerHandle {
        let when = self.inner.timers.now().after(nanos(delay));
        if delay.is_zero() {
            self.inner.look_soon();
        }
        TimerHandle::new(&self.inner, self.inner.scheduler.callback(callback), when)
    }

    /// Calls `callback` at this instant of the loop's clock; one that has passed is the next turn.
    #[track_caller]
    pub fn call_at(&self, when: Instant, callback: impl FnOnce() + 'static) -> TimerHandle {
        let when = Moment::from(when);
        if when <= self.inner.timers.now() {
            self.inner.look_soon();
        }
        TimerHandle::new(&self.inner, self.inner.scheduler.callback(callback), when)
    }

    /// The unfinished tasks in the order of their creation.
    pub fn all_tasks(&self) -> Vec<AnyTask> {
        self.inner.scheduler.all_tasks()
    }

    /// Takes what nobody else hears of: panics of callbacks, outcomes nobody awaited, steps that took long in debug mode.
    ///
    /// Without a handler they are written to standard error; so is the report for which a handler panics.
    pub fn set_exception_handler(&self, handler: impl Fn(&Report) + 'static) {
        self.inner.scheduler.set_reporter(Some(Rc::new(handler)));
    }

    /// Goes back to writing reports to standard error.
    pub fn reset_exception_handler(&self) {
        self.inner.scheduler.set_reporter(None);
    }

    /// Hands a report to the exception handler.
    pub fn call_exception_handler(&self, report: &Report) {
        self.inner.scheduler.report(report);
    }

    /// Debug mode: steps that hold the loop for long are reported, with the task and its line. Also switched on by a
    /// `CORIO_DEBUG` in the environment that is not `0`.
    pub fn set_debug(&self, debug: bool) {
        self.inner.debug.set(debug);
    }

    /// Debug mode is on.
    pub fn debug(&self) -> bool {
        self.inner.debug.get()
    }

    /// From how long a step is reported in debug mode. 0.1 s unless told otherwise.
    pub fn set_slow_callback_duration(&self, duration: Duration) {
        self.inner.slow.set(duration);
    }

    /// The name that the builder gave.
    pub fn name(&self) -> Option<String> {
        self.inner.name.borrow().clone()
    }

    /// The handle for other threads.
    pub fn remote(&self) -> Remote {
        Remote::new(self.inner.scheduler.remote())
    }

    /// The task core of the loop, for crates that build on it.
    pub fn scheduler(&self) -> &Scheduler {
        &self.inner.scheduler
    }

    /// The reactor of the loop, for crates that bring sources of their own.
    pub fn reactor(&self) -> &Rc<Reactor> {
        &self.inner.reactor
    }
}

impl Loop {
    pub(crate) fn arm(&self, when: Moment, handle: Handle) -> u64 {
        self.timers.arm(when, Alarm::Call(handle))
    }

    /// A timer is due: the loop looks at the timers at the end of this batch.
    fn look_soon(&self) {
        self.timers.look_soon();
        self.scheduler.pause();
    }

    pub(crate) fn close(&self) -> ExitReport {
        let mut report = ExitReport::of_forced(self.scheduler.all_tasks());
        self.scheduler.close();
        self.timers.clear();
        self.watches.clear(&self.reactor);
        self.signals.close(self);
        report.jobs = self.blocking.close();
        report
    }

    /// Runs a future that may borrow, see `turn.rs`.
    #[track_caller]
    pub(crate) fn borrowing<F: Future, B>(
        &self,
        future: F,
        turn: impl FnMut(&AnyTask) -> std::ops::ControlFlow<B>,
    ) -> Result<Result<F::Output, corio_core::TaskError>, B> {
        self.scheduler.run_borrowing(future, turn)
    }
}

impl Drop for Loop {
    fn drop(&mut self) {
        if !self.scheduler.is_closed() {
            self.close();
        }
    }
}

impl fmt::Debug for EventLoop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("<EventLoop ")?;
        if let Some(name) = self.name() {
            write!(f, "{name:?} ")?;
        }
        write!(
            f,
            "running={} closed={} debug={} tasks={}>",
            self.is_running(),
            self.is_closed(),
            self.debug(),
            self.inner.scheduler.task_count()
        )
    }
}
