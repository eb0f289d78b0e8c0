//! corio-sync beside tokio::sync and async-lock, under one trivial executor, in one run.
//!
//! `cargo bench -p corio-sync --bench sync`; each figure is for [`OPERATIONS`] operations. What is measured
//! first and what last may meet the core at different speeds: `ratios` compares in turns.

#![allow(missing_docs, reason = "criterion's macros make public items")]

mod support;

use criterion::{Criterion, criterion_group, criterion_main};
#[expect(unused_imports, reason = "the documentation names it")]
use support::operations::{self, OPERATIONS};

fn benches(c: &mut Criterion) {
    operations::each(&mut |operation, contenders| {
        let mut group = c.benchmark_group(operation);
        for (name, run) in contenders {
            group.bench_function(*name, |b| b.iter(&mut *run));
        }
        group.finish();
    });
}

criterion_group! {
    name = all;
    config = Criterion::default()
        .sample_size(30)
        .warm_up_time(std::time::Duration::from_millis(300))
        .measurement_time(std::time::Duration::from_secs(1));
    targets = benches
}
criterion_main!(all);
