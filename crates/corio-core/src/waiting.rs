//! What a task waits for, as its last poll left it.
//!
//! A leaf that is about to return `Pending` calls [`note`]; nothing is ever polled again to find out.

use std::fmt;
use std::num::NonZeroU16;
use std::panic::Location;
use std::rc::Rc;
use std::sync::atomic::{AtomicU16, Ordering};
use std::task::Waker;

use parking_lot::Mutex;

use crate::current;
use crate::task::{AnyTask, TaskId};
use crate::waker;

/// A kind of leaf, made once: `static SLEEP: WaitKind = WaitKind::new("sleep");`
#[derive(Debug)]
pub struct WaitKind {
    name: &'static str,
    /// The number by which the record of a task names it; 0 before the first use.
    number: AtomicU16,
}

/// A wait for a task, and a turn given up, are so frequent that their numbers are known beforehand.
static FREQUENT: [WaitKind; 2] = [
    WaitKind::numbered_as("task", TASK),
    WaitKind::numbered_as("yield", TURN),
];
const TASK: u16 = 1;
const TURN: u16 = 2;

/// The other kinds that have been used, by the numbers that follow. There are as many as there are kinds of leaves in the program.
static KINDS: Mutex<Vec<&'static WaitKind>> = parking_lot::const_mutex(Vec::new());

impl WaitKind {
    /// A kind with the name that a task list shows.
    pub const fn new(name: &'static str) -> WaitKind {
        WaitKind {
            name,
            number: AtomicU16::new(0),
        }
    }

    const fn numbered_as(name: &'static str, number: u16) -> WaitKind {
        WaitKind {
            name,
            number: AtomicU16::new(number),
        }
    }

    /// The name that was given.
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// The number under which tasks note this kind.
    #[inline]
    pub fn number(&'static self) -> WaitNumber {
        match NonZeroU16::new(self.number.load(Ordering::Relaxed)) {
            Some(number) => WaitNumber(number),
            None => WaitNumber(NonZeroU16::new(self.register()).unwrap_or(NonZeroU16::MAX)),
        }
    }

    #[cold]
    fn register(&'static self) -> u16 {
        let mut kinds = KINDS.lock();
        let known = self.number.load(Ordering::Relaxed);
        if known != 0 {
            return known;
        }
        kinds.push(self);
        // A program with more kinds than numbers shows the last of them for the rest.
        let number = u16::try_from(FREQUENT.len() + kinds.len()).unwrap_or(u16::MAX);
        self.number.store(number, Ordering::Relaxed);
        number
    }

    fn numbered(number: u16) -> Option<&'static WaitKind> {
        let index = usize::from(number).checked_sub(1)?;
        match FREQUENT.get(index) {
            Some(kind) => Some(kind),
            None => KINDS.lock().get(index - FREQUENT.len()).copied(),
        }
    }
}

/// The number of a [`WaitKind`] in this process.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct WaitNumber(NonZeroU16);

impl WaitNumber {
    /// The number, which is not 0.
    #[inline]
    pub fn to_bits(self) -> u32 {
        self.0.get().into()
    }

    /// What [`to_bits`](WaitNumber::to_bits) gave; `None` for 0. The number of no kind names none.
    #[inline]
    pub fn from_bits(bits: u32) -> Option<WaitNumber> {
        NonZeroU16::new(bits as u16).map(WaitNumber)
    }
}

/// Writes into the record of the running task that it waits in a leaf of this kind, which was made at `site`. Outside of a
/// task it does nothing.
#[inline]
pub fn note(kind: &'static WaitKind, site: &'static Location<'static>) {
    note_number(kind.number(), site);
}

/// The same, for a kind whose number is known.
#[inline]
pub fn note_number(kind: WaitNumber, site: &'static Location<'static>) {
    current::with_current_cell(|cell| cell.waits_in(kind.0.get(), site));
}

/// Writes into the record of the running task that it waits for another task.
pub(crate) fn note_task(site: &'static Location<'static>) {
    current::with_current_cell(|cell| cell.waits_for_task(site));
}

/// Wakes the running task and writes that it gives up one turn. The waker is that of the poll, which may belong to something inside
/// of the task.
#[inline]
pub fn note_turn(site: &'static Location<'static>, waker: &Waker) {
    let noted = current::with_inner(|inner| {
        let mut noted = false;
        let Some(inner) = inner.filter(|inner| inner.ready.has_room()) else {
            return noted;
        };
        inner.with_current(|cell| {
            if waker::is_of(waker, cell.key.get()) && inner.wake_in_place(cell) {
                cell.waits_in(TURN, site);
                noted = true;
            }
        });
        noted
    });
    if !noted {
        note_turn_rarely(site, waker);
    }
}

#[cold]
#[inline(never)]
fn note_turn_rarely(site: &'static Location<'static>, waker: &Waker) {
    waker.wake_by_ref();
    current::with_current_cell(|cell| cell.waits_in(TURN, site));
}

/// The same as [`note`], for a leaf that knows more: what its object is called, and who holds it.
pub fn note_detail(kind: WaitNumber, site: &'static Location<'static>, detail: Detail) {
    current::with_current_cell(|cell| {
        cell.waits_in(kind.0.get(), site);
        let before = cell.with_extras(|extras| extras.waits_for.replace((site, detail)));
        drop(before);
    });
}

/// What a leaf may know about the object that it waits for.
#[derive(Clone, Debug, Default)]
pub struct Detail {
    /// The name that the program gave it.
    pub name: Option<Rc<str>>,
    /// The number of the task that holds it.
    pub holder: Option<u64>,
    /// The line that took it.
    pub held_since: Option<&'static Location<'static>>,
}

/// The place where a task waits, see [`AnyTask::waits_for`].
#[derive(Clone, Debug)]
pub struct Waiting {
    kind: &'static WaitKind,
    site: &'static Location<'static>,
    name: Option<Rc<str>>,
    holder: Option<String>,
    held_since: Option<&'static Location<'static>>,
}

impl Waiting {
    /// The kind of the leaf, such as `sleep`.
    pub fn kind(&self) -> &'static str {
        self.kind.name
    }

    /// The line that made the leaf.
    pub fn site(&self) -> &'static Location<'static> {
        self.site
    }

    /// The name of the object that is waited for, if it has one.
    pub fn name(&self) -> Option<&str> {
        self.name.as_deref()
    }

    /// The name of the task that holds it, if one does.
    pub fn holder(&self) -> Option<&str> {
        self.holder.as_deref()
    }

    /// The line that took it.
    pub fn held_since(&self) -> Option<&'static Location<'static>> {
        self.held_since
    }
}

impl fmt::Display for Waiting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.kind.name)?;
        if let Some(name) = &self.name {
            write!(f, " '{name}'")?;
        }
        write!(f, " at {}:{}", self.site.file(), self.site.line())?;
        if let Some(holder) = &self.holder {
            write!(f, ", held by {holder}")?;
            if let Some(since) = self.held_since {
                write!(f, " ({}:{})", since.file(), since.line())?;
            }
        }
        Ok(())
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
    #[inline]
    pub(crate) fn waits_for_task(&self, site: &'static Location<'static>) {
        self.waits_in(TASK, site);
    }

    #[inline]
    fn waits_in(&self, kind: u16, site: &'static Location<'static>) {
        self.wait_kind.set(kind);
        self.wait_site.set(Some(site));
    }

    pub(crate) fn waits_for(&self) -> Option<Waiting> {
        if self.state.is_done() || self.state.is_running() {
            return None;
        }
        let kind = WaitKind::numbered(self.wait_kind.get())?;
        let site = self.wait_site.get()?;
        let detail = self
            .extras(|extras| extras.waits_for.clone())
            .filter(|(of, _)| std::ptr::eq(*of, site))
            .map(|(_, detail)| detail)
            .unwrap_or_default();
        let holder = detail.holder.map(|id| {
            let holder = self.scheduler.find_task(TaskId::from_number(id));
            holder.map_or_else(|| format!("Task-{id}, which has ended"), |task| task.name())
        });
        Some(Waiting {
            kind,
            site,
            name: detail.name,
            holder,
            held_since: detail.held_since,
        })
    }
}
