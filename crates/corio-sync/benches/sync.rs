//! corio-sync beside tokio::sync and async-lock, under one trivial executor, in one run.
//!
//! `cargo bench -p corio-sync --bench sync`; each figure is for [`OPERATIONS`] operations. async-lock lets
//! a task that releases take the lock again at once, so its hand-over is none.

#![allow(missing_docs, reason = "criterion's macros make public items")]

mod support;

use std::future::Future;
use std::hint::black_box;
use std::pin::pin;
use std::rc::Rc;
use std::task::{Context, Waker};

use criterion::{Criterion, criterion_group, criterion_main};
use support::run;

const OPERATIONS: u64 = 1000;

/// Takes a free lock and gives it back.
macro_rules! uncontended {
    ($lock:expr, $acquire:ident) => {{
        let lock = $lock;
        move || {
            let task = pin!(async {
                for _ in 0..OPERATIONS {
                    *black_box(&lock).$acquire().await += 1;
                }
            });
            run([task]);
        }
    }};
}

/// Two tasks that hand a lock to each other: each gives it up while the other waits, and waits again.
macro_rules! hand_over {
    ($lock:expr, $acquire:ident) => {{
        let lock = $lock;
        move || {
            let worker = async || {
                for _ in 0..OPERATIONS / 2 {
                    *black_box(&lock).$acquire().await += 1;
                }
            };
            let (first, second) = (pin!(worker()), pin!(worker()));
            let starter = pin!(async {
                // Held until both wait, so that from then on somebody always does.
                let guard = lock.$acquire().await;
                futures_lite::future::yield_now().await;
                drop(guard);
            });
            run([starter, first, second]);
        }
    }};
}

/// Puts an item and takes it, with room.
macro_rules! put_get {
    ($put:expr, $get:expr) => {{
        #[allow(unused_mut, reason = "one library receives by exclusive reference")]
        let (put, mut get) = ($put, $get);
        move || {
            let task = pin!(async {
                for number in 0..OPERATIONS {
                    put(black_box(number)).await;
                    black_box(get().await);
                }
            });
            run([task]);
        }
    }};
}

/// Opens a channel, waits for its value, sends it, receives it.
macro_rules! oneshot {
    ($channel:expr) => {
        || {
            let mut cx = Context::from_waker(Waker::noop());
            for number in 0..OPERATIONS {
                let (sender, receiver) = black_box($channel);
                let mut receiver = pin!(receiver);
                assert!(receiver.as_mut().poll(&mut cx).is_pending());
                sender.send(black_box(number)).unwrap();
                assert!(black_box(receiver.poll(&mut cx)).is_ready());
            }
        }
    };
}

fn benches(c: &mut Criterion) {
    let mut group = c.benchmark_group("uncontended lock");
    group.bench_function("corio", |b| {
        b.iter(uncontended!(corio_sync::Lock::new(0), acquire))
    });
    group.bench_function("tokio", |b| {
        b.iter(uncontended!(tokio::sync::Mutex::new(0), lock))
    });
    group.bench_function("async-lock", |b| {
        b.iter(uncontended!(async_lock::Mutex::new(0), lock))
    });
    group.finish();

    let mut group = c.benchmark_group("contended hand-over");
    group.bench_function("corio", |b| {
        b.iter(hand_over!(corio_sync::Lock::new(0), acquire))
    });
    group.bench_function("tokio", |b| {
        b.iter(hand_over!(tokio::sync::Mutex::new(0), lock))
    });
    group.bench_function("async-lock", |b| {
        b.iter(hand_over!(async_lock::Mutex::new(0), lock))
    });
    group.finish();

    let mut group = c.benchmark_group("queue put and get");
    group.bench_function("corio", |b| {
        let queue = corio_sync::Queue::bounded(64);
        b.iter(put_get!(
            async |n: u64| queue.put(n).await.unwrap(),
            async || queue.get().await.unwrap()
        ));
    });
    group.bench_function("corio channel", |b| {
        let (sender, receiver) = corio_sync::channel(64);
        b.iter(put_get!(
            async |n: u64| sender.send(n).await.unwrap(),
            async || receiver.recv().await.unwrap()
        ));
    });
    group.bench_function("tokio", |b| {
        let (sender, mut receiver) = tokio::sync::mpsc::channel(64);
        b.iter(put_get!(
            async |n: u64| sender.send(n).await.unwrap(),
            async || receiver.recv().await.unwrap()
        ));
    });
    group.finish();

    let mut group = c.benchmark_group("oneshot");
    group.bench_function("corio, in a slot", |b| {
        let mut slot = corio_sync::oneshot::Slot::new();
        b.iter(oneshot!(slot.open()));
    });
    group.bench_function("corio, of a pool", |b| {
        let pool = corio_sync::oneshot::Pool::new();
        b.iter(oneshot!(pool.channel()));
    });
    group.bench_function("corio, of a pool in use", |b| {
        let pool = corio_sync::oneshot::Pool::new();
        let _open = pool.channel();
        b.iter(oneshot!(pool.channel()));
    });
    group.bench_function("corio, allocated", |b| {
        b.iter(oneshot!(corio_sync::oneshot::channel()))
    });
    group.bench_function("tokio", |b| {
        b.iter(oneshot!(tokio::sync::oneshot::channel()))
    });
    group.bench_function("only the allocation", |b| {
        b.iter(|| {
            for number in 0..OPERATIONS {
                black_box(Rc::new([black_box(number); 8]));
            }
        });
    });
    group.finish();
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
