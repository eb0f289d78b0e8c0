//! What programs find through the thread they run on.

use std::future::IntoFuture;
use std::panic::Location;

use corio_core::{AnyTask, Scheduler, Task};

use crate::event_loop::EventLoop;

/// The loop that runs on this thread.
///
/// # Panics
///
/// When no loop is running here.
#[doc(alias = "get_event_loop")]
#[track_caller]
pub fn get_running_loop() -> EventLoop {
    match try_get_running_loop() {
        Some(event_loop) => event_loop,
        None => no_loop("get_running_loop"),
    }
}

/// The loop that runs on this thread, if there is one.
pub fn try_get_running_loop() -> Option<EventLoop> {
    Scheduler::with_current(|scheduler| EventLoop::of(scheduler?))
}

/// Makes a task of a future. Its first step is in the next turn, in the order of creation.
///
/// # Panics
///
/// When no loop is running on this thread.
///
/// ```
/// # use corio_runtime as corio;
/// corio::run(async {
///     let task = corio::create_task(async { 6 * 7 });
///     assert_eq!(task.await.unwrap(), 42);
/// });
/// ```
///
/// It lives as long as it likes, so it borrows nothing; a child of a [`scope`](corio_combinators::scope()) may:
///
/// ```compile_fail,E0597
/// # use corio_runtime as corio;
/// corio::run(async {
///     let local = String::from("too short");
///     let borrowed = &local;
///     corio::create_task(async move { borrowed.len() });
/// });
/// ```
#[doc(alias = "spawn")]
#[doc(alias = "spawn_local")]
#[doc(alias = "ensure_future")]
#[track_caller]
pub fn create_task<F>(future: F) -> Task<F::Output>
where
    F: IntoFuture,
    F::IntoFuture: 'static,
    F::Output: 'static,
{
    // Inside of a closure the caller would be a line of this file.
    let (future, site) = (future.into_future(), Location::caller());
    let task = Scheduler::with_current(|scheduler| {
        scheduler.map(|scheduler| scheduler.create_task_at(future, site))
    });
    match task {
        Some(task) => task,
        None => no_loop("create_task"),
    }
}

/// The task that takes its step now. `None` inside a plain callback, and outside of a loop.
pub fn current_task() -> Option<AnyTask> {
    Scheduler::with_current(|scheduler| scheduler?.current_task())
}

/// The unfinished tasks of the running loop in the order of their creation, the caller and the main task included.
///
/// # Panics
///
/// When no loop is running on this thread.
#[track_caller]
pub fn all_tasks() -> Vec<AnyTask> {
    match Scheduler::with_current(|scheduler| scheduler.map(Scheduler::all_tasks)) {
        Some(tasks) => tasks,
        None => no_loop("all_tasks"),
    }
}

/// The one message for everything that needs a running loop and finds none.
#[track_caller]
#[cold]
pub(crate) fn no_loop(what: &str) -> ! {
    let thread = std::thread::current();
    let thread = thread.name().unwrap_or("without a name");
    panic!(
        "`{what}` needs a running event loop, and none is running on this thread ({thread}): \
         call it inside `corio::run(..)`, or from a task of the loop; from another thread go through `EventLoop::remote()`"
    )
}
