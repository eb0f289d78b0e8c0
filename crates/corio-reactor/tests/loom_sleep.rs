//! The way into sleep under every interleaving that matters. Run with
//! `RUSTFLAGS="--cfg loom" cargo test -p corio-reactor --release --test loom_sleep`.
#![cfg(loom)]

/// The atomics that the checker watches, in the place of the real ones.
mod primitive {
    pub(crate) use loom::sync::atomic::{AtomicU8, Ordering, fence};
}

#[path = "../src/sleep.rs"]
mod sleep;

use loom::sync::atomic::{AtomicUsize, Ordering};
use loom::sync::{Arc, Notify};
use loom::thread;
use sleep::SleepFlag;

/// The flag, and what stands for the operating system: an alarm that ends one sleep for each ring, as an eventfd does
/// when it is watched edge-triggered (a ring before the sleep ends it at once, and many are one).
struct Bed {
    flag: SleepFlag,
    alarm: Notify,
    rings: AtomicUsize,
    published: AtomicUsize,
}

impl Bed {
    fn new() -> Arc<Bed> {
        Arc::new(Bed {
            flag: SleepFlag::new(),
            alarm: Notify::new(),
            rings: AtomicUsize::new(0),
            published: AtomicUsize::new(0),
        })
    }

    /// Publishes with the weakest order there is, so that only the protocol can make it visible.
    fn publish_and_notify(&self) {
        self.published.fetch_add(1, Ordering::Relaxed);
        if self.flag.notify() {
            self.rings.fetch_add(1, Ordering::Relaxed);
            self.alarm.notify();
        }
    }

    /// One wait of the reactor. A sleep that nothing ends is a deadlock, which the checker reports.
    fn wait(&self) -> bool {
        let sleep = self.flag.begin();
        if sleep {
            self.alarm.wait();
        }
        self.flag.end();
        sleep
    }
}

/// Every interleaving with up to three forced switches of thread, unless the environment asks for another number.
fn check(model: impl Fn() + Sync + Send + 'static) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = builder.preemption_bound.or(Some(3));
    builder.check(model);
}

#[test]
fn a_waiter_sees_everything_that_was_published_and_never_oversleeps() {
    check(|| {
        let bed = Bed::new();
        let notifiers: Vec<_> = (0..2)
            .map(|_| {
                let bed = bed.clone();
                thread::spawn(move || bed.publish_and_notify())
            })
            .collect();
        let mut sleeps = 0;
        while bed.published.load(Ordering::Relaxed) < 2 {
            sleeps += usize::from(bed.wait());
        }
        for notifier in notifiers {
            notifier.join().unwrap();
        }
        assert!(
            bed.rings.load(Ordering::Relaxed) <= sleeps,
            "a ring for nobody"
        );
    });
}

#[test]
fn one_thread_that_notifies_again_and_again_is_heard_to_the_end() {
    check(|| {
        let bed = Bed::new();
        let notifier = thread::spawn({
            let bed = bed.clone();
            move || {
                bed.publish_and_notify();
                bed.publish_and_notify();
            }
        });
        while bed.published.load(Ordering::Relaxed) < 2 {
            bed.wait();
        }
        notifier.join().unwrap();
    });
}

/// Waits that do not sleep consume notifications too, and must not swallow one whose cause they did not see.
#[test]
fn a_look_between_the_sleeps_swallows_nothing() {
    check(|| {
        let bed = Bed::new();
        let notifiers: Vec<_> = (0..2)
            .map(|_| {
                let bed = bed.clone();
                thread::spawn(move || bed.publish_and_notify())
            })
            .collect();
        bed.flag.end();
        while bed.published.load(Ordering::Relaxed) < 2 {
            bed.wait();
        }
        for notifier in notifiers {
            notifier.join().unwrap();
        }
    });
}

/// The last look before the sleep: whoever publishes and finds the waiter awake need not notify, and is seen.
#[test]
fn a_last_look_after_the_announcement_sees_whoever_saw_the_waiter_awake() {
    check(|| {
        let bed = Bed::new();
        let notifier = thread::spawn({
            let bed = bed.clone();
            move || {
                bed.published.fetch_add(1, Ordering::Relaxed);
                bed.flag.notify()
            }
        });
        let announced = bed.flag.begin();
        let seen = bed.published.load(Ordering::Relaxed) == 1;
        let must_ring = notifier.join().unwrap();
        assert!(
            seen || must_ring || !announced,
            "it would sleep without having seen, and nobody would ring"
        );
    });
}
