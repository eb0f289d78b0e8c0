//! The smallest executor that runs what was woken, in order: the same under every library compared.
//!
//! A waker is a number, so cloning and waking cost next to nothing and what is measured is the library.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, RawWaker, RawWakerVTable, Waker};

thread_local! {
    static READY: RefCell<VecDeque<usize>> = const { RefCell::new(VecDeque::new()) };
}

static VTABLE: RawWakerVTable = RawWakerVTable::new(
    |task| RawWaker::new(task, &VTABLE),
    |task| ready(task as usize),
    |task| ready(task as usize),
    |_| {},
);

fn ready(task: usize) {
    READY.with_borrow_mut(|queue| queue.push_back(task));
}

fn waker(task: usize) -> Waker {
    let raw = RawWaker::new(std::ptr::without_provenance(task), &VTABLE);
    // SAFETY: the data is a number and owns nothing, so every function of the table may be called on it
    // any number of times; the benchmarks are single-threaded.
    unsafe { Waker::from_raw(raw) }
}

/// Runs the tasks to their ends, from their first polls in order.
pub(crate) fn run<const N: usize>(mut tasks: [Pin<&mut dyn Future<Output = ()>>; N]) {
    let wakers: [Waker; N] = std::array::from_fn(waker);
    (0..N).for_each(ready);
    let mut left = N;
    while left > 0 {
        let task = READY
            .with_borrow_mut(VecDeque::pop_front)
            .expect("somebody is ready");
        let done = tasks[task]
            .as_mut()
            .poll(&mut Context::from_waker(&wakers[task]))
            .is_ready();
        left -= usize::from(done);
    }
}
