//! The place of a node, from the side of those who ask it to end.

use std::borrow::Cow;
use std::sync::Arc;

use super::actions::Actions;
use super::light_limit::LightLimit;
use super::nodes::NodeId;
use super::request::Why;
use super::tree;
use crate::current;

/// The place of a node, at which requests may enter: deadlines and scopes are cancelled through it. A stale one does nothing.
///
/// It is for the thread on which the node was polled: on another one it names whatever is in that place there, or nothing.
/// Whoever sends it to another thread keeps the loop's number beside it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ScopeEntry(u64);

/// It is the place of a limit without a node, in the loop that runs here: its slot and its number.
const LIGHT: u64 = 1 << 61;

impl ScopeEntry {
    #[inline]
    pub(super) fn new(id: NodeId) -> ScopeEntry {
        ScopeEntry(pack(id.index, id.generation))
    }

    #[inline]
    pub(super) fn light(limit: LightLimit) -> ScopeEntry {
        ScopeEntry(pack(limit.slot, limit.number) | LIGHT)
    }

    /// The place as a number of 62 bits.
    #[inline]
    pub fn to_bits(self) -> u64 {
        self.0
    }

    /// The place with this number. Any number is safe: a stale one names nothing.
    #[inline]
    pub fn from_bits(bits: u64) -> ScopeEntry {
        ScopeEntry(bits)
    }

    /// The node, made if need be.
    fn node(self) -> Option<NodeId> {
        let (high, low) = (((self.0 & !LIGHT) >> 32) as u32, self.0 as u32);
        if self.0 & LIGHT != 0 {
            let limit = LightLimit {
                slot: high,
                number: low,
            };
            return limit.origin();
        }
        Some(NodeId {
            index: high,
            generation: low,
        })
    }

    /// A request enters here. False: the node has gone.
    pub fn request(&self, reason: Option<Cow<'static, str>>) -> bool {
        let Some(id) = self.node() else {
            return false;
        };
        tree::with(|tree| {
            let asker = current::current_cell().map(|cell| cell.name());
            let why = Arc::new(Why { reason, asker });
            let mut actions = Actions::default();
            let entered = tree.nodes.borrow_mut().request(id, why, &mut actions);
            actions.run();
            entered
        })
        .unwrap_or(false)
    }
}

#[inline]
fn pack(high: u32, low: u32) -> u64 {
    (u64::from(high) << 32) | u64::from(low)
}
