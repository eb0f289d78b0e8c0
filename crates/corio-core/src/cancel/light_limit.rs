//! The other case that needs no node: a time limit that is all there is in its task.
//!
//! While it waits, its number stands with a bit that says so in the header of the task, where the root would stand. While the work
//! inside is polled, the header is empty, as in the [first poll](super::Node::poll_before): what joins the tree meanwhile is adopted
//! by the limit, which then joins as well. A request from outside, or a node beside the limit, needs no node of it: the root is made
//! in the place of the number and keeps it, and the limit joins when it is polled again. Only the limit's own request needs a node,
//! as its origin, and gets it made when it comes.

use super::nodes::{NodeId, Nodes};
use super::place;
use super::task::root_of;
use super::tree;
use crate::cell::CellRef;
use crate::current;
use crate::scheduler::{Inner, Scheduler};
use crate::waker;
use std::task::Waker;

/// The mark in the header: bit 31 is that of everything light.
pub(super) const LIMIT: u32 = 0b11 << 30;
/// The numbers of limits come round again after this. None is stale for longer than a turn.
const NUMBERS: u32 = (1 << 30) - 1;

/// A limit that stands in the header of a task.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct LightLimit {
    pub(super) slot: u32,
    pub(super) number: u32,
}

impl LightLimit {
    fn mark(self) -> u32 {
        self.number | LIMIT
    }

    /// The limit has a place in the running task, whose waker it is polled with and in which nothing else stands. `again` is the
    /// one that it had before.
    #[inline]
    pub(super) fn begin(waker: &Waker, again: Option<LightLimit>) -> Option<(u64, LightLimit)> {
        if !place::is_bare() {
            return None;
        }
        current::with_inner(|inner| {
            let inner = inner?;
            let mut begun = None;
            inner.with_current(|cell| {
                let key = cell.key.get();
                if cell.scope.get() == 0 && waker::is_of(waker, key) {
                    let limit = again.unwrap_or_else(|| LightLimit {
                        slot: key.slot() as u32,
                        number: next_number(inner),
                    });
                    cell.scope.set(limit.mark());
                    begun = Some((inner.number, limit));
                }
            });
            begun
        })
    }

    /// It is still all there is in the running task, and is taken out for the time of a poll.
    #[inline]
    pub(super) fn pick_up(self, scheduler: u64, waker: &Waker) -> bool {
        place::is_bare()
            && current::with_inner(|inner| {
                let mut picked_up = false;
                if let Some(inner) = inner.filter(|inner| inner.number == scheduler) {
                    inner.with_current(|cell| {
                        let key = cell.key.get();
                        if cell.scope.get() == self.mark()
                            && key.slot() as u32 == self.slot
                            && waker::is_of(waker, key)
                        {
                            cell.scope.set(0);
                            picked_up = true;
                        }
                    });
                }
                picked_up
            })
    }

    /// It stands in the running task, or in the tree of that task.
    pub(super) fn is_here(self, scheduler: u64) -> bool {
        current::with_inner(|inner| {
            let mut is_here = false;
            if let Some(inner) = inner.filter(|inner| inner.number == scheduler) {
                inner.with_current(|cell| {
                    let below =
                        |root| tree::with(|tree| tree.nodes.borrow().has_limit(root, self.number));
                    is_here = cell.key.get().slot() as u32 == self.slot
                        && match cell.root() {
                            0 => cell.scope.get() == self.mark(),
                            root => below(root).unwrap_or(false),
                        };
                });
            }
            is_here
        })
    }

    /// It ends, or goes on with a node: with the one that was made for it meanwhile, if there is one.
    pub(super) fn end(self, scheduler: u64) -> Option<NodeId> {
        match crate::find_scheduler(scheduler) {
            crate::Whereabouts::Here(scheduler) => self.end_on(&scheduler),
            crate::Whereabouts::Elsewhere(remote) => {
                // A loop that is closed has no tasks.
                let _ = remote.call_soon(move || {
                    Scheduler::with_current(|scheduler| {
                        if let Some(id) = scheduler.and_then(|scheduler| self.end_on(scheduler)) {
                            tree::with(|tree| tree.leave(id));
                        }
                    });
                });
                None
            }
            crate::Whereabouts::Gone => None,
        }
    }

    fn end_on(self, scheduler: &Scheduler) -> Option<NodeId> {
        let cell = scheduler.inner().tasks.in_slot(self.slot as usize)?;
        if cell.scope.get() == self.mark() {
            cell.scope.set(0);
        }
        self.node_of(&cell)
    }

    /// The node that was made for it in this task.
    fn node_of(self, cell: &CellRef) -> Option<NodeId> {
        let root = cell.root();
        if root == 0 {
            return None;
        }
        tree::with(|tree| tree.nodes.borrow_mut().end_limit(root, self.number)).flatten()
    }

    /// The time is up: the node at which the request enters, made if need be. `None`: the limit is in no place of this task. The
    /// task is woken, so that a limit that comes back to it can join and see that its time is up.
    pub(super) fn origin(self) -> Option<NodeId> {
        let cell = current::with_inner(|inner| inner?.tasks.in_slot(self.slot as usize))?;
        let stands = cell.scope.get() == self.mark();
        let node = tree::with(|tree| {
            let root = if stands {
                root_of(tree, &cell)
            } else {
                cell.root()
            };
            let mut nodes = tree.nodes.borrow_mut();
            (root != 0).then(|| nodes.limit_below(root, self.number))?
        })
        .flatten();
        if node.is_none() {
            cell.scheduler.wake_cell(&cell);
        }
        node
    }
}

/// A root comes to stand where a limit stood: it keeps the number.
pub(super) fn make_way(nodes: &mut Nodes, scope: u32, root: u32) {
    nodes.set_number(root, Some(scope & NUMBERS));
}

fn next_number(inner: &Inner) -> u32 {
    let number = inner.next_limit.get();
    inner.next_limit.set((number + 1) & NUMBERS);
    number
}
