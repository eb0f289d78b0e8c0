//! [`Event`]: a flag that tasks can wait for.

use std::cell::Cell;
use std::fmt;
use std::future::Future;
use std::ops::Deref;
use std::panic::Location;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

use crate::name::name_methods;
use crate::observe::{self, kind};
use crate::waiters::{Crowd, Ticket};

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
    waiters: Crowd,
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

/// The future of [`Event::wait`] and [`Event::wait_owned`]. `E` is how it reaches the event.
#[must_use = "futures do nothing unless awaited"]
pub struct Wait<E: Deref<Target = Event>> {
    event: E,
    ticket: Option<Ticket>,
    location: &'static Location<'static>,
}

impl Event {
    /// An event that is not set.
    pub const fn new() -> Self {
        Event {
            set: Cell::new(false),
            waiters: Crowd::new(),
            name: None,
        }
    }

    name_methods!();

    /// Raises the flag and wakes everybody who waits, in the order in which they came.
    #[inline]
    pub fn set(&self) {
        self.set.set(true);
        self.waiters.wake_all();
    }

    /// Lowers the flag. Those whom a [`set`](Self::set) woke are not held back.
    #[inline]
    pub fn clear(&self) {
        self.set.set(false);
    }

    /// Whether the flag is up.
    #[inline]
    pub fn is_set(&self) -> bool {
        self.set.get()
    }

    /// Waits until the flag is up, or was up for a moment.
    ///
    /// # Cancel safety
    ///
    /// Nothing is lost: a wake-up is not handed out, everybody gets it.
    #[track_caller]
    #[inline]
    pub fn wait(&self) -> Wait<&Self> {
        Wait {
            event: self,
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
    #[inline]
    pub fn wait_owned(self: &Rc<Self>) -> Wait<Rc<Self>> {
        Wait {
            event: Rc::clone(self),
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

impl Event {
    /// Begins a wait, unless the flag is up by the time that the waker is cloned: then there is no ticket.
    #[inline(never)]
    fn begin(
        &self,
        ticket: &mut Option<Ticket>,
        waker: &Waker,
        location: &'static Location<'static>,
    ) {
        let waker = waker.clone();
        if self.is_set() {
            return;
        }
        *ticket = Some(self.waiters.join(waker));
        self.tell(location);
    }

    /// Goes on with a wait; whether it was told while the waker was cloned.
    #[cold]
    #[inline(never)]
    fn go_on(&self, ticket: Ticket, waker: &Waker, location: &'static Location<'static>) -> bool {
        let told = self.waiters.renew(ticket, waker);
        if !told {
            self.tell(location);
        }
        told
    }

    #[inline]
    fn tell(&self, location: &'static Location<'static>) {
        let name = self.name.as_ref();
        observe::waits(kind!("Event"), name, location);
    }

    /// A wait is given up. What it had been told is nobody else's loss.
    #[inline(never)]
    fn give_up(&self, ticket: Ticket) {
        self.waiters.forget(Some(ticket));
    }
}

impl<E: Deref<Target = Event> + Unpin> Future for Wait<E> {
    type Output = ();

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let this = self.get_mut();
        let event = &*this.event;
        match this.ticket {
            None => {
                if !event.is_set() {
                    event.begin(&mut this.ticket, cx.waker(), this.location);
                }
                if this.ticket.is_some() {
                    return Poll::Pending;
                }
            }
            Some(ticket) => {
                let told =
                    event.waiters.is_told(ticket) || event.go_on(ticket, cx.waker(), this.location);
                if !told {
                    return Poll::Pending;
                }
                this.ticket = None;
            }
        }
        Poll::Ready(())
    }
}

impl<E: Deref<Target = Event>> Drop for Wait<E> {
    #[inline]
    fn drop(&mut self) {
        if let Some(ticket) = self.ticket {
            self.event.give_up(ticket);
        }
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

impl<E: Deref<Target = Event>> fmt::Debug for Wait<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Wait")
            .field("event", &*self.event)
            .finish_non_exhaustive()
    }
}
