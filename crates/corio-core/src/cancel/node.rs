//! A node, from the side of the future that owns it.

use std::borrow::Cow;
use std::fmt;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Waker};

use super::cancelled::Cancelled;
use super::request::{Request, Why};
use super::task::{collect_bounced, parent_here};
use super::tree::{self, Actions, NodeId, Subject, Tree};
use crate::scheduler;
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
}

/// A place in the cancellation tree, held by a future. It joins below the node it is first polled in, follows its future to
/// another task, and leaves when it is dropped.
///
/// A future that owns a node polls like this: [`enter`](Node::enter); if that is true, [`take`](Node::take); otherwise poll the
/// inner future [`inside`](Node::inside), and if it is pending, [`look`](Node::look) and take after all if that is true. The
/// node is declared after the inner future, so that it is dropped after it.
pub struct Node {
    kind: Kind,
    /// The tree it has joined; 0 is none.
    tree: u64,
    id: NodeId,
}

/// What a node took.
#[derive(Debug)]
#[must_use = "a request that is neither worked on nor passed on is swallowed"]
pub struct Taken {
    request: Request,
}

impl Node {
    /// A node that has not joined yet.
    pub const fn new(kind: Kind) -> Node {
        Node {
            kind,
            tree: 0,
            id: NodeId {
                index: 0,
                generation: 0,
            },
        }
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
        if parent == 0 {
            // No task and no node around: this is the topmost node, and its poll is the step.
            tree.stamp.set(tree.stamp.get() + 1);
        }
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
            } else if nodes.parent(self.id.index) != parent {
                nodes.move_to(self.id.index, parent, &mut actions);
            }
            let index = self.id.index;
            nodes.reached(index, tree.stamp.get());
            let take = nodes.in_trouble(index) && nodes.may_take(index, &mut actions);
            let same_waker = match nodes.has_own_waker(index) {
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
        struct Restore(u32);
        impl Drop for Restore {
            fn drop(&mut self) {
                tree::with(|tree| tree.current.set(self.0));
            }
        }
        let _restore = tree::with(|tree| Restore(tree.current.replace(self.id.index)));
        poll()
    }

    /// After the inner future was pending: something has come up. True: take.
    #[inline]
    pub fn look(&mut self) -> bool {
        tree::with(|tree| {
            let mut nodes = tree.nodes.borrow_mut();
            if !nodes.is_alive(self.id) || !nodes.in_trouble(self.id.index) {
                return false;
            }
            let mut actions = Actions::default();
            let index = self.id.index;
            let take = if nodes.parent(index) == 0 && self.kind != Kind::Root {
                nodes.top_looks(index, tree.stamp.get(), &mut actions)
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
        let request = request.unwrap_or_else(|| Request {
            why: Arc::default(),
            parts: Vec::new(),
        });
        let request = tree::with(|tree| tree.nodes.borrow().settle_taken(request.clone(), bounced))
            .unwrap_or(request);
        Taken { request }
    }

    /// The request entered at this node, and no part of it further out: the owner of a deadline reports it as its own.
    pub fn is_own(&self, taken: &Taken) -> bool {
        tree::with(|tree| {
            let nodes = tree.nodes.borrow();
            nodes.is_alive(self.id) && nodes.is_outermost(self.id.index, &taken.request)
        })
        .unwrap_or(false)
    }

    /// The node is at work on what it took: others wait for it before they let the same request pass.
    pub fn work_on(&mut self, taken: &Taken) {
        let request = Some(taken.request.clone());
        tree::with(|tree| tree.nodes.borrow_mut().set_working(self.id.index, request));
    }

    /// What an owned wait has handed on to its tasks, or a node was told to work on.
    pub fn is_working(&self) -> bool {
        tree::with(|tree| {
            let nodes = tree.nodes.borrow();
            self.is_joined(tree)
                && nodes.is_alive(self.id)
                && nodes.working(self.id.index).is_some()
        })
        .unwrap_or(false)
    }

    /// The work is over and the request spent.
    pub fn rest(&mut self) {
        tree::with(|tree| {
            let mut nodes = tree.nodes.borrow_mut();
            if self.tree == tree.number() && nodes.is_alive(self.id) {
                nodes.set_working(self.id.index, None);
            }
        });
    }

    /// The work is over, and the request goes on to the next taker above. Afterwards the owner stays pending: whoever takes the
    /// request drops it.
    pub fn pass_on(&mut self) {
        let request = tree::with(|tree| {
            let nodes = tree.nodes.borrow();
            nodes
                .is_alive(self.id)
                .then(|| nodes.working(self.id.index).cloned())
                .flatten()
        })
        .flatten();
        self.rest();
        if let Some(request) = request {
            self.rise(request);
        }
    }

    /// What was taken goes on to the next taker above, see [`pass_on`](Node::pass_on).
    pub fn pass_on_taken(&mut self, taken: Taken) {
        self.rest();
        self.rise(taken.request);
    }

    fn rise(&mut self, request: Request) {
        tree::with(|tree| {
            let mut actions = Actions::default();
            if self.is_joined(tree) {
                tree.nodes
                    .borrow_mut()
                    .rise(self.id.index, request, &mut actions);
            }
            actions.run();
        });
    }

    /// The place of this node, for requests that enter at it. `None` before the first poll.
    pub fn entry(&self) -> Option<ScopeEntry> {
        (self.tree != 0).then_some(ScopeEntry { id: self.id })
    }

    fn is_joined(&self, tree: &Tree) -> bool {
        self.tree == tree.number()
    }

    /// Leaves the tree. What was under way goes to the node above.
    #[inline]
    pub fn leave(&mut self) {
        if self.tree == 0 {
            return;
        }
        let (number, id) = (self.tree, self.id);
        self.tree = 0;
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

impl Taken {
    /// The request as a value for the code around a catcher.
    pub fn into_cancelled(self) -> Cancelled {
        Cancelled::of(self.request)
    }

    /// Two requests that were taken one after the other.
    pub fn merge(&mut self, other: Taken) {
        self.request.merge(other.request);
    }

    /// A copy, to be kept while the other is passed on.
    pub fn copy(&self) -> Taken {
        Taken {
            request: self.request.clone(),
        }
    }
}

/// The place of a node, at which requests may enter: deadlines and scopes are cancelled through it. A stale one does nothing.
///
/// It is for the thread on which the node was polled: on another one it names whatever is in that place there, or nothing.
/// Whoever sends it to another thread keeps the loop's number beside it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ScopeEntry {
    id: NodeId,
}

impl ScopeEntry {
    /// The place as a number.
    pub fn to_bits(self) -> u64 {
        (u64::from(self.id.index) << 32) | u64::from(self.id.generation)
    }

    /// The place with this number. Any number is safe: a stale one names nothing.
    pub fn from_bits(bits: u64) -> ScopeEntry {
        ScopeEntry {
            id: NodeId {
                index: (bits >> 32) as u32,
                generation: bits as u32,
            },
        }
    }

    /// A request enters here. False: the node has gone.
    pub fn request(&self, reason: Option<Cow<'static, str>>) -> bool {
        tree::with(|tree| {
            if !tree.nodes.borrow().is_alive(self.id) {
                return false;
            }
            let asker = scheduler::current_cell().map(|cell| cell.name());
            let why = Arc::new(Why { reason, asker });
            let mut actions = Actions::default();
            tree.nodes.borrow_mut().request(self.id, why, &mut actions);
            actions.run();
            true
        })
        .unwrap_or(false)
    }
}

/// The waker is that of the task that takes its step now.
#[inline]
fn is_of_current_task(waker: &Waker) -> bool {
    let Some(key) = waker::key_of(waker) else {
        return false;
    };
    let mut same = false;
    scheduler::with_current_cell(|cell| same = cell.key() == key);
    same
}
