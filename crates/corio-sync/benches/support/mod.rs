//! The smallest executor there is: polls every task in turn until all are done. The same under every
//! library compared, and next to nothing, so that what is measured is the library.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Waker};

/// Runs the tasks to their ends.
pub(crate) fn run<const N: usize>(mut tasks: [Pin<&mut dyn Future<Output = ()>>; N]) {
    let mut cx = Context::from_waker(Waker::noop());
    let mut done = [false; N];
    let mut left = N;
    while left > 0 {
        for (task, done) in tasks.iter_mut().zip(&mut done) {
            if !*done && task.as_mut().poll(&mut cx).is_ready() {
                *done = true;
                left -= 1;
            }
        }
    }
}
