//! A system that refuses threads: what becomes of the jobs.

use std::io::ErrorKind;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Barrier, mpsc};

use corio_combinators::{gather, timeout};
use corio_core::TaskError;

use super::*;
use crate::blocking::BlockingPool;
use crate::{EventLoop, get_running_loop};

/// A pool whose threads are asked for here.
fn pool(permit: impl Fn() -> io::Result<()> + Send + Sync + 'static) -> BlockingPool {
    let mut shared = Shared::new("scarce".to_owned(), 8, Duration::from_secs(10));
    shared.permit = Box::new(permit);
    BlockingPool::of(shared)
}

/// A pool that may have so many threads in its life, and how often it has asked for one.
fn pool_with(threads: usize) -> (BlockingPool, Arc<AtomicUsize>) {
    let asked = Arc::new(AtomicUsize::new(0));
    let count = asked.clone();
    let pool = pool(move || match count.fetch_add(1, Ordering::SeqCst) {
        before if before < threads => Ok(()),
        _ => Err(ErrorKind::WouldBlock.into()),
    });
    (pool, asked)
}

fn run<F: Future>(program: F) -> F::Output {
    let event_loop = EventLoop::builder().virtual_clock().build().unwrap();
    event_loop.run_until_complete(program).unwrap()
}

#[track_caller]
fn assert_refused<T: std::fmt::Debug>(outcome: Result<T, TaskError>) {
    let Err(TaskError::Panicked(panic)) = outcome else {
        panic!("{outcome:?}")
    };
    let message = panic.message();
    assert!(
        message.starts_with("no thread can be started for the job: "),
        "{message}"
    );
}

#[test]
fn the_threads_that_there_are_take_the_jobs_when_the_system_gives_no_more() {
    let (pool, asked) = pool_with(2);
    run(async {
        let event_loop = get_running_loop();
        let (gates, held): (Vec<_>, Vec<_>) = (0..2)
            .map(|_| {
                let (go, gone) = mpsc::channel::<()>();
                (go, event_loop.run_in_executor(&pool, move || gone.recv()))
            })
            .unzip();
        let jobs: Vec<_> = (0..20)
            .map(|number| event_loop.run_in_executor(&pool, move || number))
            .collect();
        assert_eq!(asked.load(Ordering::SeqCst), 22, "every job asks for one");
        assert_eq!(pool.threads(), 2);
        drop(gates);
        for job in held {
            job.await.unwrap().unwrap_err();
        }
        let values = gather(jobs).await.unwrap();
        let values: Vec<u32> = values.into_iter().map(Result::unwrap).collect();
        assert_eq!(values, (0..20).collect::<Vec<_>>());
        assert_eq!(pool.threads(), 2);
    });
}

#[test]
fn without_any_thread_a_job_fails_and_says_why_and_the_pool_goes_on() {
    let refuse = Arc::new(AtomicUsize::new(3));
    let pool = pool({
        let refuse = refuse.clone();
        move || {
            let take = |left: usize| left.checked_sub(1);
            match refuse.fetch_update(Ordering::SeqCst, Ordering::SeqCst, take) {
                Ok(_) => Err(ErrorKind::WouldBlock.into()),
                Err(_) => Ok(()),
            }
        }
    });
    run(async {
        let event_loop = get_running_loop();
        event_loop.set_blocking_pool(&pool);
        for _ in 0..2 {
            assert_refused(event_loop.run_in_executor(&pool, || 1).await);
        }
        assert_refused(crate::to_thread(|| 1).await);
        assert_eq!((pool.threads(), pool.queued()), (0, 0));
        assert_eq!(crate::to_thread(|| 1).await.unwrap(), 1);
        assert_eq!(pool.threads(), 1);
    });
    assert!(pool.close(Duration::from_secs(60)).is_empty());
}

/// The second job comes while the first one's thread is on its way: neither may rely on the thread of the other.
#[test]
fn jobs_whose_threads_are_refused_at_the_same_time_all_fail() {
    let both = Barrier::new(2);
    let pool = pool(move || {
        both.wait();
        Err(ErrorKind::WouldBlock.into())
    });
    let submit = |pool: &BlockingPool| {
        EventLoop::new()
            .unwrap()
            .run_until_complete(async {
                let job = get_running_loop().run_in_executor(pool, || 1);
                timeout(Duration::from_secs(60), job).await
            })
            .unwrap()
    };
    thread::scope(|scope| {
        let other = scope.spawn(|| submit(&pool));
        let outcomes = [submit(&pool), other.join().unwrap()];
        for outcome in outcomes {
            assert_refused(outcome.expect("no job is left waiting for a thread"));
        }
    });
    assert_eq!((pool.threads(), pool.queued()), (0, 0));
}
