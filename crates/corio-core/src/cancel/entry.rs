//! The place of a node, from the side of those who ask it to end.

use std::borrow::Cow;
use std::sync::Arc;

use super::actions::Actions;
use super::nodes::NodeId;
use super::request::Why;
use super::tree;
use crate::current;

/// The place of a node, at which requests may enter: deadlines and scopes are cancelled through it. A stale one does nothing.
///
/// It is for the thread on which the node was polled: on another one it names whatever is in that place there, or nothing.
/// Whoever sends it to another thread keeps the loop's number beside it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ScopeEntry {
    id: NodeId,
}

impl ScopeEntry {
    pub(super) fn new(id: NodeId) -> ScopeEntry {
        ScopeEntry { id }
    }

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
            let asker = current::current_cell().map(|cell| cell.name());
            let why = Arc::new(Why { reason, asker });
            let mut actions = Actions::default();
            let entered = tree.nodes.borrow_mut().request(self.id, why, &mut actions);
            actions.run();
            entered
        })
        .unwrap_or(false)
    }
}
