//! The way into a loop from other threads, under every interleaving that matters. Run with
//! `RUSTFLAGS="--cfg loom" cargo test -p corio-core --release --test loom_inbox`.
#![cfg(loom)]
#![allow(
    dead_code,
    unreachable_pub,
    reason = "the files are the library's own, and the models use a part of them"
)]

/// What the checker watches, in the place of the real ones.
mod primitive {
    pub(crate) use loom::sync::atomic::{AtomicBool, AtomicU8, AtomicUsize, Ordering, fence};

    pub(crate) struct Mutex<T>(loom::sync::Mutex<T>);

    impl<T> Mutex<T> {
        pub(crate) fn new(value: T) -> Mutex<T> {
            Mutex(loom::sync::Mutex::new(value))
        }

        pub(crate) fn lock(&self) -> loom::sync::MutexGuard<'_, T> {
            self.0.lock().expect("no panic under this lock")
        }
    }
}

#[path = "../src/key.rs"]
mod key;
#[path = "../src/remote.rs"]
mod remote;
#[path = "../src/remote_handle.rs"]
mod remote_handle;
/// The flag by which the reactor goes to sleep: the two protocols have to fit together.
#[path = "../../corio-reactor/src/sleep.rs"]
mod sleep;

use std::sync::Arc;

use key::TaskKey;
use loom::sync::atomic::{AtomicUsize, Ordering};
use loom::thread;
use remote::{Inbox, Message, Notify};
pub use remote_handle::Remote;
use sleep::SleepFlag;

/// What stands for the reactor: its flag, and an alarm that ends one sleep for each ring.
struct Bell {
    flag: SleepFlag,
    alarm: loom::sync::Notify,
    notified: AtomicUsize,
}

impl Notify for Arc<Bell> {
    fn notify(&self) {
        self.notified.fetch_add(1, Ordering::Relaxed);
        if self.flag.notify() {
            self.alarm.notify();
        }
    }
}

/// A loop: its inbox, and the sleep of its reactor.
#[derive(Clone)]
struct Bed {
    inbox: Arc<Inbox>,
    bell: Arc<Bell>,
}

impl Bed {
    fn new() -> Bed {
        let bell = Arc::new(Bell {
            flag: SleepFlag::new(),
            alarm: loom::sync::Notify::new(),
            notified: AtomicUsize::new(0),
        });
        Bed {
            inbox: Arc::new(Inbox::new(1, Box::new(bell.clone()))),
            bell,
        }
    }

    fn send_wake(&self, task: u64) -> bool {
        let key = TaskKey::new(0, task as u32, task);
        self.inbox.send(Message::Wake(key)).is_ok()
    }

    /// What the loop does when nothing is ready: announces the sleep, looks once more, sleeps. A sleep that nothing ends is a
    /// deadlock, which the checker reports.
    fn wait(&self) {
        if self.bell.flag.begin() && !self.inbox.has_mail() {
            self.bell.alarm.wait();
        }
        self.bell.flag.end();
    }

    fn take(&self) -> usize {
        if self.inbox.has_mail() {
            self.inbox.take(Vec::new()).len()
        } else {
            0
        }
    }

    fn notified(&self) -> usize {
        self.bell.notified.load(Ordering::Relaxed)
    }
}

/// Every interleaving with up to three forced switches of thread, unless the environment asks for another number.
fn check(model: impl Fn() + Sync + Send + 'static) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = builder.preemption_bound.or(Some(3));
    builder.check(model);
}

#[test]
fn a_sleeping_loop_hears_of_every_message() {
    check(|| {
        let bed = Bed::new();
        let senders: Vec<_> = (1..=2)
            .map(|task| {
                let bed = bed.clone();
                thread::spawn(move || assert!(bed.send_wake(task)))
            })
            .collect();
        let mut heard = 0;
        while heard < 2 {
            bed.wait();
            heard += bed.take();
        }
        for sender in senders {
            sender.join().unwrap();
        }
        assert_eq!(heard, 2);
    });
}

#[test]
fn a_loop_that_looks_between_its_sleeps_loses_nothing() {
    check(|| {
        let bed = Bed::new();
        let sender = thread::spawn({
            let bed = bed.clone();
            move || {
                bed.send_wake(1);
                bed.send_wake(2);
            }
        });
        let mut heard = bed.take();
        while heard < 2 {
            bed.wait();
            heard += bed.take();
        }
        sender.join().unwrap();
    });
}

/// The flag says "no mail" only when the list is empty, whatever the sender and the reader do at the same time.
#[test]
fn mail_is_never_hidden_by_a_reader_that_was_just_there() {
    check(|| {
        let bed = Bed::new();
        let sender = thread::spawn({
            let bed = bed.clone();
            move || bed.send_wake(1)
        });
        let first = bed.inbox.take(Vec::new()).len();
        assert!(sender.join().unwrap());
        assert_eq!(bed.inbox.has_mail(), first == 0);
        assert_eq!(first + bed.take(), 1);
    });
}

#[test]
fn one_batch_is_one_notification() {
    check(|| {
        let bed = Bed::new();
        let senders: Vec<_> = (1..=2)
            .map(|task| {
                let bed = bed.clone();
                thread::spawn(move || assert!(bed.send_wake(task)))
            })
            .collect();
        for sender in senders {
            sender.join().unwrap();
        }
        assert_eq!(bed.notified(), 1);
        assert_eq!(bed.take(), 2);
        bed.send_wake(3);
        assert_eq!(bed.notified(), 2);
    });
}

/// What is written before a wake is seen by whoever takes the wake, also when the batch had been announced by another one.
#[test]
fn what_was_written_before_a_wake_is_seen_by_its_taker() {
    check(|| {
        let bed = Bed::new();
        let written = Arc::new(AtomicUsize::new(0));
        let writer = thread::spawn({
            let (bed, written) = (bed.clone(), written.clone());
            move || {
                written.store(7, Ordering::Relaxed);
                bed.send_wake(1);
            }
        });
        let other = thread::spawn({
            let bed = bed.clone();
            move || {
                bed.send_wake(2);
            }
        });
        let mut heard = 0;
        while heard < 2 {
            bed.wait();
            if !bed.inbox.has_mail() {
                continue;
            }
            for message in bed.inbox.take(Vec::new()) {
                heard += 1;
                if matches!(message, Message::Wake(key) if key.slot() == 1) {
                    assert_eq!(written.load(Ordering::Relaxed), 7);
                }
            }
        }
        writer.join().unwrap();
        other.join().unwrap();
    });
}

#[test]
fn a_message_that_meets_the_close_is_taken_or_given_back() {
    check(|| {
        let bed = Bed::new();
        let called = Arc::new(AtomicUsize::new(0));
        let sender = thread::spawn({
            let (bed, called) = (bed.clone(), called.clone());
            move || {
                let call = Box::new(move || {
                    called.fetch_add(1, Ordering::Relaxed);
                });
                bed.inbox.send(Message::Call(call)).is_ok()
            }
        });
        let taken = bed.take();
        let left = bed.inbox.close().len();
        let accepted = sender.join().unwrap();
        assert_eq!(taken + left, usize::from(accepted));
        assert!(!bed.inbox.has_mail());
        assert!(
            bed.inbox
                .send(Message::Wake(TaskKey::new(0, 1, 1)))
                .is_err()
        );
        assert_eq!(called.load(Ordering::Relaxed), 0);
    });
}

/// A loop with a clock of its own stands still while there are handles, and has to go on when the last one goes.
#[test]
fn a_loop_that_waits_for_the_holders_of_handles_hears_of_the_last_one() {
    check(|| {
        let bed = Bed::new();
        let remote = Remote::new(bed.inbox.clone());
        let other = remote.clone();
        let threads = [remote, other].map(|remote| thread::spawn(move || drop(remote)));
        while bed.inbox.handles() > 0 {
            bed.wait();
        }
        for thread in threads {
            thread.join().unwrap();
        }
        assert_eq!(bed.notified(), 1);
    });
}
