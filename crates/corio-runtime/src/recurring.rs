//! A callback that is called many times: a reader, a writer, a signal handler.

use std::cell::{Cell, RefCell};
use std::panic::{AssertUnwindSafe, Location, catch_unwind};

use corio_core::{ContextMap, Panic, Report, Scheduler};

use crate::context;

pub(crate) struct Recurring {
    /// Absent while it runs, and when it has ended.
    call: RefCell<Option<Box<dyn FnMut()>>>,
    ended: Cell<bool>,
    /// The variables as they were where it was made, and as its calls leave them.
    context: RefCell<Option<ContextMap>>,
    /// The line that gave it, for reports.
    pub(crate) site: &'static Location<'static>,
}

impl Recurring {
    pub(crate) fn new(call: impl FnMut() + 'static, site: &'static Location<'static>) -> Recurring {
        Recurring {
            call: RefCell::new(Some(Box::new(call))),
            ended: Cell::new(false),
            context: RefCell::new(context::current()),
            site,
        }
    }

    /// It was taken back, and is not called any more.
    pub(crate) fn has_ended(&self) -> bool {
        self.ended.get()
    }

    /// Calls it, in a step of this scheduler. A panic is reported.
    pub(crate) fn call(&self, scheduler: &Scheduler) {
        let call = self.call.borrow_mut().take();
        let Some(mut call) = call else { return };
        let outside = scheduler.context();
        scheduler.set_context(self.context.take());
        let result = catch_unwind(AssertUnwindSafe(&mut call));
        let inside = scheduler.context();
        if let Err(payload) = result {
            self.report(
                "exception in callback",
                Panic::from_payload(payload),
                scheduler,
            );
        }
        scheduler.set_context(outside);
        if !self.ended.get() {
            *self.call.borrow_mut() = Some(call);
            *self.context.borrow_mut() = inside;
        }
    }

    /// Takes it back. It is dropped here, or when the call that is under way returns.
    pub(crate) fn end(&self) {
        self.ended.set(true);
        let call = self.call.borrow_mut().take();
        drop(call);
    }

    fn report(&self, message: &str, panic: Panic, scheduler: &Scheduler) {
        scheduler.report(&Report::new(message).at(self.site).with_panic(panic));
    }
}
