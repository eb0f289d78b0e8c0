//! `Task<T>`, the owning handle, and `AnyTask`, which knows everything but the value.

use std::borrow::Cow;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::marker::PhantomData;
use std::mem::ManuallyDrop;
use std::panic::Location;

use crate::cancel;
use crate::cell::CellRef;
use crate::error::TaskError;
use crate::scheduler::Scheduler;
use crate::scoped::ScopedTask;
use crate::state::Outcome;

/// The number of a task within its loop. The first task is number 1.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct TaskId(u64);

impl TaskId {
    pub(crate) fn from_number(number: u64) -> TaskId {
        TaskId(number)
    }

    /// The number.
    pub fn get(self) -> u64 {
        self.0
    }
}

impl fmt::Display for TaskId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// What a task is doing.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum TaskState {
    /// It has not begun, is ready, or waits.
    Pending,
    /// It takes its step now.
    Running,
    /// It ended with a value, an error of its group, or a panic.
    Done,
    /// It ended cancelled.
    Cancelled,
}

/// A task and the right to its value.
///
/// `task.await` waits for the value and owns the task: cancelling the waiter cancels the task. `(&task).await` only watches.
/// Dropping a `Task` lets the task run on: the loop owns every task until it ends.
///
/// It is neither `Send` nor `Clone`. It is `IntoFuture` and not a `Future`, so that combinators can tell a task from a future.
///
/// ```
/// # let scheduler = corio_core::Scheduler::new(|| {});
/// let task = scheduler.create_task(async { "done" }).named("worker");
/// assert!(!task.done());
/// scheduler.run(1);
/// assert_eq!(task.result().unwrap(), &"done");
/// assert_eq!(task.name(), "worker");
/// # scheduler.close();
/// ```
#[doc(alias = "JoinHandle")]
pub struct Task<T> {
    cell: CellRef,
    value: PhantomData<T>,
}

impl<T> Task<T> {
    pub(crate) fn new(cell: CellRef) -> Task<T> {
        Task {
            cell,
            value: PhantomData,
        }
    }

    pub(crate) fn cell(&self) -> &CellRef {
        &self.cell
    }

    /// The same task without the right to its value.
    pub fn any(&self) -> AnyTask {
        AnyTask::new(self.cell.clone())
    }

    /// Gives the task a name, in the expression that creates it.
    pub fn named(self, name: impl Into<String>) -> Self {
        self.set_name(name);
        self
    }

    /// The outcome, once there is one, and `NotDone` before. Asking counts as having seen a panic.
    ///
    /// # Errors
    ///
    /// When the task has no value: it is not done, was cancelled, panicked, or failed into its group.
    pub fn result(&self) -> Result<&T, TaskError> {
        if self.cell.state.is_done() {
            self.cell.state.see();
        }
        // SAFETY: `T` is the type that this handle was made with. The reference borrows the handle: the value leaves by
        // `into_result`, which consumes it, or by a by-value wait, which does too. A done callback sees a borrowed handle, and
        // while it runs no value leaves.
        match unsafe { self.cell.value::<T>() } {
            Some(value) => Ok(value),
            None => Err(self.cell.error().unwrap_or(TaskError::NotDone)),
        }
    }

    /// The outcome by value.
    ///
    /// # Errors
    ///
    /// As [`result`](Task::result); `NotDone` also while a done callback is still queued or running, since it may be looking at
    /// the value. The task then runs on without its handle.
    #[inline]
    pub fn into_result(self) -> Result<T, TaskError> {
        if !self.can_leave() {
            return Err(TaskError::NotDone);
        }
        self.into_outcome()
    }

    /// The outcome of a task that [can leave](Task::can_leave).
    #[inline]
    pub(crate) fn into_outcome(self) -> Result<T, TaskError> {
        debug_assert!(self.can_leave());
        let cell = self.into_cell();
        cell.state.see();
        // SAFETY: `T` is the type that the handle was made with. The handle is gone, so nobody borrows it, and no callback is
        // queued or running.
        match unsafe { cell.take_value::<T>() } {
            Some(value) => Ok(value),
            None => Err(cell.error().unwrap_or(TaskError::NotDone)),
        }
    }

    /// Gives up the handle without its destructor, for who takes the value.
    #[inline]
    fn into_cell(self) -> CellRef {
        let task = ManuallyDrop::new(self);
        task.cell.state.disown();
        // SAFETY: the handle is not used again, and its destructor does not run.
        unsafe { std::ptr::read(&raw const task.cell) }
    }

    /// The task has ended, and no done callback may be looking at the value.
    #[inline]
    pub(crate) fn can_leave(&self) -> bool {
        self.cell.state.is_done() && self.cell.callbacks.get() == 0
    }
}

impl<V, E: fmt::Display> Task<Result<V, E>> {
    /// Reports an `Err` value that goes unread, as a panic is reported: once, with the name and the origin of the task.
    pub fn report_errors(self) -> Self {
        self.cell
            .with_extras(|extras| extras.error_of = Some(read_error::<V, E>));
        self
    }
}

fn read_error<V, E: fmt::Display>(cell: &CellRef) -> Option<String> {
    // SAFETY: this function was stored by the handle of this very task, with its value type; the reference ends here.
    let value = unsafe { cell.value::<Result<V, E>>() }?;
    value.as_ref().err().map(ToString::to_string)
}

/// For [`AnyTryTask`](crate::combine::AnyTryTask), which keeps it beside the cell of the handle that named the types.
pub(crate) fn value_is_err<V, E>(cell: &CellRef) -> bool {
    // SAFETY: as above, the type is that of the value, and the reference ends here.
    let value = unsafe { cell.value::<Result<V, E>>() };
    value.is_some_and(Result::is_err)
}

impl<T> Drop for Task<T> {
    #[inline]
    fn drop(&mut self) {
        self.cell.state.disown();
        if self.cell.state.has_output() && self.can_leave() {
            self.cell.scheduler.drop_value(&self.cell);
        }
    }
}

/// A task of whatever type: everything but the value. Clones are the same task.
#[derive(Clone, PartialEq, Eq)]
pub struct AnyTask {
    cell: CellRef,
}

impl AnyTask {
    pub(crate) fn new(cell: CellRef) -> AnyTask {
        AnyTask { cell }
    }

    pub(crate) fn cell(&self) -> &CellRef {
        &self.cell
    }

    /// The outcome without the value.
    ///
    /// # Errors
    ///
    /// As [`Task::result`].
    pub fn result(&self) -> Result<(), TaskError> {
        if self.cell.state.is_done() {
            self.cell.state.see();
        }
        match self.cell.error() {
            None => Ok(()),
            Some(error) => Err(error),
        }
    }

    /// The error that the task has ended with, without counting as having seen it.
    pub fn peek_error(&self) -> Option<TaskError> {
        if self.cell.state.is_done() {
            self.cell.error()
        } else {
            None
        }
    }

    /// The task has ended and its value may leave: no done callback is queued or running.
    pub fn is_settled(&self) -> bool {
        self.cell.state.is_done() && self.cell.callbacks.get() == 0
    }

    /// Pauses the scheduler at the end of the batch after the one in which the task ends, in which the callbacks of its end are,
    /// and tells [`target_ended`](Scheduler::target_ended) so. For who runs the loop until this task has ended, and gives each
    /// run a number of its own, which is not 0.
    pub fn pause_at_end(&self, run: u64) {
        self.cell.wait_pause(run);
    }

    /// The context variables as the task's last step left them.
    pub fn context(&self) -> Option<crate::ContextMap> {
        self.cell.extras(|extras| extras.context.clone())
    }

    /// It has ended with a value.
    #[inline]
    pub fn ended_with_value(&self) -> bool {
        self.cell.state.outcome() == Some(Outcome::Value)
    }

    /// It belongs to this loop.
    #[inline]
    pub fn is_of(&self, scheduler: &Scheduler) -> bool {
        self.cell.scheduler.same(scheduler)
    }

    /// A panic of this task has somebody who deals with it: it is not reported.
    pub fn mark_seen(&self) {
        self.cell.state.see();
    }

    /// Ends the task now, without a turn: its future is dropped here. For loops that are closing, and for whoever owns the
    /// future in another way. A task that takes its step now is left alone.
    pub fn end_now(&self, cancelled: crate::Cancelled) {
        if !self.cell.state.is_running() {
            self.cell
                .scheduler
                .clone()
                .end_by_force(&self.cell, cancelled);
        }
    }
}

impl Hash for AnyTask {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.cell.id().hash(state);
    }
}

/// What both handles can do.
macro_rules! common {
    ($($generics:tt)*) => {
        impl$($generics)* {
            /// The number of the task within its loop.
            pub fn id(&self) -> TaskId {
                TaskId(self.cell.id())
            }

            /// The name that was given, or `Task-` and the number.
            pub fn name(&self) -> String {
                self.cell.name()
            }

            /// Gives the task a name.
            pub fn set_name(&self, name: impl Into<String>) {
                let name: String = name.into();
                let before = self.cell.with_extras(|extras| extras.name.replace(name.into()));
                drop(before);
            }

            /// Where the task was created.
            pub fn site(&self) -> &'static Location<'static> {
                self.cell.site
            }

            /// The name of the future's type: for an `async fn`, its path.
            #[doc(alias = "get_coro")]
            pub fn type_name(&self) -> &'static str {
                self.cell.type_name()
            }

            /// The loop that the task belongs to.
            #[doc(alias = "get_loop")]
            pub fn scheduler(&self) -> Scheduler {
                self.cell.scheduler.clone()
            }

            /// What the task is doing.
            pub fn state(&self) -> TaskState {
                match self.cell.state.outcome() {
                    Some(Outcome::Cancelled) => TaskState::Cancelled,
                    Some(_) => TaskState::Done,
                    None if self.cell.state.is_running() => TaskState::Running,
                    None => TaskState::Pending,
                }
            }

            /// It has ended, in whatever way.
            #[doc(alias = "is_finished")]
            pub fn done(&self) -> bool {
                self.cell.state.is_done()
            }

            /// It has ended cancelled. A request that was only made, or swallowed, does not count.
            pub fn cancelled(&self) -> bool {
                self.cell.state.outcome() == Some(Outcome::Cancelled)
            }

            /// Asks the task to cancel: it learns of it in its next turn, at the await where it stands, and may clean up. False if
            /// the task is done, true otherwise, and the count of [`cancelling`](Self::cancelling) goes up.
            pub fn cancel(&self) -> bool {
                cancel::cancel_task(&self.cell, None)
            }

            /// The same with a reason, which `Cancelled` carries.
            pub fn cancel_with(&self, reason: impl Into<Cow<'static, str>>) -> bool {
                cancel::cancel_task(&self.cell, Some(reason.into()))
            }

            /// How many requests to cancel were made and not taken back.
            pub fn cancelling(&self) -> u32 {
                u32::from(self.cell.state.cancelling())
            }

            /// Takes one request back and returns how many are left. At zero a request that was not delivered yet, and was not
            /// passed on to another task, is withdrawn.
            pub fn uncancel(&self) -> u32 {
                self.cell.state.take_requests(1);
                let left = self.cell.state.cancelling();
                if left == 0 {
                    cancel::withdraw(&self.cell);
                }
                u32::from(left)
            }

            /// The forced form: the future is dropped in the task's next turn and no catcher is asked. False if the task is done.
            pub fn abort(&self) -> bool {
                if self.cell.state.is_done() {
                    return false;
                }
                self.cell.state.abort();
                self.cell.scheduler.wake_cell(&self.cell);
                true
            }
        }
    };
}

common!(<T> Task<T>);
common!(<T> ScopedTask<'_, T>);
common!(AnyTask);
