//! Waiting for a task: by value, which owns it, and by reference, which watches it.

use std::fmt;
use std::future::{Future, IntoFuture};
use std::mem::ManuallyDrop;
use std::panic::Location;
use std::pin::Pin;
use std::task::{Context, Poll};

use crate::cancel::light;
use crate::cancel::{Kind, Node};
use crate::cell::CellRef;
use crate::current;
use crate::error::TaskError;
use crate::task::{AnyTask, Task};
use crate::waiters::Registration;
use crate::waiting::note_task;

/// The future of `task.await`: the task's outcome, with the value.
///
/// It owns the task. When the waiter is cancelled, the task is asked to cancel, and the wait goes on until the task has ended.
/// Dropped by foreign code after its first poll, it asks the task to cancel and waits for nobody.
///
/// # Panics
///
/// When a task awaits itself, or a task of a loop that is not running here.
///
/// # Cancel safety
///
/// What is owned ends with its owner: the task is cancelled, and its value, if it had one already, is dropped.
#[must_use = "a future does nothing unless it is awaited"]
pub struct OwnedWait<T> {
    // What is taken out when the wait is over has no destructor in its place, so that nothing is left to do then.
    task: ManuallyDrop<Option<Task<T>>>,
    wait: Wait,
}

/// What an owned wait has of its own.
struct Wait {
    phase: Phase,
    registration: Option<Registration>,
    site: &'static Location<'static>,
    node: ManuallyDrop<Option<Node>>,
}

/// How an owned wait stands to the cancellation tree.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// It has not waited yet.
    Fresh,
    /// It waits without a node, registered inline, see [`light`].
    Light,
    /// It waits with a node.
    InTree,
}

impl<T> IntoFuture for Task<T> {
    type Output = Result<T, TaskError>;
    type IntoFuture = OwnedWait<T>;

    #[track_caller]
    fn into_future(self) -> OwnedWait<T> {
        OwnedWait {
            task: ManuallyDrop::new(Some(self)),
            wait: Wait {
                phase: Phase::Fresh,
                registration: None,
                site: Location::caller(),
                node: ManuallyDrop::new(None),
            },
        }
    }
}

impl<T> Unpin for OwnedWait<T> {}

impl<T> Future for OwnedWait<T> {
    type Output = Result<T, TaskError>;

    #[inline(always)]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.get_mut();
        let Some(task) = &*this.task else {
            polled_again();
        };
        let over = if task.can_leave() {
            this.wait.is_over_without_a_node(task.cell())
        } else if this.wait.begins_light(task.cell(), cx) {
            return Poll::Pending;
        } else {
            false
        };
        if !over && !this.wait.poll(task.cell(), cx) {
            return Poll::Pending;
        }
        match this.task.take() {
            Some(task) => Poll::Ready(task.into_outcome()),
            None => Poll::Pending,
        }
    }
}

#[cold]
fn polled_again() -> ! {
    panic!("a finished wait was polled again");
}

impl Wait {
    /// The task has ended, nothing joined the tree for this wait, and now nothing has to.
    #[inline(always)]
    fn is_over_without_a_node(&mut self, task: &CellRef) -> bool {
        match self.phase {
            Phase::Fresh => true,
            Phase::Light => self
                .registration
                .is_some_and(|registration| light::is_over(registration, task)),
            Phase::InTree => false,
        }
    }

    /// The first poll, of a wait that needs no node.
    #[inline(always)]
    fn begins_light(&mut self, task: &CellRef, cx: &Context<'_>) -> bool {
        if self.phase != Phase::Fresh {
            return false;
        }
        // The waker of a select inside of the task is another one than the task's.
        self.registration = light::begin(task, cx.waker(), self.site);
        let begun = self.registration.is_some();
        if begun {
            self.phase = Phase::Light;
        }
        begun
    }

    /// True: the wait is over, and the outcome may be taken.
    #[inline(never)]
    fn poll(&mut self, cell: &CellRef, cx: &mut Context<'_>) -> bool {
        match self.phase {
            Phase::Light => {
                let waiter = self.registration;
                if waiter.is_some_and(|waiter| light::is_still(waiter, cell, cx.waker())) {
                    note_task(self.site);
                    return false;
                }
                self.settle(cell);
            }
            Phase::Fresh | Phase::InTree => {}
        }
        self.phase = Phase::InTree;
        self.poll_in_tree(&AnyTask::new(cell.clone()), cx)
    }

    /// A light wait ends, or goes on with a node: the one that was made for it meanwhile, if there is one.
    fn settle(&mut self, task: &CellRef) {
        let waiter = self.registration.and_then(Registration::key);
        if let Some(id) = waiter.and_then(|waiter| light::end(waiter, task)) {
            self.node().adopt(id);
        }
    }

    fn node(&mut self) -> &mut Node {
        self.node.get_or_insert(const { Node::new(Kind::Wait) })
    }

    #[inline(never)]
    fn poll_in_tree(&mut self, task: &AnyTask, cx: &mut Context<'_>) -> bool {
        check_wait(task.cell());
        let node = self.node();
        if node.is_passing_on() {
            return false;
        }
        if node.enter_wait(cx, task) {
            // The request came when the task had ended already: nobody below can take it, so it goes up, and the value goes.
            let taken = node.take(|| ());
            node.pass_on_taken(taken);
            return false;
        }
        if task.is_settled() {
            if node.is_working() && task.cancelled() {
                node.pass_on();
                return false;
            }
            node.rest();
            drop(self.node.take());
            return true;
        }
        self.registration = Some(task.cell().wait(cx.waker(), self.registration));
        if task.is_settled() {
            // The clone of a waker is foreign code, which has ended the task.
            return self.poll_in_tree(task, cx);
        }
        note_task(self.site);
        false
    }

    /// The wait is dropped by foreign code, or with the task that waits.
    fn end_early(&mut self, task: &AnyTask) {
        if self.phase == Phase::Light {
            self.settle(task.cell());
        }
        let Some(registration) = self.registration else {
            return;
        };
        task.cell().forget_wait(registration);
        let has_asked = |node: &Node| node.has_passed_on() || node.is_working();
        if !self.node.as_ref().is_some_and(has_asked) {
            task.cancel();
        }
    }
}

impl<T> Drop for OwnedWait<T> {
    #[inline(always)]
    fn drop(&mut self) {
        if self.task.is_some() {
            self.drop_waiting();
        }
    }
}

impl<T> OwnedWait<T> {
    #[cold]
    #[inline(never)]
    fn drop_waiting(&mut self) {
        if let Some(task) = self.task.take() {
            self.wait.end_early(&task.any());
            drop(self.wait.node.take());
        }
    }
}

impl<T> fmt::Debug for OwnedWait<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("OwnedWait").field(&*self.task).finish()
    }
}

/// The future of `(&task).await`: a look at the task's outcome when it has ended.
///
/// # Panics
///
/// When a task awaits itself, or a task of a loop that is not running here.
///
/// # Cancel safety
///
/// Cancelling or dropping the wait does nothing to the task.
#[must_use = "a future does nothing unless it is awaited"]
pub struct Watch<'a, T> {
    task: &'a Task<T>,
    wait: EndWait,
}

impl<T> Task<T> {
    /// Waits for the end without owning the task: as through a shield, cancelling this wait leaves the task alone.
    #[track_caller]
    pub fn watch(&self) -> Watch<'_, T> {
        Watch {
            task: self,
            wait: EndWait::new(&self.any()),
        }
    }
}

impl<'a, T> IntoFuture for &'a Task<T> {
    type Output = Result<&'a T, TaskError>;
    type IntoFuture = Watch<'a, T>;

    #[track_caller]
    fn into_future(self) -> Watch<'a, T> {
        self.watch()
    }
}

impl<'a, T> Future for Watch<'a, T> {
    type Output = Result<&'a T, TaskError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let task = self.task;
        self.wait.poll_end(cx).map(|()| task.result())
    }
}

impl<T> fmt::Debug for Watch<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Watch").field(&self.task).finish()
    }
}

/// A wait for the end of a task of whatever type, by reference.
///
/// # Cancel safety
///
/// Cancelling or dropping the wait does nothing to the task.
#[must_use = "a future does nothing unless it is awaited"]
pub struct EndWait {
    task: AnyTask,
    registration: Option<Registration>,
    site: &'static Location<'static>,
}

impl EndWait {
    /// A wait that nobody has polled yet.
    #[track_caller]
    pub fn new(task: &AnyTask) -> EndWait {
        EndWait {
            task: task.clone(),
            registration: None,
            site: Location::caller(),
        }
    }

    /// Ready when the task has ended.
    pub fn poll_end(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        self.poll_until(cx, AnyTask::done)
    }

    /// Ready when the task has ended and its value may leave.
    pub fn poll_settled(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        self.poll_until(cx, AnyTask::is_settled)
    }

    fn poll_until(&mut self, cx: &mut Context<'_>, there: fn(&AnyTask) -> bool) -> Poll<()> {
        if there(&self.task) {
            return Poll::Ready(());
        }
        check_wait(self.task.cell());
        self.registration = Some(self.task.cell().wait(cx.waker(), self.registration));
        // The clone of a waker is foreign code, which may have ended the task.
        if there(&self.task) {
            return Poll::Ready(());
        }
        note_task(self.site);
        Poll::Pending
    }
}

impl Drop for EndWait {
    fn drop(&mut self) {
        if let Some(registration) = self.registration {
            self.task.cell().forget_wait(registration);
        }
    }
}

impl Future for EndWait {
    type Output = Result<(), TaskError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        self.poll_end(cx).map(|()| self.task.result())
    }
}

impl IntoFuture for AnyTask {
    type Output = Result<(), TaskError>;
    type IntoFuture = EndWait;

    #[track_caller]
    fn into_future(self) -> EndWait {
        EndWait {
            task: self,
            registration: None,
            site: Location::caller(),
        }
    }
}

impl fmt::Debug for EndWait {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("EndWait").field(&self.task).finish()
    }
}

/// What would never end is refused.
fn check_wait(cell: &CellRef) {
    let mut itself = false;
    current::with_current_cell(|current| itself = current == cell);
    assert!(!itself, "task '{}' cannot await itself", cell.name());
    crate::Scheduler::with_current(|current| {
        let Some(current) = current else { return };
        assert!(
            current.same(&cell.scheduler) || cell.state.is_done(),
            "task '{}' belongs to another event loop, which does not run while this one does: \
             use the `Remote` of that loop, or await the task there",
            cell.name()
        );
    });
}
