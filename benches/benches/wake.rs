//! A loop that sleeps and is woken from another thread: the round trip, from asking the other thread to going on.

#![allow(missing_docs)]

use std::future::poll_fn;
use std::sync::mpsc;
use std::task::{Poll, Waker};
use std::thread;

use corio_benches::runtimes;
use corio_benches::{Runtime, Visitor, compare};
use criterion::measurement::WallTime;
use criterion::{BenchmarkGroup, Criterion, criterion_group, criterion_main};

const NAME: &str = "wake_from_thread";

fn wake(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group(NAME);
    runtimes::each(&mut Rows(&mut group));
}

struct Rows<'a, 'b>(&'a mut BenchmarkGroup<'b, WallTime>);

impl Visitor for Rows<'_, '_> {
    fn visit<R: Runtime>(&mut self) {
        let work = async |_: &R::Handle, iterations| {
            let (ask, asked) = mpsc::channel::<Waker>();
            let other = thread::spawn(move || asked.into_iter().for_each(Waker::wake));
            for _ in 0..iterations {
                woken_by(&ask).await;
            }
            drop(ask);
            other.join().expect("it only wakes");
        };
        let measure = compare::measure::<R>(compare::wall_time, work);
        self.0.bench_function(R::NAME, measure);
    }
}

/// Suspends once. By the time the other thread has woken up itself, the loop is asleep.
async fn woken_by(other: &mpsc::Sender<Waker>) {
    let mut asked = false;
    poll_fn(|context| {
        if asked {
            return Poll::Ready(());
        }
        asked = true;
        let sent = other.send(context.waker().clone());
        sent.expect("the other thread listens to the end");
        Poll::Pending
    })
    .await;
}

criterion_group!(benches, wake);
criterion_main!(benches);
