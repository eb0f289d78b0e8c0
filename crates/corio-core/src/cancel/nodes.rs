//! The slab of nodes and the links between them. What requests do there is in `down`, `up` and `judge`.

use std::rc::Rc;
use std::sync::Arc;
use std::task::Waker;

use super::node::{Kind, Members};
use super::place;
use super::request::{Part, Request, Why};
use super::tree;
use super::trouble::Trouble;
use crate::cell::CellRef;
use crate::moment::{Moment, Nanos};

/// More nodes than this cannot be in one tree, so that a place in it and a tag fit into a word.
const MAX_NODES: usize = 1 << 29;

/// A node of this thread's tree. Generations make an old id name nothing.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct NodeId {
    pub(crate) index: u32,
    pub(crate) generation: u32,
}

/// What a node waits on, or whom it stands for.
pub(crate) enum Subject {
    None,
    /// A root stands for this task.
    Task(CellRef),
    /// An owned wait for one task.
    Owned(CellRef),
    /// An owned wait for several.
    Members(Rc<dyn Members>),
}

/// The time limit of a node, for whoever asks how much time is left.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Limit {
    /// None of its own.
    #[default]
    None,
    /// So long after the present step, which is the one in which the limit begins.
    After(Nanos),
    /// At this time.
    At(Moment),
}

pub(crate) struct Entry {
    pub(super) generation: u32,
    pub(super) kind: Option<Kind>,
    pub(super) parent: u32,
    pub(super) first_child: u32,
    pub(super) next: u32,
    pub(super) previous: u32,
    /// The number of its link.
    pub(super) linked: u64,
    /// The poll in which it was last reached, see [`Tree::stamp`](super::tree::Tree::stamp).
    pub(super) stamp: u64,
    pub(super) subject: Subject,
    /// Empty when it is the waker of the task itself.
    pub(super) waker: Option<Waker>,
    pub(super) limit: Limit,
    /// The number under which a limit waited without a node.
    pub(super) number: Option<u32>,
    /// It takes requests from further out in the place of those below.
    pub(super) covers: bool,
    /// It was made for a future that waited without a node and has not been polled since.
    pub(super) unclaimed: bool,
    /// Only while a request is under way.
    pub(super) trouble: Option<Box<Trouble>>,
}

pub(crate) struct Nodes {
    entries: Vec<Entry>,
    pub(super) free: Vec<u32>,
    pub(super) alive: usize,
}

impl Nodes {
    pub(super) const fn new() -> Nodes {
        Nodes {
            entries: Vec::new(),
            free: Vec::new(),
            alive: 0,
        }
    }

    pub(crate) fn alive(&self) -> usize {
        self.alive
    }

    #[inline]
    pub(super) fn at(&self, index: u32) -> &Entry {
        &self.entries[index as usize]
    }

    #[inline]
    pub(super) fn at_mut(&mut self, index: u32) -> &mut Entry {
        &mut self.entries[index as usize]
    }

    pub(crate) fn id(&self, index: u32) -> NodeId {
        NodeId {
            index,
            generation: self.at(index).generation,
        }
    }

    #[inline]
    pub(crate) fn is_alive(&self, id: NodeId) -> bool {
        self.entries
            .get(id.index as usize)
            .is_some_and(|entry| entry.generation == id.generation && entry.kind.is_some())
    }
}

/// Links.
impl Nodes {
    /// A new node below `parent`, as its last child.
    #[inline]
    pub(crate) fn add(&mut self, kind: Kind, parent: u32, subject: Subject) -> NodeId {
        if self.entries.is_empty() {
            // Index 0 is no node.
            self.entries.push(Entry::vacant());
        }
        let index = match self.free.pop() {
            Some(index) => index,
            None => {
                assert!(self.entries.len() < MAX_NODES, "too many scopes");
                self.entries.push(Entry::vacant());
                (self.entries.len() - 1) as u32
            }
        };
        self.alive += 1;
        let entry = self.at_mut(index);
        entry.kind = Some(kind);
        if !matches!(subject, Subject::None) {
            entry.subject = subject;
        }
        entry.stamp = 0;
        entry.limit = Limit::None;
        entry.number = None;
        entry.covers = false;
        entry.unclaimed = false;
        self.link(index, parent);
        self.id(index)
    }

    #[inline]
    pub(super) fn link(&mut self, index: u32, parent: u32) {
        let first = match parent {
            0 => 0,
            parent => std::mem::replace(&mut self.at_mut(parent).first_child, index),
        };
        let entry = self.at_mut(index);
        entry.linked = place::next_link();
        entry.parent = parent;
        entry.previous = 0;
        entry.next = first;
        if first != 0 {
            self.at_mut(first).previous = index;
        }
    }

    #[inline]
    pub(super) fn unlink(&mut self, index: u32) {
        let entry = self.at(index);
        let (parent, next, previous) = (entry.parent, entry.next, entry.previous);
        if previous != 0 {
            self.at_mut(previous).next = next;
        } else if parent != 0 {
            self.at_mut(parent).first_child = next;
        }
        if next != 0 {
            self.at_mut(next).previous = previous;
        }
    }

    /// A node has come late: its siblings that were linked after so many links belong below it.
    pub(super) fn adopt(&mut self, index: u32, links: u64) {
        let siblings = self.children(self.parent(index));
        let younger = siblings.take_while(|other| self.at(*other).linked > links);
        let mut mine: Vec<u32> = younger.filter(|other| *other != index).collect();
        while let Some(other) = mine.pop() {
            self.unlink(other);
            self.link(other, index);
        }
    }

    /// Takes a node out; its children, if it has any left, stand alone until they are polled again. What is returned is to be
    /// dropped outside of the borrow.
    pub(crate) fn remove(&mut self, index: u32) -> (Subject, Option<Waker>) {
        self.unlink(index);
        let mut child = self.at(index).first_child;
        while child != 0 {
            let entry = self.at_mut(child);
            let next = entry.next;
            (entry.parent, entry.next, entry.previous) = (0, 0, 0);
            child = next;
        }
        self.alive -= 1;
        let entry = self.at_mut(index);
        entry.generation = entry.generation.wrapping_add(1);
        entry.kind = None;
        entry.trouble = None;
        (entry.parent, entry.next, entry.previous, entry.first_child) = (0, 0, 0, 0);
        let subject = std::mem::replace(&mut entry.subject, Subject::None);
        let waker = entry.waker.take();
        self.free.push(index);
        (subject, waker)
    }

    #[inline]
    pub(crate) fn parent(&self, index: u32) -> u32 {
        self.at(index).parent
    }

    #[inline]
    pub(super) fn linked(&self, index: u32) -> u64 {
        self.at(index).linked
    }

    pub(super) fn top(&self, mut index: u32) -> u32 {
        loop {
            match self.at(index).parent {
                0 => return index,
                parent => index = parent,
            }
        }
    }

    /// The node and those above it, innermost first.
    pub(super) fn path(&self, from: u32) -> impl Iterator<Item = u32> + '_ {
        let next = |index: &u32| Some(self.at(*index).parent).filter(|parent| *parent != 0);
        std::iter::successors(Some(from).filter(|from| *from != 0), next)
    }

    /// The node and all below it, in the order of their joining, parents first.
    pub(super) fn subtree(&self, index: u32) -> Vec<u32> {
        let mut found = Vec::new();
        let mut open = vec![index];
        while let Some(index) = open.pop() {
            found.push(index);
            // Youngest first, so the oldest is on top.
            open.extend(self.children(index));
        }
        found
    }

    /// The children, youngest first.
    pub(super) fn children(&self, index: u32) -> impl Iterator<Item = u32> + '_ {
        let next = |index: &u32| Some(self.at(*index).next).filter(|next| *next != 0);
        std::iter::successors(
            Some(self.at(index).first_child).filter(|child| *child != 0),
            next,
        )
    }
}

/// Fields.
impl Nodes {
    /// Notes that a poll has reached the node.
    #[inline]
    pub(crate) fn reached(&mut self, index: u32, stamp: u64) {
        self.at_mut(index).stamp = stamp;
    }

    #[inline]
    pub(crate) fn waker(&self, index: u32) -> Option<&Waker> {
        self.at(index).waker.as_ref()
    }

    /// The old waker is to be dropped outside of the borrow.
    pub(crate) fn set_waker(&mut self, index: u32, waker: Option<Waker>) -> Option<Waker> {
        std::mem::replace(&mut self.at_mut(index).waker, waker)
    }

    pub(crate) fn set_covers(&mut self, index: u32, covers: bool) {
        self.at_mut(index).covers = covers;
    }

    pub(crate) fn set_limit(&mut self, index: u32, limit: Limit) {
        self.at_mut(index).limit = limit;
    }

    pub(super) fn set_number(&mut self, index: u32, number: Option<u32>) {
        self.at_mut(index).number = number;
    }

    /// The limits of a node and those above it.
    pub(crate) fn limits(&self, from: u32) -> Vec<Limit> {
        let limits = self.path(from).map(|index| self.at(index).limit);
        limits.filter(|limit| *limit != Limit::None).collect()
    }

    /// The task that a root stands for.
    pub(super) fn task_of(&self, index: u32) -> Option<&CellRef> {
        match &self.at(index).subject {
            Subject::Task(cell) => Some(cell),
            _ => None,
        }
    }

    pub(super) fn is_wait(&self, index: u32) -> bool {
        self.at(index).kind == Some(Kind::Wait)
    }

    /// The unfinished tasks of an owned wait.
    pub(super) fn unfinished(&self, index: u32) -> Vec<CellRef> {
        let mut tasks: Vec<CellRef> = match &self.at(index).subject {
            Subject::Owned(cell) => vec![cell.clone()],
            Subject::Members(members) => {
                let tasks = members.tasks();
                tasks.iter().map(|task| task.cell().clone()).collect()
            }
            _ => Vec::new(),
        };
        tasks.retain(|cell| !cell.state.is_done());
        tasks
    }

    /// A new request that enters at `origin`.
    pub(super) fn entering(origin: NodeId, why: Arc<Why>) -> Request {
        let number = tree::next_request();
        let part = Part {
            origin,
            number,
            why: why.clone(),
        };
        Request::new(why, vec![part])
    }
}

impl Entry {
    fn vacant() -> Entry {
        Entry {
            generation: 0,
            kind: None,
            parent: 0,
            first_child: 0,
            next: 0,
            previous: 0,
            linked: 0,
            stamp: 0,
            subject: Subject::None,
            waker: None,
            limit: Limit::None,
            number: None,
            covers: false,
            unclaimed: false,
            trouble: None,
        }
    }
}
