//! Many tasks, one list of outputs.

use std::future::Future;
use std::hint::black_box;

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;

use crate::runtime::Handle;
use crate::workload::Workload;

/// `SIZE` tasks that yield once are gathered. One operation is one task.
#[derive(Debug)]
pub struct Gather<const TASKS: u64>;

impl<const TASKS: u64> Workload for Gather<TASKS> {
    const NAME: &'static str = "gather";
    const SIZE: Option<u64> = Some(TASKS);
    const OPERATIONS: u64 = TASKS;

    async fn run<H: Handle>(handle: &H, iterations: u64) {
        for _ in 0..iterations {
            black_box(handle.gather(members::<H>(TASKS)).await);
        }
    }
}

/// The futures that are gathered.
pub fn members<H: Handle>(count: u64) -> impl Iterator<Item: Future<Output = u64> + 'static> {
    (0..count).map(|i| async move {
        H::yield_now().await;
        black_box(i)
    })
}

/// Spawns all, and awaits them one after the other.
pub async fn in_order<H, F>(handle: &H, futures: impl Iterator<Item = F>) -> Vec<F::Output>
where
    H: Handle + ?Sized,
    F: Future<Output: 'static> + 'static,
{
    let tasks: Vec<_> = futures.map(|future| handle.spawn(future)).collect();
    let mut outputs = Vec::with_capacity(tasks.len());
    for task in tasks {
        outputs.push(H::output(H::join(task).await));
    }
    outputs
}

/// Spawns all, and takes their outputs as they come, through a `FuturesUnordered`.
pub async fn unordered<H, F>(handle: &H, futures: impl Iterator<Item = F>) -> Vec<F::Output>
where
    H: Handle,
    F: Future<Output: 'static> + 'static,
{
    let tasks: FuturesUnordered<_> = futures
        .map(|future| H::join(handle.spawn(future)))
        .collect();
    tasks.map(H::output).collect().await
}

/// tokio's `JoinSet`.
pub async fn join_set<F>(futures: impl Iterator<Item = F>) -> Vec<F::Output>
where
    F: Future<Output: 'static> + 'static,
{
    let mut tasks = tokio::task::JoinSet::new();
    for future in futures {
        tasks.spawn_local(future);
    }
    tasks.join_all().await
}
