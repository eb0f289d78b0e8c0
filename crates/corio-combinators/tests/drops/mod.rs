//! The cases: a row for each public future.

#![allow(unreachable_pub, reason = "one test file uses it")]

mod meeting;
mod tasks;

use std::future::Future;
use std::pin::Pin;

use corio_combinators::{
    CancelScope, as_completed, catch_cancel, finally, gather, move_on_after, shield, timeout, wait,
    with,
};

use crate::support::{seconds, sleep};
use meeting::*;
use tasks::*;

pub type Running = Pin<Box<dyn Future<Output = ()>>>;

/// What is given up, and what must still be possible afterwards.
pub type Case = (Running, Running);

pub fn case(
    work: impl Future<Output = ()> + 'static,
    check: impl Future<Output = ()> + 'static,
) -> Case {
    (Box::pin(work), Box::pin(check))
}

/// The futures that each case is about, by the names of their types, and how it is made within a task.
pub type Row = (&'static str, fn() -> Case);

pub const CASES: &[Row] = &[
    // corio-core
    ("OwnedWait", || {
        owned(|task| Box::pin(async { drop(task.await) }))
    }),
    ("Watch", || {
        watched(|task| Box::pin(async move { drop((&task).await) }))
    }),
    ("EndWait", || {
        watched(|task| Box::pin(async move { task.any().await.unwrap() }))
    }),
    ("PromiseWait", || {
        promise(|promise| Box::pin(async { promise.await.unwrap() }))
    }),
    ("PromiseWatch", || {
        promise(|promise| Box::pin(async move { *(&promise).await.unwrap() }))
    }),
    ("Propagate OrPropagate", propagate),
    ("ScopedWait", || borrowing(true)),
    ("ScopedWatch", || borrowing(false)),
    // corio-combinators
    ("Gather", || {
        owned(|task| Box::pin(async { drop(gather([task]).await) }))
    }),
    ("GatherResults", || {
        owned(|task| Box::pin(async { drop(gather([task]).return_exceptions().await) }))
    }),
    ("TryGather", try_gathering),
    ("Wait", || {
        watched(|task| Box::pin(async { drop(wait([task]).timeout(seconds(9.0)).await) }))
    }),
    ("NextCompleted", || {
        watched(|task| Box::pin(async { drop(as_completed([task]).next().await) }))
    }),
    ("NextCompletedWithin", || {
        watched(|task| {
            Box::pin(async { drop(as_completed([task]).timeout(seconds(9.0)).next().await) })
        })
    }),
    ("Shield", || {
        watched(|task| Box::pin(async { drop(shield(task).await) }))
    }),
    ("GroupScope", grouped),
    ("Start", started),
    ("ScopeFuture", || borrowing(true)),
    ("Timeout", || {
        limited(|work| {
            Box::pin(async {
                let _ = timeout(seconds(2.0), work).await;
            })
        })
    }),
    ("MoveOnAfter", || {
        limited(|work| {
            Box::pin(async {
                let _ = move_on_after(seconds(2.0), work).await;
            })
        })
    }),
    ("StaggeredRace", racing),
    ("RunScope", || {
        limited(|work| {
            Box::pin(async {
                let scope = CancelScope::with_timeout(seconds(2.0)).grace(seconds(5.0));
                drop(scope.run(work).await);
            })
        })
    }),
    ("CatchCancel", || {
        limited(|work| {
            Box::pin(async {
                drop(timeout(seconds(2.0), async { catch_cancel(work).await }).await);
            })
        })
    }),
    ("Finally", || {
        limited(|work| Box::pin(finally(work, async || sleep(1.0).await)))
    }),
    ("With", || {
        limited(|work| {
            Box::pin(with(
                work,
                async |work: &mut Running| work.await,
                async |_| sleep(1.0).await,
            ))
        })
    }),
    // corio-sync
    ("Acquire lock", locked),
    ("Reacquire Wait condition", conditioned),
    ("WaitFor condition", conditioned_until),
    ("Acquire semaphore", permitted),
    ("Acquire bounded semaphore", bounded),
    ("Acquire limiter", limiter),
    ("Read", reading),
    ("Write", writing),
    ("Wait event", evented),
    ("Wait barrier", barred),
    ("Put", putting),
    ("PutFrom", putting_from),
    ("Get", getting),
    ("Next", iterating),
    ("Join", joining),
    ("Sending", sending),
    ("SendingFrom", sending_from),
    ("Receiving channel", receiving),
    ("Receiving broadcast", broadcasted),
    ("Receiver", one),
    ("Receiver pooled", one_pooled),
    ("WaitClosed", one_closed),
    ("Changed", changing),
    ("WaitFor watch", changing_until),
];
