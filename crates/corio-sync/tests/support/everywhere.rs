//! The roughest executor: one waker for all, everybody polled whenever anybody is woken, under
//! futures-lite's `block_on`.

use std::cell::RefCell;
use std::future::poll_fn;
use std::rc::Rc;
use std::task::Poll;

use super::{BoxFuture, Executor};

/// Shows that the primitives stand polls nobody asked for and wakers that are shared.
#[derive(Clone)]
pub struct PollAll(Rc<RefCell<Vec<BoxFuture<'static>>>>);

impl Executor for PollAll {
    fn new() -> Self {
        PollAll(Rc::default())
    }

    fn run_boxed(&self, mut main: BoxFuture<'_>) {
        let mut running: Vec<BoxFuture<'static>> = Vec::new();
        futures_lite::future::block_on(poll_fn(|cx| {
            if main.as_mut().poll(cx).is_ready() {
                return Poll::Ready(());
            }
            loop {
                running.retain_mut(|future| future.as_mut().poll(cx).is_pending());
                let started = self.0.take();
                if started.is_empty() {
                    return Poll::Pending;
                }
                running.extend(started);
            }
        }));
    }

    fn start_boxed(&self, future: BoxFuture<'static>) {
        self.0.borrow_mut().push(future);
    }
}
