//! The case that needs no node: an owned wait that is all there is in its task.
//!
//! Most tasks that wait for another task do only that. Then the place of the awaited task, with a bit that says so, stands in the
//! header where the root would stand. When something comes that needs the tree (a request, a second node), the root is made, and
//! below it the node that the wait would have had; the wait finds it there.

use std::panic::Location;
use std::task::Waker;

use super::light_limit::{self, LIMIT};
use super::node::Kind;
use super::nodes::{NodeId, Subject};
use super::place;
use super::tree::{self, Tree};
use crate::cell::CellRef;
use crate::current;
use crate::key::TaskKey;
use crate::waiters::Registration;
use crate::waker;

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

/// The running task is about to wait for `target`, a task of the same loop whose one waiter it will be, with its own waker, and it
/// has no other node: the wait is noted, and registered inline. `None`: a node is needed.
#[inline(never)]
pub(crate) fn begin(
    target: &CellRef,
    waker: &Waker,
    site: &'static Location<'static>,
) -> Option<Registration> {
    if !place::is_bare() || target.waiters.get() != 0 || !target.state.is_resting() {
        return None;
    }
    let mut waiter = None;
    current::with_current_cell(|cell| {
        let key = cell.key.get();
        let same_loop = cell.scheduler.same(&target.scheduler);
        if waker::is_of(waker, key) && cell.scope.get() == 0 && same_loop {
            cell.scope.set(mark_of(target));
            target.waiters.set(key.to_bits());
            cell.waits_for_task(site);
            waiter = Some(Registration::inline(key));
        }
    });
    waiter
}

/// The light wait of the running task is still all there is, its waker is the task's, and it is still to be woken by the end.
#[inline]
pub(crate) fn is_still(waiter: Registration, target: &CellRef, waker: &Waker) -> bool {
    let with_its_own_waker = |key| waker::is_of(waker, key);
    place::is_bare()
        && !target.state.is_done()
        && waiter.key().is_some_and(with_its_own_waker)
        && at(waiter, target, |_| {})
}

/// The same, and since it is over it is taken out.
#[inline]
pub(crate) fn is_over(waiter: Registration, target: &CellRef) -> bool {
    at(waiter, target, |cell| cell.scope.set(0))
}

/// False: the task has got a root meanwhile, as with every node that it is in, or the wait has moved to another task.
#[inline]
fn at(waiter: Registration, target: &CellRef, found: impl FnOnce(&CellRef)) -> bool {
    let mut is_there = false;
    current::with_current_cell(|cell| {
        if waiter.is_of(cell) && cell.scope.get() == mark_of(target) {
            found(cell);
            is_there = true;
        }
    });
    is_there
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

/// The root of the waiting task is needed: a wait that was light gets its node.
#[cold]
pub(super) fn settle(tree: &Tree, cell: &CellRef, scope: u32, root: u32) {
    if scope & LIGHT == 0 {
        return;
    }
    if scope & LIMIT == LIMIT {
        return light_limit::make_way(&mut tree.nodes.borrow_mut(), scope, root);
    }
    let slot = (scope & !LIGHT) as usize;
    let target = cell.scheduler.inner().tasks.in_slot(slot).filter(|target| {
        // The slot may have got another task, if the one that was meant has ended. That one told its waiter.
        target.waiters.get() == cell.key.get().to_bits()
    });
    if let Some(target) = target {
        tree.nodes
            .borrow_mut()
            .add_for(Kind::Wait, root, Subject::Owned(target));
    }
}
