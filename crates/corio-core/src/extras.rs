//! What few tasks have: a name, a context, a way to read an unread error. Kept in a table beside the cells.

use std::any::Any;
use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::sync::Arc;

use crate::cell::CellRef;
use crate::scheduler::{self, Scheduler};

/// The context variables of a task, as an opaque value that is copied by cloning. The runtime says what is in it.
pub type ContextMap = Arc<dyn Any + Send + Sync>;

#[derive(Default)]
pub(crate) struct Extras {
    pub(crate) name: Option<Rc<str>>,
    pub(crate) context: Option<ContextMap>,
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

    fn replace(&self, map: Option<ContextMap>) -> Option<ContextMap> {
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
        let outer = &self.scheduler.inner().context;
        if outer.there.get() {
            let context = outer.map.borrow().clone();
            self.with_extras(|extras| extras.context = context);
        }
    }

    /// Puts the task's context in the place of the one outside, which is the result.
    #[inline]
    pub(crate) fn enter_context(&self) -> Option<ContextMap> {
        let current = &self.scheduler.inner().context;
        if self.extras.get() == 0 && !current.there.get() {
            return None;
        }
        let own = (self.extras.get() != 0)
            .then(|| self.with_extras(|extras| extras.context.take()))
            .flatten();
        current.replace(own)
    }

    /// Puts things back, and keeps what the step has made of the task's context.
    #[inline]
    pub(crate) fn leave_context(&self, outside: Option<ContextMap>) {
        let current = &self.scheduler.inner().context;
        if outside.is_none() && !current.there.get() {
            return;
        }
        let own = current.replace(outside);
        if own.is_some() {
            self.with_extras(|extras| extras.context = own);
        }
    }
}

/// The context of the code that runs now on this thread, inside a loop.
pub fn current_context() -> Option<ContextMap> {
    scheduler::Scheduler::current()?.context()
}
