//! [`LockGuard`]: the proof that a task has a lock, and the way to its value.

use std::fmt;
use std::future::Future;
use std::ops::{Deref, DerefMut};
use std::panic::Location;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready};

use crate::lock::Lock;
use crate::waiters::Ticket;

/// A guard that borrows its lock, from [`Lock::acquire`].
#[doc(alias = "MutexGuard")]
pub type LockGuard<'a, T> = Guard<T, &'a Lock<T>>;

/// A guard that shares its lock, from [`Lock::acquire_owned`].
#[doc(alias = "OwnedMutexGuard")]
pub type OwnedLockGuard<T> = Guard<T, Rc<Lock<T>>>;

/// The right to use the value of a [`Lock`], given back on drop. `L` is a reference to the lock or a share
/// of it: [`LockGuard`], [`OwnedLockGuard`].
///
/// # Panics
///
/// [`Condition::wait`](crate::Condition::wait) gives the lock away while it waits. If that future is
/// dropped while another task has the lock, the guard stays without it: it then panics when it is
/// dereferenced, instead of letting two tasks in. [`is_held`](Self::is_held) tells and
/// [`reacquire`](Self::reacquire) gets the lock back.
#[must_use = "the lock is released when the guard is dropped"]
pub struct Guard<T: ?Sized, L: Deref<Target = Lock<T>>> {
    lock: L,
    /// Empty while a condition waits, or after such a wait was given up.
    value: Option<Box<T>>,
}

/// The future of [`Guard::reacquire`].
#[must_use = "futures do nothing unless awaited"]
pub struct Reacquire<'g, T: ?Sized, L: Deref<Target = Lock<T>>> {
    guard: &'g mut Guard<T, L>,
    ticket: Option<Ticket>,
    location: &'static Location<'static>,
}

impl<T: ?Sized, L: Deref<Target = Lock<T>>> Guard<T, L> {
    #[inline]
    pub(crate) fn new(lock: L, value: Box<T>) -> Self {
        Guard {
            lock,
            value: Some(value),
        }
    }

    /// The lock this guard belongs to.
    pub fn lock(guard: &Self) -> &Lock<T> {
        &guard.lock
    }

    /// Whether the guard has its lock. False only after a
    /// [`Condition::wait`](crate::Condition::wait) that was dropped before its end.
    pub fn is_held(guard: &Self) -> bool {
        guard.value.is_some()
    }

    /// Waits until the guard has its lock again, which it has at once if it never lost it.
    ///
    /// # Cancel safety
    ///
    /// That of [`Lock::acquire`]; the guard stays as it was.
    #[track_caller]
    pub fn reacquire(guard: &mut Self) -> Reacquire<'_, T, L> {
        Reacquire {
            guard,
            ticket: None,
            location: Location::caller(),
        }
    }

    /// Gives the lock to the next in line, the guard staying empty-handed.
    #[inline]
    pub(crate) fn suspend(&mut self) {
        if let Some(value) = self.value.take() {
            self.lock.put_back(value);
        }
    }

    /// Polls for the lock after [`suspend`](Self::suspend).
    pub(crate) fn poll_resume(
        &mut self,
        ticket: &mut Option<Ticket>,
        location: &'static Location<'static>,
        cx: &Context<'_>,
    ) -> Poll<()> {
        if self.value.is_none() {
            self.value = Some(ready!(self.lock.poll_take(ticket, location, cx)));
        }
        Poll::Ready(())
    }

    /// Ends a wait for the lock, with the lock if it can be had now.
    pub(crate) fn resume_or_cancel(
        &mut self,
        ticket: Option<Ticket>,
        location: &'static Location<'static>,
    ) {
        if self.value.is_none() {
            self.value = self.lock.take_or_cancel(ticket, location);
        }
    }
}

impl<T: ?Sized, L: Deref<Target = Lock<T>>> Deref for Guard<T, L> {
    type Target = T;

    #[inline]
    fn deref(&self) -> &T {
        self.value.as_deref().unwrap_or_else(|| not_held())
    }
}

impl<T: ?Sized, L: Deref<Target = Lock<T>>> DerefMut for Guard<T, L> {
    #[inline]
    fn deref_mut(&mut self) -> &mut T {
        self.value.as_deref_mut().unwrap_or_else(|| not_held())
    }
}

#[cold]
#[track_caller]
fn not_held() -> ! {
    panic!(
        "this guard lost its lock: a Condition::wait on it was dropped while another task had the lock; \
         LockGuard::reacquire(&mut guard).await gets it back"
    )
}

impl<T: ?Sized, L: Deref<Target = Lock<T>>> Drop for Guard<T, L> {
    #[inline]
    fn drop(&mut self) {
        self.suspend();
    }
}

impl<T: ?Sized, L: Deref<Target = Lock<T>>> Future for Reacquire<'_, T, L> {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let this = self.get_mut();
        this.guard.poll_resume(&mut this.ticket, this.location, cx)
    }
}

impl<T: ?Sized, L: Deref<Target = Lock<T>>> Drop for Reacquire<'_, T, L> {
    fn drop(&mut self) {
        self.guard.lock.cancel_take(self.ticket);
    }
}

impl<T: ?Sized + fmt::Debug, L: Deref<Target = Lock<T>>> fmt::Debug for Guard<T, L> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.value {
            Some(value) => f.debug_tuple("LockGuard").field(value).finish(),
            None => f.write_str("LockGuard(not held)"),
        }
    }
}

impl<T: ?Sized + fmt::Display, L: Deref<Target = Lock<T>>> fmt::Display for Guard<T, L> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&**self, f)
    }
}

impl<T: ?Sized, L: Deref<Target = Lock<T>>> fmt::Debug for Reacquire<'_, T, L> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reacquire")
            .field("lock", &*self.guard.lock)
            .finish_non_exhaustive()
    }
}
