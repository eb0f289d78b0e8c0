//! Limits in time that are not reached.

use std::hint::black_box;
use std::time::Duration;

use crate::runtime::Handle;
use crate::workload::Workload;

const LIMIT: Duration = Duration::from_secs(30);

/// A limit around one yield: the timer is set and taken back. The task is alone, so its yield costs one more poll of it.
#[derive(Debug)]
pub struct TimeoutNever;

/// A limit around a future that is ready at once.
#[derive(Debug)]
pub struct TimeoutReady;

impl Workload for TimeoutNever {
    const NAME: &'static str = "timeout_never";

    async fn run<H: Handle>(handle: &H, iterations: u64) {
        let task = handle.spawn(async move {
            for _ in 0..iterations {
                black_box(H::in_time(H::timeout(LIMIT, H::yield_now()).await));
            }
        });
        H::output(H::join(task).await);
    }
}

impl Workload for TimeoutReady {
    const NAME: &'static str = "timeout_ready";

    async fn run<H: Handle>(handle: &H, iterations: u64) {
        let task = handle.spawn(async move {
            for i in 0..iterations {
                let limited = H::timeout(LIMIT, async { black_box(i) }).await;
                black_box(H::in_time(limited));
            }
        });
        H::output(H::join(task).await);
    }
}
