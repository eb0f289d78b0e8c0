//! The traits by which combinators and loops take tasks and futures alike. They are sealed.

use std::cell::Cell;
use std::fmt;
use std::future::Future;
use std::panic::Location;
use std::rc::Rc;

use crate::cell::CellRef;
use crate::error::TaskError;
use crate::promise::Promise;
use crate::scheduler::Scheduler;
use crate::scoped::ScopedTask;
use crate::task::{AnyTask, Task, value_is_err};

mod sealed {
    use super::*;
    pub trait Into {}
    impl<F: Future + 'static> Into for F {}
    impl<T> Into for Task<T> {}
    impl<T> Into for &Task<T> {}
    impl Into for AnyTask {}
    impl Into for &AnyTask {}
    impl<T> Into for ScopedTask<'_, T> {}
    impl<T> Into for &ScopedTask<'_, T> {}
    pub trait As {}
    impl<T> As for Task<T> {}
    impl<T> As for &Task<T> {}
    impl As for AnyTask {}
    impl As for &AnyTask {}
    impl<T> As for ScopedTask<'_, T> {}
    impl<T> As for &ScopedTask<'_, T> {}
    pub trait Target {}
    impl<F: Future> Target for F {}
    impl<T> Target for Task<T> {}
    impl<T> Target for &Task<T> {}
    impl<T> Target for &Promise<T> {}
}

/// A handle of a task: an owning one, a borrowed one, or one of whatever type.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a handle of a task",
    note = "`create_task(future)` makes a task of a future; `gather` and `as_completed` do that by themselves"
)]
pub trait AsTask: sealed::As {
    /// What its outcome gives: the value, a reference to it, or nothing.
    type Output;

    /// The task without its value.
    fn as_any(&self) -> AnyTask;

    /// The outcome, for a task that is settled.
    ///
    /// # Errors
    ///
    /// As [`Task::into_result`].
    fn outcome(self) -> Result<Self::Output, TaskError>;

    /// The handle owns the task, so that who cancels the holder cancels the task.
    fn owns(&self) -> bool;
}

impl<T> AsTask for Task<T> {
    type Output = T;

    fn as_any(&self) -> AnyTask {
        self.any()
    }

    fn outcome(self) -> Result<T, TaskError> {
        self.into_result()
    }

    fn owns(&self) -> bool {
        true
    }
}

impl<'a, T> AsTask for &'a Task<T> {
    type Output = &'a T;

    fn as_any(&self) -> AnyTask {
        self.any()
    }

    fn outcome(self) -> Result<&'a T, TaskError> {
        self.result()
    }

    fn owns(&self) -> bool {
        false
    }
}

impl AsTask for AnyTask {
    type Output = ();

    fn as_any(&self) -> AnyTask {
        self.clone()
    }

    fn outcome(self) -> Result<(), TaskError> {
        self.result()
    }

    fn owns(&self) -> bool {
        false
    }
}

impl AsTask for &AnyTask {
    type Output = ();

    fn as_any(&self) -> AnyTask {
        (*self).clone()
    }

    fn outcome(self) -> Result<(), TaskError> {
        self.result()
    }

    fn owns(&self) -> bool {
        false
    }
}

impl<T> AsTask for ScopedTask<'_, T> {
    type Output = T;

    fn as_any(&self) -> AnyTask {
        self.any()
    }

    fn outcome(self) -> Result<T, TaskError> {
        self.into_result()
    }

    fn owns(&self) -> bool {
        true
    }
}

impl<'a, T> AsTask for &'a ScopedTask<'_, T> {
    type Output = &'a T;

    fn as_any(&self) -> AnyTask {
        self.any()
    }

    fn outcome(self) -> Result<&'a T, TaskError> {
        self.result()
    }

    fn owns(&self) -> bool {
        false
    }
}

/// A handle of a task whose value is a `Result`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a handle of a task that gives a `Result`",
    note = "`gather` and `wait`, without `try_`, take tasks of any type"
)]
pub trait AsTryTask: AsTask {
    /// The task, with the question whether its value is an `Err`.
    fn as_any_try(&self) -> AnyTryTask;
}

impl<V, E> AsTryTask for Task<Result<V, E>> {
    fn as_any_try(&self) -> AnyTryTask {
        AnyTryTask {
            task: self.any(),
            question: Question::Value(value_is_err::<V, E>),
        }
    }
}

impl<V, E> AsTryTask for &Task<Result<V, E>> {
    fn as_any_try(&self) -> AnyTryTask {
        Task::as_any_try(self)
    }
}

impl<V, E> AsTryTask for ScopedTask<'_, Result<V, E>> {
    fn as_any_try(&self) -> AnyTryTask {
        AnyTryTask {
            task: self.any(),
            question: Question::Flag(self.failed()),
        }
    }
}

impl<V, E> AsTryTask for &ScopedTask<'_, Result<V, E>> {
    fn as_any_try(&self) -> AnyTryTask {
        ScopedTask::as_any_try(self)
    }
}

/// A task without the right to its value, which is a `Result`.
#[derive(Clone)]
pub struct AnyTryTask {
    task: AnyTask,
    question: Question,
}

/// How to find out whether the value is an `Err`.
#[derive(Clone)]
enum Question {
    /// Reads the value of this very task, with the type that its handle had.
    Value(fn(&CellRef) -> bool),
    /// The value may borrow: who has it says so.
    Flag(Rc<Cell<bool>>),
}

impl AnyTryTask {
    /// The task.
    pub fn task(&self) -> &AnyTask {
        &self.task
    }

    /// The value is there and an `Err`. Asking does not count as having seen it.
    pub fn is_err(&self) -> bool {
        match &self.question {
            Question::Value(is_err) => is_err(self.task.cell()),
            Question::Flag(failed) => failed.get(),
        }
    }
}

impl fmt::Debug for AnyTryTask {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.task.fmt(f)
    }
}

/// What `gather` and its kind take: a `'static` future, of which a task is made, or a task that is there.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is neither a future nor a handle of a task",
    note = "futures are given by value, tasks as `Task`, `&Task` or `AnyTask`"
)]
pub trait IntoTask: sealed::Into {
    /// What its outcome gives.
    type Output;
    /// The handle that it becomes.
    type Handle: AsTask<Output = Self::Output>;

    /// A future becomes a task of `scheduler` that was created at `site`; a task stays what it is.
    fn into_task(self, scheduler: &Scheduler, site: &'static Location<'static>) -> Self::Handle;
}

impl<F> IntoTask for F
where
    F: Future + 'static,
    F::Output: 'static,
{
    type Output = F::Output;
    type Handle = Task<F::Output>;

    fn into_task(self, scheduler: &Scheduler, site: &'static Location<'static>) -> Task<F::Output> {
        scheduler.create_task_at(self, site)
    }
}

impl<T> IntoTask for Task<T> {
    type Output = T;
    type Handle = Task<T>;

    fn into_task(self, _: &Scheduler, _: &'static Location<'static>) -> Task<T> {
        self
    }
}

impl<'a, T> IntoTask for &'a Task<T> {
    type Output = &'a T;
    type Handle = &'a Task<T>;

    fn into_task(self, _: &Scheduler, _: &'static Location<'static>) -> &'a Task<T> {
        self
    }
}

impl IntoTask for AnyTask {
    type Output = ();
    type Handle = AnyTask;

    fn into_task(self, _: &Scheduler, _: &'static Location<'static>) -> AnyTask {
        self
    }
}

impl<'a> IntoTask for &'a AnyTask {
    type Output = ();
    type Handle = &'a AnyTask;

    fn into_task(self, _: &Scheduler, _: &'static Location<'static>) -> &'a AnyTask {
        self
    }
}

impl<T> IntoTask for ScopedTask<'_, T> {
    type Output = T;
    type Handle = Self;

    fn into_task(self, _: &Scheduler, _: &'static Location<'static>) -> Self {
        self
    }
}

impl<'a, T> IntoTask for &'a ScopedTask<'_, T> {
    type Output = &'a T;
    type Handle = Self;

    fn into_task(self, _: &Scheduler, _: &'static Location<'static>) -> Self {
        self
    }
}

/// How a target is driven to its end by a loop, see [`RunTarget`].
#[doc(hidden)]
pub trait Drive {
    /// What driving may break off with.
    type Break;
    /// Drives a future that may borrow.
    fn future<F: Future>(&mut self, future: F)
    -> Result<Result<F::Output, TaskError>, Self::Break>;
    /// Drives until the condition holds. `task` is the task that is waited for, if it is one.
    fn until(
        &mut self,
        task: Option<&AnyTask>,
        there: &mut dyn FnMut() -> bool,
    ) -> Result<(), Self::Break>;
}

/// What `run_until_complete` takes: a future (which may borrow), a task by value or by reference, or a promise by reference.
pub trait RunTarget: sealed::Target {
    /// What the run gives.
    type Output;

    /// A future's panic is resumed in the caller; a task's is an outcome.
    #[doc(hidden)]
    const IS_FUTURE: bool;

    #[doc(hidden)]
    fn drive<D: Drive>(self, drive: &mut D) -> Result<Result<Self::Output, TaskError>, D::Break>;
}

impl<F: Future> RunTarget for F {
    type Output = F::Output;
    const IS_FUTURE: bool = true;

    fn drive<D: Drive>(self, drive: &mut D) -> Result<Result<F::Output, TaskError>, D::Break> {
        drive.future(self)
    }
}

impl<T> RunTarget for Task<T> {
    type Output = T;
    const IS_FUTURE: bool = false;

    fn drive<D: Drive>(self, drive: &mut D) -> Result<Result<T, TaskError>, D::Break> {
        drive.until(Some(&self.any()), &mut || self.can_leave())?;
        Ok(self.into_result())
    }
}

impl<'a, T> RunTarget for &'a Task<T> {
    type Output = &'a T;
    const IS_FUTURE: bool = false;

    fn drive<D: Drive>(self, drive: &mut D) -> Result<Result<&'a T, TaskError>, D::Break> {
        drive.until(Some(&self.any()), &mut || self.any().is_settled())?;
        Ok(self.result())
    }
}

impl<'a, T> RunTarget for &'a Promise<T> {
    type Output = &'a T;
    const IS_FUTURE: bool = false;

    fn drive<D: Drive>(self, drive: &mut D) -> Result<Result<&'a T, TaskError>, D::Break> {
        drive.until(None, &mut || self.done())?;
        Ok(self.result())
    }
}
