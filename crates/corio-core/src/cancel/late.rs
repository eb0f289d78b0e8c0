//! Nodes that join late, or not at all: a time limit takes only what enters at itself, and nothing can before it has a place.

use std::task::{Context, Poll, Waker};

use super::light_limit::LightLimit;
use super::node::Node;
use super::nodes::Limit;
use super::place;
use super::tree;
use crate::current;

/// How many links there had been in the tree before a poll.
#[derive(Clone, Copy, Debug)]
pub struct Links(u64);

/// The node is a limit that waits outside of the tree, see [`light_limit`](super::light_limit).
pub(super) const LIGHT: u64 = 1 << 63;

impl Node {
    /// The first poll of what a node limits that takes only what enters at itself: nothing can, before it has a place. So it
    /// [joins](Node::join_late) the tree only if the inner future is pending, and not even then if nothing else stands in the task.
    /// `None`: there is no task, and whoever joins below needs the node to be there; nothing was polled.
    #[inline]
    pub fn poll_before<T>(
        limit: Limit,
        poll: impl FnOnce() -> Poll<T>,
    ) -> Option<(Poll<T>, Links)> {
        if place::node() == 0 && !current::is_in_step() {
            return None;
        }
        let links = Links(place::links());
        Some((place::inside_unborn(limit, poll), links))
    }

    /// After [`poll_before`](Node::poll_before) was pending.
    #[inline]
    pub fn join_late(&mut self, cx: &Context<'_>, limit: Limit, links: Links) {
        if !self.stand_aside(cx.waker(), links) {
            self.join_adopting(cx, limit, links);
        }
    }

    #[inline(never)]
    fn join_adopting(&mut self, cx: &Context<'_>, limit: Limit, links: Links) {
        // It was picked up, so its timer is that of this task, and knows it by its number only.
        let light = self.light();
        self.enter(cx);
        tree::with(|tree| {
            let mut nodes = tree.nodes.borrow_mut();
            nodes.set_limit(self.id.index, limit);
            if let Some(light) = light {
                nodes.set_number(self.id.index, Some(light.number));
                self.goes_by_number = true;
            }
            nodes.adopt(self.id.index, links.0);
        });
    }

    /// A later poll of a node that still stands outside of the tree. `None`: it does not, and nothing was polled.
    #[inline]
    pub fn poll_again<T>(
        &mut self,
        cx: &mut Context<'_>,
        limit: Limit,
        poll: impl FnOnce(&mut Context<'_>) -> Poll<T>,
    ) -> Option<Poll<T>> {
        let scheduler = self.tree & !LIGHT;
        if !self.light()?.pick_up(scheduler, cx.waker()) {
            return None;
        }
        let links = Links(place::links());
        let polled = place::inside_unborn(limit, || poll(cx));
        if polled.is_pending() {
            self.join_late(cx, limit, links);
        } else {
            // It was picked up, and there is nothing to leave.
            self.tree = 0;
        }
        Some(polled)
    }

    /// It waits outside of the tree, or did so when it was last polled.
    #[inline]
    pub fn is_light(&self) -> bool {
        self.tree & LIGHT != 0
    }

    /// Its timer was armed while it was light, and finds it. That is over when it goes to another task.
    #[inline]
    pub fn goes_by_number(&self) -> bool {
        self.goes_by_number || self.is_light()
    }

    /// Nothing has joined the tree since so many links, nor stands in the task: neither need this node.
    #[inline]
    fn stand_aside(&mut self, waker: &Waker, links: Links) -> bool {
        let light = self.light();
        if place::links() != links.0 || (self.tree != 0 && light.is_none()) {
            return false;
        }
        let Some((scheduler, limit)) = LightLimit::begin(waker, light) else {
            return false;
        };
        self.tree = scheduler | LIGHT;
        (self.id.index, self.id.generation) = (limit.slot, limit.number);
        true
    }

    #[inline]
    pub(super) fn light(&self) -> Option<LightLimit> {
        self.is_light().then_some(LightLimit {
            slot: self.id.index,
            number: self.id.generation,
        })
    }

    /// A light limit becomes a node where it is polled now: the number by which it goes on to be found there.
    #[cold]
    pub(super) fn settle_here(&mut self) -> Option<u32> {
        let scheduler = self.tree & !LIGHT;
        let limit = self.light().filter(|limit| limit.is_here(scheduler));
        self.settle();
        limit.map(|limit| limit.number)
    }

    /// A light limit ends, or becomes the node that was made for it.
    pub(super) fn settle(&mut self) {
        let scheduler = std::mem::take(&mut self.tree) & !LIGHT;
        let limit = LightLimit {
            slot: self.id.index,
            number: self.id.generation,
        };
        if let Some(id) = limit.end(scheduler) {
            self.adopt(id);
        }
    }
}
