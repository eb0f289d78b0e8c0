//! Many tasks, one list of outputs: in order, and by what the libraries offer besides.

#![allow(missing_docs)]

use std::hint::black_box;

use corio_benches::compare;
use corio_benches::runtimes::{
    Corio, CorioHandle, Smol, SmolHandle, TokioHandle, TokioLocalRuntime, TokioLocalSet,
};
use corio_benches::workloads::Gather;
use corio_benches::workloads::gather::{in_order, join_set, members, unordered};
use criterion::measurement::WallTime;
use criterion::{BenchmarkGroup, Criterion, criterion_group, criterion_main};

fn gather(criterion: &mut Criterion) {
    sized::<1_000>(&mut compare::group::<Gather<1_000>>(criterion));
    sized::<100_000>(compare::group::<Gather<100_000>>(criterion).sample_size(20));
}

fn sized<const TASKS: u64>(group: &mut BenchmarkGroup<'_, WallTime>) {
    compare::all::<Gather<TASKS>>(group);
    compare::row::<Corio, Gather<TASKS>>(group, "corio, in order", async |handle, iterations| {
        for _ in 0..iterations {
            black_box(in_order(handle, members::<CorioHandle>(TASKS)).await);
        }
    });
    let joined = async |_: &TokioHandle, iterations| {
        for _ in 0..iterations {
            black_box(join_set(members::<TokioHandle>(TASKS)).await);
        }
    };
    compare::row::<TokioLocalSet, Gather<TASKS>>(group, "tokio LocalSet, JoinSet", joined);
    compare::row::<TokioLocalRuntime, Gather<TASKS>>(group, "tokio LocalRuntime, JoinSet", joined);
    compare::row::<Smol, Gather<TASKS>>(
        group,
        "smol, FuturesUnordered",
        async |handle, iterations| {
            for _ in 0..iterations {
                black_box(unordered(handle, members::<SmolHandle>(TASKS)).await);
            }
        },
    );
}

criterion_group!(benches, gather);
criterion_main!(benches);
