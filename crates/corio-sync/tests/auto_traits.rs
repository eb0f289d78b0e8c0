//! Which public types are `Send`, `Sync` and `Unpin`: a table, checked when it is compiled.

use std::marker::PhantomPinned;
use std::rc::Rc;

use corio_sync::queue::{Fifo, GetNowaitError, PutNowaitError};
use corio_sync::*;

/// Compiles only if the type does not implement the trait: with it, two implementations would fit.
macro_rules! not {
    ($type:ty: $trait:ident) => {
        const _: fn() = || {
            trait Ambiguous<A> {
                fn check() {}
            }
            impl<T: ?Sized> Ambiguous<()> for T {}
            struct Implemented;
            impl<T: ?Sized + $trait> Ambiguous<Implemented> for T {}
            let _ = <$type as Ambiguous<_>>::check;
        };
    };
}

macro_rules! yes {
    ($type:ty: $trait:ident) => {
        const _: fn() = || {
            fn check<T: ?Sized + $trait>() {}
            check::<$type>();
        };
    };
}

/// Belongs to one thread; may be moved in memory.
macro_rules! local {
    ($($type:ty),+ $(,)?) => {$(
        not!($type: Send);
        not!($type: Sync);
        yes!($type: Unpin);
    )+};
}

/// May go anywhere.
macro_rules! anywhere {
    ($($type:ty),+ $(,)?) => {$(
        yes!($type: Send);
        yes!($type: Sync);
        yes!($type: Unpin);
    )+};
}

/// A value that may not be moved once pinned: none of the types pins it.
#[allow(dead_code, reason = "compilers of old do not see a use in a bound")]
type P = PhantomPinned;
#[allow(dead_code, reason = "as above")]
type Predicate = fn(&mut P) -> bool;

local![
    Lock<P>, LockGuard<'static, P>, OwnedLockGuard<P>, Reacquire<'static, P, Rc<Lock<P>>>,
    lock::Acquire<P, &'static Lock<P>>, lock::Acquire<P, Rc<Lock<P>>>,
    Lock<dyn std::fmt::Debug>, LockGuard<'static, str>,
    Event, event::Wait<Rc<Event>>, event::Wait<&'static Event>,
    Condition, condition::Wait<'static, P, Rc<Lock<P>>>,
    condition::WaitFor<'static, P, Rc<Lock<P>>, (Predicate, P)>,
    Semaphore, BoundedSemaphore, Permit<'static>, semaphore::Acquire<'static>,
    CapacityLimiter, limiter::Token<'static>, limiter::Acquire<'static>,
    Barrier, barrier::Wait<'static>,
    RwLock<Rc<P>>, rwlock::ReadGuard<'static, Rc<P>>, rwlock::WriteGuard<'static, Rc<P>>,
    rwlock::Read<'static, P>, rwlock::Write<'static, P>,
    queue::Get<'static, P, Fifo>, queue::Put<'static, P, Fifo>, queue::PutFrom<'static, P, Fifo>,
    queue::Items<'static, P, Fifo>, queue::Join<'static, P, Fifo>,
    Queue<Rc<P>>, LifoQueue<Rc<P>>, PriorityQueue<i32>,
    channel::Sender<P>, channel::Receiver<P>,
    channel::Sending<'static, P>, channel::Receiving<'static, P>,
    oneshot::Sender<P>, oneshot::Receiver<P>, oneshot::WaitClosed<'static, P>,
    oneshot::Slot<Rc<P>>, oneshot::Pool<P>, oneshot::Receiver<P, &'static oneshot::Slot<P>>,
    broadcast::Sender<i32>, broadcast::Receiver<i32>, broadcast::Receiving<'static, i32>,
    watch::Sender<P>, watch::Receiver<P>, watch::Changed<'static, P>,
];

anywhere![
    BrokenBarrier,
    ReleasedTooOften,
    QueueShutDown,
    QueueShutDown<i32>,
    PutNowaitError<i32>,
    GetNowaitError,
    SendError<i32>,
    SendNowaitError<i32>,
    RecvNowaitError,
    Closed,
    broadcast::RecvError,
    broadcast::RecvNowaitError,
    observe::Holder,
    lock::LockStatistics,
    queue::QueueStatistics,
    limiter::LimiterStatistics,
];

/// Errors can be boxed as every error is.
#[test]
fn errors_are_errors() {
    let errors: Vec<Box<dyn std::error::Error + Send + Sync>> = vec![
        Box::new(BrokenBarrier),
        Box::new(ReleasedTooOften),
        Box::new(QueueShutDown(())),
        Box::new(PutNowaitError::Full(1)),
        Box::new(GetNowaitError::Empty),
        Box::new(SendError(1)),
        Box::new(SendNowaitError::Closed(1)),
        Box::new(RecvNowaitError::Closed),
        Box::new(Closed),
        Box::new(broadcast::RecvError::Lagged(3)),
        Box::new(broadcast::RecvNowaitError::Empty),
    ];
    let texts: Vec<String> = errors.iter().map(ToString::to_string).collect();
    assert_eq!(texts[0], "the barrier was reset or aborted");
    assert_eq!(texts[9], "fell behind and lost 3 values");
    assert!(texts.iter().all(|text| !text.is_empty()));
}
