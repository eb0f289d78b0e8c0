//! [`Queue`], [`PriorityQueue`] and [`LifoQueue`]: items from task to task, with an end.
//!
//! The three differ in the order of their items only and are one type, [`OrderedQueue`].

mod error;
mod get;
mod join;
mod order;
mod put;

use std::cell::{Cell, OnceCell, RefCell};
use std::fmt;
use std::panic::Location;
use std::rc::Rc;

use crate::handle::Handle;
use crate::name::shared_name_methods;
use crate::observe::Kind;
use crate::waiters::{Crowd, Waiters};

pub use error::{GetNowaitError, PutNowaitError, QueueShutDown};
pub use get::{Get, Items, Next};
pub use join::Join;
pub use order::{Fifo, Lifo, Order, Smallest};
pub use put::{Put, PutFrom};

use put::Tried;

type Store<T, O> = <O as order::sealed::Order<T>>::Store;

/// A queue: first in, first out.
///
/// ```
/// use corio_sync::Queue;
/// # futures_lite::future::block_on(async {
/// let jobs = Queue::bounded(2);
/// jobs.put("dig").await?;
/// jobs.put("fill").await?;
/// assert!(jobs.put_nowait("rest").is_err());
/// jobs.shutdown(false);
/// let mut items = jobs.items();
/// let mut done = Vec::new();
/// while let Some(job) = items.next().await {
///     done.push(job);
///     jobs.task_done();
/// }
/// jobs.join().await;
/// assert_eq!(done, ["dig", "fill"]);
/// # Ok::<_, Box<dyn std::error::Error>>(())
/// # }).unwrap();
/// ```
#[doc(alias("asyncio.Queue", "mpmc"))]
pub type Queue<T> = OrderedQueue<T, Fifo>;

/// A queue that gives the smallest item first, and equal ones in the order of their coming.
///
/// Wrap items in [`std::cmp::Reverse`] for the greatest first.
///
/// ```
/// use corio_sync::PriorityQueue;
/// let queue = PriorityQueue::unbounded();
/// for item in [3, 1, 2] {
///     queue.put_nowait(item).unwrap();
/// }
/// assert_eq!(queue.get_nowait(), Ok(1));
/// ```
///
/// # Panics
///
/// Putting and getting panic if the comparison of two items uses this very queue.
#[doc(alias = "asyncio.PriorityQueue")]
pub type PriorityQueue<T> = OrderedQueue<T, Smallest>;

/// A queue that gives the newest item first.
///
/// ```
/// use corio_sync::LifoQueue;
/// let queue = LifoQueue::unbounded();
/// for item in [3, 1, 2] {
///     queue.put_nowait(item).unwrap();
/// }
/// assert_eq!(queue.get_nowait(), Ok(2));
/// ```
#[doc(alias("asyncio.LifoQueue", "stack"))]
pub type LifoQueue<T> = OrderedQueue<T, Lifo>;

/// Items on their way between tasks, in the order `O`: the type behind [`Queue`], [`PriorityQueue`] and
/// [`LifoQueue`].
///
/// A [`get`](Self::get) that finds an item takes it, even if others were woken for it and have not run
/// yet; those wait again. Tasks that wait are woken in the order in which they came. Nothing is lost if
/// a waiting future is dropped: an item stays in the queue or in its [`put`](Self::put), and the next
/// waiter is woken.
pub struct OrderedQueue<T, O: Order<T>> {
    store: RefCell<Store<T, O>>,
    /// [`UNBOUNDED`] without a bound.
    room: usize,
    /// Items put and not yet reported done.
    unfinished: Cell<usize>,
    shut_down: Cell<bool>,
    getters: Waiters<()>,
    putters: Waiters<()>,
    joiners: Crowd,
    kinds: &'static Kinds,
    pub(crate) name: OnceCell<Rc<str>>,
}

/// What a wait is called where it is seen.
pub(crate) struct Kinds {
    pub(crate) put: Kind,
    pub(crate) get: Kind,
}

static KINDS: Kinds = Kinds {
    put: Kind::new("Queue::put"),
    get: Kind::new("Queue::get"),
};

/// What [`OrderedQueue::statistics`] tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct QueueStatistics {
    /// Items in the queue.
    pub size: usize,
    /// The most there may be, if there is a bound.
    pub maxsize: Option<usize>,
    /// Items put and not yet reported done.
    pub unfinished: usize,
    /// Whether the queue was shut down.
    pub shut_down: bool,
    /// Tasks that wait for an item.
    pub getters: usize,
    /// Tasks that wait for room.
    pub putters: usize,
    /// Tasks that wait in [`OrderedQueue::join`].
    pub joiners: usize,
}

pub(crate) const UNBOUNDED: usize = usize::MAX;

impl<T, O: Order<T>> OrderedQueue<T, O> {
    /// A queue for at most `maxsize` items.
    ///
    /// # Panics
    ///
    /// If `maxsize` is zero: nothing would ever fit. [`unbounded`](Self::unbounded) is without a bound.
    pub fn bounded(maxsize: usize) -> Self {
        assert!(
            maxsize > 0,
            "a queue needs room for an item; Queue::unbounded() has no bound"
        );
        Self::with_room(maxsize, &KINDS)
    }

    /// A queue without a bound: putting never waits.
    pub fn unbounded() -> Self {
        Self::with_room(UNBOUNDED, &KINDS)
    }

    pub(crate) fn with_room(room: usize, kinds: &'static Kinds) -> Self {
        OrderedQueue {
            store: RefCell::default(),
            room,
            unfinished: Cell::new(0),
            shut_down: Cell::new(false),
            getters: Waiters::new(),
            putters: Waiters::new(),
            joiners: Crowd::new(),
            kinds,
            name: OnceCell::new(),
        }
    }

    shared_name_methods!(name);

    /// Puts an item, waiting for room.
    ///
    /// # Errors
    ///
    /// Gives the item back if the queue is or gets shut down.
    ///
    /// # Cancel safety
    ///
    /// A future that is dropped before it is ready has put nothing and drops its item with it.
    /// [`Put::into_item`] takes the item out of a future that was given up, and
    /// [`put_from`](Self::put_from) never takes it before it fits.
    #[doc(alias("send", "push"))]
    #[track_caller]
    #[inline]
    pub fn put(&self, item: T) -> Put<'_, T, O> {
        Put::new(Handle::Borrowed(self), item, Location::caller())
    }

    /// As [`put`](Self::put), with a future that shares the queue instead of borrowing it.
    ///
    /// # Errors
    ///
    /// Those of [`put`](Self::put).
    ///
    /// # Cancel safety
    ///
    /// That of [`put`](Self::put).
    #[track_caller]
    pub fn put_owned<'a>(self: &Rc<Self>, item: T) -> Put<'a, T, O> {
        Put::new(Handle::Shared(Rc::clone(self)), item, Location::caller())
    }

    /// Puts what is in `slot`, waiting for room; the slot is emptied when the item is in the queue.
    ///
    /// # Errors
    ///
    /// If the queue is or gets shut down. The item stays in the slot.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future before it is ready leaves the item in the slot.
    ///
    /// # Panics
    ///
    /// When polled, if the slot is empty.
    #[track_caller]
    pub fn put_from<'a>(&'a self, slot: &'a mut Option<T>) -> PutFrom<'a, T, O> {
        PutFrom::new(self, slot, Location::caller())
    }

    /// Puts an item if there is room.
    ///
    /// # Errors
    ///
    /// Gives the item back if there is no room or the queue was shut down.
    #[doc(alias = "try_send")]
    #[inline]
    pub fn put_nowait(&self, item: T) -> Result<(), PutNowaitError<T>> {
        let mut item = Some(item);
        let tried = self.try_put(&mut item);
        match (tried, item) {
            (Some(Tried::ShutDown), Some(item)) => Err(PutNowaitError::ShutDown(item)),
            (None, Some(item)) => Err(PutNowaitError::Full(item)),
            _ => Ok(()),
        }
    }

    /// Takes an item, waiting for one.
    ///
    /// # Errors
    ///
    /// If the queue is or gets shut down and no item is left.
    ///
    /// # Cancel safety
    ///
    /// A future that is dropped has taken nothing; if it had been woken for an item, the next waiter is.
    #[doc(alias("recv", "pop"))]
    #[track_caller]
    #[inline]
    pub fn get(&self) -> Get<'_, T, O> {
        Get::new(Handle::Borrowed(self), Location::caller())
    }

    /// As [`get`](Self::get), with a future that shares the queue instead of borrowing it.
    ///
    /// # Errors
    ///
    /// Those of [`get`](Self::get).
    ///
    /// # Cancel safety
    ///
    /// That of [`get`](Self::get).
    #[track_caller]
    pub fn get_owned<'a>(self: &Rc<Self>) -> Get<'a, T, O> {
        Get::new(Handle::Shared(Rc::clone(self)), Location::caller())
    }

    /// Takes an item if there is one.
    ///
    /// # Errors
    ///
    /// If there is none, saying whether one may still come.
    #[doc(alias = "try_recv")]
    #[inline]
    pub fn get_nowait(&self) -> Result<T, GetNowaitError> {
        let item = O::pop(&mut self.store.borrow_mut());
        match item {
            Some(item) => {
                self.putters.wake_one();
                Ok(item)
            }
            None if self.shut_down.get() => Err(GetNowaitError::ShutDown),
            None => Err(GetNowaitError::Empty),
        }
    }

    /// The items as they come, until the queue is shut down and empty: a [`Stream`](futures_core::Stream)
    /// with a [`next`](Items::next) of its own.
    #[doc(alias("stream", "iter", "async for"))]
    #[track_caller]
    pub fn items(&self) -> Items<'_, T, O> {
        Items::new(Handle::Borrowed(self), Location::caller())
    }

    /// As [`items`](Self::items), sharing the queue instead of borrowing it.
    #[track_caller]
    pub fn items_owned<'a>(self: &Rc<Self>) -> Items<'a, T, O> {
        Items::new(Handle::Shared(Rc::clone(self)), Location::caller())
    }

    /// Says that an item which was taken has been dealt with; [`join`](Self::join) waits for that.
    ///
    /// # Panics
    ///
    /// If called more often than items were put.
    pub fn task_done(&self) {
        let left = self.unfinished.get().checked_sub(1);
        self.unfinished
            .set(left.expect("task_done() called more often than items were put"));
        self.release_joiners();
    }

    /// Waits until every item that was put has been reported done.
    ///
    /// # Cancel safety
    ///
    /// Nothing is lost.
    #[track_caller]
    pub fn join(&self) -> Join<'_, T, O> {
        Join::new(Handle::Borrowed(self), Location::caller())
    }

    /// Ends the queue: nothing more can be put, and who waits to put gets its item back. Items that are in
    /// it can still be taken, unless `immediate`: then they are dropped and count as done. Calling it again
    /// is allowed.
    #[doc(alias = "close")]
    pub fn shutdown(&self, immediate: bool) {
        self.shut_down.set(true);
        if immediate {
            // Destructors of items are foreign code: they run after the borrow, and after the wake-ups'
            // conditions are as they will be.
            let dropped = self.store.take();
            self.unfinished
                .set(self.unfinished.get().saturating_sub(O::len(&dropped)));
            self.wake_for_shutdown();
            drop(dropped);
        } else {
            self.wake_for_shutdown();
        }
    }

    fn wake_for_shutdown(&self) {
        self.release_joiners();
        self.getters.wake_all();
        self.putters.wake_all();
    }

    fn release_joiners(&self) {
        if self.unfinished.get() == 0 {
            self.joiners.wake_all();
        }
    }

    /// Whether [`shutdown`](Self::shutdown) was called.
    pub fn is_shut_down(&self) -> bool {
        self.shut_down.get()
    }

    /// Items in the queue.
    #[doc(alias = "qsize")]
    pub fn len(&self) -> usize {
        O::len(&self.store.borrow())
    }

    /// Whether there is no item.
    #[doc(alias = "empty")]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether there is no room. Never, without a bound.
    #[doc(alias = "full")]
    pub fn is_full(&self) -> bool {
        self.len() >= self.room
    }

    /// The most items there may be; `None` without a bound.
    #[doc(alias = "capacity")]
    pub fn maxsize(&self) -> Option<usize> {
        (self.room != UNBOUNDED).then_some(self.room)
    }

    /// Counts of items and of those who wait.
    pub fn statistics(&self) -> QueueStatistics {
        QueueStatistics {
            size: self.len(),
            maxsize: self.maxsize(),
            unfinished: self.unfinished.get(),
            shut_down: self.shut_down.get(),
            getters: self.getters.waiting(),
            putters: self.putters.waiting(),
            joiners: self.joiners.waiting(),
        }
    }
}

impl<T, O: Order<T>> fmt::Debug for OrderedQueue<T, O> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Queue")
            .field("name", &self.name())
            .field("size", &self.len())
            .field("maxsize", &self.maxsize())
            .field("unfinished", &self.unfinished.get())
            .field("shut_down", &self.shut_down.get())
            .finish_non_exhaustive()
    }
}
