//! Tasks that give way to each other.

use crate::runtime::Handle;
use crate::workload::Workload;

const TASKS: u64 = 1_000;

/// Tasks that are polled in turn. An iteration is one yield of each.
#[derive(Debug)]
pub struct Yields;

impl Workload for Yields {
    const NAME: &'static str = "yield_now";
    const OPERATIONS: u64 = TASKS;

    async fn run<H: Handle>(handle: &H, iterations: u64) {
        let task = || async move {
            for _ in 0..iterations {
                H::yield_now().await;
            }
        };
        let tasks: Vec<_> = (0..TASKS).map(|_| handle.spawn(task())).collect();
        for task in tasks {
            H::output(H::join(task).await);
        }
    }
}
