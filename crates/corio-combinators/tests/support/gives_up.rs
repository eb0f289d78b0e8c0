//! `GivesUp`: polls a future, and gives it up at one of its suspensions.

use std::cell::Cell;
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

use corio_core::Scheduler;

#[derive(Clone, Copy, PartialEq, Debug)]
pub(crate) enum How {
    Drop,
    Cancel,
}

/// Gives what the future gives, or `None` when it was dropped before.
pub(crate) struct GivesUp<T> {
    work: Option<Pin<Box<dyn Future<Output = T>>>>,
    how: How,
    left: usize,
    gave_up: Rc<Cell<bool>>,
}

impl<T> GivesUp<T> {
    /// At which suspension, counted from 1; at 0 it is dropped without a poll. Says in `gave_up` whether it came to that.
    pub(crate) fn new(
        work: Pin<Box<dyn Future<Output = T>>>,
        how: How,
        at: usize,
        gave_up: Rc<Cell<bool>>,
    ) -> GivesUp<T> {
        GivesUp {
            work: Some(work),
            how,
            left: at,
            gave_up,
        }
    }
}

impl<T> Future for GivesUp<T> {
    type Output = Option<T>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<T>> {
        let this = &mut *self;
        if this.left == 0 && !this.gave_up.replace(true) {
            this.work = None;
        }
        let Some(work) = &mut this.work else {
            return Poll::Ready(None);
        };
        if let Poll::Ready(value) = work.as_mut().poll(cx) {
            return Poll::Ready(Some(value));
        }
        this.left = this.left.saturating_sub(1);
        if this.left > 0 || this.gave_up.replace(true) {
            return Poll::Pending;
        }
        match this.how {
            How::Drop => {
                this.work = None;
                Poll::Ready(None)
            }
            How::Cancel => {
                let task = Scheduler::current().and_then(|here| here.current_task());
                assert!(task.expect("a running task").cancel());
                Poll::Pending
            }
        }
    }
}
