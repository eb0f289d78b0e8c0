//! A task whose future may borrow, for the time of one call.

use std::future::Future;
use std::marker::PhantomData;
use std::ops::ControlFlow;
use std::panic::Location;

use crate::cell::CellRef;
use crate::error::{Cancelled, TaskError};
use crate::scheduler::Scheduler;
use crate::stage::Plain;
use crate::task::AnyTask;

impl Scheduler {
    /// Makes a task of a future that may borrow, and calls `turn` until the task has ended or `turn` breaks off. In that case,
    /// and when `turn` panics, the future is dropped before the call returns.
    ///
    /// # Errors
    ///
    /// What `turn` broke off with.
    #[track_caller]
    pub fn run_borrowing<F: Future, B>(
        &self,
        future: F,
        mut turn: impl FnMut(&AnyTask) -> ControlFlow<B>,
    ) -> Result<Result<F::Output, TaskError>, B> {
        let site = Location::caller();
        // SAFETY: the guard below ends the task and takes its value before this function returns or unwinds, and everything
        // that the future borrows outlives the call.
        let cell = unsafe { self.spawn::<F, Plain>(future, site) };
        let main: MainTask<F::Output> = MainTask {
            cell,
            value: PhantomData,
        };
        let any = AnyTask::new(main.cell.clone());
        while !any.done() {
            if let ControlFlow::Break(reason) = turn(&any) {
                return Err(reason);
            }
        }
        Ok(main.take())
    }
}

/// The right to the value of a task whose types may borrow. It never leaves `run_borrowing`.
struct MainTask<T> {
    cell: CellRef,
    value: PhantomData<T>,
}

impl<T> MainTask<T> {
    fn take(&self) -> Result<T, TaskError> {
        self.cell.state.see();
        // SAFETY: `T` is the value type of this task, and only a `Task<T>` could lend out its value, which does not exist here.
        match unsafe { self.cell.take_value::<T>() } {
            Some(value) => Ok(value),
            None => Err(self.cell.error().unwrap_or(TaskError::NotDone)),
        }
    }
}

impl<T> Drop for MainTask<T> {
    fn drop(&mut self) {
        let cell = &self.cell;
        if !cell.state.is_done() {
            let reason = Cancelled::because("the loop was left before the main task had ended");
            cell.scheduler
                .enter(|| cell.scheduler.end_by_force(cell, reason));
        }
        drop(self.take());
    }
}
