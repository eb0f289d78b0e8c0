//! A request to cancel: who asked, why, and where it entered.

use std::borrow::Cow;
use std::sync::Arc;

use super::nodes::NodeId;

/// What a person may read about a request. The first of several that merged is kept.
#[derive(Debug, Default)]
pub(crate) struct Why {
    pub(crate) reason: Option<Cow<'static, str>>,
    /// The name of the task that asked, if it was one.
    pub(crate) asker: Option<String>,
}

/// One entry into the tree: where, and which request.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Part {
    pub(crate) origin: NodeId,
    pub(crate) number: u64,
}

/// Requests that travel together.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    pub(crate) why: Arc<Why>,
    pub(crate) parts: Vec<Part>,
}

impl Request {
    /// One without an entry: it matters to nobody, and is told about only.
    pub(crate) fn empty(why: Arc<Why>) -> Request {
        Request {
            why,
            parts: Vec::new(),
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.parts.is_empty()
    }

    pub(crate) fn merge(&mut self, other: Request) {
        for part in other.parts {
            if !self.parts.contains(&part) {
                self.parts.push(part);
            }
        }
    }

    pub(crate) fn merge_into(self, place: &mut Option<Request>) {
        match place {
            Some(there) => there.merge(self),
            None => *place = Some(self),
        }
    }

    /// They have an entry in common.
    pub(crate) fn overlaps(&self, other: &Request) -> bool {
        self.parts.iter().any(|part| other.parts.contains(part))
    }

    pub(crate) fn entered_at(&self, origin: NodeId) -> bool {
        self.parts.iter().any(|part| part.origin == origin)
    }

    /// Takes out the entries for which `leaves` holds.
    pub(crate) fn split(&mut self, leaves: impl Fn(NodeId) -> bool) -> Request {
        let (out, kept) = self.parts.iter().partition(|part| leaves(part.origin));
        self.parts = kept;
        Request {
            why: self.why.clone(),
            parts: out,
        }
    }
}
