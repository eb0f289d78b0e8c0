//! A loop that sleeps and is woken from another thread: the round trip, from asking the other thread to going on.

#![allow(missing_docs)]

use std::future::poll_fn;
use std::sync::mpsc::{self, TryRecvError};
use std::task::{Poll, Waker};
use std::thread::{self, Thread};

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
            let (ask, asked) = mpsc::channel();
            let other = thread::spawn(move || wake_who_asks(&asked));
            for _ in 0..iterations {
                woken_by(&ask, other.thread()).await;
            }
            drop(ask);
            other.thread().unpark();
            other.join().expect("it only wakes");
        };
        let measure = compare::measure::<R>(compare::wall_time, work);
        self.0.bench_function(R::NAME, measure);
    }
}

/// The other thread. It waits by parking, since a channel would first spin for a while, and ask the loop back before it sleeps.
fn wake_who_asks(asked: &mpsc::Receiver<Waker>) {
    loop {
        match asked.try_recv() {
            Ok(waker) => waker.wake(),
            Err(TryRecvError::Empty) => thread::park(),
            Err(TryRecvError::Disconnected) => return,
        }
    }
}

/// Suspends once. By the time the other thread has woken up itself, the loop is asleep.
async fn woken_by(ask: &mpsc::Sender<Waker>, other: &Thread) {
    let mut asked = false;
    poll_fn(|context| {
        if asked {
            return Poll::Ready(());
        }
        asked = true;
        let sent = ask.send(context.waker().clone());
        sent.expect("the other thread listens to the end");
        other.unpark();
        Poll::Pending
    })
    .await;
}

criterion_group!(benches, wake);
criterion_main!(benches);
