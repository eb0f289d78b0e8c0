//! `TaskGroup::start`: waiting until a child is ready.

use std::cell::Cell;
use std::fmt;
use std::future::Future;
use std::panic::Location;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

use corio_core::cancel::{Kind, Node};
use corio_core::waiting::{self, WaitKind};
use corio_core::{EndWait, Task, TaskError};

static START: WaitKind = WaitKind::new("start");

/// By this a child says that it is ready, see [`TaskGroup::start`](crate::TaskGroup::start).
pub struct Readiness<T> {
    word: Rc<Word<T>>,
}

/// What the child says, and who listens.
pub(super) struct Word<T> {
    value: Cell<Option<T>>,
    waker: Cell<Option<Waker>>,
}

impl<T> Readiness<T> {
    pub(super) fn new() -> (Readiness<T>, Rc<Word<T>>) {
        let word = Rc::new(Word {
            value: Cell::new(None),
            waker: Cell::new(None),
        });
        (Readiness { word: word.clone() }, word)
    }

    /// The child is ready: whoever started it goes on with `value`.
    #[doc(alias = "started")]
    pub fn ready(self, value: T) {
        self.word.value.set(Some(value));
        if let Some(waker) = self.word.waker.take() {
            waker.wake();
        }
    }
}

impl<T> fmt::Debug for Readiness<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Readiness").finish_non_exhaustive()
    }
}

/// The future of [`TaskGroup::start`](crate::TaskGroup::start).
#[must_use = "a future does nothing unless it is awaited"]
pub struct Start<T, V> {
    word: Rc<Word<T>>,
    task: Option<Task<V>>,
    end: EndWait,
    polled: bool,
    site: &'static Location<'static>,
    node: Node,
}

impl<T, V> Start<T, V> {
    #[track_caller]
    pub(super) fn new(word: Rc<Word<T>>, task: Task<V>) -> Start<T, V> {
        Start {
            word,
            end: EndWait::new(&task.any()),
            task: Some(task),
            polled: false,
            site: Location::caller(),
            node: Node::new(Kind::Wait),
        }
    }

    /// The wait is over, and the task is the waiter's.
    fn finish(&mut self) -> Option<Task<V>> {
        self.node.rest();
        self.node.leave();
        drop(self.word.waker.take());
        self.task.take()
    }
}

impl<T, V> Unpin for Start<T, V> {}

impl<T, V> Future for Start<T, V> {
    type Output = Result<(T, Task<V>), TaskError>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.get_mut();
        let Some(task) = this.task.as_ref().map(Task::any) else {
            panic!("a finished start was polled again");
        };
        if this.node.is_passing_on() {
            return Poll::Pending;
        }
        this.polled = true;
        if this.node.enter_wait(cx, &task) {
            let taken = this.node.take(|| ());
            this.node.pass_on_taken(taken);
            return Poll::Pending;
        }
        if let Some(value) = this.word.value.take() {
            let task = this.finish();
            return Poll::Ready(Ok((value, task.expect("it is there until now"))));
        }
        if this.end.poll_settled(cx).is_ready() {
            if this.node.is_working() && task.cancelled() {
                this.node.pass_on();
                return Poll::Pending;
            }
            this.finish();
            return match task.result() {
                Err(error) => Poll::Ready(Err(error)),
                Ok(()) => panic!(
                    "the child '{}' has ended without saying that it is ready",
                    task.name()
                ),
            };
        }
        let old = this.word.waker.replace(Some(cx.waker().clone()));
        drop(old);
        waiting::note(&START, this.site);
        Poll::Pending
    }
}

impl<T, V> Drop for Start<T, V> {
    fn drop(&mut self) {
        let Some(task) = self.task.take() else { return };
        if self.polled && !self.node.has_passed_on() && !self.node.is_working() {
            task.cancel();
        }
    }
}

impl<T, V> fmt::Debug for Start<T, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Start").field(&self.task).finish()
    }
}
