//! Where the code that runs now stands: in which node, and inside of which time limits that have not joined the tree yet.
//!
//! It stands apart from the tree, because waits without a node and limits that are never waited for look at nothing else.

use std::cell::Cell;

use super::nodes::Limit;
use crate::moment::{Moment, Nanos};

/// No node.
const NOWHERE: u32 = u32::MAX;

struct Place {
    /// The node whose inner future is being polled; 0 is none.
    node: Cell<u32>,
    /// The node in which the innermost limit is being polled that has not joined; [`NOWHERE`] is no such limit.
    unborn: Cell<u32>,
    /// How many links there were when that poll began.
    since: Cell<u64>,
    /// The nearest of those that end at a time, and of those that end so long after the step in which they begin.
    at: Cell<Moment>,
    after: Cell<Nanos>,
    /// Counts the links of the tree, so that it can be told what was linked during a poll.
    links: Cell<u64>,
}

thread_local! {
    static PLACE: Place = const {
        Place {
            node: Cell::new(0),
            unborn: Cell::new(NOWHERE),
            since: Cell::new(0),
            at: Cell::new(Moment::NEVER),
            after: Cell::new(Nanos::MAX),
            links: Cell::new(0),
        }
    };
}

/// The node whose inner future is being polled; 0 is none.
#[inline]
pub(crate) fn node() -> u32 {
    PLACE.with(|place| place.node.get())
}

/// Nothing stands between the running task and the code that runs.
#[inline]
pub(super) fn is_bare() -> bool {
    PLACE.with(|place| place.node.get() == 0 && place.unborn.get() == NOWHERE)
}

/// No node stands between the code that runs and a limit that has not joined, and the node of that link came from outside of it.
#[inline]
pub(super) fn moves_into_unborn(linked: u64) -> bool {
    PLACE.with(|place| place.unborn.get() == place.node.get() && linked <= place.since.get())
}

/// The limits that have not joined yet.
pub(super) fn limits() -> [Limit; 2] {
    PLACE.with(|place| {
        let after = match place.after.get() {
            Nanos::MAX => Limit::None,
            length => Limit::After(length),
        };
        [Limit::At(place.at.get()), after]
    })
}

/// How many links were made.
#[inline]
pub(super) fn links() -> u64 {
    PLACE.with(|place| place.links.get())
}

/// A link is made.
#[inline]
pub(super) fn next_link() -> u64 {
    PLACE.with(|place| {
        place.links.set(place.links.get() + 1);
        place.links.get()
    })
}

/// Runs `body` inside of a node.
#[inline]
pub(super) fn inside<R>(node: u32, body: impl FnOnce() -> R) -> R {
    struct RestoreNode(u32);
    impl Drop for RestoreNode {
        #[inline]
        fn drop(&mut self) {
            PLACE.with(|place| place.node.set(self.0));
        }
    }
    let _restore = RestoreNode(PLACE.with(|place| place.node.replace(node)));
    body()
}

/// Runs `body` inside of a limit that has not joined.
#[inline]
pub(super) fn inside_unborn<R>(limit: Limit, body: impl FnOnce() -> R) -> R {
    let _restore = PLACE.with(|place| Restore {
        unborn: place.unborn.replace(place.node.get()),
        since: place.since.replace(place.links.get()),
        limit: match limit {
            Limit::None => Limit::None,
            Limit::At(time) => Limit::At(place.at.replace(place.at.get().min(time))),
            Limit::After(length) => {
                Limit::After(place.after.replace(place.after.get().min(length)))
            }
        },
    });
    body()
}

/// Runs `body` as if outside of everything: what it polls has a place of its own.
pub(crate) fn outside<R>(body: impl FnOnce() -> R) -> R {
    let _restore = PLACE.with(|place| {
        let unborn = place.unborn.replace(NOWHERE);
        let at = Limit::At(place.at.replace(Moment::NEVER));
        let after = Limit::After(place.after.replace(Nanos::MAX));
        let since = place.since.get();
        let restore = |limit| Restore {
            unborn,
            since,
            limit,
        };
        [at, after].map(restore)
    });
    inside(0, body)
}

/// Where the limit outside was, and the nearest of the kind that has changed. Only what has changed is stored, word by word:
/// a load of more than what was stored last has to wait for the store.
struct Restore {
    unborn: u32,
    since: u64,
    limit: Limit,
}

impl Drop for Restore {
    #[inline]
    fn drop(&mut self) {
        PLACE.with(|place| {
            place.unborn.set(self.unborn);
            place.since.set(self.since);
            match self.limit {
                Limit::None => {}
                Limit::At(time) => place.at.set(time),
                Limit::After(length) => place.after.set(length),
            }
        });
    }
}
