//! [`Lock`]: one task at a time, in the order of asking.

use std::cell::Cell;
use std::fmt;
use std::future::Future;
use std::mem;
use std::ops::Deref;
use std::panic::Location;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker, ready};

use crate::guard::{Guard, LockGuard, OwnedLockGuard};
use crate::name::name_methods;
use crate::observe::{self, Holder, HolderCell, kind};
use crate::waiters::{Left, Ticket, Waiters};

/// A value that one task at a time may use, across its awaits.
///
/// Tasks get in strictly in the order in which they asked. A newcomer that finds the lock free, but
/// promised to a task that has not run yet, joins the line: nobody overtakes, and a task that releases
/// and asks again in a loop does not keep the others out.
///
/// Taking a free lock does not suspend and allocates nothing. The value lives in a box that moves into
/// the guard and back, so a guard may borrow the lock or share it ([`acquire_owned`](Self::acquire_owned))
/// and a big value is never copied.
///
/// ```
/// use corio_sync::Lock;
/// # futures_lite::future::block_on(async {
/// let lock = Lock::new(1).named("counter");
/// *lock.acquire().await += 1;
/// assert_eq!(*lock.acquire().await, 2);
/// # });
/// ```
#[doc(alias("Mutex", "asyncio.Lock"))]
pub struct Lock<T: ?Sized> {
    /// If the value is here and somebody waits, one has been chosen to have it.
    line: Waiters<()>,
    holder: HolderCell,
    name: Option<Rc<str>>,
    /// Away while a guard has it.
    value: Cell<Option<Box<T>>>,
}

/// What [`Lock::statistics`] tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct LockStatistics {
    /// Whether a guard exists.
    pub locked: bool,
    /// Who made that guard, and where.
    pub holder: Option<Holder>,
    /// Tasks in the line.
    pub waiting: usize,
}

/// The future of [`Lock::acquire`] and [`Lock::acquire_owned`], `L` being a reference to the lock or a
/// share of it.
#[must_use = "futures do nothing unless awaited"]
pub struct Acquire<T: ?Sized, L: Deref<Target = Lock<T>>> {
    lock: L,
    ticket: Option<Ticket>,
    location: &'static Location<'static>,
}

impl<T> Lock<T> {
    /// An unlocked lock around `value`.
    pub fn new(value: T) -> Self {
        Lock::from_box(Box::new(value))
    }

    /// The value, which is `None` only if a guard was leaked with [`std::mem::forget`].
    pub fn into_inner(self) -> Option<T> {
        self.value.into_inner().map(|value| *value)
    }
}

impl<T: ?Sized> Lock<T> {
    /// An unlocked lock around a boxed value, which may be unsized.
    pub const fn from_box(value: Box<T>) -> Self {
        Lock {
            line: Waiters::new(),
            holder: HolderCell::new(),
            name: None,
            value: Cell::new(Some(value)),
        }
    }

    name_methods!();

    /// Waits for this task's turn and gives the guard.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future loses this task's place in the line. If the lock had been handed to it
    /// already, it goes to the next in line.
    #[doc(alias = "lock")]
    #[track_caller]
    #[inline]
    pub fn acquire(&self) -> Acquire<T, &Self> {
        Acquire {
            lock: self,
            ticket: None,
            location: Location::caller(),
        }
    }

    /// As [`acquire`](Self::acquire), with a future and a guard that share the lock instead of borrowing it.
    ///
    /// # Cancel safety
    ///
    /// That of [`acquire`](Self::acquire).
    #[doc(alias = "lock_owned")]
    #[track_caller]
    #[inline]
    pub fn acquire_owned(self: &Rc<Self>) -> Acquire<T, Rc<Self>> {
        Acquire {
            lock: Rc::clone(self),
            ticket: None,
            location: Location::caller(),
        }
    }

    /// The guard, if taking it does not mean waiting.
    #[doc(alias("acquire_nowait", "try_lock"))]
    #[track_caller]
    #[inline]
    pub fn try_acquire(&self) -> Option<LockGuard<'_, T>> {
        let location = Location::caller();
        let value = self.take_free()?;
        Some(Guard::new(self, self.held(value, location)))
    }

    /// As [`try_acquire`](Self::try_acquire), with a guard that shares the lock.
    #[doc(alias = "try_lock_owned")]
    #[track_caller]
    #[inline]
    pub fn try_acquire_owned(self: &Rc<Self>) -> Option<OwnedLockGuard<T>> {
        let location = Location::caller();
        let value = self.take_free()?;
        Some(Guard::new(Rc::clone(self), self.held(value, location)))
    }

    /// Whether a guard exists. False between a release and the moment when the task that the lock was
    /// handed to runs, although nobody else could get in.
    #[doc(alias = "is_locked")]
    pub fn locked(&self) -> bool {
        let value = self.value.take();
        let locked = value.is_none();
        self.value.set(value);
        locked
    }

    /// The value, without locking: the exclusive reference shows that nobody has it, unless a guard was
    /// leaked with [`std::mem::forget`].
    pub fn get_mut(&mut self) -> Option<&mut T> {
        self.value.get_mut().as_deref_mut()
    }

    /// Who has the lock and how many wait.
    pub fn statistics(&self) -> LockStatistics {
        let locked = self.locked();
        let holder = self.holder.get().filter(|_| locked);
        LockStatistics {
            locked,
            holder,
            waiting: self.line.waiting(),
        }
    }

    /// Polls for the turn and takes the value with it. `ticket` is empty before the wait and after it.
    #[inline(always)]
    pub(crate) fn poll_take(
        &self,
        ticket: &mut Option<Ticket>,
        location: &'static Location<'static>,
        cx: &Context<'_>,
    ) -> Poll<Box<T>> {
        let taken = match *ticket {
            None => self
                .take_free()
                .or_else(|| self.begin(ticket, location, cx.waker())),
            Some(place) if self.line.claim_chosen(place) => {
                *ticket = None;
                Some(self.take_promised())
            }
            Some(place) => self.go_on(place, ticket, location, cx.waker()),
        };
        match taken {
            Some(value) => Poll::Ready(self.held(value, location)),
            None => Poll::Pending,
        }
    }

    /// Begins a wait, unless the clone of the waker, which is foreign code, has made that needless.
    #[inline]
    fn begin(
        &self,
        ticket: &mut Option<Ticket>,
        location: &'static Location<'static>,
        waker: &Waker,
    ) -> Option<Box<T>> {
        let waker = waker.clone();
        let free = self.take_free();
        if free.is_none() {
            *ticket = Some(self.line.join(waker, ()));
            self.tell(location);
        }
        free
    }

    /// Goes on with a wait, unless the turn has come while the waker was cloned.
    #[cold]
    #[inline(never)]
    fn go_on(
        &self,
        place: Ticket,
        ticket: &mut Option<Ticket>,
        location: &'static Location<'static>,
        waker: &Waker,
    ) -> Option<Box<T>> {
        if self.line.claim(place, waker) {
            *ticket = None;
            return Some(self.take_promised());
        }
        self.tell(location);
        None
    }

    #[inline]
    fn tell(&self, location: &'static Location<'static>) {
        let name = self.name.as_ref();
        observe::waits_for_holder(kind!("Lock"), name, || self.holder.get(), location);
    }

    /// Gives up a wait made with [`poll_take`](Self::poll_take).
    #[inline]
    pub(crate) fn cancel_take(&self, ticket: Option<Ticket>) {
        if let Some(ticket) = ticket {
            self.cancel(ticket);
        }
    }

    #[inline(never)]
    fn cancel(&self, ticket: Ticket) {
        if self.line.leave(ticket) == Left::Chosen {
            self.line.wake_one();
        }
    }

    /// Gives up a wait but takes the value if that needs no waiting.
    pub(crate) fn take_or_cancel(
        &self,
        ticket: Option<Ticket>,
        location: &'static Location<'static>,
    ) -> Option<Box<T>> {
        let value = match ticket {
            None => self.take_free()?,
            Some(ticket) if self.line.leave(ticket) == Left::Chosen => self.take_promised(),
            Some(_) => return None,
        };
        Some(self.held(value, location))
    }

    /// Takes the value back from a guard and lets the next one in.
    #[inline]
    pub(crate) fn put_back(&self, value: Box<T>) {
        // The place is empty: forgetting that spares the check.
        mem::forget(self.value.replace(Some(value)));
        self.line.wake_one();
    }

    /// The value, if it is here and nobody is in front.
    #[inline]
    fn take_free(&self) -> Option<Box<T>> {
        if self.line.is_empty() {
            self.value.take()
        } else {
            None
        }
    }

    /// The value, for one that was chosen.
    #[inline]
    fn take_promised(&self) -> Box<T> {
        self.value.take().expect("the turn comes with the value")
    }

    /// Notes who has the value that was taken.
    #[inline]
    fn held(&self, value: Box<T>, location: &'static Location<'static>) -> Box<T> {
        self.holder.set(observe::task_here(), location);
        value
    }
}

impl<T, L> Future for Acquire<T, L>
where
    T: ?Sized,
    L: Deref<Target = Lock<T>> + Clone + Unpin,
{
    type Output = Guard<T, L>;

    #[inline(always)]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.get_mut();
        let value = ready!(this.lock.poll_take(&mut this.ticket, this.location, cx));
        Poll::Ready(Guard::new(this.lock.clone(), value))
    }
}

impl<T: ?Sized, L: Deref<Target = Lock<T>>> Drop for Acquire<T, L> {
    #[inline]
    fn drop(&mut self) {
        self.lock.cancel_take(self.ticket);
    }
}

impl<T: Default> Default for Lock<T> {
    fn default() -> Self {
        Lock::new(T::default())
    }
}

impl<T> From<T> for Lock<T> {
    fn from(value: T) -> Self {
        Lock::new(value)
    }
}

impl<T: ?Sized> fmt::Debug for Lock<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lock")
            .field("name", &self.name())
            .field("locked", &self.locked())
            .field("waiting", &self.line.waiting())
            .finish()
    }
}

impl<T: ?Sized, L: Deref<Target = Lock<T>>> fmt::Debug for Acquire<T, L> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Acquire")
            .field("lock", &*self.lock)
            .finish_non_exhaustive()
    }
}
