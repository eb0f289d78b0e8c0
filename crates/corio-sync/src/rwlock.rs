//! [`RwLock`]: many readers or one writer, in the order of asking.

use std::cell::Cell;
use std::fmt;
use std::future::Future;
use std::ops::{Deref, DerefMut};
use std::panic::Location;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker, ready};

use crate::handle::Handle;
use crate::name::name_methods;
use crate::observe::{self, Holder, HolderCell, Kind, kind};
use crate::permits::{MOST, Permits};
use crate::waiters::Ticket;

/// A value that many tasks may read, or one may change, across awaits.
///
/// First come, first served: a reader that comes while a writer waits lets the writer go first, so
/// neither side starves. A task that has a read guard must therefore not ask for a second one.
///
/// ```
/// use corio_sync::RwLock;
/// # futures_lite::future::block_on(async {
/// let table = RwLock::new(vec![1]);
/// {
///     let (a, b) = (table.read().await, table.read().await);
///     assert_eq!(a.len() + b.len(), 2);
/// }
/// table.write().await.push(2);
/// assert_eq!(*table.read().await, [1, 2]);
/// # });
/// ```
pub struct RwLock<T: ?Sized> {
    /// A reader takes one permit, a writer all of them.
    turn: Permits,
    writer: HolderCell,
    name: Option<Rc<str>>,
    /// Away while a writer has it. Readers share it, so that a guard may outlive the borrow of the lock.
    value: Cell<Option<Rc<T>>>,
}

/// What [`RwLock::statistics`] tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct RwLockStatistics {
    /// Read guards that exist.
    pub readers: usize,
    /// Who has the write guard, if there is one.
    pub writer: Option<Holder>,
    /// Tasks in the line.
    pub waiting: usize,
}

/// The right to read the value of a [`RwLock`].
#[must_use = "the lock is released when the guard is dropped"]
#[doc(alias("RwLockReadGuard", "OwnedRwLockReadGuard"))]
pub struct ReadGuard<'a, T: ?Sized> {
    /// Dropped by hand, before the permit goes back: a writer needs the only share.
    value: Option<Rc<T>>,
    lock: Handle<'a, RwLock<T>>,
}

/// The right to change the value of a [`RwLock`].
#[must_use = "the lock is released when the guard is dropped"]
#[doc(alias("RwLockWriteGuard", "OwnedRwLockWriteGuard"))]
pub struct WriteGuard<'a, T: ?Sized> {
    /// The only share, while the guard exists.
    value: Option<Rc<T>>,
    lock: Handle<'a, RwLock<T>>,
}

/// The future of [`RwLock::read`] and [`RwLock::read_owned`].
#[must_use = "futures do nothing unless awaited"]
pub struct Read<'a, T: ?Sized> {
    turn: Turn<'a, T>,
}

/// The future of [`RwLock::write`] and [`RwLock::write_owned`].
#[must_use = "futures do nothing unless awaited"]
pub struct Write<'a, T: ?Sized> {
    turn: Turn<'a, T>,
}

struct Turn<'a, T: ?Sized> {
    lock: Handle<'a, RwLock<T>>,
    permits: usize,
    ticket: Option<Ticket>,
    location: &'static Location<'static>,
}

const READ: usize = 1;
const WRITE: usize = MOST;

impl<T> RwLock<T> {
    /// A lock around `value` that nobody has.
    pub fn new(value: T) -> Self {
        RwLock {
            turn: Permits::new(WRITE),
            writer: HolderCell::new(),
            name: None,
            value: Cell::new(Some(Rc::new(value))),
        }
    }

    /// The value, which is `None` only if a guard was leaked with [`std::mem::forget`].
    pub fn into_inner(self) -> Option<T> {
        self.value
            .into_inner()
            .and_then(|value| Rc::try_unwrap(value).ok())
    }
}

impl<T: ?Sized> RwLock<T> {
    name_methods!();

    /// Waits until the value may be read.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future loses this task's place in the line; what it had been granted is given back.
    #[track_caller]
    pub fn read(&self) -> Read<'_, T> {
        Read {
            turn: Turn::new(Handle::Borrowed(self), READ, Location::caller()),
        }
    }

    /// As [`read`](Self::read), with a future and a guard that share the lock.
    ///
    /// # Cancel safety
    ///
    /// That of [`read`](Self::read).
    #[track_caller]
    pub fn read_owned<'a>(self: &Rc<Self>) -> Read<'a, T>
    where
        T: 'a,
    {
        Read {
            turn: Turn::new(Handle::Shared(Rc::clone(self)), READ, Location::caller()),
        }
    }

    /// Waits until the value may be changed.
    ///
    /// # Cancel safety
    ///
    /// That of [`read`](Self::read). Readers that came later go on if nothing else is in front of them.
    #[track_caller]
    pub fn write(&self) -> Write<'_, T> {
        Write {
            turn: Turn::new(Handle::Borrowed(self), WRITE, Location::caller()),
        }
    }

    /// As [`write`](Self::write), with a future and a guard that share the lock.
    ///
    /// # Cancel safety
    ///
    /// That of [`write`](Self::write).
    #[track_caller]
    pub fn write_owned<'a>(self: &Rc<Self>) -> Write<'a, T>
    where
        T: 'a,
    {
        Write {
            turn: Turn::new(Handle::Shared(Rc::clone(self)), WRITE, Location::caller()),
        }
    }

    /// A read guard, if getting it does not mean waiting.
    #[doc(alias = "read_nowait")]
    pub fn try_read(&self) -> Option<ReadGuard<'_, T>> {
        let free = self.turn.try_acquire(READ);
        free.then(|| ReadGuard {
            value: self.share(),
            lock: Handle::Borrowed(self),
        })
    }

    /// The write guard, if getting it does not mean waiting.
    #[doc(alias = "write_nowait")]
    #[track_caller]
    pub fn try_write(&self) -> Option<WriteGuard<'_, T>> {
        let location = Location::caller();
        let free = self.turn.try_acquire(WRITE);
        free.then(|| WriteGuard {
            value: self.take(location),
            lock: Handle::Borrowed(self),
        })
    }

    /// As [`try_read`](Self::try_read), with a guard that shares the lock.
    pub fn try_read_owned<'a>(self: &Rc<Self>) -> Option<ReadGuard<'a, T>>
    where
        T: 'a,
    {
        let free = self.turn.try_acquire(READ);
        free.then(|| ReadGuard {
            value: self.share(),
            lock: Handle::Shared(Rc::clone(self)),
        })
    }

    /// As [`try_write`](Self::try_write), with a guard that shares the lock.
    #[track_caller]
    pub fn try_write_owned<'a>(self: &Rc<Self>) -> Option<WriteGuard<'a, T>>
    where
        T: 'a,
    {
        let location = Location::caller();
        let free = self.turn.try_acquire(WRITE);
        free.then(|| WriteGuard {
            value: self.take(location),
            lock: Handle::Shared(Rc::clone(self)),
        })
    }

    /// The value, without locking: the exclusive reference shows that nobody has it, unless a guard was
    /// leaked with [`std::mem::forget`].
    pub fn get_mut(&mut self) -> Option<&mut T> {
        self.value.get_mut().as_mut().and_then(Rc::get_mut)
    }

    /// Who reads, who writes, how many wait.
    pub fn statistics(&self) -> RwLockStatistics {
        let value = self.value.take();
        let readers = value
            .as_ref()
            .map_or(0, |value| Rc::strong_count(value) - 1);
        let writer = self.writer.get().filter(|_| value.is_none());
        self.value.set(value);
        RwLockStatistics {
            readers,
            writer,
            waiting: self.turn.waiting(),
        }
    }

    fn share(&self) -> Option<Rc<T>> {
        let value = self.value.take();
        self.value.set(value.clone());
        value
    }

    fn take(&self, location: &'static Location<'static>) -> Option<Rc<T>> {
        self.writer.set(observe::task_here(), location);
        self.value.take()
    }
}

impl<'a, T: ?Sized> Turn<'a, T> {
    fn new(
        lock: Handle<'a, RwLock<T>>,
        permits: usize,
        location: &'static Location<'static>,
    ) -> Self {
        Turn {
            lock,
            permits,
            ticket: None,
            location,
        }
    }

    fn poll(&mut self, kind: &'static Kind, cx: &Context<'_>) -> Poll<()> {
        let turn = &self.lock.turn;
        if turn.poll_fast(&mut self.ticket, self.permits) || self.wait(kind, cx.waker()) {
            Poll::Ready(())
        } else {
            Poll::Pending
        }
    }

    /// The part of [`poll`](Self::poll) that waits; whether there was no need to.
    #[inline(never)]
    fn wait(&mut self, kind: &'static Kind, waker: &Waker) -> bool {
        let lock = &*self.lock;
        let ready = lock.turn.wait(&mut self.ticket, self.permits, waker);
        if !ready {
            let writer = || lock.statistics().writer;
            observe::waits_for_holder(kind, lock.name.as_ref(), writer, self.location);
        }
        ready
    }
}

impl<'a, T: ?Sized> Future for Read<'a, T> {
    type Output = ReadGuard<'a, T>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let turn = &mut self.get_mut().turn;
        ready!(turn.poll(kind!("RwLock::read"), cx));
        Poll::Ready(ReadGuard {
            value: turn.lock.share(),
            lock: turn.lock.clone(),
        })
    }
}

impl<'a, T: ?Sized> Future for Write<'a, T> {
    type Output = WriteGuard<'a, T>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let turn = &mut self.get_mut().turn;
        ready!(turn.poll(kind!("RwLock::write"), cx));
        Poll::Ready(WriteGuard {
            value: turn.lock.take(turn.location),
            lock: turn.lock.clone(),
        })
    }
}

impl<T: ?Sized> Drop for Turn<'_, T> {
    fn drop(&mut self) {
        if let Some(ticket) = self.ticket {
            self.lock.turn.cancel(ticket, self.permits);
        }
    }
}

const WITH_VALUE: &str = "a guard has the value until it is dropped";

impl<'a, T: ?Sized> WriteGuard<'a, T> {
    /// Turns into a read guard without letting another writer in between.
    pub fn downgrade(mut guard: Self) -> ReadGuard<'a, T> {
        let (value, lock) = (guard.value.take(), guard.lock.clone());
        lock.value.set(value.clone());
        lock.turn.release(WRITE - READ);
        ReadGuard { value, lock }
    }
}

impl<T: ?Sized> Drop for ReadGuard<'_, T> {
    fn drop(&mut self) {
        self.value = None;
        self.lock.turn.release(READ);
    }
}

impl<T: ?Sized> Drop for WriteGuard<'_, T> {
    fn drop(&mut self) {
        if let Some(value) = self.value.take() {
            self.lock.value.set(Some(value));
            self.lock.turn.release(WRITE);
        }
    }
}

impl<T: ?Sized> Deref for ReadGuard<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        self.value.as_deref().expect(WITH_VALUE)
    }
}

impl<T: ?Sized> Deref for WriteGuard<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        self.value.as_deref().expect(WITH_VALUE)
    }
}

impl<T: ?Sized> DerefMut for WriteGuard<'_, T> {
    fn deref_mut(&mut self) -> &mut T {
        self.value.as_mut().and_then(Rc::get_mut).expect(WITH_VALUE)
    }
}

impl<T: Default> Default for RwLock<T> {
    fn default() -> Self {
        RwLock::new(T::default())
    }
}

impl<T: ?Sized> fmt::Debug for RwLock<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let statistics = self.statistics();
        f.debug_struct("RwLock")
            .field("name", &self.name())
            .field("readers", &statistics.readers)
            .field("written", &statistics.writer.is_some())
            .field("waiting", &statistics.waiting)
            .finish()
    }
}

impl<T: ?Sized + fmt::Debug> fmt::Debug for ReadGuard<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("ReadGuard").field(&&**self).finish()
    }
}

impl<T: ?Sized + fmt::Debug> fmt::Debug for WriteGuard<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("WriteGuard").field(&&**self).finish()
    }
}

impl<T: ?Sized> fmt::Debug for Read<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Read")
            .field("lock", &*self.turn.lock)
            .finish_non_exhaustive()
    }
}

impl<T: ?Sized> fmt::Debug for Write<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Write")
            .field("lock", &*self.turn.lock)
            .finish_non_exhaustive()
    }
}
