//! The tree from the side of tasks: how a request reaches one, and what the scheduler asks before and after a step.

use std::borrow::Cow;
use std::sync::Arc;
use std::task::Poll;

use super::actions::Actions;
use super::cancelled::Cancelled;
use super::light;
use super::node::Kind;
use super::nodes::{Limit, NodeId, Nodes, Subject};
use super::place;
use super::request::{Request, Why};
use super::tree::{self, Tree};
use crate::cell::CellRef;
use crate::current;
use crate::moment::Moment;

/// Asks a task to cancel. False: it is done.
pub(crate) fn cancel_task(cell: &CellRef, reason: Option<Cow<'static, str>>) -> bool {
    let asker = current::current_cell().map(|cell| cell.name());
    let (asked, actions) = enter_root(cell, Arc::new(Why { reason, asker }));
    actions.run_for(cell);
    asked
}

/// A request enters at the root of a task.
pub(super) fn enter_root(cell: &CellRef, why: Arc<Why>) -> (bool, Actions) {
    let mut actions = Actions::default();
    if cell.state.is_done() {
        return (false, actions);
    }
    cell.state.add_request();
    if cell.state.has_future() {
        tree::with(|tree| {
            let root = root_of(tree, cell);
            let mut nodes = tree.nodes.borrow_mut();
            let id = nodes.id(root);
            nodes.request(id, why, &mut actions);
        });
    }
    (true, actions)
}

/// A wait has asked the task, and is to be judged when that may not go on.
pub(super) fn note_asker(cell: &CellRef, wait: NodeId) {
    if cell.root() != 0 {
        tree::with(|tree| tree.nodes.borrow_mut().note_asker(cell.root(), wait));
    }
}

/// The holder of a lent task was told that there is a step to take.
pub(crate) fn told(cell: &CellRef) {
    if cell.root() != 0 {
        tree::with(|tree| {
            let mut actions = Actions::default();
            let nodes = tree.nodes.borrow();
            nodes.task_told(cell.root(), &mut actions);
            drop(nodes);
            actions.run();
        });
    }
}

/// The request that ends the task instead of its next poll.
#[cold]
pub(crate) fn before_poll(cell: &CellRef) -> Option<Cancelled> {
    tree::with(|tree| {
        tree.sweep();
        let stamp = tree.next_stamp();
        let root = cell.root();
        if root == 0 {
            return None;
        }
        let mut actions = Actions::default();
        let outcome = {
            let mut nodes = tree.nodes.borrow_mut();
            let request = nodes.before_step(root, stamp, &mut actions);
            request.map(|request| Cancelled::outcome(&request, nodes.id(root)))
        };
        actions.run();
        outcome
    })
    .flatten()
}

/// The request that ends the task after a poll that was pending.
#[cold]
pub(crate) fn after_poll(cell: &CellRef) -> Option<Cancelled> {
    tree::with(|tree| {
        let root = cell.root();
        if root == 0 {
            cell.state.at_ease();
            return None;
        }
        let mut actions = Actions::default();
        let woken = cell.state.is_queued();
        let outcome = {
            let mut nodes = tree.nodes.borrow_mut();
            let request = nodes.after_step(root, woken, &mut actions);
            request.map(|request| Cancelled::outcome(&request, nodes.id(root)))
        };
        actions.run();
        outcome
    })
    .flatten()
}

/// The task has given its last answer or lost its future: its root goes. What was outstanding is the result.
pub(crate) fn task_ended(cell: &CellRef) -> Option<Cancelled> {
    tree::with(|tree| {
        let root = cell.root();
        cell.scope.set(0);
        if root == 0 {
            return None;
        }
        let mut actions = Actions::default();
        let (outcome, removed) = {
            let mut nodes = tree.nodes.borrow_mut();
            let request = nodes.end_root(root, &mut actions);
            let outcome = request.map(|request| Cancelled::outcome(&request, nodes.id(root)));
            let unclaimed = nodes.remove_unclaimed(root);
            (outcome, (unclaimed, nodes.remove(root)))
        };
        drop(removed);
        actions.run();
        outcome
    })
    .flatten()
}

/// Requests on the task that were not delivered yet, and were not passed on to others, are taken back.
pub(crate) fn withdraw(cell: &CellRef) {
    if cell.root() != 0 {
        tree::with(|tree| tree.nodes.borrow_mut().withdraw(cell.root()));
    }
}

/// Runs destructors whose nodes and `Cancelled`s are not to disturb anybody: the task that they were part of has ended.
pub(crate) fn collect<R>(body: impl FnOnce() -> R) -> R {
    collect_bounced(body).0
}

/// Runs the destructors of what a node drops, and gives what bounced there.
pub(super) fn collect_bounced<R>(body: impl FnOnce() -> R) -> (R, Option<Request>) {
    struct End(bool);
    impl Drop for End {
        fn drop(&mut self) {
            if self.0 {
                tree::with(Tree::end_collecting);
            }
        }
    }
    let begun = tree::with(Tree::begin_collecting).is_some();
    let mut end = End(begun);
    let result = body();
    end.0 = false;
    let bounced = if begun {
        tree::with(Tree::end_collecting).flatten()
    } else {
        None
    };
    (result, bounced)
}

/// The node that a node which is polled now stands below; 0 outside of any node and any task.
#[inline]
pub(super) fn parent_here(tree: &Tree) -> u32 {
    match place::node() {
        0 => {
            let mut root = 0;
            current::with_current_cell(|cell| root = root_of(tree, cell));
            root
        }
        current => current,
    }
}

/// The root of a task, made when it is first needed.
#[inline]
pub(super) fn root_of(tree: &Tree, cell: &CellRef) -> u32 {
    match cell.root() {
        0 => make_root(tree, cell),
        root => root,
    }
}

fn make_root(tree: &Tree, cell: &CellRef) -> u32 {
    let subject = Subject::Task(cell.clone());
    let root = tree.nodes.borrow_mut().add(Kind::Root, 0, subject).index;
    let before = cell.scope.replace(root);
    light::settle(tree, cell, before, root);
    root
}

/// `propagate`, where it is polled.
pub(super) fn rise_here(request: Request) {
    let why = request.why().clone();
    let risen = tree::with(|tree| {
        let mut actions = Actions::default();
        let risen = {
            let start = here();
            let mut nodes = tree.nodes.borrow_mut();
            let request = nodes.on_the_way_up(start, request);
            nodes.rise_from(start, request, &mut actions)
        };
        actions.run();
        risen
    });
    if risen == Some(false) {
        ask_here(why);
    }
}

/// The innermost node or root that is there; nothing is made.
fn here() -> u32 {
    match place::node() {
        0 => current::current_cell().map_or(0, |cell| cell.root()),
        current => current,
    }
}

/// A request that nothing of this place is behind: it enters at the current task, or goes to the innermost catcher.
pub(super) fn ask_here(why: Arc<Why>) {
    if let Some(cell) = current::current_cell() {
        let (_, actions) = enter_root(&cell, why);
        return actions.run_for(&cell);
    }
    let taken = tree::with(|tree| {
        let mut actions = Actions::default();
        let start = place::node();
        let mut nodes = tree.nodes.borrow_mut();
        let taken = nodes.innermost_catcher(start).is_some_and(|origin| {
            let request = Nodes::entering(origin, why);
            nodes.rise_from(start, request, &mut actions)
        });
        drop(nodes);
        actions.run();
        taken
    });
    assert!(
        taken == Some(true),
        "propagate outside of a task and of a catcher would wait for ever: return the `Cancelled` instead"
    );
}

/// The poll of a future that has passed its request on. It stays pending, for whoever takes the request drops it.
///
/// # Panics
///
/// When the request was taken by somebody who has only borrowed the future, so that it would be pending for ever.
pub fn poll_after_passing_on<T>() -> Poll<T> {
    let is_under_way = tree::with(|tree| {
        let here = here();
        here != 0 && tree.nodes.borrow().is_under_way(here)
    });
    assert!(
        is_under_way != Some(false),
        "a future that was cancelled cannot be awaited again: the limit or catcher that took the request had only borrowed it"
    );
    Poll::Pending
}

/// Until when the code that runs now has time: the nearest deadline of the scopes around it in this task.
pub fn deadline_here() -> Option<Moment> {
    let joined = tree::with(|tree| tree.nodes.borrow().limits(here()))?;
    let now = || Some(crate::Scheduler::current()?.timers()?.step_now());
    let limits = joined.into_iter().chain(place::limits());
    let times = limits.filter_map(|limit| match limit {
        Limit::None => None,
        Limit::After(length) => Some(now()?.after(length)),
        Limit::At(time) => Some(time),
    });
    times.min().filter(|&time| time != Moment::NEVER)
}

/// The number of this thread's tree: a [`ScopeEntry`](super::ScopeEntry) is for the thread whose number was the same.
pub fn tree_number() -> u64 {
    tree::number()
}

/// How many nodes this thread's tree holds: for tests that nothing is left behind.
pub fn nodes_alive() -> usize {
    tree::with(|tree| tree.nodes.borrow().alive()).unwrap_or(0)
}
