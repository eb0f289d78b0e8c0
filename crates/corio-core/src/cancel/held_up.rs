//! Waits that are to be judged although nobody is woken for them.
//!
//! A task whose future lives elsewhere takes a step only if somebody polls its holder; if that was set aside, the task never ends, and
//! nobody is to wait for it. And what a wait was polled with may wake nobody when its tasks have ended.

use super::actions::Actions;
use super::nodes::{NodeId, Nodes};
use crate::cell::CellRef;

impl Nodes {
    /// Whether the unfinished tasks of a wait have all been told of a step that they were not given. `None`: there are none.
    pub(super) fn is_held_up(&mut self, index: u32) -> Option<bool> {
        let counts_on = self.trouble_of(index)?.counts_on;
        let task = counts_on.filter(|root| self.is_alive(*root));
        let task = task.and_then(|root| self.task_of(root.index));
        if task.is_some_and(|task| !task.state.is_told()) {
            return Some(false);
        }
        let unfinished = self.unfinished(index);
        // The last one, for in most cases the first one ends first.
        let free = unfinished.iter().rev().find(|task| !task.state.is_told());
        let root = free.map_or(0, CellRef::root);
        self.trouble(index).counts_on = (root != 0).then(|| self.id(root));
        (!unfinished.is_empty()).then_some(free.is_none())
    }

    /// A wait has asked the task of this root.
    pub(super) fn note_asker(&mut self, root: u32, wait: NodeId) {
        self.trouble(root).asker = Some(wait);
    }

    /// The task of this root is to take a step elsewhere: the wait that has asked it is judged after the next step of its own task.
    pub(super) fn task_told(&self, root: u32, actions: &mut Actions) {
        if let Some(wait) = self.asker_of(root) {
            self.step_for(wait, actions);
        }
    }

    /// The task of this root has ended. Its end wakes the wait for it, but that may not be woken by one end of several, and another
    /// waker than the task's may wake nobody.
    pub(super) fn task_ended(&self, root: u32, actions: &mut Actions) {
        let wait = self.asker_of(root).filter(|wait| {
            let has_lent = self.trouble_of(*wait).is_some_and(|wait| wait.has_lent);
            has_lent || self.waker(*wait).is_some()
        });
        if let Some(wait) = wait {
            self.step_for(wait, actions);
        }
    }

    fn asker_of(&self, root: u32) -> Option<u32> {
        let wait = self.trouble_of(root)?.asker?;
        let waits = self.is_alive(wait) && self.working(wait.index).is_some();
        waits.then_some(wait.index)
    }
}
