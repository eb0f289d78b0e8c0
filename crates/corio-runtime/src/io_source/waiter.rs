//! One operation that may wait for a source.

use std::fmt;
use std::panic::Location;

use corio_core::waiting::WaitKind;
use corio_reactor::{Direction, SourceKey, WaitToken};

use super::here;

/// The part of a leaf future that waits for an [`IoSource`](super::IoSource): what task lists show of it, and the place of its
/// waker, which it takes back when it is dropped.
///
/// A future holds one for each operation that it has under way, and passes it to
/// [`poll_io_as`](super::IoSource::poll_io_as).
pub struct IoWaiter {
    pub(super) direction: Direction,
    pub(super) kind: &'static WaitKind,
    pub(super) site: &'static Location<'static>,
    pub(super) token: WaitToken,
    /// Where the waker was left; `None` is nowhere.
    pub(super) at: Option<(u64, SourceKey)>,
}

impl IoWaiter {
    /// A waiter that waits for nothing yet. Task lists show the name of `kind`, and `site`, where the operation was begun.
    pub fn new(
        direction: Direction,
        kind: &'static WaitKind,
        site: &'static Location<'static>,
    ) -> IoWaiter {
        IoWaiter {
            direction,
            kind,
            site,
            token: WaitToken::new(),
            at: None,
        }
    }

    /// Takes the waker back.
    pub(super) fn withdraw(&mut self) {
        let Some((of_loop, key)) = self.at.take() else {
            return;
        };
        let direction = self.direction;
        let mut token = std::mem::take(&mut self.token);
        here::at_loop(of_loop, move |reactor| {
            reactor.stop_waiting(key, direction, &mut token);
        });
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
