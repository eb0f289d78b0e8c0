//! [`Condition`]: tasks that wait, under a lock, until another task says that something has changed.

use std::fmt;
use std::future::Future;
use std::ops::Deref;
use std::panic::Location;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready};

use crate::guard::Guard;
use crate::lock::Lock;
use crate::name::name_methods;
use crate::observe::{self, kind};
use crate::waiters::{Left, Ticket, Waiters};

/// Lets tasks that hold a [`Lock`] wait for a change of its value, the lock being free
/// meanwhile.
///
/// Notifying does not need the lock: on one thread nothing can happen between a task's look at the value
/// and its wait. Waits may end without a cause, so look again, or use [`wait_for`](Self::wait_for).
///
/// ```
/// use corio_sync::{Condition, Lock};
/// # use futures_lite::future;
/// # future::block_on(async {
/// let jobs = Lock::new(Vec::new());
/// let changed = Condition::new();
/// let worker = async {
///     let mut jobs = jobs.acquire().await;
///     changed.wait_for(&mut jobs, |jobs| jobs.pop()).await
/// };
/// let boss = async {
///     jobs.acquire().await.push("dig");
///     changed.notify(1);
/// };
/// assert_eq!(future::zip(worker, boss).await.0, "dig");
/// # });
/// ```
#[doc(alias("Condvar", "asyncio.Condition"))]
#[derive(Default)]
pub struct Condition {
    waiters: Waiters<()>,
    name: Option<Rc<str>>,
}

/// What [`Condition::statistics`] tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct ConditionStatistics {
    /// Tasks that wait for a notification.
    pub waiting: usize,
}

/// The future of [`Condition::wait`].
#[must_use = "futures do nothing unless awaited"]
pub struct Wait<'w, T: ?Sized, L: Deref<Target = Lock<T>>> {
    core: Core<'w, T, L>,
}

/// The future of [`Condition::wait_for`].
#[must_use = "futures do nothing unless awaited"]
pub struct WaitFor<'w, T: ?Sized, L: Deref<Target = Lock<T>>, P> {
    core: Core<'w, T, L>,
    predicate: P,
}

/// What a predicate of [`Condition::wait_for`] may answer: `bool`, or `Option` with a value to return.
pub trait Answer {
    /// What the wait returns.
    type Value;

    /// The value, if the wait is over.
    fn into_value(self) -> Option<Self::Value>;
}

/// One wait: in the condition's line, then in the lock's.
struct Core<'w, T: ?Sized, L: Deref<Target = Lock<T>>> {
    condition: &'w Condition,
    guard: &'w mut Guard<T, L>,
    stage: Stage,
    location: &'static Location<'static>,
}

#[derive(Clone, Copy)]
enum Stage {
    /// The lock is held.
    Idle,
    /// The lock was given away until a notification comes.
    Waiting(Ticket),
    /// Notified, and without the lock; the ticket is the place in the lock's line.
    Relocking(Option<Ticket>),
}

impl Condition {
    /// A condition nobody waits for.
    pub const fn new() -> Self {
        Condition {
            waiters: Waiters::new(),
            name: None,
        }
    }

    name_methods!();

    /// Gives the lock away, waits for a notification, and returns with the lock taken again.
    ///
    /// # Cancel safety
    ///
    /// A notification that had been given to this wait goes to another. A dropped future cannot wait for
    /// the lock: if that is free, the guard has it again at once; if not, the guard stays without it and
    /// says so ([`Guard::is_held`], [`Guard::reacquire`]).
    ///
    /// # Panics
    ///
    /// If the guard lost its lock in an earlier wait.
    #[track_caller]
    pub fn wait<'w, T, L>(&'w self, guard: &'w mut Guard<T, L>) -> Wait<'w, T, L>
    where
        T: ?Sized,
        L: Deref<Target = Lock<T>>,
    {
        Wait {
            core: Core::new(self, guard, Location::caller()),
        }
    }

    /// Waits until `predicate` is content with the value, and returns what it gave: `true`, or what was
    /// in the `Some`. Does not suspend if it is content at once.
    ///
    /// # Cancel safety
    ///
    /// That of [`wait`](Self::wait). Nothing that the predicate took is lost: the future is ready as soon
    /// as the predicate has given a value.
    ///
    /// # Panics
    ///
    /// If the guard lost its lock in an earlier wait.
    #[track_caller]
    pub fn wait_for<'w, T, L, R, P>(
        &'w self,
        guard: &'w mut Guard<T, L>,
        predicate: P,
    ) -> WaitFor<'w, T, L, P>
    where
        T: ?Sized,
        L: Deref<Target = Lock<T>>,
        R: Answer,
        P: FnMut(&mut T) -> R,
    {
        WaitFor {
            core: Core::new(self, guard, Location::caller()),
            predicate,
        }
    }

    /// Ends the wait of up to `count` tasks, first come, first served. They run when they get the lock.
    #[doc(alias = "notify_one")]
    pub fn notify(&self, count: usize) {
        self.waiters.wake_first(count);
    }

    /// Ends the wait of all who wait now.
    pub fn notify_all(&self) {
        self.waiters.wake_all();
    }

    /// How many wait.
    pub fn statistics(&self) -> ConditionStatistics {
        ConditionStatistics {
            waiting: self.waiters.waiting(),
        }
    }
}

impl<'w, T: ?Sized, L: Deref<Target = Lock<T>>> Core<'w, T, L> {
    #[track_caller]
    fn new(
        condition: &'w Condition,
        guard: &'w mut Guard<T, L>,
        location: &'static Location<'static>,
    ) -> Self {
        assert!(
            Guard::is_held(guard),
            "waiting for a condition needs the lock"
        );
        Core {
            condition,
            guard,
            stage: Stage::Idle,
            location,
        }
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let condition = self.condition;
        loop {
            match &mut self.stage {
                Stage::Idle => {
                    // In the line first, so that a notification made by whoever gets the lock counts.
                    let ticket = condition.waiters.enqueue(cx.waker().clone(), ());
                    self.stage = Stage::Waiting(ticket);
                    self.guard.suspend();
                }
                Stage::Waiting(ticket) => {
                    if !condition.waiters.claim(*ticket, cx.waker()) {
                        let name = condition.name.as_ref();
                        observe::waits(kind!("Condition"), name, self.location);
                        return Poll::Pending;
                    }
                    self.stage = Stage::Relocking(None);
                }
                Stage::Relocking(ticket) => {
                    ready!(self.guard.poll_resume(ticket, self.location, cx));
                    self.stage = Stage::Idle;
                    return Poll::Ready(());
                }
            }
        }
    }
}

impl<T: ?Sized, L: Deref<Target = Lock<T>>> Drop for Core<'_, T, L> {
    fn drop(&mut self) {
        let (ticket, notified) = match self.stage {
            Stage::Idle => return,
            Stage::Waiting(ticket) => (None, self.condition.waiters.leave(ticket) == Left::Chosen),
            Stage::Relocking(ticket) => (ticket, true),
        };
        self.guard.resume_or_cancel(ticket, self.location);
        if notified {
            self.condition.notify(1);
        }
    }
}

impl<T: ?Sized, L: Deref<Target = Lock<T>>> Future for Wait<'_, T, L> {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        self.get_mut().core.poll(cx)
    }
}

impl<T, L, R, P> Future for WaitFor<'_, T, L, P>
where
    T: ?Sized,
    L: Deref<Target = Lock<T>>,
    R: Answer,
    P: FnMut(&mut T) -> R,
{
    type Output = R::Value;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<R::Value> {
        let this = self.get_mut();
        loop {
            if let Stage::Idle = this.core.stage {
                if let Some(value) = (this.predicate)(&mut **this.core.guard).into_value() {
                    return Poll::Ready(value);
                }
            }
            ready!(this.core.poll(cx));
        }
    }
}

/// The predicate is never pinned.
impl<T: ?Sized, L: Deref<Target = Lock<T>>, P> Unpin for WaitFor<'_, T, L, P> {}

impl Answer for bool {
    type Value = bool;

    fn into_value(self) -> Option<bool> {
        self.then_some(true)
    }
}

impl<R> Answer for Option<R> {
    type Value = R;

    fn into_value(self) -> Option<R> {
        self
    }
}

impl fmt::Debug for Condition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Condition")
            .field("name", &self.name())
            .field("waiting", &self.waiters.waiting())
            .finish()
    }
}

impl<T: ?Sized, L: Deref<Target = Lock<T>>> fmt::Debug for Wait<'_, T, L> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Wait")
            .field("condition", self.core.condition)
            .finish_non_exhaustive()
    }
}

impl<T: ?Sized, L: Deref<Target = Lock<T>>, P> fmt::Debug for WaitFor<'_, T, L, P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WaitFor")
            .field("condition", self.core.condition)
            .finish_non_exhaustive()
    }
}
