//! Where a task waits: each leaf tells the line on which the program waits for it, and never one inside of a library.

use std::cell::RefCell;
use std::future::pending;
use std::time::Duration;

use corio::{
    CancelScope, Promise, TaskError, TaskGroup, all_tasks, as_completed, catch_cancel, create_task,
    finally, gather, get_running_loop, interval, move_on_after, scope, shield, sleep,
    staggered_race, task_group, timeout, timeout_at, to_thread, try_gather, wait, yield_now,
};

corio::context! { static REQUEST: u32 = 0; }

const HOUR: Duration = Duration::from_secs(3600);

thread_local! {
    /// Cases of which the wait was told with another line, or not at all.
    static WRONG: RefCell<Vec<String>> = const { RefCell::new(Vec::new()) };
}

/// Lets the work run until it waits, and looks where.
async fn case(line: u32, work: impl Future + 'static) {
    let task = create_task(async move { ignore(work.await) });
    for _ in 0..5 {
        yield_now().await;
    }
    let waiting = task.any().waits_for();
    let site = waiting.as_ref().map(|waiting| waiting.site());
    if site.map(|site| (site.file(), site.line())) != Some((file!(), line)) {
        let told = waiting.map(|waiting| format!("{} at {}", waiting.kind(), waiting.site()));
        let told = format!("line {line}: {told:?}");
        WRONG.with_borrow_mut(|wrong| wrong.push(told));
    }
    task.abort();
    yield_now().await;
}

/// A wait that stands on the line on which this does.
macro_rules! case {
    ($wait:expr) => {
        case(line!(), async move { ignore($wait.await) }).await
    };
}

fn ignore<T>(_: T) {}

fn all_were_told() {
    let wrong = WRONG.take();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

async fn never() {
    pending().await
}

#[corio::test]
async fn waits_for_time_and_tasks_tell_their_lines() {
    case!(sleep(HOUR));
    let mut beat = interval(HOUR);
    case!(beat.tick());
    let task = create_task(never());
    case!(task);
    let task = create_task(never());
    case!(task.watch());
    case!(create_task(never()).any());
    let promise: Promise<()> = get_running_loop().create_promise();
    case!(promise);
    case!(gather([never()]));
    case!(gather([never()]).return_exceptions());
    case!(corio::gather!(never(), never()));
    case!(try_gather([async {
        never().await;
        Ok::<(), TaskError>(())
    }]));
    let task = create_task(never());
    case!(wait([task]));
    let mut ended = as_completed([never()]);
    case!(ended.next());
    let mut ended = as_completed([never()]).timeout(HOUR);
    case!(ended.next());
    case!(shield(never()));
    case!(task_group(async |group: TaskGroup<()>| {
        group.create_task(never());
        Ok(())
    }));
    case!(scope(async |s| drop(s.spawn(never()))));
    let attempt = async || pending::<Result<(), ()>>().await;
    case!(staggered_race([attempt], None));
    all_were_told();
}

/// A task that is given away by value is awaited where it was given away.
#[corio::test]
async fn tasks_that_are_handed_over_are_awaited_on_the_line_of_the_call() {
    let task = || create_task(never());
    case!(timeout(HOUR, task()));
    case!(timeout_at(get_running_loop().time() + HOUR, task()));
    case!(move_on_after(HOUR, task()));
    case!(catch_cancel(task()));
    case!(finally(task(), async || ()));
    case!(CancelScope::new().run(task()));
    case!(REQUEST.with(1, task()));
    all_were_told();
}

/// The line on which the newest task waits.
async fn line_of_the_newest() -> Option<u32> {
    yield_now().await;
    yield_now().await;
    let waiting = all_tasks().pop()?.waits_for()?;
    (waiting.site().file() == file!()).then(|| waiting.site().line())
}

#[corio::test]
async fn a_task_made_of_a_task_waits_where_it_was_created() {
    let outer = create_task(create_task(never()));
    assert_eq!(line_of_the_newest().await, Some(line!() - 1));
    outer.abort();
    let outer = get_running_loop().create_task(create_task(never()));
    assert_eq!(line_of_the_newest().await, Some(line!() - 1));
    outer.abort();
    let stopped = task_group(async |group: TaskGroup<TaskError>| {
        group.create_task(create_task(never()));
        assert_eq!(line_of_the_newest().await, Some(line!() - 1));
        group.cancel();
        Ok(())
    });
    stopped.await.expect("the body has a value");
    scope(async |s| {
        let outer = s.spawn(create_task(never()));
        assert_eq!(line_of_the_newest().await, Some(line!() - 1));
        outer.abort();
    })
    .await;
}

#[corio::test]
async fn waits_for_other_threads_tell_their_lines() {
    let (end, ended) = std::sync::mpsc::channel::<()>();
    case!(to_thread(move || ended.recv()));
    drop(end);
    let remote = get_running_loop().remote();
    let task = remote.create_task(never);
    case(line!() - 1, task).await;
    case!(corio::signal::ctrl_c());
    all_were_told();
}

#[corio::test]
async fn attempts_of_a_race_were_created_where_the_race_was() {
    let attempt = async || pending::<Result<(), ()>>().await;
    let line = line!() + 1;
    let race = create_task(staggered_race([attempt], None));
    yield_now().await;
    yield_now().await;
    let attempt = all_tasks().pop().expect("the attempt is the newest task");
    assert_ne!(attempt.id(), race.id());
    assert_eq!(
        (attempt.site().file(), attempt.site().line()),
        (file!(), line)
    );
}

#[cfg(feature = "sync")]
#[corio::test]
async fn waits_for_each_other_tell_their_lines() {
    use corio::sync::{Barrier, Event, Lock, Queue, RwLock, Semaphore, broadcast, channel, watch};
    let lock = std::rc::Rc::new(Lock::new(()));
    let guard = lock.clone().acquire_owned().await;
    case!(lock.acquire());
    drop(guard);
    let lock = RwLock::new(());
    std::mem::forget(lock.read().await);
    case!(lock.write());
    let event = Event::new();
    case!(event.wait());
    let semaphore = Semaphore::new(0);
    case!(semaphore.acquire());
    let barrier = Barrier::new(2);
    case!(barrier.wait());
    let queue: Queue<()> = Queue::bounded(1);
    case!(queue.get());
    let queue = Queue::bounded(1);
    queue.put_nowait(()).unwrap();
    case!(queue.put(()));
    let queue = Queue::bounded(1);
    queue.put_nowait(()).unwrap();
    case!(queue.join());
    let (_sender, receiver) = channel::<()>(1);
    case!(receiver.recv());
    let (_sender, mut receiver) = broadcast::channel::<()>(1);
    case!(receiver.recv());
    let (_sender, mut receiver) = watch::channel(());
    case!(receiver.changed());
    all_were_told();
}

#[cfg(feature = "net")]
#[corio::test]
async fn waits_for_the_network_tell_their_lines() {
    use corio::net::{StreamReader, StreamWriter, UdpSocket, open_connection, start_server};
    let handler = async |_reader: StreamReader, _writer: StreamWriter| never().await;
    let server = start_server(handler, "127.0.0.1:0").await.unwrap();
    let (mut reader, writer) = open_connection(server.local_addrs()).await.unwrap();
    case!(reader.readline());
    writer.write(&vec![0; 30_000_000]);
    case!(writer.drain());
    let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let mut buffer = [0];
    case!(socket.recv_from(&mut buffer));
    case!(server.wait_closed());
    all_were_told();
}
