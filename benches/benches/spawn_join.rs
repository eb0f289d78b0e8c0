//! Spawning a task and awaiting it: in batches, and one by one.

#![allow(missing_docs)]

use corio_benches::compare;
use corio_benches::workloads::{SpawnJoinBatch, SpawnJoinSingle};
use criterion::{Criterion, criterion_group, criterion_main};

fn spawn_join(criterion: &mut Criterion) {
    compare::all::<SpawnJoinBatch>(&mut compare::group::<SpawnJoinBatch>(criterion));
    compare::all::<SpawnJoinSingle>(&mut compare::group::<SpawnJoinSingle>(criterion));
}

criterion_group!(benches, spawn_join);
criterion_main!(benches);
