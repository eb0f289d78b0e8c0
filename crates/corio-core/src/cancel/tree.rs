//! The tree of a thread: its nodes, where the thread stands in it, and what is being collected while futures are dropped.

use std::cell::{Cell, RefCell};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use parking_lot::Mutex;

use super::actions::Actions;
use super::nodes::{NodeId, Nodes};
use super::request::{Part, Request, Why};

pub(crate) struct Tree {
    /// Given at the first use; 0 before.
    number: Cell<u64>,
    pub(crate) nodes: RefCell<Nodes>,
    /// Counts the steps of tasks that have requests under way. What is marked or reached notes the present number, so that it
    /// can be told whether a node was reached by a step, and whether a mark is older than a step.
    stamp: Cell<u64>,
    /// What is being collected while inner futures are dropped, innermost last.
    collecting: RefCell<Vec<Option<Request>>>,
}

static NUMBERS: AtomicU64 = AtomicU64::new(1);
static REQUESTS: AtomicU64 = AtomicU64::new(1);
/// Nodes that were dropped on a thread that is not theirs.
static RETURNED: Mutex<Vec<(u64, NodeId)>> = Mutex::new(Vec::new());
static RETURNED_COUNT: AtomicU64 = AtomicU64::new(0);

thread_local! {
    static TREE: Tree = const { Tree {
        number: Cell::new(0),
        nodes: RefCell::new(Nodes::new()),
        stamp: Cell::new(1),
        collecting: RefCell::new(Vec::new()),
    } };
}

/// Uses this thread's tree; `None` while the thread is ending.
#[inline]
pub(crate) fn with<R>(body: impl FnOnce(&Tree) -> R) -> Option<R> {
    TREE.try_with(body).ok()
}

/// The number of this thread's tree, never used again.
pub(crate) fn number() -> u64 {
    with(Tree::number).unwrap_or(0)
}

pub(crate) fn next_request() -> u64 {
    REQUESTS.fetch_add(1, Ordering::Relaxed)
}

/// The present stamp.
pub(super) fn stamp() -> u64 {
    with(|tree| tree.stamp.get()).unwrap_or(0)
}

/// A `Cancelled` was dropped that nobody had decided about: if a catcher is dropping it, its request joins.
pub(super) fn collect_dropped(number: u64, why: &Arc<Why>, parts: &[Part]) {
    with(|tree| {
        if tree.number() == number {
            drop(tree.collect(Request::new(why.clone(), parts.to_vec())));
        }
    });
}

/// A node was dropped on another thread.
pub(super) fn give_back(number: u64, id: NodeId) {
    RETURNED.lock().push((number, id));
    RETURNED_COUNT.fetch_add(1, Ordering::Release);
}

impl Tree {
    #[inline]
    pub(crate) fn number(&self) -> u64 {
        match self.number.get() {
            0 => {
                self.number.set(NUMBERS.fetch_add(1, Ordering::Relaxed));
                self.number.get()
            }
            number => number,
        }
    }

    #[inline]
    pub(super) fn stamp(&self) -> u64 {
        self.stamp.get()
    }

    /// A step begins.
    pub(super) fn next_stamp(&self) -> u64 {
        let stamp = self.stamp.get() + 1;
        self.stamp.set(stamp);
        stamp
    }

    /// Joins the innermost collection. Nobody is collecting: it comes back.
    fn collect(&self, request: Request) -> Option<Request> {
        match self.collecting.borrow_mut().last_mut() {
            Some(place) => {
                request.merge_into(place);
                None
            }
            None => Some(request),
        }
    }

    pub(super) fn begin_collecting(&self) {
        self.collecting.borrow_mut().push(None);
    }

    pub(super) fn end_collecting(&self) -> Option<Request> {
        self.collecting.borrow_mut().pop().flatten()
    }

    /// Takes back what other threads have dropped.
    #[inline]
    pub(super) fn sweep(&self) {
        if RETURNED_COUNT.load(Ordering::Acquire) != 0 {
            self.sweep_returned();
        }
    }

    #[cold]
    fn sweep_returned(&self) {
        let mut mine = Vec::new();
        {
            let mut returned = RETURNED.lock();
            returned.retain(|(number, id)| {
                if *number == self.number() {
                    mine.push(*id);
                }
                *number != self.number()
            });
            RETURNED_COUNT.store(returned.len() as u64, Ordering::Release);
        }
        for id in mine {
            self.leave(id);
        }
    }

    /// A node goes. What it had under way joins a collection, or rises to the node above it.
    pub(super) fn leave(&self, id: NodeId) {
        let mut actions = Actions::default();
        let removed = {
            let mut nodes = self.nodes.borrow_mut();
            if !nodes.is_alive(id) {
                return;
            }
            if nodes.is_quiet(id.index) {
                return nodes.remove_quiet(id.index);
            }
            let worked = nodes.working(id.index).is_some();
            if let Some(request) = nodes.give_up(id.index) {
                if let Some(request) = self.collect(request) {
                    nodes.rise(id.index, request, &mut actions);
                }
            }
            if worked {
                nodes.nudge(id.index, &mut actions);
            }
            nodes.remove(id.index)
        };
        drop(removed);
        actions.run();
    }
}

impl Drop for Tree {
    fn drop(&mut self) {
        let mut returned = RETURNED.lock();
        returned.retain(|(number, _)| *number != self.number.get());
        RETURNED_COUNT.store(returned.len() as u64, Ordering::Release);
    }
}
