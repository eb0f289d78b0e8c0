//! The case that needs no node: an owned wait that is all there is in its task.
//!
//! Most tasks that wait for another task do only that. Then the place of the awaited task, with a bit that says so, stands in the
//! header where the root would stand. When something comes that needs the tree (a request, a second node), the root is made, and
//! below it the node that the wait would have had; the wait finds it there.

use super::node::Kind;
use super::nodes::{NodeId, Subject};
use super::place;
use super::tree::{self, Tree};
use crate::cell::CellRef;
use crate::current;
use crate::key::TaskKey;

const LIGHT: u32 = 1 << 31;

fn mark_of(target: &CellRef) -> u32 {
    target.key.get().slot() as u32 | LIGHT
}

impl CellRef {
    /// The root of the task in the tree; 0 is none.
    #[inline]
    pub(crate) fn root(&self) -> u32 {
        match self.scope.get() {
            scope if scope & LIGHT != 0 => 0,
            root => root,
        }
    }
}

/// The running task is about to wait for `target`, a task of the same loop whose one waiter it will be, and has no other node: the
/// wait is noted, and is to be registered inline. `None`: a node is needed.
#[inline]
pub(crate) fn begin(target: &CellRef) -> Option<TaskKey> {
    if !place::is_bare() || target.waiters.get() != 0 {
        return None;
    }
    let mut waiter = None;
    current::with_current_cell(|cell| {
        let key = cell.key.get();
        let same_loop = key.loop_id() == target.key.get().loop_id();
        if cell.scope.get() == 0 && same_loop && cell != target {
            cell.scope.set(mark_of(target));
            waiter = Some(key);
        }
    });
    waiter
}

/// What became of a light wait of the running task.
pub(crate) enum Look {
    /// It is still all there is.
    Still,
    /// It was, and has been taken out because it is over.
    Over,
    /// The task has got a root meanwhile, or the wait has moved to another task.
    Settled,
}

/// Looks at a light wait; `over` takes it out.
#[inline]
pub(crate) fn look(waiter: TaskKey, target: &CellRef, over: bool) -> Look {
    let mut look = Look::Settled;
    if place::node() == 0 {
        current::with_current_cell(|cell| {
            if cell.key.get() == waiter && cell.scope.get() == mark_of(target) {
                look = if over {
                    cell.scope.set(0);
                    Look::Over
                } else {
                    Look::Still
                };
            }
        });
    }
    look
}

/// The wait is over, or goes on with a node: the one that was made for it meanwhile, if there is one.
#[inline]
pub(crate) fn end(waiter: TaskKey, target: &CellRef) -> Option<NodeId> {
    let mark = mark_of(target);
    let root = target.scheduler.inner().tasks.with(waiter, |cell| {
        if cell.scope.get() == mark {
            cell.scope.set(0);
        }
        cell.root()
    });
    match root {
        None | Some(0) => None,
        Some(root) => tree::with(|tree| tree.nodes.borrow().find_wait(root, target)).flatten(),
    }
}

/// The root of the waiting task is needed: what was light gets its node.
#[cold]
pub(super) fn settle(tree: &Tree, cell: &CellRef, scope: u32, root: u32) {
    if scope & LIGHT == 0 {
        return;
    }
    let slot = (scope & !LIGHT) as usize;
    let target = cell.scheduler.inner().tasks.in_slot(slot).filter(|target| {
        // The slot may have got another task, if the one that was meant has ended. That one told its waiter.
        target.waiters.get() == cell.key.get().to_bits()
    });
    if let Some(target) = target {
        tree.nodes
            .borrow_mut()
            .add(Kind::Wait, root, Subject::Owned(target));
    }
}
