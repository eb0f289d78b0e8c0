//! Waiting is visible: what a runtime's observer hears.

mod support;

use std::cell::{Cell, RefCell};

use corio_sync::observe::{self, Observer, Waiting};
use corio_sync::{
    Barrier, BoundedSemaphore, CapacityLimiter, Condition, Event, Lock, LockGuard, Queue, RwLock,
    Semaphore, broadcast, channel, oneshot, watch,
};
use support::poll_once;

thread_local! {
    static TASK: Cell<Option<u64>> = const { Cell::new(None) };
    static HEARD: RefCell<Vec<String>> = const { RefCell::new(Vec::new()) };
}

struct Record;

impl Observer for Record {
    fn current_task(&self) -> Option<u64> {
        TASK.get()
    }

    fn task_waits(&self, waiting: &Waiting<'_>) {
        assert!(waiting.location.file().ends_with("observe_waits.rs"));
        let line =
            |location: &std::panic::Location<'_>| i64::from(location.line()) - line_of_begin();
        let name = waiting
            .name
            .map_or(String::new(), |name| format!(" '{name}'"));
        let holder = waiting.holder.map_or(String::new(), |holder| {
            let task = holder.task.map_or("?".into(), |task| task.to_string());
            format!(" held by {task} +{}", line(holder.location))
        });
        let heard = format!("{}{name} +{}{holder}", waiting.kind, line(waiting.location));
        HEARD.with_borrow_mut(|list| list.push(heard));
    }
}

thread_local!(static BEGIN: Cell<u32> = const { Cell::new(0) });

fn line_of_begin() -> i64 {
    BEGIN.get().into()
}

#[track_caller]
fn begin() {
    BEGIN.set(std::panic::Location::caller().line());
    observe::set_observer(Some(&Record));
}

fn heard() -> Vec<String> {
    HEARD.take()
}

#[test]
fn a_waiter_for_a_lock_is_seen_with_the_holder_and_both_lines() {
    let lock = Lock::new(0).named("db");
    begin();
    TASK.set(Some(17));
    let guard = lock.try_acquire().unwrap();
    TASK.set(Some(18));
    let mut waiting = lock.acquire();
    assert!(poll_once(&mut waiting).is_pending());
    assert_eq!(heard(), ["Lock 'db' +4 held by 17 +2"]);
    let statistics = lock.statistics();
    assert_eq!((statistics.locked, statistics.waiting), (true, 1));
    assert_eq!(statistics.holder.unwrap().task, Some(17));
    drop(guard);
    let guard = match poll_once(&mut waiting) {
        std::task::Poll::Ready(guard) => guard,
        std::task::Poll::Pending => panic!("handed over"),
    };
    assert_eq!(
        LockGuard::lock(&guard).statistics().holder.unwrap().task,
        Some(18)
    );
    assert_eq!(heard(), [""; 0]);
    observe::set_observer(None);
}

#[test]
fn every_kind_of_wait_is_seen_once_a_poll() {
    let lock = Lock::new(0);
    let condition = Condition::new().named("changed");
    let event = Event::new().named("ready");
    let semaphore = Semaphore::new(0).named("slots");
    let bounded = BoundedSemaphore::new(0).named("seats");
    let limiter = CapacityLimiter::new(0).named("threads");
    let barrier = Barrier::new(2).named("start");
    let table = RwLock::new(0).named("table");
    let queue = Queue::bounded(1).named("jobs");
    let (sender, receiver) = channel(1);
    let sender = sender.named("lines");
    let (once, once_receiver) = oneshot::channel::<()>();
    let mut once_receiver = once_receiver.named("answer");
    let pool = oneshot::Pool::<()>::new().named("reply");
    let (mut pooled, mut pooled_receiver) = pool.channel();
    let (latest, mut latest_receiver) = watch::channel(0);
    let _latest = latest.named("config");
    let (broadcast, mut broadcast_receiver) = broadcast::channel::<u8>(1);
    let _broadcast = broadcast.named("news");
    let writer = table.try_write().unwrap();
    let mut guard = lock.try_acquire().unwrap();
    begin();
    let _ = poll_once(&mut event.wait());
    drop(poll_once(&mut semaphore.acquire()));
    drop(poll_once(&mut bounded.acquire()));
    drop(poll_once(&mut limiter.acquire()));
    let _ = poll_once(&mut barrier.wait());
    drop(poll_once(&mut table.read()));
    drop(poll_once(&mut table.write()));
    let _ = poll_once(&mut queue.get());
    queue.put_nowait(1).unwrap();
    let _ = poll_once(&mut queue.put(2));
    let _ = poll_once(&mut queue.join());
    let _ = poll_once(&mut receiver.recv());
    sender.send_nowait(1).unwrap();
    let _ = poll_once(&mut sender.send(2));
    let _ = poll_once(&mut once_receiver);
    let _ = poll_once(&mut pooled_receiver);
    let _ = poll_once(&mut pooled.closed());
    let _ = poll_once(&mut latest_receiver.changed());
    let _ = poll_once(&mut broadcast_receiver.recv());
    let _ = poll_once(&mut condition.wait(&mut guard));
    drop((once, writer));
    let heard: Vec<String> = heard()
        .iter()
        .map(|line| line.split(" +").next().unwrap().to_owned())
        .collect();
    assert_eq!(
        heard,
        [
            "Event 'ready'",
            "Semaphore 'slots'",
            "BoundedSemaphore 'seats'",
            "CapacityLimiter 'threads'",
            "Barrier 'start'",
            "RwLock::read 'table'",
            "RwLock::write 'table'",
            "Queue::get 'jobs'",
            "Queue::put 'jobs'",
            "Queue::join 'jobs'",
            "channel::recv 'lines'",
            "channel::send 'lines'",
            "oneshot 'answer'",
            "oneshot 'reply'",
            "oneshot::closed 'reply'",
            "watch 'config'",
            "broadcast 'news'",
            "Condition 'changed'",
        ]
    );
    observe::set_observer(None);
}

#[test]
fn a_condition_wait_that_comes_back_for_its_lock_is_seen_at_the_lock() {
    let (lock, condition) = (Lock::new(0).named("state"), Condition::new());
    let mut guard = lock.try_acquire().unwrap();
    begin();
    let mut wait = condition.wait(&mut guard);
    assert!(poll_once(&mut wait).is_pending());
    let _other = lock.try_acquire().unwrap();
    condition.notify(1);
    assert!(poll_once(&mut wait).is_pending());
    assert_eq!(heard(), ["Condition +1", "Lock 'state' +1 held by ? +3"]);
    observe::set_observer(None);
}

#[test]
fn without_an_observer_nobody_is_told() {
    let event = Event::new();
    assert!(poll_once(&mut event.wait()).is_pending());
    assert_eq!(heard(), [""; 0]);
    let before = observe::set_observer(Some(&Record));
    assert!(before.is_none());
    assert!(observe::set_observer(None).is_some());
}
