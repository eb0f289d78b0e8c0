//! What a task waits for, as its last poll left it.
//!
//! A leaf that is about to return `Pending` calls [`note`]; nothing is ever polled again to find out.

use std::fmt;
use std::panic::Location;

use crate::current;
use crate::task::AnyTask;

/// A kind of leaf, made once: `static SLEEP: WaitKind = WaitKind::new("sleep");`
#[derive(Debug)]
pub struct WaitKind {
    name: &'static str,
}

impl WaitKind {
    /// A kind with the name that a task list shows.
    pub const fn new(name: &'static str) -> WaitKind {
        WaitKind { name }
    }

    /// The name that was given.
    pub fn name(&self) -> &'static str {
        self.name
    }
}

/// Writes into the record of the running task that it waits in a leaf of this kind, which was made at `site`. Outside of a
/// task it does nothing.
#[inline]
pub fn note(kind: &'static WaitKind, site: &'static Location<'static>) {
    current::with_current_cell(|cell| {
        cell.wait_kind.set(Some(kind));
        cell.wait_site.set(Some(site));
    });
}

/// The place where a task waits, see [`AnyTask::waits_for`].
#[derive(Clone, Copy, Debug)]
pub struct Waiting {
    kind: &'static WaitKind,
    site: &'static Location<'static>,
}

impl Waiting {
    pub(crate) fn new(kind: &'static WaitKind, site: &'static Location<'static>) -> Waiting {
        Waiting { kind, site }
    }

    /// The kind of the leaf, such as `sleep`.
    pub fn kind(&self) -> &'static str {
        self.kind.name
    }

    /// The line that made the leaf.
    pub fn site(&self) -> &'static Location<'static> {
        self.site
    }
}

impl fmt::Display for Waiting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} at {}:{}",
            self.kind.name,
            self.site.file(),
            self.site.line()
        )
    }
}

impl AnyTask {
    /// The leaf that the last poll ended in. `None` while the task is running, when it has ended, before its first step, and
    /// when it waits in a future that corio does not know.
    pub fn waits_for(&self) -> Option<Waiting> {
        self.cell().waits_for()
    }
}

impl crate::cell::CellRef {
    pub(crate) fn waits_for(&self) -> Option<Waiting> {
        if self.state.is_done() || self.state.is_running() {
            return None;
        }
        Some(Waiting::new(self.wait_kind.get()?, self.wait_site.get()?))
    }
}
