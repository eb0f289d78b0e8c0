//! What is compared, and the smallest executor there is, the same under every library.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Waker};

pub(crate) mod operations;

/// Runs the tasks to their ends. It polls every one in turn until all are done: that is next to nothing, so
/// that what is measured is the library.
fn run<const N: usize>(mut tasks: [Pin<&mut dyn Future<Output = ()>>; N]) {
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
