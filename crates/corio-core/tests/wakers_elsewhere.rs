//! Wakers on other threads. A future is polled and dropped on its own thread whatever happens.
//!
//! Not under Miri: where threads wait for each other, the locks of parking_lot make pointers of numbers, which it refuses.

#![cfg(not(miri))]

mod support;

use std::cell::RefCell;
use std::future::poll_fn;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc;
use std::task::{Poll, Waker};
use std::thread;

use corio_core::{EndWait, LoopClosed, Scheduler};
use support::{Bed, Drops, forever, my_waker, poll_with, raise, yield_now};

/// Sleeps until the loop is notified, as a reactor would.
struct Doorbell {
    rung: parking_lot::Mutex<bool>,
    bell: parking_lot::Condvar,
}

impl Doorbell {
    fn new() -> Arc<Doorbell> {
        Arc::new(Doorbell {
            rung: parking_lot::Mutex::new(false),
            bell: parking_lot::Condvar::new(),
        })
    }

    fn ring(&self) {
        *self.rung.lock() = true;
        self.bell.notify_one();
    }

    fn wait(&self) {
        let mut rung = self.rung.lock();
        while !*rung {
            self.bell.wait(&mut rung);
        }
        *rung = false;
    }
}

fn sleeping_loop() -> (Scheduler, Arc<Doorbell>) {
    let bell = Doorbell::new();
    let ring = bell.clone();
    (Scheduler::new(move || ring.ring()), bell)
}

fn run_until(scheduler: &Scheduler, bell: &Doorbell, done: impl Fn() -> bool) {
    while !done() {
        scheduler.take_mail();
        if scheduler.run(scheduler.ready()) == 0 && !scheduler.has_mail() {
            bell.wait();
        }
    }
}

#[test]
fn a_wake_during_the_poll_is_not_lost_and_what_was_written_before_is_seen() {
    const ROUNDS: usize = 2_000;
    let (scheduler, bell) = sleeping_loop();
    let written = Arc::new(AtomicUsize::new(0));
    let polling = Arc::new(AtomicBool::new(false));
    let (wakers, to_wake) = mpsc::channel::<Waker>();
    let other = thread::spawn({
        let written = written.clone();
        move || {
            for round in 1..=ROUNDS {
                let Ok(waker) = to_wake.recv() else { return };
                written.store(round, Ordering::Relaxed);
                waker.wake();
            }
        }
    });
    let task = scheduler.create_task({
        let written = written.clone();
        let mut round = 0;
        poll_fn(move |cx| {
            assert!(!polling.swap(true, Ordering::SeqCst), "two polls at a time");
            if round > 0 && written.load(Ordering::Relaxed) < round {
                // A poll that nobody asked for is allowed, but this one has a cause: the wake of this round.
                panic!("woken without seeing what was written before");
            }
            polling.store(false, Ordering::SeqCst);
            if round == ROUNDS {
                return Poll::Ready(());
            }
            round += 1;
            wakers.send(cx.waker().clone()).unwrap();
            Poll::Pending
        })
    });
    run_until(&scheduler, &bell, || task.done());
    task.result().unwrap();
    other.join().unwrap();
    scheduler.close();
}

#[test]
fn every_thread_is_heard_and_one_batch_is_one_notification() {
    let bed = Bed::new();
    let waker = Rc::new(RefCell::new(None));
    let _task = bed.scheduler.create_task({
        let waker = waker.clone();
        async move {
            *waker.borrow_mut() = Some(my_waker().await);
            forever().await;
        }
    });
    bed.settle();
    let waker = waker.take().unwrap();
    let before = bed.notified();
    let threads: Vec<_> = (0..4)
        .map(|_| {
            let waker = waker.clone();
            thread::spawn(move || {
                for _ in 0..5_000 {
                    waker.wake_by_ref();
                }
            })
        })
        .collect();
    for thread in threads {
        thread.join().unwrap();
    }
    assert_eq!(bed.notified() - before, 1);
    assert!(bed.scheduler.has_mail());
    assert_eq!(bed.turn(), 1, "twenty thousand wakes are one step");
    assert_eq!(bed.turn(), 0);
}

#[test]
fn what_one_thread_sends_runs_in_its_order() {
    let bed = Bed::new();
    let remote = bed.scheduler.remote();
    let (said, heard) = mpsc::channel();
    let threads: Vec<_> = (0..3)
        .map(|thread| {
            let (remote, said) = (remote.clone(), said.clone());
            thread::spawn(move || {
                for number in 0..100 {
                    let said = said.clone();
                    remote
                        .call_soon(move || said.send((thread, number)).unwrap())
                        .unwrap();
                }
            })
        })
        .collect();
    for thread in threads {
        thread.join().unwrap();
    }
    drop(said);
    bed.settle();
    let heard: Vec<_> = heard.iter().collect();
    assert_eq!(heard.len(), 300);
    for thread in 0..3 {
        let numbers = heard
            .iter()
            .filter(|(from, _)| *from == thread)
            .map(|(_, n)| *n);
        assert!(numbers.eq(0..100));
    }
}

#[test]
fn a_wake_from_the_own_thread_reaches_a_loop_that_does_not_run() {
    let bed = Bed::new();
    let other = Bed::new();
    let waker = Rc::new(RefCell::new(None));
    let task = bed.scheduler.create_task({
        let waker = waker.clone();
        async move {
            *waker.borrow_mut() = Some(my_waker().await);
            yield_now().await;
        }
    });
    bed.turn();
    bed.settle();
    assert!(task.done());
    let again = bed.scheduler.create_task({
        let waker = waker.clone();
        poll_fn(move |cx| {
            *waker.borrow_mut() = Some(cx.waker().clone());
            Poll::<()>::Pending
        })
    });
    bed.settle();
    // From inside of another loop of the same thread.
    let waker = waker.take().unwrap();
    other.scheduler.call_soon(move || waker.wake());
    other.settle();
    assert_eq!(bed.scheduler.ready(), 1);
    assert!(!again.done());
}

/// The future, its output and what they hold stay on their thread, whoever wakes, and drops wakers.
#[test]
fn a_future_is_dropped_on_its_thread_although_the_last_waker_goes_elsewhere() {
    let bed = Bed::new();
    let here = thread::current().id();
    let drops = Drops::new();
    let waker = Rc::new(RefCell::new(None));
    let task = bed.scheduler.create_task({
        let (waker, guard) = (waker.clone(), drops.guard());
        async move {
            *waker.borrow_mut() = Some(my_waker().await);
            yield_now().await;
            forever().await;
            drop(guard);
        }
    });
    drop(task);
    bed.settle();
    let only = waker.take().unwrap();
    thread::spawn(move || {
        only.wake_by_ref();
        drop(only);
    })
    .join()
    .unwrap();
    bed.settle();
    assert_eq!(
        drops.count(),
        0,
        "the loop owns it, and nobody asked it to end"
    );
    bed.scheduler.close();
    assert_eq!(drops.count(), 1);
    assert_eq!(drops.thread(), Some(here));
}

#[test]
fn what_another_thread_sent_too_late_is_dropped_with_the_loop_or_given_back() {
    let dropped = Arc::new(AtomicUsize::new(0));
    struct Counted(Arc<AtomicUsize>);
    impl Drop for Counted {
        fn drop(&mut self) {
            self.0.fetch_add(1, Ordering::SeqCst);
        }
    }
    let bed = Bed::new();
    let remote = bed.scheduler.remote();
    let send = |counted: Counted| remote.call_soon(move || drop(counted));
    assert_eq!(send(Counted(dropped.clone())), Ok(()));
    bed.scheduler.close();
    assert_eq!(dropped.load(Ordering::SeqCst), 1);
    assert_eq!(send(Counted(dropped.clone())), Err(LoopClosed));
    assert_eq!(dropped.load(Ordering::SeqCst), 2);
}

#[test]
fn senders_race_with_the_close_and_every_message_runs_or_is_dropped() {
    for _ in 0..50 {
        let (scheduler, bell) = sleeping_loop();
        let ran = Arc::new(AtomicUsize::new(0));
        let gone = Arc::new(AtomicUsize::new(0));
        struct Gone(Arc<AtomicUsize>);
        impl Drop for Gone {
            fn drop(&mut self) {
                self.0.fetch_add(1, Ordering::SeqCst);
            }
        }
        let threads: Vec<_> = (0..3)
            .map(|_| {
                let (remote, ran, gone) = (scheduler.remote(), ran.clone(), gone.clone());
                thread::spawn(move || {
                    let mut accepted = 0;
                    for _ in 0..50 {
                        let (ran, guard) = (ran.clone(), Gone(gone.clone()));
                        let sent = remote.call_soon(move || {
                            ran.fetch_add(1, Ordering::SeqCst);
                            drop(guard);
                        });
                        accepted += usize::from(sent.is_ok());
                    }
                    accepted
                })
            })
            .collect();
        run_until(&scheduler, &bell, || ran.load(Ordering::SeqCst) >= 20);
        scheduler.close();
        let accepted: usize = threads.into_iter().map(|t| t.join().unwrap()).sum();
        assert_eq!(gone.load(Ordering::SeqCst), 150, "each is dropped once");
        assert!(ran.load(Ordering::SeqCst) <= accepted);
    }
}

#[test]
fn a_loop_that_sits_in_a_thread_local_ends_with_the_thread() {
    thread_local! {
        static BEFORE: RefCell<Option<(Bed, Waker)>> = const { RefCell::new(None) };
    }
    fn bed_with_a_task(dropped: mpsc::Sender<()>) -> (Bed, Waker) {
        let bed = Bed::new();
        let waker = Rc::new(RefCell::new(None));
        bed.scheduler.create_task({
            let waker = waker.clone();
            async move {
                let _last = support::OnDrop::new(move || dropped.send(()).unwrap());
                *waker.borrow_mut() = Some(my_waker().await);
                forever().await;
            }
        });
        bed.settle();
        let waker = waker.take().unwrap();
        (bed, waker)
    }
    for own_first in [true, false] {
        let (dropped, told) = mpsc::channel();
        thread::spawn(move || {
            if own_first {
                BEFORE.set(None);
            }
            let made = bed_with_a_task(dropped);
            BEFORE.set(Some(made));
        })
        .join()
        .unwrap();
        assert_eq!(told.iter().count(), 1);
    }
}

#[test]
fn the_loop_knows_how_many_remotes_there_are_and_hears_of_the_last_one_that_goes() {
    let bed = Bed::new();
    assert_eq!(bed.scheduler.remotes(), 0);
    let remote = bed.scheduler.remote();
    let other = remote.clone();
    assert_eq!(bed.scheduler.remotes(), 2);
    thread::spawn(move || drop(other)).join().unwrap();
    assert_eq!((bed.scheduler.remotes(), bed.notified()), (1, 0));
    thread::spawn(move || drop(remote)).join().unwrap();
    assert_eq!((bed.scheduler.remotes(), bed.notified()), (0, 1));
}

/// One wait stands in the header of the task, and the second one makes that a list.
#[test]
fn a_notification_that_panics_at_the_end_of_a_task_is_reported_and_the_run_goes_on() {
    for waits in [1, 2] {
        let (wakers, waker) = mpsc::channel::<Waker>();
        let (ended, end) = mpsc::channel::<()>();
        let other = thread::spawn(move || {
            let scheduler = Scheduler::new(|| raise("no bell"));
            let mut wakers = Some(wakers);
            let task = scheduler.create_task(poll_fn(move |cx| match wakers.take() {
                Some(wakers) => {
                    wakers.send(cx.waker().clone()).unwrap();
                    Poll::Pending
                }
                None => Poll::Ready(()),
            }));
            scheduler.run(1);
            end.recv().unwrap();
            scheduler.take_mail();
            scheduler.run(1);
            assert!(task.done(), "it was woken all the same");
        });
        let waker = waker.recv().unwrap();
        let bed = Bed::new();
        let task = bed.scheduler.create_task(yield_now()).named("job");
        let next = bed.scheduler.create_task(yield_now());
        let any = task.any();
        let mut ends: Vec<EndWait> = (0..waits).map(|_| EndWait::new(&any)).collect();
        for end in &mut ends {
            assert!(poll_with(end, &waker).is_pending());
        }
        bed.settle();
        assert!(task.done() && next.done());
        assert_eq!(bed.reports()[0].task(), Some("job"));
        assert_eq!(
            bed.take_reports(),
            ["exception in a foreign waker at the end of a task: no bell"]
        );
        ended.send(()).unwrap();
        other.join().unwrap();
    }
}
