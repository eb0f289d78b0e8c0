//! [`channel`]: the latest value, and a wake-up when it changes.
//!
//! Receivers see the newest value, not every value. What they get is a share of it, so nothing is
//! borrowed from the channel while it is looked at.
//!
//! ```
//! use corio_sync::watch;
//! # futures_lite::future::block_on(async {
//! let (sender, mut receiver) = watch::channel("starting");
//! assert_eq!(*receiver.latest(), "starting");
//! sender.send("loading").unwrap();
//! sender.send("ready").unwrap();
//! receiver.changed().await.unwrap();
//! assert_eq!(*receiver.latest(), "ready");
//! # });
//! ```

use std::cell::{Cell, RefCell};
use std::fmt;
use std::future::Future;
use std::mem;
use std::panic::Location;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready};

use crate::closed::{Closed, SendError};
use crate::name::shared_name_methods;
use crate::observe::kind;
use crate::sides::Sides;
use crate::waiters::Ticket;

/// The sending end. Clones set the same value.
pub struct Sender<T> {
    shared: Rc<Shared<T>>,
}

/// A receiving end, which remembers which value it has seen. A clone has seen the same.
pub struct Receiver<T> {
    shared: Rc<Shared<T>>,
    seen: u64,
}

/// The future of [`Receiver::changed`].
#[must_use = "futures do nothing unless awaited"]
pub struct Changed<'a, T> {
    receiver: &'a mut Receiver<T>,
    ticket: Option<Ticket>,
    location: &'static Location<'static>,
}

/// The future of [`Receiver::wait_for`].
#[must_use = "futures do nothing unless awaited"]
pub struct WaitFor<'a, T, P> {
    changed: Changed<'a, T>,
    predicate: P,
    looked: bool,
}

/// What [`Sender::statistics`] tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct WatchStatistics {
    /// How often a value was sent.
    pub version: u64,
    /// Senders that exist.
    pub senders: usize,
    /// Receivers that exist.
    pub receivers: usize,
    /// Tasks that wait for a change.
    pub waiting: usize,
}

struct Shared<T> {
    value: RefCell<Rc<T>>,
    version: Cell<u64>,
    sides: Sides,
}

/// A channel that begins with `value`, which counts as seen.
#[doc(alias = "watch")]
pub fn channel<T>(value: T) -> (Sender<T>, Receiver<T>) {
    let shared = Rc::new(Shared {
        value: RefCell::new(Rc::new(value)),
        version: Cell::new(0),
        sides: Sides::new(),
    });
    let receiver = Receiver::new(&shared, 0);
    (Sender { shared }, receiver)
}

impl<T> Sender<T> {
    shared_name_methods!(shared.sides.name);

    /// Sets the value and wakes every receiver that waits.
    ///
    /// # Errors
    ///
    /// Gives the value back if no receiver is left; it is not set.
    pub fn send(&self, value: T) -> Result<(), SendError<T>> {
        if self.shared.sides.receivers.get() == 0 {
            return Err(SendError(value));
        }
        drop(self.send_replace(value));
        Ok(())
    }

    /// Sets the value, whether or not anybody receives it, and returns the share of the one before.
    pub fn send_replace(&self, value: T) -> Rc<T> {
        let before = mem::replace(&mut *self.shared.value.borrow_mut(), Rc::new(value));
        self.shared.version.set(self.shared.version.get() + 1);
        self.shared.sides.waiters.wake_all();
        before
    }

    /// Sets what `update` makes of the value.
    #[doc(alias = "send_modify")]
    pub fn update(&self, update: impl FnOnce(&T) -> T) {
        let value = self.latest();
        drop(self.send_replace(update(&value)));
    }

    /// The value.
    #[doc(alias = "borrow")]
    pub fn latest(&self) -> Rc<T> {
        self.shared.latest()
    }

    /// A receiver that has seen the value as it is.
    pub fn subscribe(&self) -> Receiver<T> {
        Receiver::new(&self.shared, self.shared.version.get())
    }

    /// Whether no receiver is left.
    pub fn is_closed(&self) -> bool {
        self.shared.sides.receivers.get() == 0
    }

    /// Counts of changes, ends and those who wait.
    pub fn statistics(&self) -> WatchStatistics {
        WatchStatistics {
            version: self.shared.version.get(),
            senders: self.shared.sides.senders.get(),
            receivers: self.shared.sides.receivers.get(),
            waiting: self.shared.sides.waiters.waiting(),
        }
    }
}

impl<T> Receiver<T> {
    fn new(shared: &Rc<Shared<T>>, seen: u64) -> Self {
        shared.sides.receivers.comes();
        Receiver {
            shared: Rc::clone(shared),
            seen,
        }
    }

    shared_name_methods!(shared.sides.name);

    /// The value, which does not count as seen by this.
    #[doc(alias("borrow", "get"))]
    pub fn latest(&self) -> Rc<T> {
        self.shared.latest()
    }

    /// The value, which counts as seen.
    #[doc(alias = "borrow_and_update")]
    pub fn see(&mut self) -> Rc<T> {
        self.seen = self.shared.version.get();
        self.shared.latest()
    }

    /// Whether a value was sent that this receiver has not seen.
    pub fn has_changed(&self) -> bool {
        self.seen != self.shared.version.get()
    }

    /// Waits for a value that was not seen, which then counts as seen.
    ///
    /// # Errors
    ///
    /// If no sender is left and the last value has been seen.
    ///
    /// # Cancel safety
    ///
    /// A future that is dropped has not seen anything.
    #[track_caller]
    pub fn changed(&mut self) -> Changed<'_, T> {
        Changed {
            receiver: self,
            ticket: None,
            location: Location::caller(),
        }
    }

    /// Waits until `predicate` is content with the value, and gives it; it counts as seen. The value
    /// there is now is looked at first.
    ///
    /// # Errors
    ///
    /// If no sender is left and the last value is not what is wanted.
    ///
    /// # Cancel safety
    ///
    /// Nothing is lost; values that were looked at count as seen.
    #[track_caller]
    pub fn wait_for<P: FnMut(&T) -> bool>(&mut self, predicate: P) -> WaitFor<'_, T, P> {
        WaitFor {
            changed: self.changed(),
            predicate,
            looked: false,
        }
    }
}

impl<T> Shared<T> {
    fn latest(&self) -> Rc<T> {
        Rc::clone(&self.value.borrow())
    }

    /// Whether there is news, or none will come.
    fn look(&self, seen: &mut u64) -> Option<Result<(), Closed>> {
        let version = self.version.get();
        if mem::replace(seen, version) != version {
            return Some(Ok(()));
        }
        (self.sides.senders.get() == 0).then_some(Err(Closed))
    }
}

impl<T> Changed<'_, T> {
    fn poll_changed(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Closed>> {
        let Receiver { shared, seen } = &mut *self.receiver;
        let (kind, location) = (kind!("watch"), self.location);
        let look = || shared.look(seen);
        shared
            .sides
            .poll(&mut self.ticket, cx.waker(), kind, location, look)
    }
}

impl<T> Future for Changed<'_, T> {
    type Output = Result<(), Closed>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        self.get_mut().poll_changed(cx)
    }
}

impl<T, P: FnMut(&T) -> bool> Future for WaitFor<'_, T, P> {
    type Output = Result<Rc<T>, Closed>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.get_mut();
        loop {
            if this.looked {
                ready!(this.changed.poll_changed(cx))?;
            }
            this.looked = true;
            let value = this.changed.receiver.see();
            if (this.predicate)(&value) {
                return Poll::Ready(Ok(value));
            }
        }
    }
}

/// The predicate is never pinned.
impl<T, P> Unpin for WaitFor<'_, T, P> {}

impl<T> Clone for Sender<T> {
    fn clone(&self) -> Self {
        self.shared.sides.senders.comes();
        Sender {
            shared: Rc::clone(&self.shared),
        }
    }
}

impl<T> Clone for Receiver<T> {
    fn clone(&self) -> Self {
        Receiver::new(&self.shared, self.seen)
    }
}

impl<T> Drop for Sender<T> {
    fn drop(&mut self) {
        self.shared.sides.sender_goes();
    }
}

impl<T> Drop for Receiver<T> {
    fn drop(&mut self) {
        self.shared.sides.receivers.goes();
    }
}

impl<T> Drop for Changed<'_, T> {
    fn drop(&mut self) {
        self.receiver.shared.sides.waiters.forget(self.ticket);
    }
}

impl<T> fmt::Debug for Sender<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sender")
            .field("version", &self.shared.version.get())
            .finish()
    }
}

impl<T> fmt::Debug for Receiver<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Receiver")
            .field("seen", &self.seen)
            .finish_non_exhaustive()
    }
}

impl<T> fmt::Debug for Changed<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Changed")
            .field("receiver", &self.receiver)
            .finish()
    }
}

impl<T, P> fmt::Debug for WaitFor<'_, T, P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WaitFor")
            .field("receiver", &self.changed.receiver)
            .finish()
    }
}
