//! Futures of other libraries, and some that do not care about anything, inside of tasks, limits, groups and scopes: they are
//! cancelled as others are, and the code around them cleans up.

mod support;

use std::cell::Cell;
use std::future::{Future, pending};
use std::panic::AssertUnwindSafe;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::thread;

use corio_combinators::{
    CancelScope, TaskGroup, catch_cancel, finally, gather, move_on_after, scope, task_group,
    timeout,
};
use corio_core::{OrPropagate, Task, TaskError};
use futures_lite::future::{or, race, try_zip, zip};
use futures_lite::{FutureExt, StreamExt};
use support::{Dropped, create_task, here, run, seconds, sleep, yield_now};

type Foreign = Pin<Box<dyn Future<Output = ()>>>;

/// Never ready; it wakes nobody and keeps no waker.
struct Deaf;

impl Future for Deaf {
    type Output = ();

    fn poll(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<()> {
        Poll::Pending
    }
}

/// Never ready, and woken for so many turns, whatever happens.
struct Restless(u32);

impl Future for Restless {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        if self.0 > 0 {
            self.0 -= 1;
            cx.waker().wake_by_ref();
        }
        Poll::Pending
    }
}

/// Polls what is inside once, and does not answer any wake for it.
struct Neglects<F>(Option<Pin<Box<F>>>, bool);

impl<F: Future> Future for Neglects<F> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        if !std::mem::replace(&mut self.1, true) {
            let inner = self.0.as_mut().expect("it is kept");
            assert!(inner.as_mut().poll(cx).is_pending());
        }
        Poll::Pending
    }
}

type Row = (&'static str, fn() -> Foreign);

/// What each future is, and how one is made that never ends.
const FUTURES: &[Row] = &[
    ("deaf", || Box::pin(Deaf)),
    ("restless", || Box::pin(Restless(5))),
    ("neglects", || {
        Box::pin(Neglects(Some(Box::pin(sleep(9.0))), false))
    }),
    ("a chain of wrappers", || {
        let first: Foreign = Box::pin(pending());
        (0..50).fold(first, |inner, _| {
            Box::pin(async {
                yield_now().await;
                inner.await
            })
        })
    }),
    ("or", || Box::pin(or(Deaf, sleep(100.0)))),
    ("race", || Box::pin(race(sleep(100.0), Restless(9)))),
    ("zip", || {
        Box::pin(async {
            let _ = zip(sleep(1.0), Deaf).await;
        })
    }),
    ("try_zip", || {
        let early = async {
            sleep(1.0).await;
            Ok::<(), ()>(())
        };
        let late = async {
            Deaf.await;
            Err::<(), ()>(())
        };
        Box::pin(async {
            let _ = try_zip(early, late).await;
        })
    }),
    ("catch_unwind", || {
        Box::pin(async { drop(AssertUnwindSafe(Deaf).catch_unwind().await) })
    }),
    ("boxed_local", || Deaf.boxed_local()),
    ("recv of async_channel", || {
        let (sender, receiver) = async_channel::unbounded::<u8>();
        Box::pin(async move {
            let _sender = sender;
            let _ = receiver.recv().await;
        })
    }),
    ("next of async_channel", || {
        let (sender, receiver) = async_channel::bounded::<u8>(1);
        Box::pin(async move {
            let _sender = sender;
            let mut receiver = Box::pin(receiver);
            receiver.next().await;
        })
    }),
    ("send of async_channel", || {
        let (sender, receiver) = async_channel::bounded(1);
        Box::pin(async move {
            let _receiver = receiver;
            sender.send(1).await.unwrap();
            sender.send(2).await.unwrap();
        })
    }),
    ("event_listener", || {
        let event = event_listener::Event::new();
        Box::pin(async move { event.listen().await })
    }),
    ("woken by a thread", || {
        let event = Arc::new(event_listener::Event::new());
        let notifies = event.clone();
        Box::pin(async move {
            let heard = event.listen();
            thread::spawn(move || notifies.notify(1)).join().unwrap();
            heard.await;
            event.listen().await;
        })
    }),
    ("or of a zip of a race", || {
        let inner = race(Deaf, Restless(3));
        Box::pin(or(
            async {
                let _ = zip(inner, sleep(1.0)).await;
            },
            Deaf,
        ))
    }),
];

/// The future with something that says when it was dropped.
fn guarded(make: fn() -> Foreign, dropped: &Dropped) -> impl Future<Output = ()> + use<> {
    let guard = dropped.guard();
    async move {
        let _guard = guard;
        make().await;
    }
}

async fn is_cancelled<T: std::fmt::Debug>(name: &str, task: Task<T>) {
    match task.await {
        Err(TaskError::Cancelled(_)) => {}
        other => panic!("{name}: not cancelled: {other:?}"),
    }
}

/// Plays a test with each of the futures, on a loop of its own.
fn with_each<F: Future<Output = ()> + 'static>(
    test: fn(&'static str, fn() -> Foreign, Dropped) -> F,
) {
    for (name, make) in FUTURES {
        let dropped = Dropped::default();
        run(test(name, *make, dropped.clone()));
        assert_eq!(dropped.count(), 1, "{name}");
    }
}

#[test]
fn its_task_is_cancelled_at_once() {
    with_each(|name, make, dropped| async move {
        let task = create_task(guarded(make, &dropped));
        sleep(2.0).await;
        task.cancel();
        is_cancelled(name, task).await;
        assert_eq!(
            (here().time(), dropped.count()),
            (seconds(2.0), 1),
            "{name}"
        );
    });
}

#[test]
fn the_code_around_it_catches_the_request_and_cleans_up() {
    with_each(|name, make, dropped| async move {
        let cleaned = Rc::new(Cell::new(0));
        let counted = cleaned.clone();
        let task = create_task(async move {
            let work = guarded(make, &dropped);
            let work = finally(work, async || {
                assert_eq!(dropped.count(), 1, "{name}");
                sleep(1.0).await;
                counted.set(counted.get() + 1);
            });
            let caught = catch_cancel(work).await;
            sleep(1.0).await;
            caught.or_propagate().await;
        });
        sleep(2.0).await;
        task.cancel();
        is_cancelled(name, task).await;
        assert_eq!((here().time(), cleaned.get()), (seconds(4.0), 1), "{name}");
    });
}

#[test]
fn it_has_the_time_that_its_limit_gives() {
    with_each(|name, make, dropped| async move {
        assert!(
            timeout(seconds(2.0), guarded(make, &dropped))
                .await
                .is_err()
        );
        assert_eq!(here().time(), seconds(2.0), "{name}");
    });
    with_each(|name, make, dropped| async move {
        let work = finally(guarded(make, &dropped), async || sleep(1.0).await);
        assert!(move_on_after(seconds(2.0), work).await.is_none());
        assert_eq!(here().time(), seconds(3.0), "{name}");
    });
    with_each(|name, make, dropped| async move {
        let scope = CancelScope::new();
        let handle = scope.clone();
        support::call_later(2.0, move || handle.cancel());
        assert!(scope.run(guarded(make, &dropped)).await.is_err());
        assert_eq!(here().time(), seconds(2.0), "{name}");
    });
}

#[test]
fn it_ends_with_the_group_the_scope_or_the_gather_that_owns_it() {
    with_each(|name, make, dropped| async move {
        let group = task_group(async |group: TaskGroup<&str>| {
            group.create_task(guarded(make, &dropped));
            group.create_task(async {
                sleep(2.0).await;
                Err::<(), _>("failed")
            });
            Ok(())
        });
        assert!(group.await.is_err());
        assert_eq!(here().time(), seconds(2.0), "{name}");
    });
    with_each(|name, make, dropped| async move {
        let task = create_task(async move {
            scope(async |s| {
                s.spawn(guarded(make, &dropped));
                sleep(9.0).await;
            })
            .await;
        });
        sleep(2.0).await;
        task.cancel();
        is_cancelled(name, task).await;
        assert_eq!(here().time(), seconds(2.0), "{name}");
    });
    with_each(|name, make, dropped| async move {
        let members = [guarded(make, &dropped)];
        assert!(timeout(seconds(2.0), gather(members)).await.is_err());
        assert_eq!(here().time(), seconds(2.0), "{name}");
    });
}

/// Clean-up inside of a branch: the combinator of the other library polls it as it polls anything.
#[test]
fn a_branch_of_a_foreign_combinator_cleans_up() {
    type Combine = fn(Foreign, Foreign) -> Foreign;
    const COMBINATORS: [(&str, Combine); 3] = [
        ("or", |a, b| Box::pin(or(a, b))),
        ("race", |a, b| Box::pin(race(a, b))),
        ("zip", |a, b| {
            Box::pin(async {
                let _ = zip(a, b).await;
            })
        }),
    ];
    for (name, make) in FUTURES {
        for (how, combine) in COMBINATORS {
            for cleans_first in [true, false] {
                run(async move {
                    let cleaned = Rc::new(Cell::new(0));
                    let counted = cleaned.clone();
                    let cleaning: Foreign = Box::pin(finally(sleep(100.0), async move || {
                        sleep(1.0).await;
                        counted.set(counted.get() + 1);
                    }));
                    let (a, b) = match cleans_first {
                        true => (cleaning, make()),
                        false => (make(), cleaning),
                    };
                    let task = create_task(combine(a, b));
                    sleep(2.0).await;
                    task.cancel();
                    is_cancelled(name, task).await;
                    let found = (here().time(), cleaned.get());
                    assert_eq!(found, (seconds(3.0), 1), "{how} of {name}");
                });
            }
        }
    }
}

#[test]
fn a_clean_up_that_is_neglected_is_passed_over() {
    run(async {
        let cleaned = Rc::new(Cell::new(false));
        let counted = cleaned.clone();
        let dropped = Dropped::default();
        let inner = finally(guarded(|| Box::pin(Deaf), &dropped), async move || {
            counted.set(true);
        });
        let outside = Rc::new(Cell::new(false));
        let noted = outside.clone();
        let work = finally(Neglects(Some(Box::pin(inner)), false), async move || {
            sleep(1.0).await;
            noted.set(true);
        });
        let task = create_task(work);
        yield_now().await;
        task.cancel();
        is_cancelled("neglects", task).await;
        assert!(!cleaned.get() && outside.get());
        assert_eq!((dropped.count(), here().time()), (1, seconds(1.0)));
    });
}

#[test]
fn what_was_on_its_way_to_it_goes_to_the_next() {
    run(async {
        let (sender, receiver) = async_channel::bounded(1);
        let next = receiver.clone();
        let first = create_task(async move { timeout(seconds(1.0), receiver.recv()).await });
        yield_now().await;
        // In the turn in which its time is up.
        sleep(1.0).await;
        sender.send(7).await.unwrap();
        let lost = first.await.unwrap();
        assert!(lost.is_err(), "{lost:?}");
        assert_eq!(next.recv().await, Ok(7));
    });
}
