//! How pools end: threads that idle, jobs that are left, and that nobody waits for them longer than asked.

mod support;

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::Duration;

use corio_combinators::timeout;
use corio_core::TaskError;
use corio_runtime::{
    BlockingPool, EventLoop, Runner, create_task, get_running_loop, to_thread, yield_now,
};
use support::{collect_reports, poll_once, run, virtual_runner};

/// A closure that says when it begins, and blocks until its sender goes.
fn stuck() -> (
    mpsc::Sender<()>,
    mpsc::Receiver<()>,
    impl FnOnce() + Send + 'static,
) {
    let (go, gone) = mpsc::channel::<()>();
    let (begin, began) = mpsc::channel();
    let job = move || {
        begin.send(()).unwrap();
        let _ = gone.recv();
    };
    (go, began, job)
}

#[test]
fn a_pool_has_no_threads_before_its_first_job_and_none_after_its_idle_time() {
    let pool = BlockingPool::builder()
        .idle_timeout(Duration::from_millis(1))
        .build();
    assert_eq!(pool.threads(), 0);
    corio_runtime::run({
        let pool = pool.clone();
        async move {
            get_running_loop().set_blocking_pool(&pool);
            assert_eq!(to_thread(|| 1).await.unwrap(), 1);
        }
    });
    while pool.threads() > 0 {
        std::thread::yield_now();
    }
    // And it starts one again.
    let event_loop = EventLoop::new().unwrap();
    let again = event_loop.run_in_executor(&pool, || 2);
    assert_eq!(event_loop.run_until_complete(again).unwrap().unwrap(), 2);
}

#[test]
fn threads_carry_the_name_of_their_pool_and_jobs_their_line() {
    let pool = BlockingPool::builder().name("disk").build();
    let event_loop = EventLoop::new().unwrap();
    let (go, began, job) = stuck();
    let waiting = event_loop.run_in_executor(&pool, job);
    began.recv().unwrap();
    let running = pool.running();
    assert_eq!(running.len(), 1);
    assert_eq!(running[0].thread, "disk-1");
    assert!(running[0].site.file().ends_with("pool_end.rs"));
    assert_eq!(
        format!("{pool:?}"),
        "BlockingPool { name: \"disk\", threads: 1, queued: 0, running: 1 }"
    );
    drop(go);
    event_loop.run_until_complete(waiting).unwrap().unwrap();
    assert!(
        pool.running().is_empty(),
        "who has the outcome finds it gone"
    );
    let name =
        event_loop.run_in_executor(&pool, || std::thread::current().name().map(String::from));
    let name = event_loop.run_until_complete(name).unwrap().unwrap();
    assert_eq!(name.as_deref(), Some("disk-1"), "the free thread is used");
}

#[test]
fn a_closed_pool_waits_no_longer_than_asked_and_names_what_runs() {
    let pool = BlockingPool::builder().max_threads(1).build();
    let event_loop = EventLoop::new().unwrap();
    let (go, began, job) = stuck();
    let first = event_loop.run_in_executor(&pool, job);
    began.recv().unwrap();
    let second = event_loop.run_in_executor(&pool, || ());
    let left = pool.close(Duration::from_millis(1));
    assert_eq!(left.len(), 1);
    assert_eq!(left[0].thread, "corio-pool-1");
    let refused = event_loop.run_in_executor(&pool, || ());
    for never in [second, refused] {
        let error = event_loop.run_until_complete(never).unwrap().unwrap_err();
        let TaskError::Cancelled(cancelled) = error else {
            panic!("{error}")
        };
        assert_eq!(
            cancelled.reason(),
            Some("the pool was shut down before the job began")
        );
    }
    drop(go);
    event_loop.run_until_complete(first).unwrap().unwrap();
    assert!(pool.close(Duration::MAX).is_empty());
}

#[test]
fn a_shut_down_pool_runs_what_is_queued() {
    let pool = BlockingPool::builder().max_threads(1).build();
    let event_loop = EventLoop::new().unwrap();
    let (go, began, job) = stuck();
    let first = event_loop.run_in_executor(&pool, job);
    began.recv().unwrap();
    let second = event_loop.run_in_executor(&pool, || 2);
    pool.shutdown();
    drop(go);
    event_loop.run_until_complete(first).unwrap().unwrap();
    assert_eq!(event_loop.run_until_complete(second).unwrap().unwrap(), 2);
    assert!(pool.close(Duration::MAX).is_empty());
    while pool.threads() > 0 {
        std::thread::yield_now();
    }
}

#[test]
fn the_last_handle_of_a_pool_lets_what_is_queued_run() {
    let pool = BlockingPool::builder().max_threads(1).build();
    let event_loop = EventLoop::new().unwrap();
    let jobs: Vec<_> = (0..10)
        .map(|number| event_loop.run_in_executor(&pool, move || number))
        .collect();
    drop(pool);
    for (number, job) in jobs.into_iter().enumerate() {
        let value = event_loop.run_until_complete(job).unwrap();
        assert_eq!(value.unwrap(), number);
    }
}

#[test]
fn the_end_of_a_run_waits_for_jobs_that_run() {
    let done = Arc::new(AtomicBool::new(false));
    let mut runner = Runner::new().unwrap();
    let (go, began, job) = stuck();
    runner
        .run({
            let done = done.clone();
            async move {
                let mut waiting = to_thread(move || {
                    job();
                    done.store(true, Ordering::SeqCst);
                });
                assert!(poll_once(&mut waiting).await.is_pending());
                began.recv().unwrap();
            }
        })
        .unwrap();
    // The job goes on when the loop, which is ending, does what was sent to it: so the loop runs while it waits.
    let remote = runner.event_loop().remote();
    remote.call_soon(move || drop(go)).unwrap();
    drop(remote);
    assert!(runner.close().is_clean());
    assert!(done.load(Ordering::SeqCst));
}

#[test]
fn a_job_that_never_returns_holds_the_end_up_for_the_grace_period_only_and_is_named() {
    for virtual_clock in [false, true] {
        let mut builder = Runner::builder().grace(Duration::from_millis(20));
        if virtual_clock {
            builder = builder.virtual_clock();
        }
        let mut runner = builder.build().unwrap();
        let reports = collect_reports(&runner.event_loop());
        let (go, began, job) = stuck();
        runner
            .run(async move {
                create_task(to_thread(job));
                yield_now().await;
                began.recv().unwrap();
            })
            .unwrap();
        let report = runner.close();
        assert!(!report.is_clean());
        assert!(report.forced().is_empty(), "{report}");
        assert_eq!(report.cancelled().len(), 1);
        assert_eq!(report.jobs().len(), 1);
        assert_eq!(report.jobs()[0].thread, "corio-pool-1");
        let reports = reports.take();
        assert_eq!(reports.len(), 1, "{reports:?}");
        assert!(
            reports[0].contains("left running: a job on corio-pool-1 (handed over at "),
            "{reports:?}"
        );
        drop(go);
    }
}

#[test]
fn the_close_of_a_loop_does_not_wait_and_tells_of_jobs() {
    let event_loop = EventLoop::new().unwrap();
    let (go, began, job) = stuck();
    event_loop
        .run_until_complete({
            async move {
                create_task(to_thread(job));
                yield_now().await;
                began.recv().unwrap();
            }
        })
        .unwrap();
    let report = event_loop.close();
    assert_eq!(report.forced().len(), 1);
    assert_eq!(report.jobs().len(), 1);
    assert!(!report.is_clean());
    // The loop is gone when the job ends.
    drop(event_loop);
    drop(go);
}

#[test]
fn a_pool_that_was_given_to_a_loop_outlives_it() {
    let pool = BlockingPool::new();
    for round in 0..3 {
        let mut runner = virtual_runner();
        runner.event_loop().set_blocking_pool(&pool);
        let value = runner.run(to_thread(move || round)).unwrap();
        assert_eq!(value.unwrap(), round);
        assert!(runner.close().is_clean());
    }
    assert_eq!(pool.threads(), 1);
}

#[test]
fn clean_up_at_the_end_may_use_threads() {
    run(async {
        create_task(corio_combinators::finally(
            corio_runtime::sleep(Duration::MAX),
            async || {
                assert_eq!(to_thread(|| 4).await.unwrap(), 4);
                support::log("cleaned up");
            },
        ));
        yield_now().await;
    });
    assert_eq!(support::logged(), ["cleaned up"]);
}

#[test]
#[should_panic(expected = "a pool without threads would never run a job")]
fn a_pool_without_threads_is_refused() {
    let _ = BlockingPool::builder().max_threads(0);
}

/// Jobs come while a thread ends for want of work, or while threads fall asleep. One that was forgotten would never be done.
#[test]
fn no_job_is_forgotten_while_threads_end_and_sleep() {
    let moods = [
        (1, Duration::from_micros(20), 10_000),
        (4, Duration::from_secs(3600), 1_000),
    ];
    for (senders, idle, rounds) in moods {
        let pool = BlockingPool::builder()
            .max_threads(2)
            .idle_timeout(idle)
            .build();
        let serve = |number: usize| {
            let event_loop = EventLoop::new().unwrap();
            let jobs = async {
                for round in 0..rounds {
                    let job = event_loop.run_in_executor(&pool, move || round);
                    let ended = timeout(Duration::from_secs(60), job).await;
                    let ended = ended.expect("no job waits while a thread is free");
                    assert_eq!(ended.unwrap(), round);
                    for _ in 0..(round * number) % 30 {
                        yield_now().await;
                    }
                }
            };
            event_loop.run_until_complete(jobs).unwrap();
        };
        let serve = &serve;
        thread::scope(|scope| {
            let threads: Vec<_> = (1..=senders)
                .map(|number| scope.spawn(move || serve(number)))
                .collect();
            for thread in threads {
                thread.join().unwrap();
            }
        });
        assert_eq!(pool.queued(), 0);
    }
}
