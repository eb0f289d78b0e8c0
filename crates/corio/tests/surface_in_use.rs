//! The whole surface as programs use it: each function, method and error once, by the name and in the shape that is documented.
//! That this file compiles is half of what it proves.

use std::cell::{Cell, RefCell};
use std::convert::Infallible;
use std::error::Error;
use std::rc::Rc;
use std::time::{Duration, Instant};

use corio::{
    AnyTask, CancelScope, Cancelled, EventLoop, ExitReport, Failure, GroupError, Handle,
    InvalidState, LoopClosed, Panic, Promise, Remote, RemoteTask, ReturnWhen, RunError, Runner,
    Scope, ScopedTask, Sleep, Task, TaskError, TaskGroup, TaskId, TaskState, TimeoutError,
    TimerHandle, all_tasks, as_completed, catch_cancel, create_task, current_task, deadline,
    finally, gather, get_running_loop, interval, move_on_after, scope, shield, sleep, sleep_until,
    task_group, timeout, timeout_at, to_thread, try_gather, try_get_running_loop, try_wait, wait,
    with, yield_now,
};

const SECOND: Duration = Duration::from_secs(1);

corio::context! {
    /// The number of a request.
    pub static REQUEST: u32 = 0;
}

type Anything = Result<(), Box<dyn Error>>;

fn virtual_loop() -> EventLoop {
    let builder = EventLoop::builder().virtual_clock();
    builder.build().expect("the system gives descriptors")
}

/// Runs a program on a loop whose time jumps.
fn on_virtual_time<F: Future<Output = Anything>>(program: F) {
    let builder = Runner::builder().virtual_clock().sigint(false);
    let mut runner = builder.build().expect("a loop");
    let ended = runner.run(program).expect("nobody cancels the program");
    ended.expect("the program ends well");
}

async fn after<T>(seconds: u32, value: T) -> T {
    sleep(SECOND * seconds).await;
    value
}

#[test]
fn running() -> Anything {
    let word = String::from("borrowed");
    assert_eq!(corio::run(async { word.len() }), 8);
    let builder = Runner::builder().debug(true).sigint(false).grace(SECOND);
    let mut runner = builder.name("surface").virtual_clock().build()?;
    let result: Result<usize, RunError> = runner.run(async { word.len() });
    assert_eq!(result?, 8);
    let event_loop: EventLoop = runner.event_loop();
    assert!(event_loop.debug());
    let report: ExitReport = runner.close();
    assert!(report.is_clean());
    Ok(())
}

#[test]
fn the_loop() -> Anything {
    let event_loop = virtual_loop();
    let task = event_loop.create_task(after(1, 7));
    assert_eq!(*event_loop.run_until_complete(&task)?, 7);
    assert_eq!(event_loop.run_until_complete(task)?, 7);
    assert_eq!(event_loop.run_until_complete(async { 8 })?, 8);
    let promise: Promise<u32> = event_loop.create_promise();
    let later = promise.clone();
    let timer: TimerHandle = event_loop.call_later(SECOND, move || {
        later.set_result(9).expect("it is pending");
    });
    assert!(!timer.cancelled() && timer.when().is_some());
    assert_eq!(*event_loop.run_until_complete(&promise)?, 9);
    let at: Instant = event_loop.time() + SECOND;
    let stopper = event_loop.clone();
    let _at = event_loop.call_at(at, move || stopper.stop());
    let soon: Handle = event_loop.call_soon(|| unreachable!("it is cancelled"));
    soon.cancel();
    event_loop.run_forever()?;
    assert_eq!(event_loop.time(), at);
    assert!(event_loop.all_tasks().is_empty());
    event_loop.set_exception_handler(|_report| ());
    event_loop.set_debug(false);
    event_loop.set_slow_callback_duration(SECOND);
    assert!(!event_loop.is_running() && !event_loop.is_closed());
    assert!(try_get_running_loop().is_none());
    event_loop.close();
    assert!(event_loop.is_closed());
    Ok(())
}

#[test]
fn other_threads() -> Anything {
    corio::run(async {
        let remote: Remote = get_running_loop().remote();
        let there = std::thread::spawn(move || {
            let task: RemoteTask<u32> = remote.create_task(|| async { 5 });
            let value: Result<u32, TaskError> = task.wait();
            let called: Result<(), LoopClosed> = remote.call_soon(|| ());
            assert!(called.is_ok());
            remote.create_task(std::future::pending::<()>).cancel();
            value
        });
        let joined = to_thread(move || there.join().expect("it does not panic")).await??;
        assert_eq!(joined, 5);
        Ok(())
    })
}

#[test]
fn tasks() {
    on_virtual_time(async {
        let task: Task<u32> = create_task(after(1, 1)).named("one");
        assert_eq!(task.name(), "one");
        task.set_name("first");
        let (id, any): (TaskId, AnyTask) = (task.id(), task.any());
        assert_eq!(
            (any.id(), task.state(), task.done()),
            (id, TaskState::Pending, false)
        );
        assert!(matches!(task.result(), Err(TaskError::NotDone)));
        let seen = Rc::new(Cell::new(0));
        let note = seen.clone();
        task.add_done_callback(move |task| note.set(*task.result().expect("a value")));
        let removed = task.add_done_callback(|_| unreachable!("it is removed"));
        assert!(task.remove_done_callback(removed));
        let watched: Result<&u32, TaskError> = (&task).await;
        assert_eq!(*watched?, 1);
        assert_eq!(*task.watch().await?, 1);
        any.await?;
        assert_eq!(seen.get(), 1);
        let owned: Result<u32, TaskError> = task.await;
        assert_eq!(owned?, 1);

        let task = create_task(after(1, 2));
        yield_now().await;
        assert!(task.cancel_with("enough"));
        assert_eq!((task.cancelling(), task.uncancel()), (1, 0));
        assert!(task.cancel());
        let ended = (&task).await;
        assert!(matches!(ended, Err(TaskError::Cancelled(_))) && task.cancelled());
        assert!(matches!(task.into_result(), Err(TaskError::Cancelled(_))));
        assert!(create_task(after(1, 3)).abort());

        let panics = create_task(async { panic!("on purpose") });
        let Err(TaskError::Panicked(panic)) = (&panics).await else {
            panic!("it has panicked")
        };
        let panic: Panic = panic;
        assert_eq!(panic.message(), "on purpose");
        create_task(async { Err::<(), _>("unread") })
            .report_errors()
            .cancel();
        assert_eq!(
            current_task().map(|task| task.name()),
            Some("Task-1".into())
        );
        assert_eq!(
            all_tasks().first().map(AnyTask::id),
            current_task().map(|task| task.id())
        );
        Ok(())
    });
}

#[test]
fn promises() {
    on_virtual_time(async {
        let promise: Promise<String> = get_running_loop().create_promise();
        promise.add_done_callback(|promise| assert!(promise.done()));
        let setter = promise.clone();
        create_task(async move { setter.set_result("done".into()) });
        assert_eq!((&promise).await?, "done");
        assert_eq!(promise.clone().await?, "done");
        assert_eq!(promise.result()?, "done");
        let again: Result<(), InvalidState> = promise.set_result("twice".into());
        assert!(again.is_err() && !promise.cancelled() && !promise.cancel());
        Ok(())
    });
}

#[test]
fn gathering() {
    on_virtual_time(async {
        let all: Result<Vec<u32>, TaskError> = gather((1..4).map(|n| after(n, n))).await;
        assert_eq!(all?, [1, 2, 3]);
        let each: Vec<Result<u32, TaskError>> = gather([after(1, 4)]).return_exceptions().await;
        assert_eq!(each.len(), 1);
        let tasks = [create_task(after(1, 5)), create_task(after(2, 6))];
        let seen: Vec<&u32> = gather(&tasks).await?;
        assert_eq!(seen, [&5, &6]);
        let (number, word) = corio::gather!(after(1, 7), after(2, "seven")).await?;
        assert_eq!((number, word), (7, "seven"));
        let failed: Result<Vec<()>, Wrong> =
            try_gather([async { Err::<(), _>(Wrong::Number(1)) }]).await;
        assert!(matches!(failed, Err(Wrong::Number(1))));
        assert!(gather([after(1, 8)]).cancel());
        assert_eq!(shield(after(1, 9)).await?, 9);
        Ok(())
    });
}

#[derive(Debug)]
enum Wrong {
    Number(u32),
    Task(TaskError),
}

impl From<TaskError> for Wrong {
    fn from(error: TaskError) -> Wrong {
        Wrong::Task(error)
    }
}

impl std::fmt::Display for Wrong {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Wrong::Number(number) => write!(f, "number {number}"),
            Wrong::Task(error) => error.fmt(f),
        }
    }
}

impl Error for Wrong {}

#[test]
fn waiting() {
    on_virtual_time(async {
        let tasks = [1, 2, 4].map(|n| create_task(after(n, n)));
        let (done, pending): (Vec<&Task<u32>>, Vec<&Task<u32>>) =
            wait(&tasks).return_when(ReturnWhen::FirstCompleted).await;
        assert_eq!((done.len(), pending.len()), (1, 2));
        let mut pending = Vec::from(tasks);
        let mut values = Vec::new();
        while !pending.is_empty() {
            let (done, rest) = wait(pending).return_when(ReturnWhen::FirstCompleted).await;
            for task in done {
                values.push(task.into_result()?);
            }
            pending = rest;
        }
        assert_eq!(values, [1, 2, 4]);
        let late = create_task(after(9, Ok::<_, Wrong>(9)));
        let by_error = try_wait([late]).return_when(ReturnWhen::FirstException);
        let (done, pending) = by_error.timeout(SECOND).await;
        assert_eq!((done.len(), pending.len()), (0, 1));
        let (done, rest) = wait(pending).return_when(ReturnWhen::AllCompleted).await;
        assert_eq!((done.len(), rest.len()), (1, 0));

        let mut completed = as_completed([3, 1, 2].map(|n| create_task(after(n, n))));
        let mut order = Vec::new();
        while let Some(task) = completed.next().await {
            order.push(task.await?);
        }
        assert_eq!(order, [1, 2, 3]);
        let mut limited = as_completed([create_task(after(5, 5))]).timeout(SECOND);
        let first: Option<Result<Task<u32>, TimeoutError>> = limited.next().await;
        assert!(matches!(first, Some(Err(_))));
        assert_eq!(limited.into_pending().len(), 1);
        Ok(())
    });
}

#[test]
fn time() {
    on_virtual_time(async {
        let start = get_running_loop().time();
        let mut nap: Sleep = sleep(SECOND);
        nap.reset(start + 2 * SECOND);
        nap.await;
        sleep_until(start + 3 * SECOND).await;
        let mut ticks = interval(SECOND);
        assert_eq!(ticks.tick().await, start + 4 * SECOND);
        let up: Result<(), TimeoutError> = timeout(SECOND, sleep(5 * SECOND)).await;
        assert!(up.is_err());
        assert!(timeout_at(start + 9 * SECOND, after(1, ())).await.is_ok());
        assert_eq!(move_on_after(SECOND, after(2, ())).await, None);
        assert_eq!(deadline(), None);
        let inside = timeout(SECOND, async { deadline() }).await?;
        assert_eq!(inside, Some(get_running_loop().time() + SECOND));
        let _: std::io::Error = TimeoutError::into(up.expect_err("the time was up"));
        Ok(())
    });
}

#[test]
fn groups() {
    on_virtual_time(async {
        let (a, b) = task_group(async |group: TaskGroup<Wrong>| {
            let a = group.create_task(after(1, Ok::<_, Wrong>("a")));
            let b = group.create_task(after(2, Ok::<_, Wrong>("b")));
            group.create_task(after(1, ()));
            Ok((a.await?, b.await?))
        })
        .await?;
        assert_eq!((a, b), ("a", "b"));
        let failed: Result<(), GroupError<Wrong>> = task_group(async |group| {
            for number in [1, 2] {
                group.create_task(async move { Err::<Infallible, _>(Wrong::Number(number)) });
            }
            Ok(())
        })
        .await;
        let error = failed.expect_err("both have failed");
        assert_eq!(error.len(), 2);
        let (name, failure): (&str, &Failure<Wrong>) = error.iter().next().expect("a failure");
        assert!(!name.is_empty() && matches!(failure, Failure::Error(Wrong::Number(1))));
        assert_eq!(error.into_failures().len(), 2);
        let cancelled: Result<(), GroupError<Wrong>> = task_group(async |group| {
            group.create_task(after(100, Ok::<_, Wrong>(())));
            assert!(group.cancel());
            Ok(())
        })
        .await;
        assert!(cancelled.is_ok());
        Ok(())
    });
}

#[test]
fn scopes() {
    on_virtual_time(async {
        let words = [String::from("one"), String::from("three")];
        let lengths = scope(async |s: Scope<'_>| {
            let children = words.iter().map(|word| s.spawn(async { word.len() }));
            let children: Vec<ScopedTask<'_, usize>> = children.collect();
            gather(children).await
        })
        .await?;
        assert_eq!(lengths, [3, 5]);
        Ok(())
    });
}

#[test]
fn cancellation() {
    on_virtual_time(async {
        let log = Rc::new(RefCell::new(Vec::new()));
        let notes = log.clone();
        let task = create_task(async move {
            let cleaned = finally(sleep(9 * SECOND), async || {
                sleep(SECOND).await;
                notes.borrow_mut().push("finally");
            });
            match catch_cancel(cleaned).await {
                Ok(()) => {}
                Err(cancelled) => {
                    let cancelled: Cancelled = cancelled;
                    sleep(SECOND).await;
                    notes.borrow_mut().push("caught");
                    cancelled.propagate().await
                }
            }
        });
        yield_now().await;
        assert!(task.cancel());
        assert!(matches!(task.await, Err(TaskError::Cancelled(_))));
        assert_eq!(*log.borrow(), ["finally", "caught"]);

        let whole = with(
            vec![1],
            async |numbers: &mut Vec<u32>| {
                numbers.push(2);
                numbers.len()
            },
            async |numbers: Vec<u32>| assert_eq!(numbers, [1, 2]),
        );
        assert_eq!(whole.await, 2);

        let start = get_running_loop().time();
        let scope = CancelScope::with_timeout(SECOND).grace(SECOND);
        let ended: Result<(), Cancelled> = scope.run(sleep(9 * SECOND)).await;
        assert!(ended.is_err() && scope.expired());
        let scope = CancelScope::with_deadline(start + 9 * SECOND);
        scope.reschedule(None);
        assert_eq!(scope.run(after(1, 1)).await?, 1);
        let scope = CancelScope::new();
        let inside = scope.clone();
        let work = async move {
            inside.cancel();
            sleep(SECOND).await;
        };
        assert!(scope.run(work).await.is_err() && !scope.expired());
        Ok(())
    });
}

#[test]
fn context() {
    on_virtual_time(async {
        let token = REQUEST.set(1);
        assert_eq!(create_task(async { REQUEST.get() }).await?, 1);
        assert_eq!(REQUEST.with(2, async { REQUEST.get() }).await, 2);
        REQUEST.reset(token);
        assert_eq!(REQUEST.get(), 0);
        Ok(())
    });
}

#[cfg(feature = "sync")]
#[test]
fn sharing() {
    use corio::sync::{
        Barrier, BoundedSemaphore, BrokenBarrier, Condition, Event, Lock, LockGuard, Permit, Queue,
        QueueShutDown, Semaphore,
    };
    on_virtual_time(async {
        let lock = Rc::new(Lock::new(1));
        let mut guard: LockGuard<'_, i32> = lock.acquire().await;
        *guard += 1;
        assert!(lock.locked() && lock.try_acquire().is_none());
        let condition = Rc::new(Condition::new());
        let (other_lock, other) = (lock.clone(), condition.clone());
        create_task(async move {
            *other_lock.acquire().await = 5;
            other.notify(1);
            other.notify_all();
        });
        condition.wait_for(&mut guard, |value| *value == 5).await;
        assert_eq!(*guard, 5);
        drop(guard);

        let event = Rc::new(Event::new());
        let setter = event.clone();
        create_task(async move { setter.set() });
        event.wait().await;
        assert!(event.is_set());
        event.clear();

        let semaphore = Semaphore::new(1);
        let permit: Permit<'_> = semaphore.acquire().await;
        drop(permit);
        drop(BoundedSemaphore::new(1).acquire().await);

        let barrier = Rc::new(Barrier::new(2));
        let second = barrier.clone();
        let there = create_task(async move { second.wait().await });
        let here: Result<usize, BrokenBarrier> = barrier.wait().await;
        assert_eq!(here? + there.await??, 1);

        let queue = Rc::new(Queue::bounded(1));
        let put: Result<(), QueueShutDown<u32>> = queue.put(1).await;
        put?;
        assert!(queue.put_nowait(2).is_err());
        let got: Result<u32, QueueShutDown> = queue.get().await;
        assert_eq!(got?, 1);
        queue.task_done();
        queue.join().await;
        queue.shutdown(false);
        assert!(queue.get_nowait().is_err() && queue.put(3).await.is_err());
        let unbounded = Queue::unbounded();
        unbounded.put_nowait(4)?;
        assert_eq!(unbounded.statistics().size, 1);
        Ok(())
    });
}

#[cfg(feature = "coroutine")]
#[test]
fn generators() {
    use corio::coroutine::Coroutine;
    let doubled = Coroutine::new(async |co| {
        let mut sent: Option<u32> = co.yield_(0).await;
        while let Some(number) = sent {
            sent = co.yield_(number * 2).await;
        }
        "enough"
    });
    assert_eq!(doubled.next().ok(), Some(0));
    assert_eq!(doubled.send(4).ok(), Some(8));
    let end = doubled.next().expect_err("it returns");
    assert_eq!(end.returned(), Some("enough"));
}

#[test]
fn errors_travel() {
    fn travels<T: Send + Sync + 'static>() {}
    travels::<TaskError>();
    travels::<RunError>();
    travels::<Cancelled>();
    travels::<GroupError<Wrong>>();
    travels::<TimeoutError>();
    let _ = |error: TaskError| -> std::io::Error { error.into() };
}
