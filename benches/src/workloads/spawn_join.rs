//! The life of a task that does nothing.

use std::hint::black_box;

use crate::runtime::Handle;
use crate::workload::Workload;

const BATCH: u64 = 1_000;

/// A batch of tasks is spawned, then they are joined in order. One operation is one task.
#[derive(Debug)]
pub struct SpawnJoinBatch;

/// A task is spawned and joined before the next one.
#[derive(Debug)]
pub struct SpawnJoinSingle;

impl Workload for SpawnJoinBatch {
    const NAME: &'static str = "spawn_join_batch";
    const OPERATIONS: u64 = BATCH;

    async fn run<H: Handle>(handle: &H, iterations: u64) {
        let mut tasks = Vec::with_capacity(BATCH as usize);
        for _ in 0..iterations {
            tasks.extend((0..BATCH).map(|i| handle.spawn(async move { black_box(i) })));
            for task in tasks.drain(..) {
                black_box(H::output(H::join(task).await));
            }
        }
    }
}

impl Workload for SpawnJoinSingle {
    const NAME: &'static str = "spawn_join_single";

    async fn run<H: Handle>(handle: &H, iterations: u64) {
        for i in 0..iterations {
            let task = handle.spawn(async move { black_box(i) });
            black_box(H::output(H::join(task).await));
        }
    }
}
