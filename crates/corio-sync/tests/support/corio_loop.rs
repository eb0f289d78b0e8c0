//! corio's own loop as an executor, on its virtual clock: a wait that nobody can end panics instead of hanging.

use std::cell::RefCell;
use std::rc::Rc;

use corio_runtime::EventLoop;

use super::{BoxFuture, Executor};

/// A fresh loop for each run.
#[derive(Clone)]
pub struct CorioLoop(Rc<RefCell<EventLoop>>);

impl Executor for CorioLoop {
    fn new() -> Self {
        CorioLoop(Rc::new(RefCell::new(fresh())))
    }

    fn run_boxed(&self, main: BoxFuture<'_>) {
        let event_loop = self.0.borrow().clone();
        event_loop
            .run_until_complete(main)
            .expect("nobody stops the loop");
        // Jobs that are left may hold the executor, which holds their loop: part the two.
        event_loop.close();
        self.0.replace(fresh());
    }

    fn start_boxed(&self, future: BoxFuture<'static>) {
        self.0.borrow().create_task(future);
    }
}

fn fresh() -> EventLoop {
    let builder = EventLoop::builder().virtual_clock();
    builder.build().expect("a loop")
}
