//! One operation that may wait for a source.

use std::fmt;
use std::panic::Location;

use corio_core::waiting::WaitKind;
use corio_reactor::{Direction, SourceKey, WaitToken};

use super::here;

/// The part of a leaf future that waits for an [`IoSource`](super::IoSource): what task lists show of it, and the place of its
/// waker, which it takes back when it is dropped.
///
/// A future holds one for each operation that it has under way, on one source, and passes it to
/// [`poll_io_as`](super::IoSource::poll_io_as).
pub struct IoWaiter {
    kind: &'static WaitKind,
    site: &'static Location<'static>,
    token: WaitToken,
    /// Where the waker was left; `None` is nowhere.
    at: Option<Spot>,
}

/// A direction of a source at a loop.
#[derive(Clone, Copy, PartialEq)]
pub(super) struct Spot {
    of_loop: u64,
    key: SourceKey,
    direction: Direction,
}

impl Spot {
    #[inline]
    pub(super) fn new(of_loop: u64, key: SourceKey, direction: Direction) -> Spot {
        Spot {
            of_loop,
            key,
            direction,
        }
    }
}

impl IoWaiter {
    /// A waiter that waits for nothing yet. Task lists show the name of `kind`, and `site`, where the operation was begun.
    pub fn new(kind: &'static WaitKind, site: &'static Location<'static>) -> IoWaiter {
        IoWaiter {
            kind,
            site,
            token: WaitToken::new(),
            at: None,
        }
    }

    /// What task lists show.
    #[inline]
    pub(super) fn shown(&self) -> (&'static WaitKind, &'static Location<'static>) {
        (self.kind, self.site)
    }

    #[inline]
    pub(super) fn token(&mut self) -> &mut WaitToken {
        &mut self.token
    }

    /// The waker is nowhere else than here.
    #[inline]
    pub(super) fn fits(&self, here: Spot) -> bool {
        self.at.is_none_or(|at| at == here)
    }

    /// The same for a source that has been at no other loop, and so has had but one key.
    #[inline]
    pub(super) fn is_at_most_at(&self, of_loop: u64, direction: Direction) -> bool {
        self.at
            .is_none_or(|at| at.of_loop == of_loop && at.direction == direction)
    }

    #[inline]
    pub(super) fn is_left_at(&mut self, here: Spot) {
        self.at = Some(here);
    }

    /// An event has taken all waiters off the list.
    #[inline]
    pub(super) fn is_off_the_list(&mut self) {
        self.at = None;
    }

    /// Takes the waker back. Returns the number of the loop that had it.
    #[inline(never)]
    pub(super) fn withdraw(&mut self) -> Option<u64> {
        let Spot {
            of_loop,
            key,
            direction,
        } = self.at.take()?;
        let mut token = std::mem::take(&mut self.token);
        here::at_loop(of_loop, move |reactor| {
            reactor.stop_waiting(key, direction, &mut token);
        });
        Some(of_loop)
    }
}

impl Drop for IoWaiter {
    #[inline]
    fn drop(&mut self) {
        if self.at.is_some() {
            self.withdraw();
        }
    }
}

impl fmt::Debug for IoWaiter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("IoWaiter")
            .field("kind", &self.kind.name())
            .field("site", &self.site)
            .field("waiting", &self.at.is_some())
            .finish_non_exhaustive()
    }
}
