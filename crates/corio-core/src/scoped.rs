//! `ScopedTask`: the handle of a task whose future and value may borrow.

use std::cell::{Cell, OnceCell};
use std::fmt;
use std::future::{Future, IntoFuture};
use std::marker::PhantomData;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

use crate::cancel::{Kind, Node};
use crate::cell::CellRef;
use crate::error::{Panic, TaskError};
use crate::join::EndWait;
use crate::state::Outcome;
use crate::task::AnyTask;

/// A child of a scope and the right to its value, which may borrow.
///
/// It is a task like any other: `task.await` owns it and `(&task).await` watches it, it has a name and a number, and the current
/// task is the child while it runs. What differs is where the future lives: in the scope.
pub struct ScopedTask<'env, T> {
    pub(crate) cell: CellRef,
    value: Rc<Kept<T>>,
    env: PhantomData<&'env ()>,
}

impl<'env, T> ScopedTask<'env, T> {
    pub(crate) fn new(cell: CellRef, value: Rc<Kept<T>>) -> ScopedTask<'env, T> {
        ScopedTask {
            cell,
            value,
            env: PhantomData,
        }
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
    /// When the task has no value: it is not done, was cancelled, or panicked.
    pub fn result(&self) -> Result<&T, TaskError> {
        self.any().result()?;
        self.value.value.get().ok_or(TaskError::NotDone)
    }

    /// The outcome by value.
    ///
    /// # Errors
    ///
    /// As [`result`](ScopedTask::result).
    pub fn into_result(self) -> Result<T, TaskError> {
        self.any().result()?;
        // The other share went with the future.
        let value = Rc::try_unwrap(self.value)
            .ok()
            .and_then(|kept| kept.value.into_inner());
        value.ok_or(TaskError::NotDone)
    }

    /// Waits for the end without owning the task: cancelling this wait leaves the task alone.
    #[track_caller]
    pub fn watch(&self) -> ScopedWatch<'_, 'env, T> {
        ScopedWatch {
            task: self,
            wait: EndWait::new(&self.any()),
        }
    }
}

impl<V, E> ScopedTask<'_, Result<V, E>> {
    /// A flag that says whether the value is there and an `Err`: the value may borrow, and the flag does not.
    pub(crate) fn failed(&self) -> Rc<Cell<bool>> {
        let judge = self.value.judge.take();
        let (is_err, failed) = judge.unwrap_or_else(|| (Result::is_err, Rc::default()));
        failed.set(self.value.value.get().is_some_and(Result::is_err));
        self.value.judge.set(Some((is_err, failed.clone())));
        failed
    }
}

/// The place of the value, which the future and the handle share.
pub(crate) struct Kept<T> {
    value: OnceCell<T>,
    /// What is to be known of the value when it comes, and who is to be told.
    judge: Cell<Option<Judge<T>>>,
}

type Judge<T> = (fn(&T) -> bool, Rc<Cell<bool>>);

impl<T> Kept<T> {
    pub(crate) const fn new() -> Kept<T> {
        Kept {
            value: OnceCell::new(),
            judge: Cell::new(None),
        }
    }

    /// The value has come. Once.
    pub(crate) fn keep(&self, value: T) {
        let value = self.value.get_or_init(|| value);
        if let Some((judge, told)) = self.judge.take() {
            told.set(judge(value));
            self.judge.set(Some((judge, told)));
        }
    }
}

impl AnyTask {
    /// The panic that the task ended with, if nobody has seen it. It counts as seen from now on.
    pub fn take_unseen_panic(&self) -> Option<Panic> {
        let cell = self.cell();
        if cell.state.outcome() != Some(Outcome::Panicked) || cell.state.is_seen() {
            return None;
        }
        match self.result() {
            Err(TaskError::Panicked(panic)) => Some(panic),
            _ => None,
        }
    }

    /// Somebody waits for the end of the task.
    pub fn is_awaited(&self) -> bool {
        self.cell().waiters.get() != 0
    }
}

/// The future of `scoped_task.await`, see [`OwnedWait`](crate::OwnedWait).
///
/// # Cancel safety
///
/// What is owned ends with its owner: the task is cancelled, and its value, if it had one already, is dropped.
#[must_use = "a future does nothing unless it is awaited"]
pub struct ScopedWait<'env, T> {
    task: Option<ScopedTask<'env, T>>,
    wait: EndWait,
    polled: bool,
    node: Node,
}

impl<'env, T> IntoFuture for ScopedTask<'env, T> {
    type Output = Result<T, TaskError>;
    type IntoFuture = ScopedWait<'env, T>;

    #[track_caller]
    fn into_future(self) -> ScopedWait<'env, T> {
        ScopedWait {
            wait: EndWait::new(&self.any()),
            task: Some(self),
            polled: false,
            node: Node::new(Kind::Wait),
        }
    }
}

impl<T> Unpin for ScopedWait<'_, T> {}

impl<T> Future for ScopedWait<'_, T> {
    type Output = Result<T, TaskError>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.get_mut();
        if this.node.is_passing_on() {
            return Poll::Pending;
        }
        let task = this.task.as_ref().map(ScopedTask::any);
        let task = task.expect("a finished wait was polled again");
        if this.polled || !task.done() {
            this.polled = true;
            if this.node.enter_wait(cx, &task) {
                let taken = this.node.take(|| ());
                this.node.pass_on_taken(taken);
                return Poll::Pending;
            }
            if this.wait.poll_end(cx).is_pending() {
                return Poll::Pending;
            }
            if this.node.is_working() && task.cancelled() {
                this.node.pass_on();
                return Poll::Pending;
            }
            this.node.rest();
        }
        this.node.leave();
        match this.task.take() {
            Some(task) => Poll::Ready(task.into_result()),
            None => Poll::Pending,
        }
    }
}

impl<T> Drop for ScopedWait<'_, T> {
    fn drop(&mut self) {
        if let Some(task) = self.task.take() {
            if self.polled && !self.node.has_passed_on() && !self.node.is_working() {
                task.cancel();
            }
        }
    }
}

impl<T> fmt::Debug for ScopedWait<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("ScopedWait").field(&self.task).finish()
    }
}

/// The future of `(&scoped_task).await`.
///
/// # Cancel safety
///
/// Cancelling or dropping the wait does nothing to the task.
#[must_use = "a future does nothing unless it is awaited"]
pub struct ScopedWatch<'a, 'env, T> {
    task: &'a ScopedTask<'env, T>,
    wait: EndWait,
}

impl<'a, 'env, T> IntoFuture for &'a ScopedTask<'env, T> {
    type Output = Result<&'a T, TaskError>;
    type IntoFuture = ScopedWatch<'a, 'env, T>;

    #[track_caller]
    fn into_future(self) -> ScopedWatch<'a, 'env, T> {
        self.watch()
    }
}

impl<'a, T> Future for ScopedWatch<'a, '_, T> {
    type Output = Result<&'a T, TaskError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let task = self.task;
        self.wait.poll_end(cx).map(|()| task.result())
    }
}

impl<T> fmt::Debug for ScopedWatch<'_, '_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("ScopedWatch").field(&self.task).finish()
    }
}

impl<T> fmt::Debug for ScopedTask<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.any().fmt(f)
    }
}
