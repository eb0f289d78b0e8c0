//! The hook through which a runtime learns what its tasks wait for.
//!
//! A leaf of this crate that returns `Pending` reports its kind, its object's name, who holds that
//! object and the line of the call. A runtime installs an [`Observer`] on each of its threads and
//! keeps the report in the task's record; that is how a task list comes to say *waits for Lock 'db'
//! at store.rs:52, held by task 17 since store.rs:40*. Without an observer a wait pays one read of a
//! thread-local, and an operation that does not wait pays at most the same.
//!
//! ```
//! use corio_sync::observe::{self, Observer, Waiting};
//! use corio_sync::Lock;
//! use std::cell::RefCell;
//! use std::future::Future;
//! use std::task::{Context, Waker};
//!
//! thread_local!(static SEEN: RefCell<Vec<String>> = const { RefCell::new(Vec::new()) });
//!
//! struct Record;
//! impl Observer for Record {
//!     fn current_task(&self) -> Option<u64> {
//!         Some(17)
//!     }
//!     fn task_waits(&self, waiting: &Waiting<'_>) {
//!         SEEN.with_borrow_mut(|seen| seen.push(waiting.to_string()));
//!     }
//! }
//!
//! observe::set_observer(Some(&Record));
//! let lock = Lock::new(0).named("db");
//! let guard = lock.try_acquire().unwrap();
//! let mut second = Box::pin(lock.acquire());
//! assert!(second.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
//! let report = SEEN.take().pop().unwrap();
//! assert!(report.starts_with("Lock 'db' at "), "{report}");
//! assert!(report.contains("held by task 17 since "), "{report}");
//! # drop(guard);
//! ```

use std::cell::Cell;
use std::fmt;
use std::panic::Location;
use std::rc::Rc;
use std::sync::atomic::{AtomicU32, Ordering};

/// What a runtime does with the reports of this crate.
///
/// Called with nothing of the crate borrowed; it may use the primitives, though it should not need to.
pub trait Observer: 'static {
    /// The number of the task being polled on this thread, if one is.
    fn current_task(&self) -> Option<u64>;

    /// The task being polled is about to return `Pending` for this reason.
    fn task_waits(&self, waiting: &Waiting<'_>);

    /// The same, where neither a name nor a holder is known. These waits are the most frequent, and need not
    /// be carried in a [`Waiting`].
    #[inline]
    fn task_waits_at(&self, kind: &'static Kind, location: &'static Location<'static>) {
        self.task_waits(&Waiting {
            kind,
            name: None,
            holder: None,
            location,
        });
    }
}

/// What a task waits for, and where.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Waiting<'a> {
    /// The operation: `Lock`, `Queue::get`, and so on.
    pub kind: &'static Kind,
    /// The object's name, shared so that a record may keep it without copying.
    pub name: Option<&'a Rc<str>>,
    /// Who holds the object, where there is one holder to name.
    pub holder: Option<Holder>,
    /// The line that waits.
    pub location: &'static Location<'static>,
}

/// An operation of this crate that waits, with room for a number by which an observer knows it.
#[derive(Debug)]
pub struct Kind {
    name: &'static str,
    number: AtomicU32,
}

impl Kind {
    pub(crate) const fn new(name: &'static str) -> Kind {
        Kind {
            name,
            number: AtomicU32::new(0),
        }
    }

    /// What it is called.
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// The number that an observer has given it, for all threads; 0 at first.
    #[inline]
    pub fn number(&self) -> u32 {
        self.number.load(Ordering::Relaxed)
    }

    /// Gives it a number.
    pub fn set_number(&self, number: u32) {
        self.number.store(number, Ordering::Relaxed);
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}

/// The kind of the operation with this name.
macro_rules! kind {
    ($name:literal) => {{
        static KIND: crate::observe::Kind = crate::observe::Kind::new($name);
        &KIND
    }};
}
pub(crate) use kind;

/// Who holds an object, and since which line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Holder {
    /// The task's number, as the observer gave it when the object was taken.
    pub task: Option<u64>,
    /// The line that took it.
    pub location: &'static Location<'static>,
}

thread_local! {
    static OBSERVER: Cell<Option<&'static dyn Observer>> = const { Cell::new(None) };
}

/// Installs the observer of this thread and returns the one before; `None` takes it away.
pub fn set_observer(observer: Option<&'static dyn Observer>) -> Option<&'static dyn Observer> {
    OBSERVER.replace(observer)
}

/// The number of the current task, if somebody knows it.
#[inline]
pub(crate) fn task_here() -> Option<u64> {
    match OBSERVER.get() {
        None => None,
        Some(observer) => observer.current_task(),
    }
}

/// Reports a wait, if anybody wants to know.
#[inline]
pub(crate) fn waits(
    kind: &'static Kind,
    name: Option<&Rc<str>>,
    location: &'static Location<'static>,
) {
    if let Some(observer) = OBSERVER.get() {
        match name {
            None => observer.task_waits_at(kind, location),
            Some(_) => tell_all(observer, kind, name, || None, location),
        }
    }
}

/// The same, where one holder may be named.
#[inline]
pub(crate) fn waits_for_holder(
    kind: &'static Kind,
    name: Option<&Rc<str>>,
    holder: impl FnOnce() -> Option<Holder>,
    location: &'static Location<'static>,
) {
    if let Some(observer) = OBSERVER.get() {
        tell_all(observer, kind, name, holder, location);
    }
}

/// Out of the way of waits about which there is less to tell.
#[inline(never)]
fn tell_all(
    observer: &dyn Observer,
    kind: &'static Kind,
    name: Option<&Rc<str>>,
    holder: impl FnOnce() -> Option<Holder>,
    location: &'static Location<'static>,
) {
    observer.task_waits(&Waiting {
        kind,
        name,
        holder: holder(),
        location,
    });
}

/// The last one to have taken an object, cheap to write.
pub(crate) struct HolderCell {
    task: Cell<Option<u64>>,
    location: Cell<Option<&'static Location<'static>>>,
}

impl HolderCell {
    pub(crate) const fn new() -> Self {
        HolderCell {
            task: Cell::new(None),
            location: Cell::new(None),
        }
    }

    #[inline]
    pub(crate) fn set(&self, task: Option<u64>, location: &'static Location<'static>) {
        self.task.set(task);
        self.location.set(Some(location));
    }

    pub(crate) fn get(&self) -> Option<Holder> {
        self.location.get().map(|location| Holder {
            task: self.task.get(),
            location,
        })
    }
}

impl fmt::Display for Waiting<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.kind.fmt(f)?;
        if let Some(name) = self.name {
            write!(f, " '{name}'")?;
        }
        write!(f, " at {}", self.location)?;
        match self.holder {
            Some(holder) => write!(f, ", held by {holder}"),
            None => Ok(()),
        }
    }
}

impl fmt::Display for Holder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.task {
            Some(task) => write!(f, "task {task} since {}", self.location),
            None => write!(f, "the taker at {}", self.location),
        }
    }
}
