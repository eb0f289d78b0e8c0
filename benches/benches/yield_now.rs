//! A thousand tasks that yield.

#![allow(missing_docs)]

use corio_benches::compare;
use corio_benches::workloads::Yields;
use criterion::{Criterion, criterion_group, criterion_main};

fn yield_now(criterion: &mut Criterion) {
    compare::all::<Yields>(&mut compare::group::<Yields>(criterion));
}

criterion_group!(benches, yield_now);
criterion_main!(benches);
