//! Requests on the way up: to the next taker above, where they wait for those that are still at work on the same.

use super::actions::Actions;
use super::node::Kind;
use super::nodes::{NodeId, Nodes};
use super::request::Request;
use super::tree;
use super::trouble::Answer;

impl Nodes {
    /// Sends a request from a node to the next taker above it. False: it matters to nobody any more, or nobody could take it.
    pub(crate) fn rise(&mut self, from: u32, request: Request, actions: &mut Actions) -> bool {
        let above = if from == 0 { 0 } else { self.parent(from) };
        self.rise_from(above, request, actions)
    }

    /// The same, beginning with a node itself.
    pub(crate) fn rise_from(
        &mut self,
        start: u32,
        mut request: Request,
        actions: &mut Actions,
    ) -> bool {
        self.prune(&mut request);
        if request.is_empty() {
            return false;
        }
        let takes = |index: &u32| match self.at(*index).kind {
            Some(Kind::Root | Kind::Catch) => true,
            Some(Kind::Deadline) => self.is_outermost(*index, &request),
            Some(Kind::Wait) | None => false,
        };
        let taker = self.path(start).find(takes);
        if let Some(taker) = taker {
            self.mark(taker, request, true, actions);
        }
        taker.is_some()
    }

    /// Entries whose origin is gone matter to nobody.
    pub(super) fn prune(&self, request: &mut Request) {
        request.parts.retain(|part| self.is_alive(part.origin));
    }

    /// The request entered at this node, and no part of it further out.
    pub(crate) fn is_outermost(&self, index: u32, request: &Request) -> bool {
        let entered = |index: u32| request.entered_at(self.id(index));
        entered(index) && !self.path(self.parent(index)).any(entered)
    }

    /// The entries of a request that lie at a node or above it.
    pub(crate) fn on_the_way_up(&self, from: u32, mut request: Request) -> Request {
        request.split(|origin| self.path(from).any(|index| self.id(index) == origin))
    }

    pub(crate) fn innermost_catcher(&self, from: u32) -> Option<NodeId> {
        self.path(from)
            .find(|index| self.at(*index).kind == Some(Kind::Catch))
            .map(|index| self.id(index))
    }

    /// A node looks at its mark. True: take it now.
    pub(crate) fn may_take(&mut self, index: u32, actions: &mut Actions) -> bool {
        let Some(mark) = self.mark_of(index) else {
            return false;
        };
        if !mark.waits {
            return true;
        }
        let request = mark.request.clone();
        !self.others_at_work(index, &request, actions)
    }

    /// Some node below works on the same request, or has yet to look at it. Who has not shown yet that it answers a wake is
    /// woken.
    fn others_at_work(&mut self, above: u32, request: &Request, actions: &mut Actions) -> bool {
        let mut busy = false;
        for index in self.subtree(above) {
            let Some(trouble) = self.trouble_of(index).filter(|_| index != above) else {
                continue;
            };
            let same = |other: &Request| other.overlaps(request);
            if trouble
                .mark
                .as_ref()
                .is_some_and(|mark| same(&mark.request))
            {
                busy = true;
            }
            if trouble.answer == Answer::Silent || !trouble.working.as_ref().is_some_and(same) {
                continue;
            }
            busy = true;
            // A wait for tasks is judged when they have ended, which wakes it.
            if trouble.answer == Answer::Unasked && !self.is_wait(index) {
                self.trouble(index).answer = Answer::Asked(tree::stamp());
                self.fly(index);
                self.wake(index, actions);
            }
        }
        busy
    }

    pub(crate) fn has_risen(&self, index: u32) -> bool {
        self.mark_of(index).is_some_and(|mark| mark.risen)
    }

    /// Something that came up waits to be taken, at a node or above it, or will be when the present step has ended.
    pub(crate) fn is_rising_above(&self, from: u32) -> bool {
        let mut trouble = self.path(from).filter_map(|index| self.trouble_of(index));
        trouble.any(|trouble| {
            trouble.queued.is_some() || trouble.mark.as_ref().is_some_and(|mark| mark.risen)
        })
    }

    /// Some request is on its way, or being worked on, in the tree that a node is in.
    pub(crate) fn is_under_way(&self, index: u32) -> bool {
        let subtree = self.subtree(self.top(index));
        let mut trouble = subtree.iter().filter_map(|index| self.trouble_of(*index));
        trouble.any(|trouble| {
            trouble.queued.is_some() || trouble.mark.is_some() || trouble.working.is_some()
        })
    }

    /// The mark of a node, taken.
    pub(crate) fn take_mark(&mut self, index: u32) -> Option<Request> {
        let mark = self.trouble_mut(index)?.mark.take()?;
        let id = self.id(index);
        let top = self.top(index);
        if let Some(top) = self.trouble_mut(top).and_then(|t| t.top.as_mut()) {
            top.in_flight.retain(|other| *other != id);
        }
        self.tidy(index);
        Some(mark.request)
    }

    /// What a node took, after its inner future was dropped: with what bounced there, without what ended there.
    pub(crate) fn settle_taken(&self, mut request: Request, bounced: Option<Request>) -> Request {
        if let Some(bounced) = bounced {
            request.merge(bounced);
        }
        self.prune(&mut request);
        request
    }

    /// What the present step has asked of scopes further out is part of what a deadline takes: it must not report as its own what
    /// is about to be decided further out.
    pub(crate) fn join_queued(&self, id: NodeId, taken: &mut Request) {
        if !self.is_alive(id) {
            return;
        }
        for index in self.path(self.parent(id.index)) {
            if let Some(queued) = self.trouble_of(index).and_then(|t| t.queued.as_ref()) {
                taken.merge(queued.clone());
            }
        }
    }

    /// Somebody below this top has ended its work: what waited for that looks again.
    pub(crate) fn nudge(&mut self, index: u32, actions: &mut Actions) {
        let top = self.top(index);
        let Some(state) = self.trouble_of(top).and_then(|t| t.top.as_ref()) else {
            return;
        };
        let waiting = state.in_flight.iter().copied().chain([self.id(top)]);
        let waiting: Vec<NodeId> = waiting
            .filter(|id| self.is_alive(*id) && self.mark_of(id.index).is_some_and(|m| m.waits))
            .collect();
        for id in waiting {
            self.wake(id.index, actions);
        }
    }
}

/// Leaving, and moving to another place.
impl Nodes {
    /// What a node that leaves hands to the one above. Its own requests end with it.
    pub(crate) fn give_up(&mut self, index: u32) -> Option<Request> {
        if !self.in_trouble(index) && self.at(index).first_child == 0 {
            return None;
        }
        self.uncount(index);
        let id = self.id(index);
        let mut given = self.strip(index, |inside, origin| {
            !inside.contains(&origin) || origin == id
        })?;
        drop(given.split(|origin| origin == id));
        (!given.is_empty()).then_some(given)
    }

    /// Moves a node, and what is below it, to another parent. What entered further out goes back there.
    pub(crate) fn move_to(&mut self, index: u32, parent: u32, actions: &mut Actions) {
        self.uncount(index);
        if let Some(request) = self.strip_outer(index) {
            self.rise(index, request, actions);
        }
        self.unlink(index);
        self.link(index, parent);
        if let Some(trouble) = self.trouble_mut(index) {
            trouble.top = None;
        }
        for index in self.subtree(index) {
            self.settle_in(index);
        }
    }

    /// Takes out what is under way at a node and below it, and entered further out.
    pub(super) fn strip_outer(&mut self, index: u32) -> Option<Request> {
        self.strip(index, |inside, origin| !inside.contains(&origin))
    }

    /// Takes entries out of all that is under way at a node and below it: those for which `leaves` holds, which is told the
    /// nodes of this part of the tree and the origin.
    fn strip(&mut self, index: u32, leaves: impl Fn(&[NodeId], NodeId) -> bool) -> Option<Request> {
        let subtree = self.subtree(index);
        let inside: Vec<NodeId> = subtree.iter().map(|index| self.id(*index)).collect();
        let mut given = None;
        for index in subtree {
            let Some(trouble) = self.trouble_mut(index) else {
                continue;
            };
            let mark = trouble.mark.as_mut().map(|mark| &mut mark.request);
            for request in mark.into_iter().chain(trouble.working.as_mut()) {
                let out = request.split(|origin| leaves(&inside, origin));
                if !out.is_empty() {
                    out.merge_into(&mut given);
                }
            }
            trouble.mark.take_if(|mark| mark.request.is_empty());
            trouble.working.take_if(|working| working.is_empty());
            self.tidy(index);
        }
        given
    }

    /// What entered inside of a part of the tree that has moved is looked at in the new place.
    fn settle_in(&mut self, index: u32) {
        let Some(trouble) = self.trouble_of(index) else {
            return;
        };
        let queued = trouble.queued.is_some();
        if trouble.mark.is_some() || trouble.working.is_some() {
            self.fly(index);
        }
        if queued {
            self.note_queued(index);
        }
    }
}
