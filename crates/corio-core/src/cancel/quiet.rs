//! The usual case: nodes that come and go without any request, and the node of a wait that was light.

use std::task::Waker;

use super::node::Kind;
use super::nodes::{NodeId, Nodes, Subject};
use crate::cell::CellRef;

impl Nodes {
    /// A node below a root for a future that has waited there without one. It came before everything that is in the tree, and so is
    /// inside of no limit that is about to join.
    pub(super) fn add_for(&mut self, kind: Kind, root: u32, subject: Subject) -> NodeId {
        let id = self.add(kind, root, subject);
        let entry = self.at_mut(id.index);
        entry.linked = 0;
        entry.unclaimed = true;
        id
    }

    /// The future of such a node holds it from now on.
    pub(super) fn claim(&mut self, id: NodeId) {
        if self.is_alive(id) {
            self.at_mut(id.index).unclaimed = false;
        }
    }

    /// Takes out what stands below a root and nobody holds: the future went elsewhere, and gets another node there. What is
    /// returned is to be dropped outside of the borrow.
    pub(super) fn remove_unclaimed(&mut self, root: u32) -> Vec<(Subject, Option<Waker>)> {
        let children = self.children(root);
        let unclaimed: Vec<u32> = children.filter(|index| self.at(*index).unclaimed).collect();
        let remove = |index: &u32| self.remove(*index);
        unclaimed.iter().map(remove).collect()
    }

    /// Nothing stands below it, nothing is under way at it, and nothing of it has a destructor to run.
    #[inline]
    pub(super) fn is_quiet(&self, index: u32) -> bool {
        let entry = self.at(index);
        entry.first_child == 0
            && entry.trouble.is_none()
            && entry.waker.is_none()
            && matches!(entry.subject, Subject::None)
    }

    /// Takes out a node that is quiet.
    #[inline]
    pub(super) fn remove_quiet(&mut self, index: u32) {
        self.unlink(index);
        self.alive -= 1;
        let entry = self.at_mut(index);
        entry.generation = entry.generation.wrapping_add(1);
        entry.kind = None;
        (entry.parent, entry.next, entry.previous) = (0, 0, 0);
        self.free.push(index);
    }

    /// The owned wait for this task directly below a root.
    pub(super) fn find_wait(&self, root: u32, target: &CellRef) -> Option<NodeId> {
        let mut child = self.at(root).first_child;
        while child != 0 {
            if matches!(&self.at(child).subject, Subject::Owned(cell) if cell == target) {
                return Some(self.id(child));
            }
            child = self.at(child).next;
        }
        None
    }

    /// The limit with this number below a root. One whose number the root keeps gets its node now.
    pub(super) fn limit_below(&mut self, root: u32, number: u32) -> Option<NodeId> {
        if self.at(root).number != Some(number) {
            return self.find_limit(root, number);
        }
        self.at_mut(root).number = None;
        let id = self.add_for(Kind::Deadline, root, Subject::None);
        self.set_number(id.index, Some(number));
        Some(id)
    }

    /// The limit with this number is no more without a node: the one that it has got, if any.
    pub(super) fn end_limit(&mut self, root: u32, number: u32) -> Option<NodeId> {
        let kept = &mut self.at_mut(root).number;
        if kept.take_if(|kept| *kept == number).is_some() {
            return None;
        }
        self.find_limit(root, number)
    }

    /// A limit with this number stands below a root, or is kept by it.
    pub(super) fn has_limit(&self, root: u32, number: u32) -> bool {
        self.at(root).number == Some(number) || self.find_limit(root, number).is_some()
    }

    fn find_limit(&self, root: u32, number: u32) -> Option<NodeId> {
        let below = self.subtree(root);
        let found = below
            .into_iter()
            .find(|index| self.at(*index).number == Some(number));
        found.map(|index| self.id(index))
    }
}
