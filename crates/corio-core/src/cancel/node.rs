//! A node, from the side of the future that owns it.

use std::fmt;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Waker};

use super::actions::Actions;
use super::entry::ScopeEntry;
use super::nodes::{Limit, NodeId, Subject};
use super::place;
use super::request::Request;
use super::taken::Taken;
use super::task::{ask_here, collect_bounced, parent_here};
use super::tree::{self, Tree};
use crate::current;
use crate::task::AnyTask;
use crate::waker;

/// What a node does with requests, see the [module](crate::cancel).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum Kind {
    /// Stands for a task. Made by the core only.
    Root,
    /// Takes every request.
    Catch,
    /// Takes what entered at itself.
    Deadline,
    /// Hands requests on to tasks.
    Wait,
}

/// The tasks of an owned wait for several.
pub trait Members {
    /// The tasks that a request is to be handed on to, finished ones included: nothing else asks. No foreign code runs in it.
    fn tasks(&self) -> Vec<AnyTask>;

    /// True: the tasks have ended, and whoever polled the wait last is going to be woken for that, even if the wait is dropped or
    /// polled elsewhere before. No foreign code runs in it.
    fn wakes_soon(&self) -> bool;
}

/// A place in the cancellation tree, held by a future. It joins below the node it is first polled in, follows its future to
/// another task, and leaves when it is dropped.
///
/// A future that owns a node polls like this: [`enter`](Node::enter); if that is true, [`take`](Node::take); otherwise poll the
/// inner future [`inside`](Node::inside), and if it is pending, [`look`](Node::look) and take after all if that is true. The
/// node is declared after the inner future, so that it is dropped after it.
pub struct Node {
    kind: Kind,
    /// It has passed a request on, and nobody has been seen to take that.
    passed_on: bool,
    /// It was light, and the timer from then still finds it here.
    pub(super) goes_by_number: bool,
    /// The tree it has joined; 0 is none. With the bit `LIGHT` it is the number of the scheduler in which it is a light limit.
    pub(super) tree: u64,
    /// Its place in the tree, or the slot and the number of a light limit.
    pub(super) id: NodeId,
}

impl Node {
    /// A node that has not joined yet.
    pub const fn new(kind: Kind) -> Node {
        Node {
            kind,
            passed_on: false,
            goes_by_number: false,
            tree: 0,
            id: NodeId {
                index: 0,
                generation: 0,
            },
        }
    }

    /// Takes over a node that was made for this place meanwhile.
    pub(crate) fn adopt(&mut self, id: NodeId) {
        tree::with(|tree| tree.nodes.borrow_mut().claim(id));
        self.tree = tree::number();
        self.id = id;
    }

    /// The poll of the future begins. True: take, and do not poll the inner future.
    #[inline]
    pub fn enter(&mut self, cx: &Context<'_>) -> bool {
        self.enter_as(cx, || Subject::None)
    }

    /// The same, for an owned wait for one task.
    #[inline]
    pub fn enter_wait(&mut self, cx: &Context<'_>, task: &AnyTask) -> bool {
        self.enter_as(cx, || Subject::Owned(task.cell().clone()))
    }

    /// The same, for an owned wait for several tasks.
    pub fn enter_members(&mut self, cx: &Context<'_>, members: &Rc<dyn Members>) -> bool {
        self.enter_as(cx, || Subject::Members(members.clone()))
    }

    #[inline]
    fn enter_as(&mut self, cx: &Context<'_>, subject: impl FnOnce() -> Subject) -> bool {
        tree::with(|tree| self.enter_tree(tree, cx, subject)).unwrap_or(false)
    }

    fn enter_tree(
        &mut self,
        tree: &Tree,
        cx: &Context<'_>,
        subject: impl FnOnce() -> Subject,
    ) -> bool {
        tree.sweep();
        let parent = parent_here(tree);
        // Without a task and a node around, this is the topmost node, and its poll is the step.
        let step = (parent == 0).then(|| tree.next_stamp());
        let number = if self.is_light() {
            self.settle_here()
        } else {
            None
        };
        if self.tree != 0 && self.tree != tree.number() {
            tree::give_back(self.tree, self.id);
            self.tree = 0;
        }
        let mut actions = Actions::default();
        let (take, same_waker) = {
            let mut nodes = tree.nodes.borrow_mut();
            if self.tree == 0 || !nodes.is_alive(self.id) {
                self.id = nodes.add(self.kind, parent, subject());
                self.tree = tree.number();
                self.goes_by_number = false;
            } else if nodes.parent(self.id.index) != parent {
                let top = nodes.top(self.id.index);
                nodes.move_to(self.id.index, parent, &mut actions);
                self.goes_by_number &= nodes.top(self.id.index) == top;
            } else if place::moves_into_unborn(nodes.linked(self.id.index)) {
                // It was polled outside of that limit before, and moves into it: what is linked now goes below it when it joins.
                nodes.move_to(self.id.index, parent, &mut actions);
            }
            let index = self.id.index;
            if number.is_some() {
                nodes.set_number(index, number);
                self.goes_by_number = true;
            }
            nodes.reached(index, tree.stamp());
            let take = nodes.in_trouble(index) && nodes.begin(index, step, &mut actions);
            let same_waker = match nodes.waker(index) {
                Some(waker) => waker.will_wake(cx.waker()),
                None => is_of_current_task(cx.waker()),
            };
            (take, same_waker)
        };
        if !same_waker {
            self.replace_waker(tree, cx.waker());
        }
        actions.run();
        take
    }

    #[cold]
    fn replace_waker(&self, tree: &Tree, waker: &Waker) {
        let new = (!is_of_current_task(waker)).then(|| waker.clone());
        let old = tree.nodes.borrow_mut().set_waker(self.id.index, new);
        drop(old);
    }

    /// Polls the inner future: nodes that join meanwhile stand below this one.
    #[inline]
    pub fn inside<R>(&self, poll: impl FnOnce() -> R) -> R {
        place::inside(self.id.index, poll)
    }

    /// After the inner future was pending: something has come up. True: take.
    #[inline]
    pub fn look(&mut self) -> bool {
        if self.is_light() {
            return false;
        }
        tree::with(|tree| {
            let mut nodes = tree.nodes.borrow_mut();
            if !nodes.is_alive(self.id) || !nodes.in_trouble(self.id.index) {
                return false;
            }
            let mut actions = Actions::default();
            let index = self.id.index;
            let take = if nodes.parent(index) == 0 {
                nodes.top_looks(index, &mut actions)
            } else {
                nodes.may_take(index, &mut actions)
            };
            drop(nodes);
            actions.run();
            take
        })
        .unwrap_or(false)
    }

    /// Takes the request: `drop_inner` drops the inner future, and what bounces there joins. To be called after
    /// [`enter`](Node::enter) or [`look`](Node::look) said so.
    pub fn take(&mut self, drop_inner: impl FnOnce()) -> Taken {
        let request = tree::with(|tree| tree.nodes.borrow_mut().take_mark(self.id.index)).flatten();
        let ((), bounced) = collect_bounced(drop_inner);
        let request = request.unwrap_or_else(|| Request::empty(Arc::default()));
        let settled = tree::with(|tree| {
            let nodes = tree.nodes.borrow();
            let mut taken = nodes.settle_taken(request.clone(), bounced);
            if self.kind == Kind::Deadline {
                nodes.join_queued(self.id, &mut taken);
            }
            taken
        });
        Taken::new(settled.unwrap_or(request))
    }

    /// From now on the node takes requests from further out in the place of those below it (true), or leaves them to the innermost
    /// as usual. After [`enter`](Node::enter).
    pub fn set_covers(&mut self, covers: bool) {
        self.with_alive(|tree| tree.nodes.borrow_mut().set_covers(self.id.index, covers));
    }

    /// What is to be taken came up from inside: the inner future waits to be dropped.
    pub fn has_risen(&self) -> bool {
        self.with_alive(|tree| tree.nodes.borrow().has_risen(self.id.index))
            .unwrap_or(false)
    }

    /// Drops the inner future by force, without a request for this node. What it had under way, if it was more than this node's
    /// own, is the result.
    pub fn force(&mut self, drop_inner: impl FnOnce()) -> Option<Taken> {
        let taken = self.take(drop_inner);
        (!taken.request().is_empty() && !self.is_own(&taken)).then_some(taken)
    }

    /// The request entered at this node, and no part of it further out: the owner of a deadline reports it as its own.
    pub fn is_own(&self, taken: &Taken) -> bool {
        self.with_alive(|tree| {
            let nodes = tree.nodes.borrow();
            nodes.is_outermost(self.id.index, taken.request())
        })
        .unwrap_or(false)
    }

    /// The node is at work on what it took: others wait for it before they let the same request pass.
    pub fn work_on(&mut self, taken: &Taken) {
        let request = Some(taken.request().clone());
        self.with_alive(|tree| tree.nodes.borrow_mut().set_working(self.id.index, request));
    }

    /// An owned wait has handed something on to its tasks, or the node was told to work on something.
    pub fn is_working(&self) -> bool {
        self.with_alive(|tree| tree.nodes.borrow().working(self.id.index).is_some())
            .unwrap_or(false)
    }

    /// The work is over and the request spent.
    pub fn rest(&mut self) {
        drop(self.end_work());
    }

    fn end_work(&mut self) -> Option<Request> {
        self.with_alive(|tree| {
            let mut actions = Actions::default();
            let ended = {
                let mut nodes = tree.nodes.borrow_mut();
                let ended = nodes.working(self.id.index).cloned();
                nodes.set_working(self.id.index, None);
                if ended.is_some() {
                    nodes.nudge(self.id.index, &mut actions);
                }
                ended
            };
            actions.run();
            ended
        })
        .flatten()
    }

    /// The work is over, and the request goes on to the next taker above. Afterwards the owner stays pending, see
    /// [`is_passing_on`](Node::is_passing_on): whoever takes the request drops it. A node that has moved since it took the
    /// request, or whose request has ended with its scope, asks where it is now.
    pub fn pass_on(&mut self) {
        let request = self.end_work();
        self.rise(request.unwrap_or_else(|| Request::empty(Arc::default())));
    }

    /// What was taken goes on to the next taker above, and what the node was at work on with it, see [`pass_on`](Node::pass_on).
    pub fn pass_on_taken(&mut self, taken: Taken) {
        let mut request = self.end_work();
        taken.into_request().merge_into(&mut request);
        if let Some(request) = request {
            self.rise(request);
        }
    }

    /// What was taken enters again, where it entered before: it is delivered after the present step.
    pub fn request_again(&mut self, taken: Taken) {
        self.rest();
        tree::with(|tree| {
            let mut actions = Actions::default();
            let mut nodes = tree.nodes.borrow_mut();
            nodes.request_again(taken.into_request(), &mut actions);
            drop(nodes);
            actions.run();
        });
    }

    /// What it passed on is still on its way: the owner stays pending. Once that was taken by somebody who only borrows the
    /// owner, and so has dropped nothing but the reference, the owner may be polled on.
    pub fn is_passing_on(&mut self) -> bool {
        if self.passed_on {
            self.passed_on = tree::with(|tree| {
                let parent = parent_here(tree);
                tree.nodes.borrow().is_rising_above(parent)
            })
            .unwrap_or(false);
        }
        self.passed_on
    }

    /// It has passed on a request, and was not polled on since.
    pub fn has_passed_on(&self) -> bool {
        self.passed_on
    }

    fn rise(&mut self, request: Request) {
        self.passed_on = true;
        let why = request.why().clone();
        let risen = self.with_alive(|tree| {
            let mut actions = Actions::default();
            let risen = {
                let mut nodes = tree.nodes.borrow_mut();
                nodes.rise(self.id.index, request, &mut actions)
            };
            actions.run();
            risen
        });
        if risen == Some(false) {
            ask_here(why);
        }
    }

    /// Says until when the inner future has time, for [`deadline_here`](super::deadline_here). After [`enter`](Node::enter).
    pub fn set_limit(&mut self, limit: Limit) {
        self.with_alive(|tree| tree.nodes.borrow_mut().set_limit(self.id.index, limit));
    }

    /// The place of this node, for requests that enter at it. `None` before the first poll.
    pub fn entry(&self) -> Option<ScopeEntry> {
        match self.light() {
            Some(limit) => Some(ScopeEntry::light(limit)),
            None => (self.tree != 0).then_some(ScopeEntry::new(self.id)),
        }
    }

    /// Uses the tree, if the node is in the one of this thread.
    fn with_alive<R>(&self, body: impl FnOnce(&Tree) -> R) -> Option<R> {
        tree::with(|tree| {
            let alive = self.tree == tree.number() && tree.nodes.borrow().is_alive(self.id);
            alive.then(|| body(tree))
        })
        .flatten()
    }

    /// Leaves the tree. What was under way goes to the node above.
    #[inline]
    pub fn leave(&mut self) {
        if self.tree != 0 {
            self.leave_tree();
        }
    }

    #[inline(never)]
    fn leave_tree(&mut self) {
        if self.is_light() {
            self.settle();
        }
        let (number, id) = (self.tree, self.id);
        self.tree = 0;
        if number == 0 {
            return;
        }
        let left = tree::with(|tree| {
            let here = tree.number() == number;
            if here {
                tree.leave(id);
            }
            here
        });
        if left == Some(false) {
            tree::give_back(number, id);
        }
    }
}

impl Drop for Node {
    #[inline]
    fn drop(&mut self) {
        self.leave();
    }
}

impl fmt::Debug for Node {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Node")
            .field("kind", &self.kind)
            .field("joined", &(self.tree != 0))
            .finish()
    }
}

/// The waker is that of the task that takes its step now.
#[inline]
fn is_of_current_task(waker: &Waker) -> bool {
    let mut same = false;
    current::with_current_cell(|cell| same = waker::is_of(waker, cell.key.get()));
    same
}
