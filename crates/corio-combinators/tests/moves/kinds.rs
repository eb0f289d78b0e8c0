//! The futures that move: a row for each kind.

use std::cell::RefCell;
use std::fmt::Debug;
use std::future::{Future, IntoFuture, pending};
use std::rc::Rc;
use std::time::Duration;

use corio_combinators::{
    CancelScope, Readiness, ReturnWhen, Scope, TaskGroup, as_completed, catch_cancel, finally,
    gather, move_on_after, scope, shield, staggered_race, task_group, timeout, try_gather, wait,
    with,
};
use corio_core::{OrPropagate, Promise, Task, TaskError};
use corio_sync::{
    Barrier, BoundedSemaphore, CapacityLimiter, Condition, Event, Lock, Queue, RwLock, Semaphore,
    broadcast, channel, oneshot, watch,
};

use super::{Moving, later, note, probe};
use crate::support::{create_task, here, seconds, sleep, yield_now};

pub struct Kind {
    pub name: &'static str,
    pub make: fn() -> Moving,
    pub begins: Begins,
}

/// When the time of a future begins.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Begins {
    /// Before anybody polls it.
    Before,
    AtFirstPoll,
    /// The same, and it has to be polled again in the same instant.
    AtOnce,
}

const fn waits(name: &'static str, make: fn() -> Moving) -> Kind {
    Kind {
        name,
        make,
        begins: Begins::Before,
    }
}

const fn begins(name: &'static str, make: fn() -> Moving) -> Kind {
    Kind {
        name,
        make,
        begins: Begins::AtFirstPoll,
    }
}

const fn goes_on(name: &'static str, make: fn() -> Moving) -> Kind {
    Kind {
        name,
        make,
        begins: Begins::AtOnce,
    }
}

thread_local! {
    /// The scope that the future is polled in, for waits that cannot leave one.
    static SCOPE: RefCell<Option<Scope<'static>>> = const { RefCell::new(None) };
}

/// What the kinds whose names begin with it are polled in.
pub const SCOPED: &str = "scoped";

pub fn set_scope(scope: Option<Scope<'static>>) {
    SCOPE.set(scope);
}

fn moving<T: Debug>(work: impl Future<Output = T> + 'static) -> Moving {
    Box::pin(async { format!("{:?}", work.await) })
}

/// Takes four seconds, and one to clean up.
async fn careful(name: &'static str, time: f64) -> u8 {
    match catch_cancel(sleep(time)).await {
        Ok(()) => note(format!("{name} is done")),
        Err(cancelled) => {
            sleep(1.0).await;
            note(format!("{name} has cleaned up"));
            cancelled.propagate().await
        }
    }
    7
}

fn child() -> Task<u8> {
    let task = create_task(careful("child", 4.0));
    let any = task.any();
    probe("a task", move || usize::from(any.is_awaited()));
    task
}

/// Does not let itself be cancelled.
fn stubborn() -> Task<u8> {
    create_task(async {
        let cancelled = catch_cancel(sleep(4.0)).await.is_err();
        sleep(1.0).await;
        note("stubborn has ended");
        u8::from(cancelled)
    })
}

fn two() -> [Task<u8>; 2] {
    [
        create_task(careful("first", 4.0)),
        create_task(careful("second", 4.5)),
    ]
}

fn results() -> [Task<Result<u8, TaskError>>; 2] {
    let work = |name, time| async move { Ok(careful(name, time).await) };
    [
        create_task(work("first", 4.0)),
        create_task(work("second", 4.5)),
    ]
}

async fn counts<T>(wait: impl Future<Output = (Vec<T>, Vec<T>)>) -> (usize, usize) {
    let (done, pending) = wait.await;
    (done.len(), pending.len())
}

fn promise() -> Promise<u8> {
    let promise = here().scheduler.create_promise();
    let setter = promise.clone();
    later(4.0, move || setter.set_result(7));
    promise
}

pub const KINDS: &[Kind] = &[
    waits("an owned wait", || moving(child().into_future())),
    waits("an owned wait for a stubborn task", || {
        moving(stubborn().into_future())
    }),
    waits("an owned wait for a task that is cancelled", || {
        let task = child();
        let any = task.any();
        later(3.0, move || any.cancel());
        moving(task.into_future())
    }),
    waits("a watch", || {
        let task = child();
        moving(async move { (&task).await.copied() })
    }),
    waits("a wait for the end", || moving(child().any().into_future())),
    waits("gather", || moving(gather(two()))),
    waits("gather of one", || moving(gather([child()]))),
    waits("gather of references", || {
        let tasks = two();
        moving(async move { format!("{:?}", gather(&tasks).await) })
    }),
    waits("gather with exceptions", || {
        moving(gather(two()).return_exceptions())
    }),
    waits("gather of stubborn tasks", || {
        moving(gather([stubborn(), stubborn()]))
    }),
    waits("try_gather", || moving(try_gather(results()))),
    waits("wait", || moving(counts(wait(two())))),
    waits("wait for the first", || {
        moving(counts(wait(two()).return_when(ReturnWhen::FirstCompleted)))
    }),
    begins("wait with a limit", || {
        moving(counts(wait(two()).timeout(seconds(3.0))))
    }),
    waits("as_completed", || {
        let mut tasks = as_completed(two());
        moving(async move {
            let first = tasks.next().await.map(Task::into_result);
            (first, tasks.next().await.map(Task::into_result))
        })
    }),
    begins("as_completed with a limit", || {
        let mut tasks = as_completed(two()).timeout(seconds(3.0));
        moving(async move { tasks.next().await.map(|next| next.is_ok()) })
    }),
    waits("shield", || moving(shield(careful("shielded", 4.0)))),
    waits("shield of a reference", || {
        let task = child();
        moving(async move { shield(&task).await.copied() })
    }),
    waits("a promise", || moving(promise().into_future())),
    waits("a promise that is watched", || {
        let promise = promise();
        moving(async move { (&promise).await.copied() })
    }),
    begins("sleep", || moving(sleep(4.0))),
    goes_on("yield_now", || {
        moving(async {
            yield_now().await;
            yield_now().await;
            yield_now().await;
        })
    }),
    begins("timeout of a sleep", || {
        moving(timeout(seconds(3.0), sleep(4.0)))
    }),
    begins("timeout of an owned wait", || {
        moving(timeout(seconds(3.0), child()))
    }),
    begins("timeout that is not reached", || {
        moving(timeout(seconds(9.0), child()))
    }),
    begins("timeout without an end", || {
        moving(timeout(Duration::MAX, child()))
    }),
    goes_on("timeout of nothing", || {
        moving(timeout(Duration::ZERO, pending::<()>()))
    }),
    begins("timeout of a timeout", || {
        moving(timeout(seconds(5.0), timeout(seconds(3.0), child())))
    }),
    begins("timeout of a clean-up", || {
        let work = finally(pending::<()>(), async || sleep(1.5).await);
        moving(timeout(seconds(1.0), work))
    }),
    begins("move_on_after", || {
        moving(move_on_after(seconds(3.0), careful("inner", 4.0)))
    }),
    waits("CancelScope", || moving(CancelScope::new().run(child()))),
    begins("CancelScope with a limit", || {
        moving(CancelScope::with_timeout(seconds(3.0)).run(child()))
    }),
    begins("CancelScope with a grace", || {
        let stubborn = async { while catch_cancel(pending::<()>()).await.is_err() {} };
        let work = CancelScope::with_timeout(seconds(1.0)).grace(seconds(2.0));
        moving(async move { work.run(stubborn).await.map(|()| "ended") })
    }),
    waits("catch_cancel", || {
        let work = catch_cancel(child());
        moving(async { work.await.map_err(|_| "caught") })
    }),
    waits("propagate", || {
        let work = catch_cancel(child());
        moving(async { work.await.or_propagate().await })
    }),
    waits("finally", || {
        moving(finally(child().into_future(), async || {
            sleep(0.5).await;
            note("cleaned up");
        }))
    }),
    waits("with", || {
        moving(with(
            Some(child()),
            async |child: &mut Option<Task<u8>>| child.take().expect("it is there").await,
            async |_| {
                sleep(0.5).await;
                note("cleaned up");
            },
        ))
    }),
    begins("task_group", || {
        moving(task_group(async |group: TaskGroup<()>| {
            group.create_task(async { Ok(careful("child", 4.0).await) });
            sleep(1.5).await;
            Ok(())
        }))
    }),
    begins("task_group that fails", || {
        moving(async {
            let group = task_group(async |group: TaskGroup<&str>| {
                group.create_task(async {
                    sleep(3.0).await;
                    Err::<(), _>("failed")
                });
                Ok(careful("body", 4.0).await)
            });
            group.await.is_ok()
        })
    }),
    begins("start", || {
        moving(task_group(async |group: TaskGroup<()>| {
            let start = group.start(async |ready: Readiness<u8>| {
                careful("child", 4.0).await;
                ready.ready(7);
            });
            Ok(start.await.map(|(value, _)| value))
        }))
    }),
    goes_on("scope", || {
        moving(scope(async |s| {
            let spare = s.spawn(careful("spare", 3.5));
            let ended = s.spawn(careful("child", 4.0)).await;
            (ended, spare.await)
        }))
    }),
    waits("scoped wait", || {
        let scope = SCOPE.with_borrow(Option::clone).expect("a scope");
        moving(scope.spawn(careful("child", 4.0)).into_future())
    }),
    waits("scoped watch", || {
        let scope = SCOPE.with_borrow(Option::clone).expect("a scope");
        let task = scope.spawn(careful("child", 4.0));
        moving(async move { (&task).await.copied() })
    }),
    begins("staggered_race", || {
        let attempt = || async { Ok::<_, ()>(careful("attempt", 4.0).await) };
        moving(staggered_race([attempt, attempt], Some(seconds(1.0))))
    }),
    waits("event", || {
        let event = Rc::new(Event::new());
        let (setter, asked) = (event.clone(), event.clone());
        later(4.0, move || setter.set());
        probe("an event", move || asked.statistics().waiting);
        moving(event.wait_owned())
    }),
    waits("lock", || {
        let lock = Rc::new(Lock::new(7));
        let (holder, asked) = (lock.clone(), lock.clone());
        let guard = holder.try_acquire_owned();
        later(4.0, move || drop(guard));
        probe("a lock", move || asked.statistics().waiting);
        moving(async move { *lock.acquire().await })
    }),
    waits("queue get", || {
        let queue = Rc::new(Queue::unbounded());
        let (putter, asked) = (queue.clone(), queue.clone());
        later(4.0, move || putter.put_nowait(7));
        probe("a queue", move || asked.statistics().getters);
        moving(async move { queue.get().await.ok() })
    }),
    waits("queue put", || {
        let queue = Rc::new(Queue::bounded(1));
        queue.put_nowait(1).unwrap();
        let (getter, asked) = (queue.clone(), queue.clone());
        later(4.0, move || getter.get_nowait());
        probe("a queue", move || asked.statistics().putters);
        moving(async move { queue.put(2).await.is_ok() })
    }),
    waits("queue join", || {
        let queue = Rc::new(Queue::unbounded());
        queue.put_nowait(1).unwrap();
        let (worker, asked) = (queue.clone(), queue.clone());
        later(4.0, move || worker.task_done());
        probe("a queue", move || asked.statistics().joiners);
        moving(async move { queue.join().await })
    }),
    waits("semaphore", || {
        let semaphore = Rc::new(Semaphore::new(2));
        let permit = semaphore.try_acquire_owned();
        let asked = semaphore.clone();
        later(4.0, move || drop(permit));
        probe("a semaphore", move || asked.statistics().waiting);
        moving(async move { drop(semaphore.acquire_many(2).await) })
    }),
    waits("bounded semaphore", || {
        let semaphore = Rc::new(BoundedSemaphore::new(1));
        let permit = semaphore.try_acquire_owned();
        later(4.0, move || drop(permit));
        moving(async move { drop(semaphore.acquire().await) })
    }),
    waits("limiter", || {
        let limiter = Rc::new(CapacityLimiter::new(1));
        let token = limiter.try_acquire_owned();
        later(4.0, move || drop(token));
        moving(async move { drop(limiter.acquire().await) })
    }),
    waits("condition", || {
        let shared = Rc::new((Lock::new(0), Condition::new()));
        let (notifier, asked) = (shared.clone(), shared.clone());
        create_task(async move {
            sleep(3.0).await;
            let mut value = notifier.0.acquire().await;
            *value = 7;
            notifier.1.notify_all();
            sleep(1.0).await;
        });
        probe("a condition", move || {
            asked.1.statistics().waiting + asked.0.statistics().waiting
        });
        moving(async move {
            let mut guard = shared.0.acquire().await;
            shared.1.wait_for(&mut guard, |value| *value == 7).await;
            *guard
        })
    }),
    waits("read", || {
        let lock = Rc::new(RwLock::new(7));
        let guard = lock.try_write_owned();
        later(4.0, move || drop(guard));
        moving(async move { *lock.read().await })
    }),
    waits("write", || {
        let lock = Rc::new(RwLock::new(7));
        let guard = lock.try_read_owned();
        later(4.0, move || drop(guard));
        moving(async move { *lock.write().await })
    }),
    waits("barrier", || {
        let barrier = Rc::new(Barrier::new(2));
        let other = barrier.clone();
        create_task(async move {
            sleep(4.0).await;
            let _ = timeout(seconds(20.0), other.wait()).await;
        });
        moving(async move { barrier.wait().await.is_ok() })
    }),
    waits("oneshot", || {
        let (sender, receiver) = oneshot::channel();
        later(4.0, move || sender.send(7));
        moving(receiver)
    }),
    waits("closed", || {
        let (mut sender, receiver) = oneshot::channel::<u8>();
        later(4.0, move || drop(receiver));
        moving(async move { sender.closed().await })
    }),
    waits("send", || {
        let (sender, receiver) = channel(1);
        sender.send_nowait(1).unwrap();
        later(4.0, move || receiver.recv_nowait());
        moving(async move { sender.send(2).await.is_ok() })
    }),
    waits("receive", || {
        let (sender, receiver) = channel(1);
        later(4.0, move || sender.send_nowait(7));
        moving(async move { receiver.recv().await })
    }),
    waits("broadcast", || {
        let (sender, mut receiver) = broadcast::channel(4);
        later(4.0, move || sender.send(7));
        moving(async move { receiver.recv().await })
    }),
    waits("watch", || {
        let (sender, mut receiver) = watch::channel(0);
        later(4.0, move || sender.send(7));
        moving(async move { receiver.changed().await.is_ok() })
    }),
];
