//! Requests on the way down: they enter at a node, and go to the innermost nodes below it that take them.

use std::collections::hash_map::Entry;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use super::actions::Actions;
use super::node::Kind;
use super::nodes::{NodeId, Nodes, Subject};
use super::request::{Request, Why};
use super::trouble::Mark;
use super::{place, tree};

impl Nodes {
    /// A request enters at a node. It waits there while the task is taking a step. False: the node has gone.
    pub(crate) fn request(&mut self, origin: NodeId, why: Arc<Why>, actions: &mut Actions) -> bool {
        if !self.is_alive(origin) {
            return false;
        }
        let top = self.top(origin.index);
        if top != origin.index {
            self.count(origin.index, top);
        }
        let request = Nodes::entering(origin, why);
        if self.in_flux(top) {
            self.queue(origin, request);
        } else {
            self.distribute(origin.index, request, actions);
        }
        true
    }

    /// Requests that were taken enter again, each where it entered before, to be delivered after the present step.
    pub(crate) fn request_again(&mut self, mut request: Request, actions: &mut Actions) {
        while let Some(origin) = request.parts.first().map(|part| part.origin) {
            let part = request.split(|other| other == origin);
            if !self.is_alive(origin) {
                continue;
            }
            if self.in_flux(self.top(origin.index)) {
                self.queue(origin, part);
            } else {
                self.distribute(origin.index, part, actions);
            }
        }
    }

    /// The step of this tree is in progress.
    fn in_flux(&self, top: u32) -> bool {
        match self.task_of(top) {
            Some(cell) => cell.state.is_running(),
            None => {
                let current = place::node();
                current != 0 && self.top(current) == top
            }
        }
    }

    /// The counter of the task is the sum of what was asked of it, by whatever node.
    fn count(&mut self, index: u32, top: u32) {
        let Some(cell) = self.task_of(top) else {
            return;
        };
        cell.state.add_request();
        self.trouble(index).counted += 1;
    }

    /// The node goes or moves: what its own requests have added to the count is taken back.
    pub(super) fn uncount(&mut self, index: u32) {
        let Some(trouble) = self.trouble_mut(index) else {
            return;
        };
        let counted = std::mem::take(&mut trouble.counted);
        if let Some(cell) = self.task_of(self.top(index)) {
            cell.state.take_requests(counted);
        }
    }

    fn queue(&mut self, origin: NodeId, request: Request) {
        request.merge_into(&mut self.trouble(origin.index).queued);
        self.note_queued(origin.index);
    }

    pub(super) fn note_queued(&mut self, index: u32) {
        let origin = self.id(index);
        let top = self.top(index);
        let queued_at = &mut self.top_state(top).queued_at;
        if !queued_at.contains(&origin) {
            queued_at.push(origin);
        }
        self.attend(top);
    }

    /// What was queued during a step goes its way. Requests that meet on it are one from there: a wait asks its tasks once.
    pub(super) fn distribute_queued(&mut self, top: u32, actions: &mut Actions) {
        let mut met: Vec<(u32, Request)> = Vec::new();
        let mut places: HashMap<u32, usize> = HashMap::new();
        for id in std::mem::take(&mut self.top_state(top).queued_at) {
            if !self.is_alive(id) {
                continue;
            }
            let Some(request) = self.trouble(id.index).queued.take() else {
                continue;
            };
            for target in self.targets(id.index) {
                match places.entry(target) {
                    Entry::Occupied(place) => met[*place.get()].1.merge(request.clone()),
                    Entry::Vacant(place) => {
                        place.insert(met.len());
                        met.push((target, request.clone()));
                    }
                }
            }
        }
        for (target, request) in met {
            self.hand(target, request, actions);
        }
    }

    /// Sends a request from its origin down to the innermost takers.
    fn distribute(&mut self, origin: u32, request: Request, actions: &mut Actions) {
        for target in self.targets(origin) {
            self.hand(target, request.clone(), actions);
        }
    }

    /// Where a request goes that has entered at a node.
    fn targets(&self, origin: u32) -> Vec<u32> {
        let mut targets = self.innermost_takers(origin);
        if targets.is_empty() {
            targets.push(origin);
        }
        targets
    }

    fn hand(&mut self, target: u32, request: Request, actions: &mut Actions) {
        if !self.forward(target, &request, actions) {
            self.mark_in_turn(target, request, actions);
        }
    }

    /// Leaves a mark. If all that is waited for below has happened already, its wake is on its way, and a second one would only let
    /// the task overtake those that were woken before it.
    fn mark_in_turn(&mut self, index: u32, request: Request, actions: &mut Actions) {
        if self.is_woken_soon(index) {
            self.leave_mark(index, request, false);
        } else {
            self.mark(index, request, false, actions);
        }
    }

    /// Nothing stands below a node but one wait for several tasks, which is about to wake the task.
    fn is_woken_soon(&self, mut index: u32) -> bool {
        loop {
            if self.waker(index).is_some() {
                return false;
            }
            let mut children = self.children(index);
            match (children.next(), children.next()) {
                (Some(child), None) => index = child,
                (Some(_), Some(_)) => return false,
                (None, _) => break,
            }
        }
        match &self.at(index).subject {
            Subject::Members(members) => members.wakes_soon(),
            _ => false,
        }
    }

    /// Those below a node that have no other one below them, or cover it, in the order of their joining.
    fn innermost_takers(&self, origin: u32) -> Vec<u32> {
        let takes = |index: u32| match self.at(index).kind {
            Some(Kind::Catch) => true,
            // With nobody to hand it on to, it would only send it up.
            Some(Kind::Wait) => !self.unfinished(index).is_empty(),
            _ => false,
        };
        let mut takers = Vec::new();
        let mut covered = HashSet::new();
        // Children first: whoever finds a taker below has passed it on to those above.
        let mut order = self.uncovered(origin);
        order.reverse();
        for index in order {
            if index == origin {
                continue;
            }
            let is_covered = covered.contains(&index);
            if takes(index) && !is_covered {
                takers.push(index);
            }
            if is_covered || takes(index) {
                covered.insert(self.at(index).parent);
            }
        }
        takers.reverse();
        takers
    }

    /// The nodes below an origin that its requests may reach, parents first.
    fn uncovered(&self, origin: u32) -> Vec<u32> {
        let mut found = Vec::new();
        let mut open = vec![origin];
        while let Some(index) = open.pop() {
            found.push(index);
            if index == origin || !self.at(index).covers {
                open.extend(self.children(index));
            }
        }
        found
    }

    /// An owned wait hands a request on to its unfinished tasks. False: it has none.
    fn forward(&mut self, index: u32, request: &Request, actions: &mut Actions) -> bool {
        if !self.is_wait(index) {
            return false;
        }
        let tasks = self.unfinished(index);
        if tasks.is_empty() {
            return false;
        }
        let id = self.id(index);
        let has_lent = tasks.iter().any(|task| task.state.is_lent());
        for task in tasks {
            actions.ask(task, request.why().clone(), id);
        }
        let trouble = self.trouble(index);
        trouble.has_lent = has_lent;
        request.clone().merge_into(&mut trouble.working);
        self.fly(index);
        true
    }

    /// A wait keeps a request that it was to hand on.
    pub(super) fn keep(&mut self, wait: NodeId, actions: &mut Actions) {
        if !self.is_alive(wait) {
            return;
        }
        let working = self
            .trouble_mut(wait.index)
            .and_then(|trouble| trouble.working.take());
        if let Some(request) = working {
            self.mark(wait.index, request, false, actions);
        }
    }

    /// Leaves a request with the node that is to take it, and wakes that node.
    pub(super) fn mark(
        &mut self,
        index: u32,
        request: Request,
        waits: bool,
        actions: &mut Actions,
    ) {
        self.leave_mark(index, request, waits);
        self.wake(index, actions);
    }

    fn leave_mark(&mut self, index: u32, request: Request, waits: bool) {
        let stamp = tree::stamp();
        match &mut self.trouble(index).mark {
            Some(mark) => {
                mark.request.merge(request);
                mark.waits &= waits;
                mark.risen |= waits;
            }
            place => {
                *place = Some(Mark {
                    request,
                    waits,
                    risen: waits,
                    stamp,
                });
            }
        }
        self.fly(index);
    }

    /// Notes at the top that this node owes a look.
    pub(super) fn fly(&mut self, index: u32) {
        let id = self.id(index);
        let top = self.top(index);
        if top != index {
            let in_flight = &mut self.top_state(top).in_flight;
            if !in_flight.contains(&id) {
                in_flight.push(id);
            }
        }
        self.attend(top);
    }

    /// The task is to ask before and after its next polls.
    fn attend(&self, top: u32) {
        if let Some(cell) = self.task_of(top) {
            cell.state.attend();
        }
    }

    /// Wakes a node with the waker that it was polled with, and its task in any case.
    pub(super) fn wake(&self, index: u32, actions: &mut Actions) {
        if self.waker(index).is_some() {
            actions.wake(self.id(index));
        }
        self.step_for(index, actions);
    }

    /// Wakes the task that a node is in.
    pub(super) fn step_for(&self, index: u32, actions: &mut Actions) {
        if let Some(cell) = self.task_of(self.top(index)) {
            // During a step, the judgement after it decides whether another one is needed.
            if !cell.state.is_running() && !cell.state.is_queued() {
                actions.step(cell);
            }
        }
    }

    /// The root's own requests are taken back, as far as they were not delivered or passed on to another task.
    pub(crate) fn withdraw(&mut self, root: u32) {
        let origin = self.id(root);
        let Some(trouble) = self.trouble_mut(root) else {
            return;
        };
        trouble.queued = None;
        let mut places = vec![origin];
        if let Some(top) = &mut trouble.top {
            top.queued_at.retain(|id| *id != origin);
            places.extend(&top.in_flight);
        }
        for id in places {
            if !self.is_alive(id) {
                continue;
            }
            let Some(trouble) = self.trouble_mut(id.index) else {
                continue;
            };
            if let Some(mark) = &mut trouble.mark {
                drop(mark.request.split(|other| other == origin));
                if mark.request.is_empty() {
                    trouble.mark = None;
                }
            }
        }
    }
}
