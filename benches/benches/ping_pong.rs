//! Two tasks that wake each other, by each runtime's signal between tasks, and by promises.

#![allow(missing_docs)]

use corio_benches::compare;
use corio_benches::runtimes::{Corio, PromiseSignal};
use corio_benches::workloads::PingPong;
use corio_benches::workloads::ping_pong::ping_pong as exchange;
use criterion::{Criterion, criterion_group, criterion_main};

fn ping_pong(criterion: &mut Criterion) {
    let mut group = compare::group::<PingPong>(criterion);
    compare::all::<PingPong>(&mut group);
    compare::row::<Corio, PingPong>(&mut group, "corio, promises", async |handle, rounds| {
        exchange::<_, PromiseSignal>(handle, rounds).await;
    });
}

criterion_group!(benches, ping_pong);
criterion_main!(benches);
