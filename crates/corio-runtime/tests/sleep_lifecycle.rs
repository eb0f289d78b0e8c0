//! Sleeps of every length, moved, reset, dropped in every place.

mod support;

use std::cell::RefCell;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll, RawWaker, RawWakerVTable, Wake, Waker};
use std::thread;
use std::time::{Duration, Instant};

use corio_combinators::timeout;
use corio_core::Task;
use corio_runtime::{
    EventLoop, Sleep, create_task, get_running_loop, interval, sleep, sleep_until, yield_now,
};
use support::{
    Count, collect_reports, nap, panic_of, poll_once, raise, run, seconds, virtual_loop,
};

const LENGTHS: [Duration; 8] = [
    Duration::ZERO,
    Duration::from_nanos(1),
    Duration::from_secs(1),
    Duration::from_secs(60 * 60 * 24 * 365 * 99),
    Duration::from_secs(60 * 60 * 24 * 365 * 600),
    Duration::from_secs(u64::MAX / 10),
    Duration::from_secs(u64::MAX),
    Duration::MAX,
];

/// From here on nobody waits.
const NEVER: Duration = Duration::from_nanos(u64::MAX);

fn poll_with(sleep: &mut Sleep, waker: &Waker) -> Poll<()> {
    Pin::new(sleep).poll(&mut Context::from_waker(waker))
}

fn now() -> Instant {
    get_running_loop().time()
}

#[test]
fn every_length_is_slept_exactly_or_never() {
    run(async {
        for length in LENGTHS {
            let start = now();
            let task = create_task(sleep(length));
            if length < NEVER {
                task.await.unwrap();
                assert_eq!(now() - start, length);
            } else {
                nap(1.0).await;
                assert!(!task.done());
                task.cancel();
            }
        }
    });
}

#[test]
fn every_length_can_be_armed_moved_and_taken_back_on_either_clock() {
    for event_loop in [virtual_loop(), EventLoop::new().unwrap()] {
        event_loop
            .run_until_complete(async {
                for from in LENGTHS {
                    for to in LENGTHS {
                        let mut nap = sleep(from);
                        let _ = poll_once(&mut nap).await;
                        let target = now().checked_add(to).unwrap_or_else(|| {
                            now() + Duration::from_secs(60 * 60 * 24 * 365 * 150)
                        });
                        nap.reset(target);
                        let _ = poll_once(&mut nap).await;
                        let _ = format!("{nap:?}");
                    }
                    let event_loop = get_running_loop();
                    let handle = event_loop.call_later(from, || ());
                    assert_eq!(handle.when().is_some(), from < NEVER);
                    let _ = format!("{handle:?}");
                    handle.cancel();
                    let _ = timeout(from, async {}).await;
                    let _ = timeout(from, std::future::ready(1)).await;
                    if !from.is_zero() {
                        let mut ticks = interval(from);
                        let _ = poll_once(&mut ticks.tick()).await;
                    }
                }
            })
            .unwrap();
    }
}

#[test]
fn the_time_counts_from_the_first_poll() {
    run(async {
        let later = sleep(seconds(2.0));
        let start = now();
        nap(5.0).await;
        later.await;
        assert_eq!(now() - start, seconds(7.0));
    });
}

#[test]
fn a_sleep_until_an_instant_that_has_passed_gives_up_one_turn() {
    run(async {
        nap(5.0).await;
        let start = now();
        for past in [now(), now() - seconds(1.0), now() - seconds(4.0)] {
            let yielded = create_task(async {});
            sleep_until(past).await;
            assert!(yielded.done());
        }
        assert_eq!(now(), start);
        sleep_until(now() + seconds(1.0)).await;
        assert_eq!(now() - start, seconds(1.0));
    });
}

#[test]
fn a_sleep_is_over_once_and_may_begin_again() {
    run(async {
        let mut nap = sleep(seconds(1.0));
        assert!(!nap.is_elapsed());
        assert_eq!(nap.deadline(), None);
        let start = now();
        (&mut nap).await;
        assert!(nap.is_elapsed());
        assert_eq!(nap.deadline(), Some(start + seconds(1.0)));
        assert!(poll_once(&mut nap).await.is_ready());
        nap.reset(start + seconds(3.0));
        assert!(!nap.is_elapsed());
        (&mut nap).await;
        assert_eq!(now() - start, seconds(3.0));
    });
}

#[test]
fn a_sleep_can_be_moved_earlier_and_later_while_somebody_waits() {
    run(async {
        let start = now();
        let nap = Rc::new(RefCell::new(sleep(seconds(10.0))));
        let waiter = create_task({
            let nap = nap.clone();
            std::future::poll_fn(move |cx| Pin::new(&mut *nap.borrow_mut()).poll(cx))
        });
        yield_now().await;
        nap.borrow_mut().reset(start + seconds(20.0));
        sleep(seconds(15.0)).await;
        assert!(!waiter.done());
        nap.borrow_mut().reset(start + seconds(16.0));
        (&waiter).await.unwrap();
        assert_eq!(now() - start, seconds(16.0));
    });
}

/// R059
#[test]
fn the_last_task_that_polled_a_sleep_is_woken() {
    run(async {
        let slot = Rc::new(RefCell::new(Some(sleep(seconds(5.0)))));
        let start = now();
        let first = create_task({
            let slot = slot.clone();
            async move {
                let mut nap = slot.take().unwrap();
                assert!(poll_once(&mut nap).await.is_pending());
                *slot.borrow_mut() = Some(nap);
                std::future::pending::<()>().await;
            }
        });
        sleep(seconds(1.0)).await;
        let second = create_task({
            let slot = slot.clone();
            async move { slot.take().unwrap().await }
        });
        second.await.unwrap();
        assert_eq!(now() - start, seconds(5.0));
        let steps = get_running_loop().scheduler().steps();
        yield_now().await;
        assert_eq!(
            get_running_loop().scheduler().steps() - steps,
            1,
            "only this task"
        );
        first.cancel();
    });
}

#[test]
fn a_sleep_with_a_foreign_waker_wakes_it_and_lets_the_old_one_go() {
    run(async {
        let ((first, a), (second, b)) = (Count::new(), Count::new());
        let mut nap = sleep(seconds(1.0));
        assert!(poll_with(&mut nap, &a).is_pending());
        assert!(poll_with(&mut nap, &b).is_pending());
        drop(a);
        assert_eq!(std::sync::Arc::strong_count(&first), 1);
        sleep(seconds(2.0)).await;
        assert_eq!((first.get(), second.get()), (0, 1));
        assert!(poll_with(&mut nap, &b).is_ready());
    });
}

#[test]
fn a_waker_that_panics_keeps_no_other_timer_from_ringing() {
    struct Panics;
    impl Wake for Panics {
        fn wake(self: Arc<Self>) {
            raise("in a waker");
        }
    }
    run(async {
        let reports = collect_reports(&get_running_loop());
        let panics = Waker::from(Arc::new(Panics));
        let (count, counts) = Count::new();
        let mut naps: Vec<Sleep> = (0..4).map(|_| sleep(seconds(1.0))).collect();
        for (nap, waker) in naps.iter_mut().zip([&panics, &counts, &panics, &counts]) {
            assert!(poll_with(nap, waker).is_pending());
        }
        let task = create_task(sleep(seconds(1.0)));
        sleep(seconds(2.0)).await;
        assert!(task.done());
        assert_eq!(count.get(), 2);
        assert_eq!(
            reports.take(),
            ["exception in a foreign waker: in a waker"; 2]
        );
    });
}

#[test]
fn a_waker_that_panics_when_it_is_cloned_reaches_the_poller_and_the_sleep_goes_on() {
    fn cannot(_: *const ()) -> RawWaker {
        raise("clone")
    }
    fn nothing(_: *const ()) {}
    static ODD: RawWakerVTable = RawWakerVTable::new(cannot, nothing, nothing, nothing);
    // SAFETY: there is no data, so the functions may be called in every order and on every thread.
    let odd = unsafe { Waker::new(std::ptr::null(), &ODD) };
    run(async {
        let start = get_running_loop().time();
        let passed = || get_running_loop().time() - start;
        let mut fresh = sleep(seconds(1.0));
        assert_eq!(panic_of(|| poll_with(&mut fresh, &odd)), "clone");
        let mut armed = sleep(seconds(2.0));
        assert!(poll_once(&mut armed).await.is_pending());
        assert_eq!(panic_of(|| poll_with(&mut armed, &odd)), "clone");
        fresh.await;
        assert_eq!(passed(), seconds(1.0));
        armed.await;
        assert_eq!(passed(), seconds(2.0));
    });
}

#[test]
fn a_sleep_that_is_dropped_on_another_thread_takes_its_timer_back() {
    run(async {
        let (count, waker) = Count::new();
        let mut naps: Vec<Sleep> = (0..100).map(|_| sleep(seconds(10.0))).collect();
        for nap in &mut naps {
            assert!(poll_with(nap, &waker).is_pending());
        }
        let rest = naps.split_off(50);
        thread::spawn(move || drop(rest)).join().unwrap();
        sleep(seconds(20.0)).await;
        assert_eq!(count.get(), 50);
        drop(naps);
    });
}

#[test]
fn a_sleep_outlives_its_loop_and_a_fresh_one_goes_to_any_thread() {
    let mut nap = sleep(seconds(10.0));
    let moved = thread::spawn(move || {
        let event_loop = virtual_loop();
        event_loop
            .run_until_complete(async { assert!(poll_once(&mut nap).await.is_pending()) })
            .unwrap();
        nap
    })
    .join()
    .unwrap();
    drop(moved);
    // One that was never polled goes wherever it is wanted.
    let fresh = sleep(seconds(1.0));
    thread::spawn(move || virtual_loop().run_until_complete(fresh).unwrap())
        .join()
        .unwrap();
}

/// R058
#[test]
fn sleeps_that_are_dropped_leave_no_timers() {
    let event_loop = virtual_loop();
    let start = event_loop.time();
    event_loop
        .run_until_complete(async {
            for _ in 0..1_000 {
                let mut naps: Vec<Sleep> = (1..=100)
                    .map(|ms| sleep(Duration::from_millis(ms)))
                    .collect();
                for nap in &mut naps {
                    assert!(poll_once(nap).await.is_pending());
                }
            }
            let tasks: Vec<Task<()>> = (0..1_000).map(|_| create_task(nap(50.0))).collect();
            yield_now().await;
            for task in &tasks {
                task.cancel();
            }
            nap(100.0).await;
        })
        .unwrap();
    // A timer that was left would have been jumped to with a turn of its own; none shows in the time or the steps.
    let steps = event_loop.scheduler().steps();
    event_loop.run_until_complete(nap(1_000.0)).unwrap();
    assert!(event_loop.scheduler().steps() - steps <= 5);
    assert_eq!(event_loop.time() - start, seconds(1_100.0));
}

#[test]
fn cancelled_timer_handles_drop_their_callbacks_at_once() {
    run(async {
        let held = Rc::new(());
        let event_loop = get_running_loop();
        let handles: Vec<_> = (0..1_000)
            .map(|index| {
                let held = held.clone();
                event_loop.call_later(seconds(f64::from(index)), move || drop(held))
            })
            .collect();
        for handle in handles.iter().step_by(2) {
            handle.cancel();
            assert!(handle.cancelled());
            handle.cancel();
        }
        assert_eq!(Rc::strong_count(&held), 501);
        nap(1_000.0).await;
        assert_eq!(Rc::strong_count(&held), 1);
        assert_eq!(
            handles.iter().filter(|handle| handle.cancelled()).count(),
            500
        );
    });
}

/// R060
#[test]
fn a_deadline_is_seen_by_a_future_that_wakes_itself_for_ever() {
    let event_loop = EventLoop::new().unwrap();
    let result = event_loop.run_until_complete(timeout(Duration::from_millis(2), async {
        loop {
            yield_now().await;
        }
    }));
    assert!(result.unwrap().is_err());
}

/// R060: the limit was armed first, so it fires first, each time.
#[test]
fn a_limit_and_its_work_that_are_due_together_always_end_the_same_way() {
    for _ in 0..20 {
        let limited = run(async { timeout(seconds(1.0), nap(1.0)).await });
        assert!(limited.is_err());
    }
}

#[test]
fn a_sleep_is_never_early_on_the_clock_of_the_system() {
    let event_loop = EventLoop::new().unwrap();
    event_loop
        .run_until_complete(async {
            for length in [1, 10, 100, 1_000, 10_000, 100_000, 1_000_000] {
                let length = Duration::from_nanos(length);
                let start = Instant::now();
                sleep(length).await;
                assert!(start.elapsed() >= length);
            }
        })
        .unwrap();
}

/// R055: the end of the timer and the drop elsewhere meet in every order; a wake comes once or not at all.
#[test]
fn a_sleep_that_is_dropped_elsewhere_while_it_rings_wakes_once_or_never() {
    let event_loop = EventLoop::new().unwrap();
    let (send, receive) = std::sync::mpsc::channel::<Sleep>();
    let dropper = thread::spawn(move || receive.into_iter().for_each(drop));
    event_loop
        .run_until_complete(async {
            let counts: Vec<_> = (0..2_000)
                .map(|index| {
                    let (count, waker) = Count::new();
                    let mut nap = sleep(Duration::from_micros(index % 50));
                    let _ = poll_with(&mut nap, &waker);
                    send.send(nap).unwrap();
                    count
                })
                .collect();
            drop(send);
            sleep(Duration::from_millis(5)).await;
            dropper.join().unwrap();
            yield_now().await;
            assert!(counts.iter().all(|count| count.get() <= 1));
        })
        .unwrap();
}
