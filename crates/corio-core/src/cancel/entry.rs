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
pub struct ScopeEntry(Place);

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Place {
    Node(NodeId),
    /// A limit without a node, of the loop that runs here.
    Light(LightLimit),
}

/// In the number of a place: it is light.
const LIGHT: u64 = 1 << 61;

impl ScopeEntry {
    pub(super) fn new(id: NodeId) -> ScopeEntry {
        ScopeEntry(Place::Node(id))
    }

    pub(super) fn light(limit: LightLimit) -> ScopeEntry {
        ScopeEntry(Place::Light(limit))
    }

    /// The place as a number of 62 bits.
    #[inline]
    pub fn to_bits(self) -> u64 {
        let pack = |high: u32, low: u32| (u64::from(high) << 32) | u64::from(low);
        match self.0 {
            Place::Node(id) => pack(id.index, id.generation),
            Place::Light(limit) => pack(limit.slot, limit.number) | LIGHT,
        }
    }

    /// The place with this number. Any number is safe: a stale one names nothing.
    #[inline]
    pub fn from_bits(bits: u64) -> ScopeEntry {
        let (high, low) = (((bits & !LIGHT) >> 32) as u32, bits as u32);
        ScopeEntry(if bits & LIGHT == 0 {
            Place::Node(NodeId {
                index: high,
                generation: low,
            })
        } else {
            Place::Light(LightLimit {
                slot: high,
                number: low,
            })
        })
    }

    /// A request enters here. False: the node has gone.
    pub fn request(&self, reason: Option<Cow<'static, str>>) -> bool {
        let id = match self.0 {
            Place::Node(id) => id,
            Place::Light(limit) => match limit.origin() {
                Some(id) => id,
                None => return false,
            },
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
