//! `CancelScope`: a piece of work with a handle that ends it.

use std::fmt;
use std::future::{Future, IntoFuture};
use std::panic::Location;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use corio_core::cancel::{Kind, Limit, Node, poll_after_passing_on};
use corio_core::time::{Alarm, Moment, nanos};
use corio_core::{Cancelled, Report, Scheduler};
use pin_project_lite::pin_project;

use crate::scope_state::{RunId, Shared};
use crate::timer::{Timer, with_timers};

/// A scope that can be cancelled from anywhere, by hand or by its deadline.
///
/// [`run`](CancelScope::run) is the scope; clones of the handle, in the work itself, in other tasks or on other threads, end it.
/// A cancelled scope stays cancelled: what it is asked to run afterwards never starts. Several runs at a time are several pieces
/// of work with one end.
///
/// Cancellation is a request that the work may answer as it likes; [`grace`](CancelScope::grace) bounds how long that may take.
///
/// ```
/// use corio_combinators::CancelScope;
/// use corio_core::Scheduler;
///
/// let scheduler = Scheduler::new(|| {});
/// let scope = CancelScope::new();
/// let task = scheduler.create_task({
///     let scope = scope.clone();
///     async move { scope.run(std::future::pending::<()>()).await.is_err() }
/// });
/// scheduler.run(1);
/// scope.cancel();
/// scheduler.run(1);
/// assert!(*task.result().unwrap());
/// # scheduler.close();
/// ```
#[derive(Clone)]
#[doc(alias = "CancellationToken")]
#[doc(alias = "AbortHandle")]
pub struct CancelScope {
    shared: Arc<Shared>,
}

impl CancelScope {
    /// A scope that ends when [`cancel`](CancelScope::cancel) is called.
    pub fn new() -> CancelScope {
        CancelScope::with_limit(Limit::None)
    }

    /// A scope that ends so long after the first poll of its first run.
    pub fn with_timeout(duration: Duration) -> CancelScope {
        CancelScope::with_limit(match duration {
            Duration::MAX => Limit::None,
            duration => Limit::After(nanos(duration)),
        })
    }

    /// A scope that ends at this time. One that has come ends the work at its first wait.
    pub fn with_deadline(deadline: Instant) -> CancelScope {
        CancelScope::with_limit(Limit::At(deadline.into()))
    }

    fn with_limit(limit: Limit) -> CancelScope {
        CancelScope {
            shared: Arc::new(Shared::new(limit)),
        }
    }

    /// Bounds the clean-up: so long after the scope was cancelled, or its time was up, what still runs is dropped by force, and
    /// the loop's exception handler is told. To be called before the runs that it is meant for.
    #[must_use = "this gives the scope back"]
    pub fn grace(self, grace: Duration) -> CancelScope {
        self.shared.set_grace(grace);
        self
    }

    /// Runs `work` in this scope.
    ///
    /// # Errors
    ///
    /// [`Cancelled`] when the scope ended the work. A value that the work returns all the same is the result. A cancellation from
    /// outside of the scope is not an error of it: it goes on.
    ///
    /// # Panics
    ///
    /// When a scope with a deadline or a grace has to wait on a thread where no loop with a clock runs.
    ///
    /// # Cancel safety
    ///
    /// Cancelled or dropped, it cancels or drops the work.
    #[track_caller]
    pub fn run<F: IntoFuture>(&self, work: F) -> RunScope<F::IntoFuture> {
        RunScope {
            work: Some(work.into_future()),
            state: State {
                shared: self.shared.clone(),
                run: None,
                force: None,
                force_timer: Timer::new(),
                passed: false,
                site: Location::caller(),
            },
            node: Node::new(Kind::Deadline),
        }
    }

    /// Asks what runs in the scope to end. The scope is cancelled from now on.
    ///
    /// A scope that is cancelled by its own work, which then returns without waiting for anything, ends with the value.
    pub fn cancel(&self) {
        for entry in self.shared.cancel() {
            entry.request(None);
        }
    }

    /// Moves the deadline; `None` takes it away. Once the scope has been cancelled or its time was up, it is too late.
    #[doc(alias = "reset")]
    pub fn reschedule(&self, deadline: Option<Instant>) {
        self.shared.reschedule(deadline);
    }

    /// The time was up, and the work was asked to end for that reason.
    pub fn expired(&self) -> bool {
        self.shared.is_expired()
    }
}

impl Default for CancelScope {
    fn default() -> CancelScope {
        CancelScope::new()
    }
}

impl fmt::Debug for CancelScope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("CancelScope").field(&self.shared).finish()
    }
}

pin_project! {
    /// The future of [`CancelScope::run`].
    #[must_use = "a future does nothing unless it is awaited"]
    pub struct RunScope<F> {
        #[pin]
        work: Option<F>,
        state: State,
        // Last, so that what is inside leaves first.
        node: Node,
    }
}

struct State {
    shared: Arc<Shared>,
    run: Option<RunId>,
    /// When the grace is over.
    force: Option<Moment>,
    force_timer: Timer,
    /// The request went on, and whoever takes it drops this.
    passed: bool,
    site: &'static Location<'static>,
}

impl<F: Future> Future for RunScope<F> {
    type Output = Result<F::Output, Cancelled>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        let state = this.state;
        if state.passed {
            return poll_after_passing_on();
        }
        if state.run.is_none() && state.shared.is_cancelled() {
            this.work.set(None);
            return Poll::Ready(Err(Cancelled::because("the scope was cancelled")));
        }
        let mut take = this.node.enter(cx);
        if !take {
            state.begin(cx, this.node);
            if state.is_force_due() {
                let forced = this.node.force(|| this.work.set(None));
                state.report_force();
                state.leave();
                if let Some(taken) = forced {
                    state.passed = true;
                    this.node.pass_on_taken(taken);
                    return Poll::Pending;
                }
                this.node.leave();
                return Poll::Ready(Err(Cancelled::because("the grace of the scope was over")));
            }
            let work = this.work.as_mut().as_pin_mut();
            let work = work.expect("a finished scope was polled again");
            if let Poll::Ready(output) = this.node.inside(|| work.poll(cx)) {
                this.work.set(None);
                state.leave();
                this.node.leave();
                return Poll::Ready(Ok(output));
            }
            state.settle(cx);
            take = this.node.look();
        }
        if !take {
            return Poll::Pending;
        }
        let taken = this.node.take(|| this.work.set(None));
        state.leave();
        if this.node.is_own(&taken) {
            this.node.leave();
            return Poll::Ready(Err(taken.into_cancelled()));
        }
        state.passed = true;
        this.node.pass_on_taken(taken);
        this.node.leave();
        Poll::Pending
    }
}

impl State {
    /// Before the work is polled: the handle knows this run from now on.
    fn begin(&mut self, cx: &Context<'_>, node: &mut Node) {
        let Some(entry) = node.entry() else { return };
        let run = *self.run.get_or_insert_with(|| self.shared.enter());
        node.set_limit(self.shared.place(run, entry, cx.waker()));
        if self.shared.take_message(run) {
            // Cancelled from another thread, which could only wake this.
            entry.request(None);
        }
        self.shared.arm(run);
    }

    /// After the work was pending.
    fn settle(&mut self, cx: &Context<'_>) {
        if let Some(grace) = self.shared.graced() {
            self.arm_force(cx, grace);
        }
    }

    fn arm_force(&mut self, cx: &Context<'_>, grace: Duration) {
        if self.force.is_some() && self.force_timer.rewake(cx.waker()) {
            return;
        }
        let now = with_timers(|_, timers| timers.step_now());
        let force = self.force.unwrap_or_else(|| now.after(nanos(grace)));
        self.force = Some(force);
        if force != Moment::NEVER {
            self.force_timer.arm(force, Alarm::Wake(cx.waker().clone()));
        }
    }

    fn is_force_due(&self) -> bool {
        self.force
            .is_some_and(|force| with_timers(|_, timers| timers.now()) >= force)
    }

    fn report_force(&self) {
        let message = "a cancel scope dropped its work by force: its grace was over";
        if let Some(scheduler) = Scheduler::current() {
            scheduler.report(&Report::new(message).at(self.site));
        }
    }

    fn leave(&mut self) {
        self.force_timer.disarm();
        if let Some(run) = self.run {
            self.shared.leave(run);
        }
    }
}

impl Drop for State {
    fn drop(&mut self) {
        self.leave();
    }
}

impl<F> fmt::Debug for RunScope<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("RunScope").field(&self.state.shared).finish()
    }
}
