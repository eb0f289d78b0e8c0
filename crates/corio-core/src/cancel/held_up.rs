//! Waits for tasks whose futures live elsewhere. Such a task takes a step only if somebody polls its holder; if that was set aside, the
//! task never ends, and nobody is to wait for it.

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
        let askers = &mut self.trouble(root).askers;
        if !askers.contains(&wait) {
            askers.push(wait);
        }
    }

    /// The task of this root is to take a step elsewhere, or has ended: those who have asked it are to be judged after the next step
    /// of their own tasks.
    pub(super) fn wake_askers(&self, root: u32, actions: &mut Actions) {
        let Some(trouble) = self.trouble_of(root) else {
            return;
        };
        for wait in &trouble.askers {
            if self.is_alive(*wait) && self.working(wait.index).is_some() {
                self.step_for(wait.index, actions);
            }
        }
    }
}
