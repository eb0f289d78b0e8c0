//! to_thread and run_in_executor: what comes back from a thread, when a job begins, and what becomes of one that nobody waits for.

mod support;

use std::future::pending;
use std::panic::resume_unwind;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, mpsc};
use std::thread::{self, ThreadId};
use std::time::Duration;

use corio_combinators::{finally, gather, move_on_after};
use corio_core::TaskError;
use corio_runtime::{
    BlockingPool, EventLoop, Runner, ToThread, context, create_task, current_task,
    get_running_loop, sleep, to_thread, yield_now,
};
use support::{collect_reports, nap, panic_of, poll_once, run, seconds, virtual_runner};

context! {
    static VARIABLE: u32 = 0;
    static HELD: Option<Arc<()>> = None;
}

fn one_thread() -> BlockingPool {
    BlockingPool::builder().name("lone").max_threads(1).build()
}

/// A job that runs until it is let go, on a pool with one thread.
struct Gate {
    go: mpsc::Sender<()>,
    began: mpsc::Receiver<()>,
}

fn gate() -> (Gate, impl FnOnce() -> u32 + Send + 'static) {
    let (go, gone) = mpsc::channel();
    let (begin, began) = mpsc::channel();
    let job = move || {
        begin.send(()).unwrap();
        // A gate that was dropped is open too.
        let _ = gone.recv();
        7
    };
    (Gate { go, began }, job)
}

#[test]
fn values_and_panics_come_back() {
    run(async {
        let loop_thread = thread::current().id();
        let there: ThreadId = to_thread(|| thread::current().id()).await.unwrap();
        assert_ne!(there, loop_thread);
        let words = [String::from("to"), String::from("be")];
        assert_eq!(to_thread(move || words.join(" ")).await.unwrap(), "to be");
        let failed = to_thread(|| -> u32 { resume_unwind(Box::new("on the thread")) }).await;
        let Err(TaskError::Panicked(panic)) = failed else {
            panic!("{failed:?}")
        };
        assert_eq!(panic.message(), "on the thread");
        assert_eq!(to_thread(|| 3).await.unwrap(), 3, "the thread lives on");
        assert_eq!(get_running_loop().blocking_pool().threads(), 1);
    });
}

#[test]
fn a_thousand_jobs_all_come_back() {
    run(async {
        let jobs = (0..1_000u64)
            .map(|number| async move { to_thread(move || number * number).await.unwrap() });
        let squares = gather(jobs).await.unwrap();
        let expected: Vec<u64> = (0..1_000).map(|number| number * number).collect();
        assert_eq!(squares, expected);
        assert!(get_running_loop().blocking_pool().threads() <= 64);
    });
}

#[test]
fn to_thread_begins_at_the_first_poll_and_run_in_executor_at_the_call() {
    run(async {
        let ran = Arc::new(AtomicUsize::new(0));
        let count = || {
            let ran = ran.clone();
            move || ran.fetch_add(1, Ordering::SeqCst)
        };
        drop(to_thread(count()));
        to_thread(|| ()).await.unwrap();
        assert_eq!(ran.load(Ordering::SeqCst), 0, "it was never polled");
        let pool = one_thread();
        let (begin, began) = mpsc::channel();
        let job = get_running_loop().run_in_executor(&pool, move || begin.send(()).unwrap());
        began.recv().unwrap();
        job.await.unwrap();
    });
}

#[test]
fn context_variables_are_taken_at_the_call_by_to_thread_and_not_by_run_in_executor() {
    run(async {
        VARIABLE.set(1);
        let read = to_thread(|| {
            let seen = VARIABLE.get();
            VARIABLE.set(99);
            seen
        });
        VARIABLE.set(2);
        assert_eq!(read.await.unwrap(), 1);
        assert_eq!(VARIABLE.get(), 2, "what the job sets stays with it");
        let pool = one_thread();
        let event_loop = get_running_loop();
        let bare = event_loop.run_in_executor(&pool, || VARIABLE.get());
        assert_eq!(bare.await.unwrap(), 0);
        // The same thread, after a job with a context.
        event_loop.set_blocking_pool(&pool);
        assert_eq!(to_thread(|| VARIABLE.get()).await.unwrap(), 2);
        let bare = event_loop.run_in_executor(&pool, || VARIABLE.get());
        assert_eq!(bare.await.unwrap(), 0);
    });
}

#[test]
fn a_thread_keeps_nothing_of_the_context_of_a_job() {
    run(async {
        let value = Arc::new(());
        let token = HELD.set(Some(value.clone()));
        let seen = to_thread(|| HELD.get().is_some()).await.unwrap();
        assert!(seen);
        HELD.reset(token);
        assert_eq!(Arc::strong_count(&value), 1);
    });
}

#[test]
fn a_job_that_has_not_begun_is_taken_out_when_its_future_goes() {
    run(async {
        let pool = one_thread();
        let event_loop = get_running_loop();
        let (gate, job) = gate();
        let first = event_loop.run_in_executor(&pool, job);
        gate.began.recv().unwrap();
        let ran = Arc::new(AtomicBool::new(false));
        let second = event_loop.run_in_executor(&pool, {
            let ran = ran.clone();
            move || ran.store(true, Ordering::SeqCst)
        });
        let third = event_loop.run_in_executor(&pool, || 3);
        assert_eq!(pool.queued(), 2);
        drop(second);
        assert_eq!(pool.queued(), 1);
        assert_eq!(Arc::strong_count(&ran), 1, "its closure was dropped here");
        gate.go.send(()).unwrap();
        assert_eq!(first.await.unwrap(), 7);
        assert_eq!(third.await.unwrap(), 3);
        assert!(!ran.load(Ordering::SeqCst));
    });
}

#[test]
fn a_cancelled_wait_ends_at_once_and_the_job_runs_on_with_its_result_dropped_there() {
    #[derive(Debug)]
    struct Dropped(mpsc::Sender<ThreadId>);
    impl Drop for Dropped {
        fn drop(&mut self) {
            self.0.send(thread::current().id()).unwrap();
        }
    }
    let (gate, job) = gate();
    let (say, said) = mpsc::channel();
    let began = gate.began;
    run(async move {
        let task = create_task(to_thread(move || {
            job();
            (thread::current().id(), Dropped(say))
        }));
        yield_now().await;
        began.recv().unwrap();
        task.cancel();
        assert!(task.await.unwrap_err().is_cancelled());
        gate.go.send(()).unwrap();
        let where_it_went = to_thread(move || said.recv().unwrap()).await.unwrap();
        assert_ne!(where_it_went, thread::current().id());
    });
}

#[test]
fn jobs_begin_in_the_order_of_coming() {
    run(async {
        let pool = one_thread();
        let event_loop = get_running_loop();
        let (say, said) = mpsc::channel();
        let jobs: Vec<ToThread<()>> = (0..50)
            .map(|number| {
                let say = say.clone();
                event_loop.run_in_executor(&pool, move || say.send(number).unwrap())
            })
            .collect();
        for job in jobs {
            job.await.unwrap();
        }
        assert_eq!(
            said.try_iter().collect::<Vec<_>>(),
            (0..50).collect::<Vec<_>>()
        );
        assert_eq!(pool.threads(), 1);
    });
}

/// A virtual clock waits for work that is outstanding on threads, and does not take it for a deadlock.
#[test]
fn a_virtual_clock_stands_still_while_a_job_is_outstanding() {
    run(async {
        let event_loop = get_running_loop();
        let start = event_loop.time();
        let timer = create_task(sleep(Duration::from_secs(10)));
        let value = to_thread(|| {
            // Real time, longer than the loop gives foreign threads before it speaks of a deadlock.
            thread::sleep(Duration::from_millis(1_200));
            5
        });
        assert_eq!(value.await.unwrap(), 5);
        assert_eq!(event_loop.time(), start);
        assert!(!timer.done());
        nap(1.0).await;
        assert_eq!(event_loop.time() - start, seconds(1.0));
        timer.await.unwrap();
        assert_eq!(event_loop.time() - start, seconds(10.0));
    });
}

/// A job that waits for its loop does nothing before, and the task that it waits for needs the clock.
#[test]
fn a_virtual_clock_jumps_while_a_job_waits_for_a_task_of_its_loop_that_sleeps() {
    let mut runner = virtual_runner();
    let start = runner.event_loop().time();
    let remote = runner.event_loop().remote();
    let (in_job, after) = runner
        .run(async move {
            let job = to_thread(move || {
                let task = remote.create_task(|| async {
                    nap(7200.0).await;
                    get_running_loop().time()
                });
                drop(remote);
                let in_job = task.wait().unwrap();
                // From here on the job may do something again, so the clock waits for it.
                std::thread::sleep(Duration::from_millis(20));
                in_job
            });
            let later = create_task(nap(9000.0));
            let in_job = job.await.unwrap();
            assert!(
                !later.done(),
                "the clock has jumped past the end of the job"
            );
            (in_job, get_running_loop().time())
        })
        .unwrap();
    assert_eq!(in_job - start, seconds(7200.0));
    assert_eq!(after - start, seconds(7200.0));
}

/// The end of a job is a message and the end of a handle; a clock that sees the second has to find the first.
#[test]
fn a_virtual_clock_does_not_jump_past_the_end_of_a_job() {
    run(async {
        let event_loop = get_running_loop();
        let start = event_loop.time();
        let timer = create_task(sleep(Duration::from_secs(1)));
        for round in 0..3_000_u32 {
            let spin = round % 64;
            let job = to_thread(move || (0..spin).for_each(|_| std::hint::spin_loop()));
            job.await.unwrap();
            assert_eq!(event_loop.time(), start, "in round {round}");
        }
        timer.cancel();
    });
}

#[test]
fn a_virtual_clock_goes_on_when_nobody_waits_for_the_job() {
    let (gate, job) = gate();
    let mut runner = virtual_runner();
    runner
        .run(async move {
            let start = get_running_loop().time();
            let mut waiting = to_thread(job);
            assert!(poll_once(&mut waiting).await.is_pending());
            gate.began.recv().unwrap();
            drop(waiting);
            nap(100.0).await;
            assert_eq!(get_running_loop().time() - start, seconds(100.0));
            gate.go.send(()).unwrap();
        })
        .unwrap();
    assert!(runner.close().is_clean());
}

#[test]
fn a_job_and_its_future_are_sent_and_awaited_under_another_loop() {
    let event_loop = EventLoop::new().unwrap();
    let pool = one_thread();
    let job = event_loop.run_in_executor(&pool, || 11);
    let other = thread::spawn(move || corio_runtime::run(job).unwrap());
    assert_eq!(other.join().unwrap(), 11);
}

#[test]
fn a_panic_that_nobody_hears_of_is_reported() {
    let (gate, job) = gate();
    let mut runner = virtual_runner();
    let reports = collect_reports(&runner.event_loop());
    runner
        .run(async move {
            let mut waiting = to_thread(move || -> u32 {
                job();
                resume_unwind(Box::new("unheard"))
            });
            assert!(poll_once(&mut waiting).await.is_pending());
            gate.began.recv().unwrap();
            drop(waiting);
            gate.go.send(()).unwrap();
            let event_loop = get_running_loop();
            let read = event_loop.run_in_executor(&one_thread(), || -> u32 {
                resume_unwind(Box::new("unread"))
            });
            while !read.done() {
                yield_now().await;
            }
            drop(read);
        })
        .unwrap();
    runner.close();
    let mut reports = reports.take();
    reports.sort();
    let expected = ["unheard", "unread"]
        .map(|message| format!("exception of a job on a thread was never retrieved: {message}"));
    assert_eq!(reports, expected);
}

/// Lets a job go, and waits until it has ended.
fn end_job(gate: &Gate, pool: &BlockingPool) {
    gate.go.send(()).unwrap();
    while !pool.running().is_empty() {
        thread::yield_now();
    }
}

/// A job that panics when it is let go, which nobody waits for.
async fn unheard_job() -> (Gate, BlockingPool) {
    let (gate, job) = gate();
    let mut waiting = to_thread(move || -> u32 {
        job();
        resume_unwind(Box::new("unheard"))
    });
    assert!(poll_once(&mut waiting).await.is_pending());
    gate.began.recv().unwrap();
    (gate, get_running_loop().blocking_pool())
}

const UNHEARD: &str = "exception of a job on a thread was never retrieved: unheard";

#[test]
fn a_panic_at_the_end_of_the_run_is_reported() {
    for mut runner in [virtual_runner(), Runner::new().unwrap()] {
        let reports = collect_reports(&runner.event_loop());
        runner
            .run(async move {
                let (gate, pool) = unheard_job().await;
                end_job(&gate, &pool);
            })
            .unwrap();
        runner.close();
        assert_eq!(reports.take(), [UNHEARD]);
    }
}

#[test]
fn a_panic_while_the_runner_ends_the_tasks_is_reported() {
    for mut runner in [virtual_runner(), Runner::new().unwrap()] {
        let reports = collect_reports(&runner.event_loop());
        runner
            .run(async move {
                let (gate, pool) = unheard_job().await;
                create_task(finally(pending::<()>(), async move || {
                    end_job(&gate, &pool);
                }));
                yield_now().await;
            })
            .unwrap();
        runner.close();
        assert_eq!(reports.take(), [UNHEARD]);
    }
}

#[test]
fn a_task_says_that_it_waits_for_a_thread() {
    let (gate, job) = gate();
    run(async move {
        let task = create_task(async move { to_thread(job).await.unwrap() });
        yield_now().await;
        gate.began.recv().unwrap();
        let waiting = task.any().waits_for().unwrap();
        assert_eq!(waiting.kind(), "to_thread");
        assert!(waiting.site().file().ends_with("to_thread_outcomes.rs"));
        gate.go.send(()).unwrap();
        assert_eq!(task.await.unwrap(), 7);
    });
}

#[test]
fn a_time_limit_gives_a_job_up() {
    let (gate, job) = gate();
    let mut runner = Runner::new().unwrap();
    let value =
        runner.run(async move { move_on_after(Duration::from_millis(1), to_thread(job)).await });
    assert!(value.unwrap().is_none());
    drop(gate);
    assert!(runner.close().is_clean());
}

#[test]
fn without_a_loop_the_first_poll_says_what_to_do() {
    let message = panic_of(|| {
        let mut waiting = to_thread(|| 1);
        let mut cx = std::task::Context::from_waker(std::task::Waker::noop());
        std::future::Future::poll(std::pin::Pin::new(&mut waiting), &mut cx)
    });
    assert!(
        message.starts_with("`to_thread` needs a running event loop"),
        "{message}"
    );
}

/// A job may itself run a loop, or ask the loop that started it to do something.
#[test]
fn a_job_may_run_a_loop_and_ask_its_own() {
    let mut runner = Runner::new().unwrap();
    let remote = runner.event_loop().remote();
    let value = runner.run(async move {
        to_thread(move || {
            let inner = corio_runtime::run(async { current_task().unwrap().name() });
            let outer = remote
                .create_task(|| async { current_task().is_some() })
                .wait();
            (inner, outer.unwrap())
        })
        .await
    });
    assert_eq!(value.unwrap().unwrap(), (String::from("Task-1"), true));
}
