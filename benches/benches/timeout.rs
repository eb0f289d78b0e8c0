//! Limits in time that are not reached.

#![allow(missing_docs)]

use corio_benches::compare;
use corio_benches::workloads::{TimeoutNever, TimeoutReady};
use criterion::{Criterion, criterion_group, criterion_main};

fn timeout(criterion: &mut Criterion) {
    compare::all::<TimeoutNever>(&mut compare::group::<TimeoutNever>(criterion));
    compare::all::<TimeoutReady>(&mut compare::group::<TimeoutReady>(criterion));
}

criterion_group!(benches, timeout);
criterion_main!(benches);
