//! Tasks, and what waits for them.

use std::cell::Cell;
use std::rc::Rc;

use corio_combinators::{
    Readiness, TaskGroup, catch_cancel, scope, staggered_race, task_group, try_gather, wait,
};
use corio_core::{OrPropagate, Promise, Task, TaskError};

use super::{Case, Running, case};
use crate::support::{create_task, here, seconds, sleep, yield_now};

/// A task that takes its time, and cleans up when it is cancelled.
pub fn slow() -> Task<()> {
    create_task(async {
        sleep(1.0).await;
        if let Err(cancelled) = catch_cancel(sleep(2.0)).await {
            sleep(1.0).await;
            cancelled.propagate().await
        }
    })
}

/// A wait for a task that ends with its owner.
pub fn owned(work: fn(Task<()>) -> Running) -> Case {
    let task = slow();
    let any = task.any();
    case(work(task), async move {
        wait([&any]).await;
        assert!(any.done());
    })
}

/// A wait that leaves the task alone.
pub fn watched(work: fn(Task<()>) -> Running) -> Case {
    let task = slow();
    let any = task.any();
    case(work(task), async move {
        wait([&any]).await;
        assert!(!any.cancelled());
    })
}

pub fn promise(work: fn(Promise<()>) -> Running) -> Case {
    let promise = here().scheduler.create_promise();
    let later = promise.clone();
    let setter = create_task(async move {
        sleep(1.0).await;
        later.set_result(()).unwrap();
    });
    case(work(promise.clone()), async move {
        setter.await.unwrap();
        assert_eq!(promise.result().unwrap(), &());
    })
}

pub fn propagate() -> Case {
    let ends = Rc::new(Cell::new(false));
    let ended = ends.clone();
    let work = async move {
        let inner = create_task(async {
            let me = here().scheduler.current_task().unwrap();
            me.cancel();
            catch_cancel(sleep(1.0)).await.or_propagate().await;
        });
        assert!(inner.await.is_err());
        ended.set(true);
    };
    case(work, async move {
        yield_now().await;
        assert!(ends.get() || here().scheduler.task_count() < 4);
    })
}

/// A scope whose child is waited for, by value or by reference.
pub fn borrowing(owned: bool) -> Case {
    let lent = Rc::new(Cell::new(0));
    let inside = lent.clone();
    let work = async move {
        let number = &*inside;
        scope(async |s| {
            let child = s.spawn(async move {
                sleep(1.0).await;
                number.set(number.get() + 1);
            });
            if owned {
                child.await.unwrap();
            } else {
                (&child).await.unwrap();
            }
        })
        .await;
    };
    case(work, async move {
        assert_eq!(Rc::strong_count(&lent), 1, "nobody holds it any more");
    })
}

pub fn try_gathering() -> Case {
    let task = create_task(async {
        sleep(1.0).await;
        Ok::<_, TaskError>(())
    });
    let any = task.any();
    let work = async { drop(try_gather([task]).await) };
    case(work, async move {
        wait([&any]).await;
    })
}

pub fn grouped() -> Case {
    let alive = Rc::new(());
    let held = alive.clone();
    let work = async move {
        let ended = task_group(async move |group: TaskGroup<()>| {
            for _ in 0..2 {
                let held = held.clone();
                group.create_task(async move {
                    slow().await.ok();
                    drop(held);
                });
            }
            sleep(1.0).await;
            Ok(())
        });
        drop(ended.await);
    };
    case(work, async move {
        // A group that was dropped asks its children to end, and waits for nobody.
        sleep(9.0).await;
        assert_eq!(Rc::strong_count(&alive), 1, "a child is left");
    })
}

pub fn racing() -> Case {
    let alive = Rc::new(());
    let held = alive.clone();
    let work = async move {
        let attempts = [held.clone(), held].map(|held| {
            move || async move {
                slow().await.ok();
                drop(held);
                Ok::<(), ()>(())
            }
        });
        drop(staggered_race(attempts, Some(seconds(1.0))).await);
    };
    case(work, async move {
        // A race that was dropped asks its attempts to end, and waits for nobody.
        sleep(9.0).await;
        assert_eq!(Rc::strong_count(&alive), 1, "an attempt is left");
    })
}

pub fn started() -> Case {
    let work = async {
        let ended = task_group(async |group: TaskGroup<()>| {
            let child = async |ready: Readiness<u8>| {
                sleep(1.0).await;
                ready.ready(7);
                sleep(1.0).await;
            };
            let (value, _task) = group.start(child).await.unwrap();
            assert_eq!(value, 7);
            Ok(())
        });
        drop(ended.await);
    };
    case(work, sleep(9.0))
}

pub fn limited(work: fn(Running) -> Running) -> Case {
    let alive = Rc::new(());
    let held = alive.clone();
    let inner = Box::pin(async move {
        sleep(1.0).await;
        slow().await.ok();
        drop(held);
    });
    case(work(inner), async move {
        assert_eq!(Rc::strong_count(&alive), 1, "the work is left");
        sleep(9.0).await;
    })
}
