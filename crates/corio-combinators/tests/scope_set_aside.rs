//! A scope that nobody polls any more holds up nobody who waits for its children, and the children of one that is polled are waited
//! for, wherever that is.

mod support;

use std::cell::{Cell, RefCell};
use std::future::{Future, IntoFuture, pending};
use std::pin::Pin;
use std::rc::Rc;

use corio_combinators::{Scope, catch_cancel, finally, gather, scope, timeout};
use corio_core::{ScopedTask, Task};
use support::{TestLoop, both, create_task, leak, poll_once, run, seconds, sleep, yield_now};

type Work = Pin<Box<dyn Future<Output = ()>>>;

/// What becomes of work that was polled for a while.
#[derive(Clone, Copy, Debug)]
enum Aside {
    Leaked,
    Kept,
    KeptByAnotherTask,
}

use Aside::{Kept, KeptByAnotherTask, Leaked};

/// Lets the children begin, and sets the work aside. What comes back is to be kept.
async fn set_aside(mut work: Work, aside: Aside) -> Vec<Work> {
    for _ in 0..6 {
        assert!(poll_once(&mut work).await.is_pending());
        yield_now().await;
    }
    match aside {
        Leaked => leak(work),
        Kept => return vec![work],
        KeptByAnotherTask => {
            create_task(async {
                sleep(50.0).await;
                drop(work);
            });
        }
    }
    Vec::new()
}

/// The task that sets the work aside is cancelled after a second, and has ended so many seconds later.
fn assert_ends(after: f64, work: impl Fn() -> Work) {
    for aside in [Leaked, Kept, KeptByAnotherTask] {
        for ticks in [false, true] {
            let work = work();
            assert_task_ends(after, format!("{aside:?}, {ticks}"), async move {
                let _kept = set_aside(work, aside).await;
                if ticks {
                    ticking().await;
                }
                pending().await
            });
        }
    }
}

/// Takes a step now and then, so that there is something to judge after.
async fn ticking() {
    loop {
        sleep(0.3).await;
    }
}

fn assert_task_ends(after: f64, about: String, work: impl Future<Output = ()> + 'static) {
    let test = TestLoop::new();
    let task = test.scheduler.create_task(work);
    test.assert_ends_cancelled(&task, after, &about);
}

/// Takes so many seconds to clean up, in several steps.
async fn careful(cleanup: f64, cleaned: Rc<Cell<bool>>) {
    let cleanup = async || {
        sleep(cleanup / 2.0).await;
        yield_now().await;
        sleep(cleanup / 2.0).await;
        cleaned.set(true);
    };
    finally(pending::<()>(), cleanup).await;
}

#[test]
fn a_wait_for_a_child_of_a_scope_that_was_set_aside_ends() {
    assert_ends(0.0, || {
        Box::pin(scope(async |s| {
            let _ = s.spawn(pending::<()>()).await;
        }))
    });
}

#[test]
fn a_child_that_was_woken_meanwhile_holds_up_nobody() {
    assert_ends(0.0, || {
        Box::pin(scope(async |s| {
            let _ = s.spawn(sleep(0.5)).await;
        }))
    });
}

#[test]
fn children_that_would_clean_up_hold_up_nobody() {
    assert_ends(0.0, || {
        Box::pin(scope(async |s| {
            let cleaned = Rc::default();
            let _ = s.spawn(careful(5.0, cleaned)).await;
        }))
    });
}

#[test]
fn a_gather_of_children_of_a_scope_that_was_set_aside_ends() {
    assert_ends(0.0, || {
        Box::pin(scope(async |s| {
            let children = [0.2, 50.0, 0.4].map(|time| s.spawn(sleep(time)));
            let _ = gather(children).await;
        }))
    });
}

#[test]
fn nested_scopes_that_were_set_aside_hold_up_nobody() {
    assert_ends(0.0, || {
        Box::pin(scope(async |outer| {
            let child = outer.spawn(scope(async |inner| {
                let _ = inner.spawn(pending::<()>()).await;
            }));
            let _ = child.await;
        }))
    });
    assert_ends(0.0, || {
        Box::pin(scope(async |outer| {
            outer.spawn(pending::<()>());
            scope(async |inner| {
                let _ = both(
                    inner.spawn(pending::<()>()).into_future(),
                    outer.spawn(pending::<()>()).into_future(),
                )
                .await;
            })
            .await;
        }))
    });
}

/// What the child waits for is a task of the loop, which is asked, and is waited for.
#[test]
fn a_child_that_waits_for_a_task_of_the_loop_is_waited_for_as_long_as_that_takes() {
    let cleaned: Rc<Cell<bool>> = Rc::default();
    let seen = cleaned.clone();
    assert_ends(2.0, move || {
        let seen = seen.clone();
        Box::pin(scope(async move |s| {
            let child = s.spawn(async move {
                let _ = create_task(careful(2.0, seen)).await;
            });
            let _ = child.await;
        }))
    });
    assert!(cleaned.get());
}

#[test]
fn a_task_of_the_loop_beside_such_a_child_is_waited_for() {
    let count = Rc::new(Cell::new(0));
    let counted = count.clone();
    assert_ends(2.0, move || {
        let counted = counted.clone();
        Box::pin(scope(async move |s| {
            let cleanup = async move || {
                sleep(2.0).await;
                counted.set(counted.get() + 1);
            };
            let other = create_task(finally(pending::<()>(), cleanup));
            let _ = corio_combinators::gather!(s.spawn(pending::<()>()), other).await;
        }))
    });
    assert_eq!(count.get(), 6);
}

#[test]
fn a_limit_around_a_scope_that_was_set_aside_is_obeyed() {
    for aside in [Leaked, Kept, KeptByAnotherTask] {
        let test = TestLoop::new();
        let task = test.scheduler.create_task(async move {
            let limited = timeout(seconds(1.0), async {
                let work = scope(async |s| {
                    let _ = s.spawn(pending::<()>()).await;
                });
                let _kept = set_aside(Box::pin(work), aside).await;
                pending::<()>().await;
            });
            limited.await.is_err()
        });
        while !task.done() && test.time() < seconds(99.0) && test.turn() {}
        let time = test.time();
        test.scheduler.close();
        assert!(matches!(task.result(), Ok(true)), "{aside:?}");
        assert_eq!(time, seconds(1.0), "{aside:?}");
    }
}

/// A scope, and a place where its body leaves its handle.
fn open_scope() -> (Work, Rc<RefCell<Option<Scope<'static>>>>) {
    let handle: Rc<RefCell<Option<Scope<'static>>>> = Rc::default();
    let place = handle.clone();
    let work = scope(async move |s| {
        *place.borrow_mut() = Some(s);
        pending::<()>().await;
    });
    (Box::pin(work), handle)
}

async fn spawn<F: Future + 'static>(
    handle: &RefCell<Option<Scope<'static>>>,
    work: F,
) -> ScopedTask<'static, F::Output> {
    let scope = loop {
        if let Some(scope) = &*handle.borrow() {
            break scope.clone();
        }
        yield_now().await;
    };
    scope.spawn(work)
}

#[test]
fn a_wait_outside_of_the_scope_that_was_set_aside_ends() {
    for aside in [Leaked, Kept, KeptByAnotherTask] {
        assert_task_ends(0.0, format!("{aside:?}"), async move {
            let (work, handle) = open_scope();
            let _kept = set_aside(work, aside).await;
            let _ = spawn(&handle, pending::<()>()).await.await;
        });
    }
}

#[test]
fn a_wait_outside_ends_when_the_last_of_its_children_that_can_has_ended() {
    for aside in [Leaked, Kept, KeptByAnotherTask] {
        let cleaned: Rc<Cell<bool>> = Rc::default();
        let seen = cleaned.clone();
        assert_task_ends(2.0, format!("{aside:?}"), async move {
            let (polled, live) = open_scope();
            create_task(polled);
            let (work, handle) = open_scope();
            let _kept = set_aside(work, aside).await;
            let children = [
                spawn(&live, careful(2.0, seen)).await,
                spawn(&handle, pending()).await,
            ];
            let _ = gather(children).await;
        });
        assert!(cleaned.get(), "{aside:?}");
    }
}

#[test]
fn a_task_that_waits_for_one_that_has_set_a_scope_aside_ends() {
    for aside in [Leaked, Kept] {
        assert_task_ends(0.0, format!("{aside:?}"), async move {
            let other = create_task(async move {
                let work = scope(async |s| {
                    let _ = s.spawn(pending::<()>()).await;
                });
                let _kept = set_aside(Box::pin(work), aside).await;
                pending::<()>().await;
            });
            let _ = other.await;
        });
    }
}

#[test]
fn a_child_that_has_set_a_scope_aside_ends() {
    for aside in [Leaked, Kept] {
        assert_task_ends(0.0, format!("{aside:?}"), async move {
            scope(async move |outer| {
                let child = outer.spawn(async move {
                    let work = scope(async |s| {
                        let _ = s.spawn(pending::<()>()).await;
                    });
                    let _kept = set_aside(Box::pin(work), aside).await;
                    pending::<()>().await;
                });
                let _ = child.await;
            })
            .await;
        });
    }
}

/// The wait is set aside, and the scope is not.
#[test]
fn children_of_a_scope_that_is_polled_are_waited_for() {
    for aside in [Leaked, Kept] {
        let cleaned: Rc<Cell<bool>> = Rc::default();
        let seen = cleaned.clone();
        assert_task_ends(4.0, format!("{aside:?}"), async move {
            let work = scope(async move |s| {
                let child = s.spawn(careful(4.0, seen));
                let wait = async move {
                    let _ = child.await;
                };
                let _kept = set_aside(Box::pin(wait), aside).await;
                ticking().await;
            });
            let _: (_, ()) = both(timeout(seconds(90.0), work), ticking()).await;
        });
        assert!(cleaned.get(), "{aside:?}");
    }
}

/// So many scopes stand between the one with the child and the task that polls them all.
async fn deep(depth: usize, work: Work) {
    if depth == 0 {
        return work.await;
    }
    let inner: Work = Box::pin(deep(depth - 1, work));
    scope(async move |s| {
        let _ = s.spawn(inner).watch().await;
    })
    .await;
}

#[test]
fn children_of_a_scope_that_another_task_polls_are_waited_for() {
    for depth in [0, 1, 4] {
        let cleaned: Rc<Cell<bool>> = Rc::default();
        let seen = cleaned.clone();
        assert_task_ends(4.0, format!("{depth} scopes"), async move {
            let (work, handle) = open_scope();
            create_task(deep(depth, work));
            let child = spawn(&handle, careful(4.0, seen)).await;
            let _: (_, ()) = both(child.into_future(), ticking()).await;
        });
        assert!(cleaned.get(), "{depth} scopes");
    }
}

#[test]
fn a_second_request_interrupts_the_clean_up_of_a_child_that_is_polled() {
    run(async {
        let cleaned: Rc<Cell<bool>> = Rc::default();
        let seen = cleaned.clone();
        let task: Task<()> = create_task(async move {
            scope(async move |s| {
                let _ = s.spawn(careful(4.0, seen)).await;
            })
            .await;
        });
        for time in [1.0, 2.0] {
            sleep(time).await;
            assert!(task.cancel());
        }
        (&task).await.unwrap_err();
        assert!(task.cancelled() && !cleaned.get());
        assert_eq!(support::here().time(), seconds(3.0));
    });
}

/// What caught the request goes on, and takes the scope up again.
#[test]
fn a_scope_that_was_passed_over_may_be_polled_again() {
    run(async {
        let task = create_task(async {
            let (seen, place) = (Rc::new(Cell::new(false)), Rc::<Cell<bool>>::default());
            let ended = seen.clone();
            let mut work: Work = Box::pin(scope(async move |s| {
                let child = s.spawn(careful(4.0, place)).await;
                ended.set(child.is_err());
            }));
            let caught = catch_cancel(async {
                for _ in 0..6 {
                    assert!(poll_once(&mut work).await.is_pending());
                    yield_now().await;
                }
                pending::<()>().await;
            });
            assert!(caught.await.is_err());
            work.await;
            seen.get()
        });
        sleep(1.0).await;
        assert!(task.cancel());
        assert!(task.await.unwrap());
        assert_eq!(support::here().time(), seconds(5.0));
    });
}
