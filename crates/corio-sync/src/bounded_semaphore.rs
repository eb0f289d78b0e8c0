//! [`BoundedSemaphore`]: a semaphore that notices a release too many.

use std::error::Error;
use std::fmt;
use std::panic::Location;
use std::rc::Rc;

use crate::handle::Handle;
use crate::observe::kind;
use crate::semaphore::{Acquire, Permit, Semaphore, SemaphoreStatistics};

/// A [`Semaphore`] that never has more permits than it began with.
///
/// A [`Permit`] gives back what it took when it is dropped. What was kept with [`Permit::forget`] goes
/// back with [`release`](Self::release), which refuses a release too many. The two share futures and permits.
///
/// ```
/// use corio_sync::BoundedSemaphore;
/// # futures_lite::future::block_on(async {
/// let slots = BoundedSemaphore::new(1);
/// slots.acquire().await.forget();
/// assert!(slots.release().is_ok());
/// assert!(slots.release().is_err());
/// # });
/// ```
#[doc(alias = "asyncio.BoundedSemaphore")]
pub struct BoundedSemaphore {
    /// Shared, so that owned permits need no second kind of permit.
    inner: Rc<Semaphore>,
    bound: usize,
}

/// [`BoundedSemaphore::release`] was called although no permit had been forgotten.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReleasedTooOften;

impl BoundedSemaphore {
    /// A semaphore of `permits`, now and at most.
    ///
    /// # Panics
    ///
    /// If there are more than [`Semaphore::MAX_PERMITS`].
    pub fn new(permits: usize) -> Self {
        let inner = Semaphore::of_kind(permits, kind!("BoundedSemaphore"));
        BoundedSemaphore {
            inner: Rc::new(inner),
            bound: permits,
        }
    }

    /// Gives the object a name, shown wherever a task is seen waiting for it.
    #[must_use]
    pub fn named(self, name: impl Into<Rc<str>>) -> Self {
        let inner = Semaphore::of_kind(self.bound, kind!("BoundedSemaphore")).named(name);
        BoundedSemaphore {
            inner: Rc::new(inner),
            bound: self.bound,
        }
    }

    /// The name given with [`named`](Self::named).
    pub fn name(&self) -> Option<&str> {
        self.inner.name()
    }

    /// Waits for a permit.
    ///
    /// # Cancel safety
    ///
    /// That of [`Semaphore::acquire`].
    #[track_caller]
    #[inline]
    pub fn acquire(&self) -> Acquire<'_> {
        self.inner.acquire()
    }

    /// Waits for `count` permits and takes them together.
    ///
    /// # Cancel safety
    ///
    /// That of [`Semaphore::acquire`].
    ///
    /// # Panics
    ///
    /// If `count` is more than there will ever be.
    #[track_caller]
    pub fn acquire_many(&self, count: usize) -> Acquire<'_> {
        assert!(
            count <= self.bound,
            "{count} permits of at most {}",
            self.bound
        );
        self.inner.acquire_many(count)
    }

    /// As [`acquire`](Self::acquire), with a future and a permit that share the semaphore.
    ///
    /// # Cancel safety
    ///
    /// That of [`Semaphore::acquire`].
    #[track_caller]
    pub fn acquire_owned<'a>(&self) -> Acquire<'a> {
        Acquire::new(
            Handle::Shared(Rc::clone(&self.inner)),
            1,
            Location::caller(),
        )
    }

    /// A permit, if one is free and nobody is in front.
    #[doc(alias = "acquire_nowait")]
    pub fn try_acquire(&self) -> Option<Permit<'_>> {
        self.inner.try_acquire()
    }

    /// As [`try_acquire`](Self::try_acquire), with a permit that shares the semaphore.
    pub fn try_acquire_owned<'a>(&self) -> Option<Permit<'a>> {
        self.inner.try_acquire_owned()
    }

    /// Gives back a permit that was forgotten.
    ///
    /// # Errors
    ///
    /// If no permit has been forgotten.
    pub fn release(&self) -> Result<(), ReleasedTooOften> {
        if self.inner.release_forgotten() {
            Ok(())
        } else {
            Err(ReleasedTooOften)
        }
    }

    /// Whether [`acquire`](Self::acquire) would wait: no permit is free, or somebody is in front.
    pub fn locked(&self) -> bool {
        self.inner.locked()
    }

    /// Permits that nobody has.
    pub fn available(&self) -> usize {
        self.inner.available()
    }

    /// The permits it began with.
    pub fn bound(&self) -> usize {
        self.bound
    }

    /// How many permits are free and how many tasks wait.
    pub fn statistics(&self) -> SemaphoreStatistics {
        self.inner.statistics()
    }
}

impl fmt::Debug for BoundedSemaphore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BoundedSemaphore")
            .field("name", &self.name())
            .field("available", &self.available())
            .field("bound", &self.bound)
            .field("waiting", &self.statistics().waiting)
            .finish()
    }
}

impl fmt::Display for ReleasedTooOften {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a bounded semaphore was released more often than acquired")
    }
}

impl Error for ReleasedTooOften {}
