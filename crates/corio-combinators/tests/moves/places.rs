//! The places in which a future is polled.

#![allow(unreachable_pub, reason = "two test files use it")]
#![allow(dead_code, reason = "one of them uses its part")]

use std::cell::{Cell, RefCell};
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::rc::Rc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, Weak};
use std::task::{Context, Poll, Wake, Waker};

use corio_combinators::{
    CancelScope, TaskGroup, catch_cancel, finally, scope, task_group, timeout,
};

use super::{Moving, note};
use crate::support::{create_task, seconds, yield_now};

/// None of these ends its future. Each says what it sees of a cancellation.
pub struct Place {
    pub name: &'static str,
    pub put: fn(Moving) -> Moving,
}

const fn place(name: &'static str, put: fn(Moving) -> Moving) -> Place {
    Place { name, put }
}

pub const PLACES: &[Place] = &[
    place("the task", |work| work),
    place("a select", |work| Box::pin(select(work))),
    place("a limit", |work| {
        Box::pin(async {
            let ended = timeout(seconds(90.0), work).await;
            ended.expect("a limit that is not reached")
        })
    }),
    place("a scope", |work| {
        Box::pin(async {
            let ended = CancelScope::new().run(work).await;
            ended.expect("a scope that is not cancelled")
        })
    }),
    place("a catcher", |work| {
        Box::pin(async {
            match catch_cancel(work).await {
                Ok(outcome) => outcome,
                Err(cancelled) => {
                    note("caught");
                    cancelled.propagate().await
                }
            }
        })
    }),
    place("a finally", |work| {
        Box::pin(finally(work, async || {
            yield_now().await;
            note("finally");
        }))
    }),
    place("another task", |work| {
        Box::pin(async {
            let other = create_task(work);
            match other.await {
                Ok(outcome) => outcome,
                Err(error) => format!("another task: {error:?}"),
            }
        })
    }),
    place("a scoped child", |work| {
        Box::pin(scope(async move |s| {
            let ended = s.spawn(work).await;
            ended.unwrap_or_else(|error| format!("a scoped child: {error:?}"))
        }))
    }),
    place("a group", |work| {
        Box::pin(async {
            let ended = task_group(async move |_: TaskGroup<()>| Ok(work.await));
            ended.await.expect("nothing fails")
        })
    }),
];

/// A future that is polled in several places.
#[derive(Clone, Default)]
pub struct Slot(Rc<RefCell<Option<Moving>>>);

impl Slot {
    pub fn fill(&self, work: Moving) {
        *self.0.borrow_mut() = Some(work);
    }

    pub fn is_empty(&self) -> bool {
        self.0.borrow().is_none()
    }

    pub fn take(&self) -> Moving {
        let work = self.0.take();
        work.expect("a future that has not ended")
    }

    pub fn clear(&self) {
        let work = self.0.take();
        drop(work);
    }

    /// Polled where it lies. A panic takes it away, as its end does.
    fn poll(&self, cx: &mut Context<'_>) -> Poll<String> {
        let mut work = self.take();
        let polled = work.as_mut().poll(cx);
        if polled.is_pending() {
            *self.0.borrow_mut() = Some(work);
        }
        polled
    }

    /// By reference: what drops this leaves the future half run.
    pub fn lend(&self) -> Moving {
        let slot = self.clone();
        Box::pin(poll_fn(move |cx| slot.poll(cx)))
    }
}

/// What becomes of the place where a future is polled first.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Manner {
    /// It comes to its end.
    Ends,
    /// It is dropped.
    Dropped,
    /// It stands there, and polls nothing any more.
    Stands,
    /// The same, until the future is in its second place.
    DroppedLater,
}

/// Polls the future so many times in a place, and returns what is left standing.
pub async fn visit(slot: &Slot, place: &Place, polls: u32, manner: Manner) -> Option<Moving> {
    let driver: Rc<Cell<Option<Waker>>> = Rc::default();
    let (ended, told, slot) = (Rc::new(Cell::new(false)), driver.clone(), slot.clone());
    let over = ended.clone();
    let mut left = polls;
    let look = poll_fn(move |cx| {
        if left > 0 {
            left -= 1;
            if !slot.is_empty() && slot.poll(cx).is_ready() {
                left = 0;
            }
        }
        if left > 0 {
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        if manner == Manner::Ends {
            return Poll::Ready(String::new());
        }
        if !over.replace(true) {
            if let Some(driver) = told.take() {
                driver.wake();
            }
        }
        Poll::Pending
    });
    let mut placed = (place.put)(Box::pin(look));
    poll_fn(|cx| {
        driver.set(Some(cx.waker().clone()));
        let polled = placed.as_mut().poll(cx).is_ready();
        if polled || ended.get() {
            Poll::Ready(())
        } else {
            Poll::Pending
        }
    })
    .await;
    matches!(manner, Manner::Stands | Manner::DroppedLater).then_some(placed)
}

thread_local! {
    static WAKERS: RefCell<Vec<Weak<Woken>>> = const { RefCell::new(Vec::new()) };
}

/// How many wakers of selects somebody still has.
pub fn wakers_left() -> usize {
    WAKERS.with_borrow_mut(|wakers| {
        let left = wakers.iter().filter(|waker| waker.strong_count() > 0);
        let left = left.count();
        wakers.clear();
        left
    })
}

struct Woken {
    woken: AtomicBool,
    outer: Mutex<Option<Waker>>,
}

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.woken.store(true, Ordering::Relaxed);
        let outer = self.outer.lock().unwrap().clone();
        if let Some(outer) = outer {
            outer.wake();
        }
    }
}

/// Polls its future with a waker of its own, and only when that was woken.
fn select(mut work: Moving) -> impl Future<Output = String> {
    let woken = Arc::new(Woken {
        woken: AtomicBool::new(true),
        outer: Mutex::new(None),
    });
    WAKERS.with_borrow_mut(|wakers| wakers.push(Arc::downgrade(&woken)));
    let waker = Waker::from(woken.clone());
    poll_fn(move |cx| {
        *woken.outer.lock().unwrap() = Some(cx.waker().clone());
        if !woken.woken.swap(false, Ordering::Relaxed) {
            return Poll::Pending;
        }
        Pin::new(&mut work).poll(&mut Context::from_waker(&waker))
    })
}
