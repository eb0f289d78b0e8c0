//! The orderly end of everything that a loop has, as the last task that runs on it.

use std::future::poll_fn;
use std::pin::Pin;
use std::task::Poll;
use std::time::Duration;

use corio_core::{AnyTask, EndWait};

use crate::blocking::BlockingPool;
use crate::clock::WaitLimit;
use crate::current::current_task;
use crate::event_loop::EventLoop;
use crate::sleep::sleep_until;
use crate::yield_now::yield_now;

const REASON: &str = "the event loop is shutting down";

/// Asks all tasks to end that were never asked. Between two runs nothing takes another step before it hears of that, and what has not
/// begun never does.
pub(crate) fn ask_tasks(event_loop: &EventLoop) {
    for task in others(event_loop).filter(|task| task.cancelling() == 0) {
        task.cancel_with(REASON);
    }
}

/// All tasks but the one that takes its step.
fn others(event_loop: &EventLoop) -> impl Iterator<Item = AnyTask> {
    let me = current_task();
    let tasks = event_loop.all_tasks().into_iter();
    tasks.filter(move |task| Some(task) != me.as_ref())
}

/// Ends the tasks, which have been asked, waits for the jobs on threads, and ends the tasks that these have made. What is left after
/// the grace period is left to `EventLoop::close`. `tasks_ended` is called before jobs are waited for.
pub(crate) async fn shut_down(event_loop: &EventLoop, grace: Duration, tasks_ended: impl FnOnce()) {
    // Threads do not live by a virtual clock.
    let limit = WaitLimit::new(grace);
    end_tasks(event_loop, grace).await;
    tasks_ended();
    if let Some(pool) = event_loop.inner.blocking.own() {
        if !pool.is_quiet() {
            wait_for_jobs(event_loop, pool, limit.left()).await;
        }
        // What the jobs have sent before their end: the report of a panic, a task.
        event_loop.scheduler().take_mail();
        yield_now().await;
        ask_tasks(event_loop);
        end_tasks(event_loop, limit.left()).await;
    }
}

/// The loop goes on meanwhile: a job may be waiting for it.
async fn wait_for_jobs(event_loop: &EventLoop, pool: BlockingPool, limit: Duration) {
    let waiter = BlockingPool::builder().name("corio-end").build();
    let closed = event_loop.run_in_executor(&waiter, move || pool.close(limit));
    // Without a thread to wait on nothing is waited for; the close of the loop tells what still runs.
    drop(closed.await);
}

/// Waits for those that were asked, asks again, waits.
async fn end_tasks(event_loop: &EventLoop, grace: Duration) {
    let others = || others(event_loop);
    let half = event_loop.time().checked_add(grace / 2);
    let end = event_loop.time().checked_add(grace);
    for (deadline, again) in [(half, false), (end, true)] {
        if again {
            for task in others() {
                task.cancel_with(REASON);
            }
        }
        let mut pause = deadline.map(sleep_until);
        while let Some(task) = others().next() {
            // Those that were asked have ended already, and have left these.
            if others().all(|task| task.cancelling() == 0) {
                ask_tasks(event_loop);
            }
            let mut end = EndWait::new(&task);
            let in_time = poll_fn(|cx| {
                if end.poll_end(cx).is_ready() {
                    return Poll::Ready(true);
                }
                match pause.as_mut().map(|pause| Pin::new(pause).poll(cx)) {
                    Some(Poll::Ready(())) => Poll::Ready(false),
                    _ => Poll::Pending,
                }
            });
            if !in_time.await {
                break;
            }
            // Tasks that were created meanwhile are asked too.
            ask_tasks(event_loop);
        }
        if others().next().is_none() {
            break;
        }
    }
}
