//! Workers: the same program on several loops, messages between them, and how they end.

mod support;

use std::cell::Cell;
use std::rc::Rc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::Duration;

use corio_combinators::{catch_cancel, finally};
use corio_core::Promise;
use corio_runtime::workers::{Worker, WorkerError, Workers};
use corio_runtime::{
    EventLoop, RunError, create_task, get_running_loop, run, sleep, to_thread, yield_now,
};
use support::{OnDrop, panic_of, raise};

#[test]
fn every_worker_runs_the_program_on_a_loop_and_a_thread_of_its_own() {
    let report = Workers::new(3)
        .name("web")
        .run(async |worker| {
            // Nothing here is `Send`.
            let local = Rc::new(Cell::new(worker.index()));
            let shared = local.clone();
            create_task(async move {
                yield_now().await;
                shared.set(shared.get() * 10);
            })
            .await
            .unwrap();
            let thread = thread::current().name().map(String::from).unwrap();
            let name = get_running_loop().name().unwrap();
            (worker.index(), worker.count(), local.get(), thread, name)
        })
        .unwrap();
    assert!(report.is_clean(), "{report}");
    let expected: Vec<_> = (0..3)
        .map(|index| {
            let name = format!("web-{index}");
            (index, 3, index * 10, name.clone(), name)
        })
        .collect();
    assert_eq!(report.into_values().unwrap(), expected);
}

#[test]
fn the_program_may_be_a_closure_that_gives_a_future() {
    let offset = 100;
    let program = move |worker: Worker| async move { worker.index() + offset };
    let report = Workers::new(2).run(program).unwrap();
    assert_eq!(report.into_values().unwrap(), [100, 101]);
}

/// All loops are there before the first program begins, so that each can be sent to at once.
#[test]
fn workers_send_tasks_to_each_other() {
    const COUNT: usize = 4;
    let report = Workers::new(COUNT)
        .run(async |worker| {
            let (own, count) = (worker.index(), worker.count());
            let asked: Vec<_> = (1..count)
                .map(|distance| {
                    let other = (own + distance) % count;
                    let remote = &worker.remotes()[other];
                    remote.create_task(|| async { get_running_loop().name().unwrap() })
                })
                .collect();
            let mut answers = Vec::new();
            for answer in asked {
                answers.push(answer.await.map_err(|error| error.to_string()));
            }
            // Nobody goes before everybody was answered.
            let done: Promise<()> = get_running_loop().create_promise();
            REACHED.with(|reached| reached.set(Some(done.clone())));
            if ARRIVED.fetch_add(1, Ordering::SeqCst) + 1 == count {
                for remote in worker.remotes() {
                    let set = || REACHED.with(|reached| reached.take().unwrap().set_result(()));
                    drop(remote.create_task(move || async move { set().unwrap() }));
                }
            }
            done.await.unwrap();
            answers
        })
        .unwrap();
    for (index, answers) in report.into_values().unwrap().into_iter().enumerate() {
        let expected: Vec<Result<String, String>> = (1..COUNT)
            .map(|distance| Ok(format!("corio-worker-{}", (index + distance) % COUNT)))
            .collect();
        assert_eq!(answers, expected);
    }
}

static ARRIVED: AtomicUsize = AtomicUsize::new(0);

thread_local! {
    static REACHED: Cell<Option<Promise<()>>> = const { Cell::new(None) };
}

#[test]
fn a_panic_shuts_the_others_down_in_order_and_is_told() {
    let cleaned = Arc::new(AtomicUsize::new(0));
    let report = Workers::new(3)
        .run({
            let cleaned = cleaned.clone();
            async move |worker| {
                if worker.index() == 1 {
                    yield_now().await;
                    raise("in worker 1");
                }
                finally(sleep(Duration::MAX), async || {
                    yield_now().await;
                    cleaned.fetch_add(1, Ordering::SeqCst);
                })
                .await;
            }
        })
        .unwrap();
    assert!(!report.is_clean());
    assert!(!report.interrupted());
    assert_eq!(cleaned.load(Ordering::SeqCst), 2, "with their clean-up");
    let text = report.to_string();
    assert!(text.starts_with("0 of 3 workers gave a value"), "{text}");
    assert!(
        text.contains("worker 1: the task panicked: in worker 1"),
        "{text}"
    );
    for worker in report.into_workers() {
        match (worker.index, worker.outcome) {
            (1, Err(WorkerError::Run(RunError::Panicked(panic)))) => {
                assert_eq!(panic.message(), "in worker 1");
            }
            (0 | 2, Err(WorkerError::Run(RunError::Cancelled(cancelled)))) => {
                assert_eq!(cancelled.reason(), Some("the workers are shutting down"));
            }
            other => panic!("{other:?}"),
        }
        assert!(worker.exit.is_clean());
    }
}

#[test]
fn a_shutdown_cancels_the_mains_and_ends_what_else_there_is() {
    let (say, said) = mpsc::channel();
    let workers = Workers::new(2)
        .start(async move |worker| {
            let (index, left) = (worker.index(), say.clone());
            create_task(async move {
                finally(sleep(Duration::MAX), async || {
                    left.send(index + 10).unwrap()
                })
                .await;
            })
            .set_name("left over");
            yield_now().await;
            say.send(index).unwrap();
            match catch_cancel(sleep(Duration::MAX)).await {
                Ok(()) => "slept",
                Err(_) => "swallowed",
            }
        })
        .unwrap();
    let mut begun: Vec<usize> = said.iter().take(2).collect();
    begun.sort_unstable();
    assert_eq!(begun, [0, 1]);
    assert_eq!(workers.remotes().len(), 2);
    let report = workers.shutdown();
    assert!(report.is_clean(), "{report}");
    let mut ended: Vec<usize> = said.iter().collect();
    ended.sort_unstable();
    assert_eq!(ended, [10, 11]);
    for worker in report.workers() {
        assert_eq!(*worker.outcome.as_ref().unwrap(), "swallowed");
        assert_eq!(worker.exit.cancelled().len(), 1);
        assert_eq!(worker.exit.cancelled()[0].name, "left over");
    }
}

#[test]
fn a_worker_may_ask_for_the_shutdown_of_all() {
    let report = Workers::new(3)
        .run(async |worker| {
            if worker.index() == 2 {
                worker.shutdown();
                return 2;
            }
            match catch_cancel(sleep(Duration::MAX)).await {
                Ok(()) => 0,
                Err(_) => worker.index(),
            }
        })
        .unwrap();
    assert_eq!(report.into_values().unwrap(), [0, 1, 2]);
}

#[test]
fn a_shutdown_right_after_the_start_is_not_lost() {
    for _ in 0..20 {
        let workers = Workers::new(2)
            .start(async |_| sleep(Duration::MAX).await)
            .unwrap();
        let report = workers.shutdown();
        for worker in report.workers() {
            assert!(matches!(
                worker.outcome,
                Err(WorkerError::Run(RunError::Cancelled(_)))
            ));
        }
    }
}

#[test]
fn a_main_that_will_not_end_is_dropped_after_the_grace_period() {
    let dropped = Arc::new(AtomicUsize::new(0));
    let report = Workers::new(2)
        // A thread that does not get on for a second more than this would count as blocked.
        .grace(Duration::from_secs(2))
        .run({
            let dropped = dropped.clone();
            async move |worker| {
                let _guard = OnDrop::new(|| {
                    dropped.fetch_add(1, Ordering::SeqCst);
                });
                worker.shutdown();
                loop {
                    let _ = catch_cancel(sleep(Duration::MAX)).await;
                }
            }
        })
        .unwrap();
    assert_eq!(dropped.load(Ordering::SeqCst), 2);
    let workers: Vec<Result<(), _>> = report
        .into_workers()
        .into_iter()
        .map(|worker| worker.outcome)
        .collect();
    for outcome in workers {
        assert!(
            matches!(outcome, Err(WorkerError::Run(RunError::Stopped))),
            "{outcome:?}"
        );
    }
}

#[test]
fn a_worker_whose_thread_is_blocked_is_left_behind() {
    let (go, gone) = mpsc::channel::<()>();
    let gone = std::sync::Mutex::new(Some(gone));
    let (begin, begun) = mpsc::channel();
    let workers = Workers::new(2)
        .grace(Duration::from_millis(10))
        .start(async move |worker| {
            begin.send(()).unwrap();
            if worker.index() == 0 {
                let gone = gone.lock().unwrap().take().unwrap();
                let _ = gone.recv();
            }
            worker.index()
        })
        .unwrap();
    assert_eq!(begun.iter().take(2).count(), 2);
    // The other one is not to be taken for blocked because it is slow: its loop refuses messages when it has ended.
    while workers.remotes()[1].call_soon(|| ()).is_ok() {
        thread::yield_now();
    }
    let report = workers.shutdown();
    let outcomes: Vec<_> = report.into_workers();
    assert!(matches!(outcomes[0].outcome, Err(WorkerError::LeftBehind)));
    // The other one had nothing to be cancelled at.
    assert_eq!(*outcomes[1].outcome.as_ref().unwrap(), 1);
    drop(go);
}

#[test]
fn workers_that_are_dropped_are_asked_to_end() {
    let (say, said) = mpsc::channel();
    let workers = Workers::new(2)
        .start(async move |_| {
            let say = say.clone();
            finally(sleep(Duration::MAX), async || say.send(()).unwrap()).await;
        })
        .unwrap();
    drop(workers);
    // A main that had not begun has nothing to clean up; the senders go in any case.
    assert!(said.iter().count() <= 2);
}

#[test]
fn a_loop_waits_for_workers_on_a_thread() {
    run(async {
        let workers = Workers::new(2)
            .start(async |worker| worker.index())
            .unwrap();
        let report = to_thread(move || workers.wait()).await.unwrap();
        assert_eq!(report.into_values().unwrap(), [0, 1]);
        let workers = Workers::new(1).start(async |_| ()).unwrap();
        let message = panic_of(|| workers.wait());
        assert!(message.contains("do it inside `to_thread`"), "{message}");
    });
}

#[test]
fn a_worker_may_run_jobs_and_reports_panics_of_tasks_on_its_own() {
    let report = Workers::new(2)
        .run(async |worker| {
            let index = worker.index();
            to_thread(move || index * 2).await.unwrap()
        })
        .unwrap();
    assert!(report.is_clean());
    assert_eq!(report.into_values().unwrap(), [0, 2]);
}

#[test]
#[should_panic(expected = "no workers would never do anything")]
fn no_workers_are_refused() {
    let _ = Workers::new(0);
}

#[test]
fn there_is_a_worker_per_core() {
    let report = Workers::per_core()
        .run(async |worker| worker.count())
        .unwrap();
    let cores = thread::available_parallelism().unwrap().get();
    assert_eq!(report.into_values().unwrap(), vec![cores; cores]);
}

#[cfg(target_os = "linux")]
#[test]
fn each_thread_stays_on_a_core_of_its_own_if_there_are_enough() {
    let allowed = || {
        let set = rustix::thread::sched_getaffinity(None).unwrap();
        (0..rustix::thread::CpuSet::MAX_CPU)
            .filter(|core| set.is_set(*core))
            .collect::<Vec<_>>()
    };
    let all = allowed();
    let placed = |workers: Workers| {
        let report = workers.run(async move |worker| (worker.core(), allowed()));
        report.unwrap().into_values().unwrap()
    };
    for (index, (core, only)) in placed(Workers::new(all.len())).into_iter().enumerate() {
        assert_eq!(core, Some(all[index]));
        assert_eq!(only, [all[index]]);
    }
    for (core, any) in placed(Workers::new(all.len() + 1)) {
        assert_eq!(core, None, "one too many");
        assert_eq!(any, all);
    }
    for (core, any) in placed(Workers::new(1).pinned(false)) {
        assert_eq!(core, None);
        assert_eq!(any, all);
    }
}

#[test]
fn remotes_of_workers_that_have_ended_refuse() {
    let workers = Workers::new(1).start(async |_| ()).unwrap();
    let remote = workers.remotes()[0].clone();
    assert!(workers.wait().is_clean());
    assert!(remote.call_soon(|| ()).is_err());
    // A loop of this thread is not disturbed by any of it.
    let event_loop = EventLoop::new().unwrap();
    assert_eq!(event_loop.run_until_complete(async { 1 }).unwrap(), 1);
}
