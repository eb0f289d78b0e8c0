//! [`Event`]: a flag that tasks can wait for.

use std::cell::Cell;
use std::fmt;
use std::future::Future;
use std::panic::Location;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

use crate::handle::Handle;
use crate::name::name_methods;
use crate::observe::{self, kind};
use crate::waiters::{Ticket, Waiters};

/// A flag, cleared at first, that any number of tasks can wait for.
///
/// [`set`](Self::set) wakes everybody who waits at that moment, for good: a [`clear`](Self::clear)
/// right after it takes nothing back. Waiting for a set event does not suspend.
///
/// ```
/// use corio_sync::Event;
/// # futures_lite::future::block_on(async {
/// let ready = Event::new();
/// assert!(!ready.is_set());
/// ready.set();
/// ready.wait().await;
/// # });
/// ```
#[doc(alias("asyncio.Event", "Notify", "ManualResetEvent"))]
#[derive(Default)]
pub struct Event {
    set: Cell<bool>,
    waiters: Waiters<()>,
    name: Option<Rc<str>>,
}

/// What [`Event::statistics`] tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct EventStatistics {
    /// Whether the flag is up.
    pub set: bool,
    /// Tasks that wait for it.
    pub waiting: usize,
}

/// The future of [`Event::wait`] and [`Event::wait_owned`].
#[must_use = "futures do nothing unless awaited"]
pub struct Wait<'a> {
    event: Handle<'a, Event>,
    ticket: Option<Ticket>,
    location: &'static Location<'static>,
}

impl Event {
    /// An event that is not set.
    pub const fn new() -> Self {
        Event {
            set: Cell::new(false),
            waiters: Waiters::new(),
            name: None,
        }
    }

    name_methods!();

    /// Raises the flag and wakes everybody who waits, in the order in which they came.
    pub fn set(&self) {
        self.set.set(true);
        self.waiters.wake_all();
    }

    /// Lowers the flag. Those whom a [`set`](Self::set) woke are not held back.
    pub fn clear(&self) {
        self.set.set(false);
    }

    /// Whether the flag is up.
    pub fn is_set(&self) -> bool {
        self.set.get()
    }

    /// Waits until the flag is up, or was up for a moment.
    ///
    /// # Cancel safety
    ///
    /// Nothing is lost: a wake-up is not handed out, everybody gets it.
    #[track_caller]
    pub fn wait(&self) -> Wait<'_> {
        Wait {
            event: Handle::Borrowed(self),
            ticket: None,
            location: Location::caller(),
        }
    }

    /// As [`wait`](Self::wait), with a future that shares the event instead of borrowing it.
    ///
    /// # Cancel safety
    ///
    /// That of [`wait`](Self::wait).
    #[track_caller]
    pub fn wait_owned<'a>(self: &Rc<Self>) -> Wait<'a> {
        Wait {
            event: Handle::Shared(Rc::clone(self)),
            ticket: None,
            location: Location::caller(),
        }
    }

    /// Whether the flag is up and how many wait.
    pub fn statistics(&self) -> EventStatistics {
        EventStatistics {
            set: self.is_set(),
            waiting: self.waiters.waiting(),
        }
    }
}

impl Future for Wait<'_> {
    type Output = ();

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let this = self.get_mut();
        let event = &*this.event;
        let polled = event
            .waiters
            .poll(&mut this.ticket, cx.waker(), (), || event.set.get());
        if polled.is_pending() {
            observe::waits(
                kind!("Event"),
                event.name.as_ref(),
                observe::nobody,
                this.location,
            );
        }
        polled
    }
}

impl Drop for Wait<'_> {
    #[inline]
    fn drop(&mut self) {
        self.event.waiters.forget(self.ticket);
    }
}

impl fmt::Debug for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Event")
            .field("name", &self.name())
            .field("set", &self.is_set())
            .field("waiting", &self.waiters.waiting())
            .finish()
    }
}

impl fmt::Debug for Wait<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Wait")
            .field("event", &*self.event)
            .finish_non_exhaustive()
    }
}
