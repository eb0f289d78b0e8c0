//! What few tasks have: a name, a context, a way to read an unread error. Kept in a table beside the cells.

use std::any::Any;
use std::cell::{Cell, RefCell};
use std::panic::Location;
use std::rc::Rc;
use std::sync::Arc;

use crate::cell::CellRef;
use crate::scheduler::Scheduler;
use crate::waiting::Detail;

/// The context variables of a task, as an opaque value that is copied by cloning. The runtime says what is in it.
pub type ContextMap = Arc<dyn Any + Send + Sync>;

#[derive(Default)]
pub(crate) struct Extras {
    pub(crate) name: Option<Rc<str>>,
    pub(crate) context: Option<ContextMap>,
    /// Queued done callbacks that the count in the header had no room for.
    pub(crate) more_callbacks: u64,
    /// What the leaf at this line knew about what it waits for.
    pub(crate) waits_for: Option<(&'static Location<'static>, Detail)>,
    /// Reads the value of the task as an error, if it is one.
    pub(crate) error_of: Option<fn(&CellRef) -> Option<String>>,
}

/// The context of the code that runs now.
pub(crate) struct CurrentContext {
    there: Cell<bool>,
    map: RefCell<Option<ContextMap>>,
}

impl CurrentContext {
    pub(crate) fn new() -> CurrentContext {
        CurrentContext {
            there: Cell::new(false),
            map: RefCell::new(None),
        }
    }

    /// There are variables that somebody has set.
    #[inline]
    pub(crate) fn is_there(&self) -> bool {
        self.there.get()
    }

    pub(crate) fn replace(&self, map: Option<ContextMap>) -> Option<ContextMap> {
        self.there.set(map.is_some());
        self.map.replace(map)
    }
}

impl Scheduler {
    /// The context of the running task or callback, or the one set outside of any.
    pub fn context(&self) -> Option<ContextMap> {
        self.inner().context.map.borrow().clone()
    }

    /// Replaces the context. What is created from now on inherits it.
    pub fn set_context(&self, context: Option<ContextMap>) {
        // The task that sets it in its step keeps it.
        if context.is_some() {
            self.inner()
                .with_current(|cell| cell.state.set_context(true));
        }
        let before = self.inner().context.replace(context);
        drop(before);
    }
}

impl CellRef {
    /// Reads or edits the extras, which are made when they are not there. Nothing foreign may run in `edit`.
    pub(crate) fn with_extras<R>(&self, edit: impl FnOnce(&mut Extras) -> R) -> R {
        let mut table = self.scheduler.inner().extras.borrow_mut();
        let index = match self.extras.get() {
            0 => {
                let index = table.insert(Extras::default());
                self.extras.set(index + 1);
                index
            }
            index => index - 1,
        };
        edit(
            table
                .get_mut(index as usize)
                .expect("the header names extras that are there"),
        )
    }

    /// Reads the extras, if there are any.
    pub(crate) fn extras<R>(&self, read: impl FnOnce(&Extras) -> Option<R>) -> Option<R> {
        match self.extras.get() {
            0 => None,
            index => self
                .scheduler
                .inner()
                .extras
                .borrow()
                .get(index as usize - 1)
                .and_then(read),
        }
    }

    pub(crate) fn drop_extras(&self) {
        if self.extras.get() != 0 {
            let extras = self
                .scheduler
                .inner()
                .extras
                .borrow_mut()
                .remove(self.extras.replace(0) - 1);
            drop(extras);
        }
    }

    /// Takes a copy of the creator's context.
    #[inline]
    pub(crate) fn capture_context(&self) {
        if self.scheduler.inner().context.is_there() {
            self.capture_context_there();
        }
    }

    #[cold]
    fn capture_context_there(&self) {
        let context = self.scheduler.inner().context.map.borrow().clone();
        self.state.set_context(context.is_some());
        self.with_extras(|extras| extras.context = context);
    }

    /// Puts the task's context in the place of the one outside, which is none during a run.
    pub(crate) fn enter_context(&self) {
        if self.state.has_context() {
            let own = self.with_extras(|extras| extras.context.take());
            drop(self.scheduler.inner().context.replace(own));
        }
    }

    /// Puts the context outside back, and keeps what the step has made of the task's own.
    pub(crate) fn leave_context(&self, outside: Option<ContextMap>) {
        let own = self.scheduler.inner().context.replace(outside);
        self.state.set_context(own.is_some());
        if own.is_some() {
            self.with_extras(|extras| extras.context = own);
        }
    }
}

/// The context of the code that runs now on this thread, inside a loop.
pub fn current_context() -> Option<ContextMap> {
    Scheduler::current()?.context()
}
