//! A workload on all runtimes, in one group of criterion.

use std::future::Future;
use std::marker::PhantomData;
use std::sync::LazyLock;
use std::time::{Duration, Instant};

use criterion::measurement::WallTime;
use criterion::{Bencher, BenchmarkGroup, BenchmarkId, Criterion, Throughput};

use crate::process;
use crate::runtime::{Runtime, Visitor};
use crate::runtimes;
use crate::workload::Workload;

/// The time since some moment.
pub type Clock = fn() -> Duration;

/// The group of a workload, to which rows can be added.
pub fn group<'a, W: Workload>(criterion: &'a mut Criterion) -> BenchmarkGroup<'a, WallTime> {
    let mut group = criterion.benchmark_group(W::NAME);
    group.throughput(Throughput::Elements(W::OPERATIONS));
    group
}

/// Measures the CPU time of a workload on all runtimes.
pub fn all<W: Workload>(group: &mut BenchmarkGroup<'_, WallTime>) {
    struct Rows<'a, 'b, W> {
        group: &'a mut BenchmarkGroup<'b, WallTime>,
        workload: PhantomData<W>,
    }
    impl<W: Workload> Visitor for Rows<'_, '_, W> {
        fn visit<R: Runtime>(&mut self) {
            row::<R, W>(self.group, R::NAME, async |handle, iterations| {
                W::run(handle, iterations).await
            });
        }
    }
    runtimes::each(&mut Rows {
        group,
        workload: PhantomData::<W>,
    });
}

/// Measures the CPU time of something else on one runtime that is to be compared with a workload.
pub fn row<R: Runtime, W: Workload>(
    group: &mut BenchmarkGroup<'_, WallTime>,
    name: &str,
    work: impl AsyncFn(&R::Handle, u64),
) {
    match W::SIZE {
        Some(size) => {
            group.bench_function(BenchmarkId::new(name, size), measure::<R>(cpu_time, work))
        }
        None => group.bench_function(name, measure::<R>(cpu_time, work)),
    };
}

/// What criterion calls to measure some work. The runtime starts at the first call and lives through all.
pub fn measure<R: Runtime>(
    clock: Clock,
    work: impl AsyncFn(&R::Handle, u64),
) -> impl FnMut(&mut Bencher<'_, WallTime>) {
    let mut runtime = None;
    move |bencher| {
        let runtime = runtime.get_or_insert_with(R::new);
        bencher.iter_custom(|iterations| {
            let handle = runtime.handle();
            runtime.block_on(timed(work(&handle, iterations), clock))
        });
    }
}

async fn timed(work: impl Future<Output = ()>, clock: Clock) -> Duration {
    let start = clock();
    work.await;
    clock() - start
}

/// The time on the wall.
pub fn wall_time() -> Duration {
    static START: LazyLock<Instant> = LazyLock::new(Instant::now);
    START.elapsed()
}

/// The time that the processor has spent on this process, in which what else runs on the machine is not counted. Work that never
/// waits takes as long on the wall of an idle machine.
pub fn cpu_time() -> Duration {
    process::cpu_time().unwrap_or_else(wall_time)
}
