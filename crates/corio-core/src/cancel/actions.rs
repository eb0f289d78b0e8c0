//! What remains to be done when the borrow of the tree has ended.

use std::collections::HashSet;
use std::sync::Arc;

use super::nodes::NodeId;
use super::request::Why;
use super::task;
use super::tree::{self, Tree};
use crate::caught::{caught, discard};
use crate::cell::CellRef;
use crate::error::Panic;
use crate::scheduler::Scheduler;

/// Wakes and further requests, in order. Dropped without [`run`](Actions::run) they are lost.
#[derive(Default)]
#[must_use]
pub(crate) struct Actions(Vec<Action>);

enum Action {
    /// A node is woken with the waker that it was polled with.
    Wake(NodeId),
    Step(CellRef),
    /// The wait with this id asks the task.
    Ask(CellRef, Arc<Why>, NodeId),
}

impl Actions {
    pub(super) fn wake(&mut self, node: NodeId) {
        self.0.push(Action::Wake(node));
    }

    pub(super) fn step(&mut self, task: &CellRef) {
        self.0.push(Action::Step(task.clone()));
    }

    pub(super) fn ask(&mut self, task: CellRef, why: Arc<Why>, wait: NodeId) {
        self.0.push(Action::Ask(task, why, wait));
    }

    #[inline]
    pub(crate) fn run(self) {
        if !self.0.is_empty() {
            self.run_all(None);
        }
    }

    /// The same, for what came of a request to `task`.
    pub(crate) fn run_for(self, task: &CellRef) {
        if !self.0.is_empty() {
            self.run_all(Some(task));
        }
    }

    /// Requests that go from task to task are a work list: chains may be long. A wait that would close a ring keeps the
    /// request, for no task of a ring ends before another one does.
    #[cold]
    fn run_all(self, first: Option<&CellRef>) {
        let name = |task: &CellRef| (task.scheduler.id(), task.id());
        let mut seen: HashSet<(u32, u64)> = first.map(name).into_iter().collect();
        let mut stack = self.0;
        stack.reverse();
        let mut panicked = None;
        while let Some(action) = stack.pop() {
            let more = match action {
                Action::Wake(node) => {
                    match wake(node) {
                        Err(panic) if panicked.is_none() => panicked = Some(panic),
                        woken => discard(woken),
                    }
                    continue;
                }
                Action::Step(task) => {
                    task.scheduler.wake_cell(&task);
                    continue;
                }
                Action::Ask(task, why, wait) if seen.insert(name(&task)) => {
                    let (_, more) = task::enter_root(&task, why);
                    task::note_asker(&task, wait);
                    more
                }
                Action::Ask(_, _, wait) => {
                    let mut more = Actions::default();
                    tree::with(|tree| tree.nodes.borrow_mut().keep(wait, &mut more));
                    more
                }
            };
            stack.extend(more.0.into_iter().rev());
        }
        if let Some(panic) = panicked {
            waker_panicked(panic);
        }
    }
}

/// Everybody else has been woken. In a loop there may be no caller but the loop itself.
#[cold]
fn waker_panicked(panic: Panic) {
    match Scheduler::current() {
        Some(scheduler) => scheduler.report_foreign_waker(panic),
        None => panic.resume(),
    }
}

/// The waker leaves its place for the time of the call, since even a clone of it would be foreign code. Its panic is the result.
fn wake(node: NodeId) -> Result<(), Panic> {
    let take = |tree: &Tree| {
        let mut nodes = tree.nodes.borrow_mut();
        nodes
            .is_alive(node)
            .then(|| nodes.set_waker(node.index, None))
    };
    let Some(waker) = tree::with(take).flatten().flatten() else {
        return Ok(());
    };
    let woken = caught(|| waker.wake_by_ref());
    let left = tree::with(|tree| {
        let mut nodes = tree.nodes.borrow_mut();
        if nodes.is_alive(node) && nodes.waker(node.index).is_none() {
            nodes.set_waker(node.index, Some(waker))
        } else {
            Some(waker)
        }
    });
    woken.and(caught(|| drop(left)))
}
