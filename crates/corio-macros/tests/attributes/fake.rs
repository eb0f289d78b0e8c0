//! A stand-in for the facade: polls the future once, which must be enough, and writes down how it was entered.

use std::cell::RefCell;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

thread_local! {
    static CALLS: RefCell<Vec<&'static str>> = const { RefCell::new(Vec::new()) };
}

/// The ways in which this thread entered the stand-in since the last call.
pub(crate) fn take_calls() -> Vec<&'static str> {
    CALLS.take()
}

/// As `corio::run`.
pub(crate) fn run<F: IntoFuture>(future: F) -> F::Output {
    CALLS.with_borrow_mut(|calls| calls.push("run"));
    poll_once(future)
}

/// As `corio::__private`.
pub(crate) mod __private {
    /// As `corio::__private::run_virtual`.
    pub(crate) fn run_virtual<F: IntoFuture>(future: F) -> F::Output {
        super::CALLS.with_borrow_mut(|calls| calls.push("run_virtual"));
        super::poll_once(future)
    }
}

fn poll_once<F: IntoFuture>(future: F) -> F::Output {
    match pin!(future.into_future()).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(output) => output,
        Poll::Pending => panic!("a body in these tests never waits"),
    }
}
