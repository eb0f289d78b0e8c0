//! The look at a tree before and after a step of its task: who has to take now, and who does not answer.

use super::actions::Actions;
use super::nodes::{NodeId, Nodes};
use super::request::Request;
use super::trouble::Answer;

/// How often a task that wakes itself may put off the judgement that a node does not answer.
const CHANCES: u32 = 8;

/// What is to be done about a node that owes a look.
enum Verdict {
    /// It owes nothing any more.
    Done,
    /// It waits for others.
    Waits,
    /// It could not look yet: another turn.
    Again,
    /// The step went by without reaching it.
    Silent,
    /// It waits for tasks that take their steps elsewhere, and all of them have been told of one that they were not given.
    HeldUp,
}

impl Nodes {
    /// Before a step: the request that ends the task instead.
    pub(crate) fn before_step(
        &mut self,
        top: u32,
        stamp: u64,
        actions: &mut Actions,
    ) -> Option<Request> {
        if !self.in_trouble(top) {
            return None;
        }
        self.top_state(top).began = Some(stamp);
        if self.may_take(top, actions) {
            self.take_mark(top)
        } else {
            None
        }
    }

    /// A node is about to be polled, as a step of its own if `step` says so. True: it has to take.
    pub(crate) fn begin(&mut self, index: u32, step: Option<u64>, actions: &mut Actions) -> bool {
        if step.is_some() {
            self.top_state(index).began = step;
        }
        self.may_take(index, actions)
    }

    /// After a step that ended in `Pending`: the request that ends the task now. `woken`: the step has woken the task again.
    pub(crate) fn after_step(
        &mut self,
        top: u32,
        woken: bool,
        actions: &mut Actions,
    ) -> Option<Request> {
        self.review(top, woken, actions);
        let risen = self.mark_of(top).is_some();
        self.distribute_queued(top, actions);
        if risen && self.may_take(top, actions) {
            return self.take_mark(top);
        }
        let idle = self.mark_of(top).is_none() && self.top_state(top).in_flight.is_empty();
        if idle {
            self.calm(top);
        }
        None
    }

    /// Judges those that owe a look. A request that a silent one did not take goes on to the next taker above it.
    fn review(&mut self, top: u32, woken: bool, actions: &mut Actions) {
        let state = self.top_state(top);
        let began = state.began.take();
        let in_flight = std::mem::take(&mut state.in_flight);
        let mut kept = Vec::new();
        let mut silent = Vec::new();
        let mut held_up = Vec::new();
        for id in in_flight {
            if !self.is_alive(id) || self.top(id.index) != top {
                continue;
            }
            match self.verdict(id.index, began, actions) {
                Verdict::Done => self.tidy(id.index),
                Verdict::Waits => kept.push(id),
                Verdict::Again => {
                    self.wake(id.index, actions);
                    kept.push(id);
                }
                Verdict::Silent => silent.push(id),
                Verdict::HeldUp => {
                    held_up.push(id);
                    silent.push(id);
                }
            }
        }
        let state = self.top_state(top);
        // Who holds what is held up may be another task, whose turn is still to come.
        let puts_off = woken || !held_up.is_empty();
        let patient = puts_off && state.chances < CHANCES && !silent.is_empty();
        state.chances = if patient { state.chances + 1 } else { 0 };
        if patient {
            for id in held_up {
                self.wake(id.index, actions);
            }
            kept.append(&mut silent);
        }
        // Asking who is still at work may have added some.
        let state = self.top_state(top);
        kept.retain(|id| !state.in_flight.contains(id));
        state.in_flight.splice(0..0, kept);
        for id in silent {
            self.pass_over(id, actions);
        }
    }

    fn verdict(&mut self, index: u32, began: Option<u64>, actions: &mut Actions) -> Verdict {
        let Some(began) = began else {
            // Nothing was under way when the step began, so nobody could have been expected to look.
            return Verdict::Again;
        };
        let reached = self.at(index).stamp >= began;
        let judge = |since: u64| {
            if since >= began || reached {
                Verdict::Again
            } else {
                Verdict::Silent
            }
        };
        if let Some(mark) = self.mark_of(index) {
            let stamp = mark.stamp;
            return if mark.waits && !self.may_take(index, actions) {
                Verdict::Waits
            } else {
                judge(stamp)
            };
        }
        let Some(trouble) = self.trouble_of(index) else {
            return Verdict::Done;
        };
        match trouble.answer {
            Answer::Asked(since) if since < began && reached => {
                self.trouble(index).answer = Answer::Given;
                Verdict::Done
            }
            Answer::Asked(since) => judge(since),
            _ if trouble.working.is_none() || !self.is_wait(index) => Verdict::Done,
            _ => match self.is_held_up(index) {
                Some(true) => Verdict::HeldUp,
                None if !reached => Verdict::Silent,
                Some(false) | None => Verdict::Waits,
            },
        }
    }

    /// A node does not answer. What entered at itself stays until it is polled or dropped.
    fn pass_over(&mut self, id: NodeId, actions: &mut Actions) {
        let is_wait = self.is_wait(id.index);
        let Some(trouble) = self.trouble_mut(id.index) else {
            return;
        };
        let mut passed = None;
        if is_wait {
            passed = trouble.working.take();
        } else {
            // What it works on stays with it, but nobody waits for that.
            trouble.answer = Answer::Silent;
        }
        if let Some(mark) = &mut trouble.mark {
            let risen = mark.request.split(|origin| origin != id);
            if !risen.is_empty() {
                risen.merge_into(&mut passed);
            }
        }
        trouble.mark.take_if(|mark| mark.request.is_empty());
        self.tidy(id.index);
        match passed {
            Some(request) => drop(self.rise(id.index, request, actions)),
            None => self.nudge(id.index, actions),
        }
    }

    /// The look of a topmost node that stands for no task: what a task does after a step. True: take.
    pub(crate) fn top_looks(&mut self, top: u32, actions: &mut Actions) -> bool {
        let Some(request) = self.after_step(top, false, actions) else {
            return false;
        };
        self.mark(top, request, true, &mut Actions::default());
        true
    }

    /// Nothing is under way at the top any more.
    fn calm(&mut self, top: u32) {
        if let Some(trouble) = self.trouble_mut(top) {
            trouble.top = None;
        }
        self.tidy(top);
        if let Some(cell) = self.task_of(top) {
            cell.state.at_ease();
        }
    }

    /// The task has ended: what was still outstanding for it.
    pub(crate) fn end_root(&mut self, root: u32, actions: &mut Actions) -> Option<Request> {
        self.task_ended(root, actions);
        let mut request = None;
        if let Some(trouble) = self.at_mut(root).trouble.take() {
            let mark = trouble.mark.map(|mark| mark.request);
            for part in mark.into_iter().chain(trouble.queued) {
                part.merge_into(&mut request);
            }
        }
        // Futures that are kept elsewhere: what entered further in than here is theirs.
        let children: Vec<u32> = self.children(root).collect();
        for child in children {
            if let Some(left) = self.strip_outer(child) {
                left.merge_into(&mut request);
            }
        }
        let mut request = request?;
        self.prune(&mut request);
        (!request.is_empty()).then_some(request)
    }
}
