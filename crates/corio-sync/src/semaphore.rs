//! [`Semaphore`]: a number of permits, handed out in the order of asking.

use std::cell::Cell;
use std::fmt;
use std::future::Future;
use std::mem;
use std::panic::Location;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

use crate::handle::Handle;
use crate::name::name_methods;
use crate::observe::{self, Kind, kind};
use crate::permits::{MOST, Permits};
use crate::waiters::Ticket;

/// A number of permits; a task that wants one waits until one is free.
///
/// Strictly first come, first served, also against newcomers and also for several permits at once: a
/// task that waits for three is not overtaken by one that wants one.
///
/// ```
/// use corio_sync::Semaphore;
/// # futures_lite::future::block_on(async {
/// let connections = Semaphore::new(2).named("connections");
/// let first = connections.acquire().await;
/// let second = connections.acquire().await;
/// assert!(connections.locked());
/// drop(first);
/// assert!(connections.try_acquire().is_some());
/// # });
/// ```
#[doc(alias = "asyncio.Semaphore")]
pub struct Semaphore {
    permits: Permits,
    /// Permits that will not come back by themselves.
    forgotten: Cell<usize>,
    kind: &'static Kind,
    name: Option<Rc<str>>,
}

/// What [`Semaphore::statistics`] tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct SemaphoreStatistics {
    /// Permits that nobody has.
    pub available: usize,
    /// Tasks in the line.
    pub waiting: usize,
}

/// One or several permits of a [`Semaphore`], given back on drop.
#[must_use = "the permit is given back when it is dropped"]
#[doc(alias = "SemaphorePermit")]
pub struct Permit<'a> {
    semaphore: Handle<'a, Semaphore>,
    count: usize,
}

/// A permit that shares its semaphore, from [`Semaphore::acquire_owned`].
#[doc(alias = "OwnedSemaphorePermit")]
pub type OwnedPermit = Permit<'static>;

/// The future of [`Semaphore::acquire`] and its variants.
#[must_use = "futures do nothing unless awaited"]
pub struct Acquire<'a> {
    semaphore: Handle<'a, Semaphore>,
    count: usize,
    ticket: Option<Ticket>,
    location: &'static Location<'static>,
}

impl Semaphore {
    /// The most permits a semaphore can have.
    pub const MAX_PERMITS: usize = MOST;

    /// A semaphore of `permits`.
    ///
    /// # Panics
    ///
    /// If there are more than [`MAX_PERMITS`](Self::MAX_PERMITS).
    pub const fn new(permits: usize) -> Self {
        Semaphore::of_kind(permits, kind!("Semaphore"))
    }

    pub(crate) const fn of_kind(permits: usize, kind: &'static Kind) -> Self {
        Semaphore {
            permits: Permits::new(permits),
            forgotten: Cell::new(0),
            kind,
            name: None,
        }
    }

    name_methods!();

    /// Waits for a permit.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future loses this task's place in the line. A permit that had been granted to it
    /// goes to the next in line.
    #[track_caller]
    #[inline]
    pub fn acquire(&self) -> Acquire<'_> {
        Acquire::new(Handle::Borrowed(self), 1, Location::caller())
    }

    /// Waits for `count` permits and takes them together.
    ///
    /// # Cancel safety
    ///
    /// That of [`acquire`](Self::acquire).
    ///
    /// # Panics
    ///
    /// If `count` is more than [`MAX_PERMITS`](Self::MAX_PERMITS).
    #[track_caller]
    #[inline]
    pub fn acquire_many(&self, count: usize) -> Acquire<'_> {
        Acquire::new(Handle::Borrowed(self), count, Location::caller())
    }

    /// As [`acquire`](Self::acquire), with a future and a permit that share the semaphore.
    ///
    /// # Cancel safety
    ///
    /// That of [`acquire`](Self::acquire).
    #[track_caller]
    #[inline]
    pub fn acquire_owned<'a>(self: &Rc<Self>) -> Acquire<'a> {
        Acquire::new(Handle::Shared(Rc::clone(self)), 1, Location::caller())
    }

    /// As [`acquire_many`](Self::acquire_many), with a future and a permit that share the semaphore.
    ///
    /// # Cancel safety
    ///
    /// That of [`acquire`](Self::acquire).
    ///
    /// # Panics
    ///
    /// If `count` is more than [`MAX_PERMITS`](Self::MAX_PERMITS).
    #[track_caller]
    #[inline]
    pub fn acquire_many_owned<'a>(self: &Rc<Self>, count: usize) -> Acquire<'a> {
        Acquire::new(Handle::Shared(Rc::clone(self)), count, Location::caller())
    }

    /// A permit, if one is free and nobody is in front.
    #[doc(alias = "acquire_nowait")]
    #[inline]
    pub fn try_acquire(&self) -> Option<Permit<'_>> {
        self.try_acquire_many(1)
    }

    /// `count` permits together, if they are free and nobody is in front.
    #[inline]
    pub fn try_acquire_many(&self, count: usize) -> Option<Permit<'_>> {
        let free = count <= MOST && self.permits.try_acquire(count);
        free.then(|| Permit {
            semaphore: Handle::Borrowed(self),
            count,
        })
    }

    /// As [`try_acquire`](Self::try_acquire), with a permit that shares the semaphore.
    pub fn try_acquire_owned<'a>(self: &Rc<Self>) -> Option<Permit<'a>> {
        self.try_acquire_many_owned(1)
    }

    /// As [`try_acquire_many`](Self::try_acquire_many), with a permit that shares the semaphore.
    pub fn try_acquire_many_owned<'a>(self: &Rc<Self>, count: usize) -> Option<Permit<'a>> {
        let free = count <= MOST && self.permits.try_acquire(count);
        free.then(|| Permit {
            semaphore: Handle::Shared(Rc::clone(self)),
            count,
        })
    }

    /// Whether [`acquire`](Self::acquire) would wait: no permit is free, or somebody is in front.
    pub fn locked(&self) -> bool {
        self.permits.available() == 0 || self.permits.is_contended()
    }

    /// Permits that nobody has.
    #[doc(alias("value", "available_permits"))]
    pub fn available(&self) -> usize {
        self.permits.available()
    }

    /// Adds `count` permits: new ones, or those of a [`Permit::forget`].
    ///
    /// # Panics
    ///
    /// If there would be more than [`MAX_PERMITS`](Self::MAX_PERMITS).
    #[doc(alias = "add_permits")]
    pub fn release(&self, count: usize) {
        let room = MOST - self.permits.available();
        assert!(count <= room, "a semaphore cannot have that many permits");
        self.permits.release(count);
    }

    /// Takes away up to `most` of the free permits, and says how many.
    #[doc(alias = "forget_permits")]
    pub fn withdraw(&self, most: usize) -> usize {
        self.permits.take_available(most)
    }

    /// Gives back a permit of a [`Permit::forget`], if there is one.
    pub(crate) fn release_forgotten(&self) -> bool {
        let forgotten = self.forgotten.get();
        if forgotten > 0 {
            self.forgotten.set(forgotten - 1);
            self.permits.release(1);
        }
        forgotten > 0
    }

    /// How many permits are free and how many tasks wait.
    pub fn statistics(&self) -> SemaphoreStatistics {
        let (available, waiting) = (self.permits.available(), self.permits.waiting());
        SemaphoreStatistics { available, waiting }
    }
}

impl<'a> Permit<'a> {
    /// How many permits this is.
    pub fn count(&self) -> usize {
        self.count
    }

    /// Keeps the permits from ever going back; [`Semaphore::release`] can make up for it.
    pub fn forget(mut self) {
        let count = mem::take(&mut self.count);
        self.semaphore
            .forgotten
            .set(self.semaphore.forgotten.get() + count);
    }

    /// Parts `count` permits from this one.
    ///
    /// # Panics
    ///
    /// If there are not that many.
    pub fn split(&mut self, count: usize) -> Permit<'a> {
        assert!(
            count <= self.count,
            "cannot split {count} off {} permits",
            self.count
        );
        self.count -= count;
        Permit {
            semaphore: self.semaphore.clone(),
            count,
        }
    }
}

impl Drop for Permit<'_> {
    #[inline]
    fn drop(&mut self) {
        if self.count > 0 {
            self.semaphore.permits.release(mem::take(&mut self.count));
        }
    }
}

impl<'a> Acquire<'a> {
    #[track_caller]
    #[inline]
    pub(crate) fn new(
        semaphore: Handle<'a, Semaphore>,
        count: usize,
        location: &'static Location<'static>,
    ) -> Self {
        assert!(count <= MOST, "no semaphore can have that many permits");
        Acquire {
            semaphore,
            count,
            ticket: None,
            location,
        }
    }

    /// The part of a poll that waits; whether there was no need to.
    #[inline(never)]
    fn wait(&mut self, waker: &Waker) -> bool {
        let semaphore = &*self.semaphore;
        let ready = semaphore.permits.wait(&mut self.ticket, self.count, waker);
        if !ready {
            observe::waits(semaphore.kind, semaphore.name.as_ref(), self.location);
        }
        ready
    }
}

impl<'a> Future for Acquire<'a> {
    type Output = Permit<'a>;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Permit<'a>> {
        let this = self.get_mut();
        let permits = &this.semaphore.permits;
        if !permits.poll_fast(&mut this.ticket, this.count) && !this.wait(cx.waker()) {
            return Poll::Pending;
        }
        Poll::Ready(Permit {
            semaphore: this.semaphore.clone(),
            count: this.count,
        })
    }
}

impl Drop for Acquire<'_> {
    #[inline]
    fn drop(&mut self) {
        if let Some(ticket) = self.ticket {
            self.semaphore.permits.cancel(ticket, self.count);
        }
    }
}

impl fmt::Debug for Semaphore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Semaphore")
            .field("name", &self.name())
            .field("available", &self.available())
            .field("waiting", &self.permits.waiting())
            .finish()
    }
}

impl fmt::Debug for Permit<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Permit")
            .field("count", &self.count)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Acquire<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Acquire")
            .field("count", &self.count)
            .finish_non_exhaustive()
    }
}
