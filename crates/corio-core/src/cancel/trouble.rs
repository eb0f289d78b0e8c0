//! What requests that are under way leave at the nodes. It is there only while there is something.

use super::nodes::{NodeId, Nodes};
use super::request::Request;

/// What a node has to do with requests that are under way.
#[derive(Default)]
pub(super) struct Trouble {
    /// To be taken at the next look.
    pub(super) mark: Option<Mark>,
    /// Taken or handed on, and still being worked on.
    pub(super) working: Option<Request>,
    /// Whether a node at work is worth waiting for.
    pub(super) answer: Answer,
    /// Entered here while the task was taking a step.
    pub(super) queued: Option<Request>,
    /// How much this node's own requests have added to the task's count.
    pub(super) counted: u16,
    /// At a wait: some of the tasks that were asked have their futures elsewhere.
    pub(super) has_lent: bool,
    /// At a wait: the root of an unfinished task that was not held up at the last look, so that the others need none.
    pub(super) counts_on: Option<NodeId>,
    /// At the root of a task: the wait that owns the task, and has handed a request on to it.
    pub(super) asker: Option<NodeId>,
    /// At the top: what only the top of a tree has.
    pub(super) top: Option<Box<Top>>,
}

/// What the top of a tree knows while requests are under way below it.
#[derive(Default)]
pub(super) struct Top {
    /// Nodes that owe a look: marked, asked for an answer, or waiting for tasks that were asked to cancel.
    pub(super) in_flight: Vec<NodeId>,
    /// Nodes with something queued.
    pub(super) queued_at: Vec<NodeId>,
    /// The stamp of the poll in progress, if requests were under way when it began.
    pub(super) began: Option<u64>,
    /// Turns in a row in which silent nodes were given another chance.
    pub(super) chances: u32,
}

pub(super) struct Mark {
    pub(super) request: Request,
    /// It came up, so it waits for others at work on the same.
    pub(super) waits: bool,
    /// Something of it came up from inside, where somebody waits to be dropped.
    pub(super) risen: bool,
    /// When it was made.
    pub(super) stamp: u64,
}

/// Whether a node at work answers a wake. One that does not is not waited for.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) enum Answer {
    #[default]
    Unasked,
    /// Woken at this stamp, to be seen in the next poll.
    Asked(u64),
    Given,
    Silent,
}

impl Nodes {
    #[inline]
    pub(crate) fn in_trouble(&self, index: u32) -> bool {
        self.at(index).trouble.is_some()
    }

    pub(super) fn trouble(&mut self, index: u32) -> &mut Trouble {
        self.at_mut(index).trouble.get_or_insert_default()
    }

    pub(super) fn trouble_of(&self, index: u32) -> Option<&Trouble> {
        self.at(index).trouble.as_deref()
    }

    pub(super) fn trouble_mut(&mut self, index: u32) -> Option<&mut Trouble> {
        self.at_mut(index).trouble.as_deref_mut()
    }

    pub(super) fn top_state(&mut self, top: u32) -> &mut Top {
        self.trouble(top).top.get_or_insert_default()
    }

    /// Frees what an uneventful node does not need.
    pub(super) fn tidy(&mut self, index: u32) {
        let idle = self.trouble_of(index).is_some_and(Trouble::is_idle);
        if idle {
            self.at_mut(index).trouble = None;
        }
    }

    pub(super) fn mark_of(&self, index: u32) -> Option<&Mark> {
        self.trouble_of(index)?.mark.as_ref()
    }

    pub(crate) fn working(&self, index: u32) -> Option<&Request> {
        self.trouble_of(index)?.working.as_ref()
    }

    /// Notes that the node is at work on what it took, or not any more.
    pub(crate) fn set_working(&mut self, index: u32, request: Option<Request>) {
        if request.is_none() && !self.in_trouble(index) {
            return;
        }
        let trouble = self.trouble(index);
        trouble.working = request;
        trouble.answer = Answer::Unasked;
        self.tidy(index);
    }
}

impl Trouble {
    fn is_idle(&self) -> bool {
        self.mark.is_none()
            && self.working.is_none()
            && self.queued.is_none()
            && self.counted == 0
            && self.asker.is_none()
            && self.top.is_none()
    }
}
