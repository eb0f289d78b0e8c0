//! Running: the steps of tasks and callbacks, batch by batch, and how a task ends.
//!
//! A *batch* is the ready queue as it stands when the batch begins. Since the queue is first in, first out, one batch simply
//! follows the other; its end matters only to those who want to stop there.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::task::Context;

use crate::cancel;
use crate::cell::{CellRef, Header};
use crate::error::Cancelled;
use crate::extras::ContextMap;
use crate::ready::Queued;
use crate::scheduler::{Inner, Scheduler};
use crate::stage::Advance;
use crate::state::{Begin, Outcome};
use crate::waker;

/// So many steps are made before the next cells are asked for, as many again.
const STRETCH: u64 = 16;
/// Fewer cells than this are in the cache anyway.
const CROWD: u64 = 2048;

impl Scheduler {
    /// Runs at most `limit` steps and callbacks, in order, and returns how many there were. It returns early when nothing is
    /// ready, and at the end of a batch when [`pause`](Scheduler::pause) was asked for. It does not look at the mail from other
    /// threads.
    ///
    /// # Panics
    ///
    /// When it is called from inside of itself.
    pub fn run(&self, limit: usize) -> usize {
        assert!(
            !self.0.running.replace(true),
            "this event loop is already running: await the future instead of running the loop inside of itself"
        );
        // What the caller has set as context is none of the tasks' business, and neither is the task whose destructor calls this: it
        // is not the one that a panic comes from.
        let running = Running {
            inner: &self.0,
            current: self.0.current.replace(std::ptr::null()),
            context: self.0.context.replace(None),
        };
        let first = self.steps();
        let last = first.saturating_add(limit as u64);
        self.0.ready.cut_stretch();
        // A loop may run inside of a future of another loop: its tasks do not stand below that future's nodes.
        self.enter(|| {
            cancel::outside(|| {
                // A panic of a future ends up here, so that a poll needs no guard of its own.
                while let Err(payload) =
                    catch_unwind(AssertUnwindSafe(|| self.run_steps(first, last)))
                {
                    self.poll_panicked(payload);
                }
            });
        });
        drop(running);
        let steps = self.steps() - first;
        self.0.ready.rest();
        steps as usize
    }

    /// Runs the rest of the batch, or the next one if the last has ended, and returns how many steps there were.
    ///
    /// # Panics
    ///
    /// When it is called from inside of [`run`](Scheduler::run).
    pub fn run_batch(&self) -> usize {
        match self.0.ready.left() {
            0 => self.run(self.ready()),
            left => self.run(left),
        }
    }

    /// Asks [`run`](Scheduler::run) to return at the end of the batch.
    pub fn pause(&self) {
        self.0.pause.set(true);
        self.0.ready.grant(0);
    }

    /// A pause was asked for, and the batch has ended.
    pub fn is_paused(&self) -> bool {
        self.0.pause.get() && self.0.ready.left() == 0
    }

    /// The same, and the request is taken back.
    pub fn take_pause(&self) -> bool {
        self.is_paused() && self.0.pause.replace(false)
    }

    /// The run with this number was told by [`pause_at_end`](crate::AnyTask::pause_at_end) that its target has ended.
    pub fn target_ended(&self, run: u64) -> bool {
        self.0.target_ended.get() == run
    }

    fn run_steps(&self, first: u64, last: u64) {
        let inner = &*self.0;
        while inner.ready.begin_granted() || self.begin_stretch(first, last) {
            while let Some(queued) = inner.ready.take_next() {
                self.step(queued);
            }
        }
    }

    /// Begins a stretch, and grants the batches after it as long as nothing has to be asked between them. False: the run is over,
    /// and no batch begins: what comes before the next run belongs to it.
    #[inline(never)]
    fn begin_stretch(&self, first: u64, last: u64) -> bool {
        let inner = &*self.0;
        let (steps, pause) = (self.steps(), inner.pause.get());
        // A close further down on the stack may have emptied the queue meanwhile.
        let left = last.saturating_sub(steps);
        if left == 0 {
            return false;
        }
        let crowded = inner.ready.len() as u64 > CROWD;
        let most = left.min(if crowded { STRETCH } else { CROWD });
        let stretch = inner.ready.begin_stretch(most, pause && steps != first);
        if stretch > 0 && crowded {
            inner.ready.look_ahead(STRETCH as usize);
        }
        inner
            .ready
            .grant(if pause { 0 } else { CROWD.min(left - stretch) });
        stretch > 0
    }

    #[inline(always)]
    fn step(&self, queued: Queued) {
        // SAFETY: an unfinished task is kept by the table until its release at the end of this step: only its own step ends a
        // task whose future is in its cell and that is taking a step. Every other kind of cell is owned in `step_unusual`.
        let cell = unsafe { queued.lent() };
        match cell.state.begin() {
            Begin::Poll => self.poll(&cell),
            begin => self.step_unusual(queued, begin),
        }
    }

    #[inline(never)]
    fn step_unusual(&self, queued: Queued, begin: Begin) {
        let cell = queued.into_owned();
        let cell = &cell;
        match begin {
            Begin::Poll | Begin::Skip => {}
            Begin::Relay => self.0.wake_cell(cell),
            Begin::Call => self.call(cell),
            Begin::PollProxy => self.poll_proxy(cell),
            Begin::Attend => {
                if cell.state.needs_attention() {
                    if let Some(cancelled) = cancel::before_poll(cell) {
                        return self.end_by_force(cell, cancelled);
                    }
                }
                cell.enter_context();
                self.poll_attended(cell);
            }
            Begin::Abort => self.end_by_force(cell, Cancelled::because("the task was aborted")),
        }
    }

    /// The same poll, out of the way of the usual one.
    #[inline(never)]
    fn poll_attended(&self, cell: &CellRef) {
        self.poll(cell);
    }

    #[inline(always)]
    fn poll(&self, cell: &CellRef) {
        let advance = self.advance(cell);
        if cell.state.is_attended() {
            return self.after_attended_poll(cell, advance);
        }
        match advance {
            Advance::Pending => cell.state.suspend(),
            Advance::Ended(outcome) => self.ended(cell, outcome),
        }
    }

    #[inline(never)]
    fn after_attended_poll(&self, cell: &CellRef, advance: Advance) {
        // Also where the step has put its context away again: then it has none from now on.
        if self.0.context.is_there() || cell.state.has_context() {
            cell.leave_context(None);
        }
        match advance {
            Advance::Pending => {
                cell.state.suspend();
                if cell.state.needs_attention() {
                    if let Some(cancelled) = cancel::after_poll(cell) {
                        self.end_by_force(cell, cancelled);
                    }
                }
            }
            Advance::Ended(outcome) => self.ended(cell, outcome),
        }
    }

    /// What the step has set as context is kept with its task.
    fn leave_context(&self, cell: &CellRef) {
        if self.0.context.is_there() {
            cell.leave_context(None);
        }
    }

    /// A proxy is told that its task was woken. It never ends, and the task is judged by the holder of the future.
    fn poll_proxy(&self, cell: &CellRef) {
        cell.state.tell();
        let _ = self.advance(cell);
        self.leave_context(cell);
        if !cell.state.is_done() {
            cell.state.suspend();
            cancel::told(cell);
        }
    }

    #[inline(always)]
    fn advance(&self, cell: &CellRef) -> Advance {
        let inner = &*self.0;
        cell.wait_kind.set(0);
        inner.current.set(cell.as_ptr());
        let waker = waker::of(cell.key.get());
        // SAFETY: `begin` allowed the step, and it ends in the callers, or in `poll_panicked`.
        let advance = unsafe { cell.poll(&mut Context::from_waker(waker.get())) };
        inner.current.set(std::ptr::null());
        advance
    }

    /// A poll has panicked and the panic has come out of `run_steps`.
    #[cold]
    fn poll_panicked(&self, payload: Box<dyn Any + Send>) {
        self.0.ready.cut_stretch();
        let Some(cell) = self.0.take_current() else {
            // Not a future: every other kind of foreign code is guarded where it runs.
            resume_unwind(payload)
        };
        self.leave_context(&cell);
        cell.panicked(payload);
        self.ended(&cell, Outcome::Panicked);
    }

    fn call(&self, cell: &CellRef) {
        cell.enter_context();
        let called = crate::caught::caught(|| cell.call());
        self.leave_context(cell);
        if let Err(panic) = called {
            self.report_callback(cell, panic);
        }
    }

    /// The future has given its last answer, and the stage holds the outcome.
    #[inline(always)]
    fn ended(&self, cell: &CellRef, outcome: Outcome) {
        cell.state.finish(outcome);
        if cell.scope.get() != 0 {
            self.ended_in_tree(cell, outcome);
        } else {
            self.release(cell, outcome);
        }
    }

    #[cold]
    fn ended_in_tree(&self, cell: &CellRef, outcome: Outcome) {
        match cancel::task_ended(cell) {
            Some(cancelled) if matches!(outcome, Outcome::Value | Outcome::Failed) => {
                let outcome = self.replace_value(cell, cancelled);
                self.release(cell, outcome);
            }
            _ => self.release(cell, outcome),
        }
    }

    /// A request to cancel was outstanding when the task returned its value: the value is dropped.
    fn replace_value(&self, cell: &CellRef, cancelled: Cancelled) -> Outcome {
        // SAFETY: nobody has been told of the end yet, so nobody can have looked at the value.
        let end = unsafe { cell.unfinish() };
        let outcome = if end.is_ok() {
            Outcome::Cancelled
        } else {
            Outcome::Panicked
        };
        cell.finish(end.map(|()| cancelled));
        outcome
    }

    /// Ends a task that is not being polled: drops its future, as its own step.
    pub(crate) fn end_by_force(&self, cell: &CellRef, cancelled: Cancelled) {
        if !cell.state.has_future() {
            return;
        }
        let before = self.0.current.replace(cell.as_ptr());
        let outside = self.0.context.replace(None);
        cell.enter_context();
        let dropped = cancel::collect(|| cell.drop_future());
        cell.leave_context(outside);
        self.0.current.set(before);
        if cell.scope.get() != 0 {
            drop(cancel::task_ended(cell));
        }
        let outcome = if dropped.is_ok() {
            Outcome::Cancelled
        } else {
            Outcome::Panicked
        };
        cell.finish(dropped.map(|()| cancelled));
        self.release(cell, outcome);
    }

    /// Takes everything out of the ready queue of a closed scheduler.
    pub(crate) fn empty_queue(&self) {
        while let Some(cell) = self.0.ready.pop_owned() {
            if cell.state.owns_its_places() {
                cell.revoke();
            } else {
                // A task that is about to be ended by the close, or is being ended further down on the stack.
                cell.state.leave_place();
            }
        }
    }

    /// The task has its outcome: out of the table, everybody is told, and a value that nobody can ask for goes.
    #[inline(always)]
    pub(crate) fn release(&self, cell: &CellRef, outcome: Outcome) {
        let listed = self.0.tasks.remove(cell);
        if cell.state.is_placed() {
            cell.leave_queued();
        }
        cell.tell_waiters();
        if outcome == Outcome::Value && !cell.state.is_owned() && cell.callbacks.get() == 0 {
            self.drop_value(cell);
        }
        drop(listed);
    }

    /// Drops the value of a task without an owner, outside of every borrow.
    #[inline(never)]
    pub(crate) fn drop_value(&self, cell: &CellRef) {
        cell.report_unread_error();
        // SAFETY: the owner has gone and no callback is queued or running, so no reference to the value is left.
        if let Err(panic) = unsafe { cell.drop_value() } {
            self.report_drop(cell, panic);
        }
    }
}

/// `run` is on the stack.
struct Running<'a> {
    inner: &'a Inner,
    /// The current task outside, whose forced end holds it.
    current: *const Header,
    /// The context outside.
    context: Option<ContextMap>,
}

impl Drop for Running<'_> {
    fn drop(&mut self) {
        self.inner.running.set(false);
        self.inner.current.set(self.current);
        let inside = self.inner.context.replace(self.context.take());
        drop(inside);
    }
}
