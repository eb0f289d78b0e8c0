//! Where the code that runs now stands: in which node, and inside of which time limits that have not joined the tree yet.
//!
//! It stands apart from the tree, because waits without a node and limits that are never waited for look at nothing else.

use std::cell::Cell;

use super::nodes::Limit;
use crate::moment::{Moment, Nanos};

struct Place {
    /// The node whose inner future is being polled; 0 is none.
    node: Cell<u32>,
    unborn: Cell<Unborn>,
    /// Counts the links of the tree, so that it can be told what was linked during a poll.
    links: Cell<u64>,
}

/// What is known of the limits whose poll is on the stack: the nearest of each kind.
#[derive(Clone, Copy)]
struct Unborn {
    count: u32,
    at: Moment,
    after: Nanos,
}

impl Unborn {
    const NONE: Unborn = Unborn {
        count: 0,
        at: Moment::NEVER,
        after: Nanos::MAX,
    };
}

thread_local! {
    static PLACE: Place = const {
        Place {
            node: Cell::new(0),
            unborn: Cell::new(Unborn::NONE),
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
    PLACE.with(|place| place.node.get() == 0 && place.unborn.get().count == 0)
}

/// The limits that have not joined yet.
pub(super) fn limits() -> [Limit; 2] {
    let unborn = PLACE.with(|place| place.unborn.get());
    let after = match unborn.after {
        Nanos::MAX => Limit::None,
        length => Limit::After(length),
    };
    [Limit::At(unborn.at), after]
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
    struct Restore(u32);
    impl Drop for Restore {
        #[inline]
        fn drop(&mut self) {
            PLACE.with(|place| place.node.set(self.0));
        }
    }
    let _restore = Restore(PLACE.with(|place| place.node.replace(node)));
    body()
}

/// Runs `body` inside of a limit that has not joined.
#[inline]
pub(super) fn inside_unborn<R>(limit: Limit, body: impl FnOnce() -> R) -> R {
    let restore = RestoreUnborn(PLACE.with(|place| place.unborn.get()));
    let mut unborn = restore.0;
    unborn.count += 1;
    match limit {
        Limit::None => {}
        Limit::At(time) => unborn.at = unborn.at.min(time),
        Limit::After(length) => unborn.after = unborn.after.min(length),
    }
    PLACE.with(|place| place.unborn.set(unborn));
    body()
}

/// Runs `body` as if outside of everything: what it polls has a place of its own.
pub(crate) fn outside<R>(body: impl FnOnce() -> R) -> R {
    let _restore = RestoreUnborn(PLACE.with(|place| place.unborn.replace(Unborn::NONE)));
    inside(0, body)
}

struct RestoreUnborn(Unborn);

impl Drop for RestoreUnborn {
    #[inline]
    fn drop(&mut self) {
        PLACE.with(|place| place.unborn.set(self.0));
    }
}
