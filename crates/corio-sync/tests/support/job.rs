//! A started future that can be waited for and cancelled.

use std::cell::{Cell, RefCell};
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Poll, Waker};

/// A handle to a started future.
///
/// Cancelling is what corio's tasks do without a catcher: on the job's next turn its future is dropped
/// without another poll, even if what it waited for has come meanwhile.
#[derive(Clone)]
pub struct Job(Rc<State>);

#[derive(Default)]
struct State {
    done: Cell<bool>,
    cancelled: Cell<bool>,
    waker: RefCell<Option<Waker>>,
    waiting: RefCell<Vec<Waker>>,
}

impl Job {
    /// The handle, and the future to run in the place of `future`.
    pub fn wrap(future: impl Future<Output = ()> + 'static) -> (Job, impl Future<Output = ()>) {
        let state = Rc::new(State::default());
        let job = Job(Rc::clone(&state));
        let mut future: Option<Pin<Box<dyn Future<Output = ()>>>> = Some(Box::pin(future));
        let wrapped = poll_fn(move |cx| {
            *state.waker.borrow_mut() = Some(cx.waker().clone());
            let over = match &mut future {
                Some(future) if !state.cancelled.get() => future.as_mut().poll(cx).is_ready(),
                _ => true,
            };
            if !over {
                return Poll::Pending;
            }
            future = None;
            state.done.set(true);
            for waker in state.waiting.take() {
                waker.wake();
            }
            Poll::Ready(())
        });
        (job, wrapped)
    }

    pub fn cancel(&self) {
        self.0.cancelled.set(true);
        let waker = self.0.waker.borrow().clone();
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    pub fn is_done(&self) -> bool {
        self.0.done.get()
    }

    /// Waits for the end.
    pub async fn join(&self) {
        poll_fn(|cx| {
            if self.is_done() {
                return Poll::Ready(());
            }
            self.0.waiting.borrow_mut().push(cx.waker().clone());
            Poll::Pending
        })
        .await;
    }
}
