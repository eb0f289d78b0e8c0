//! [`channel`]: one value, once.
//!
//! ```
//! use corio_sync::oneshot;
//! # use futures_lite::future;
//! # future::block_on(async {
//! let (sender, receiver) = oneshot::channel();
//! let (answer, sent) = future::zip(receiver, async { sender.send(42) }).await;
//! assert_eq!(answer, Ok(42));
//! assert_eq!(sent, Ok(()));
//! # });
//! ```
//!
//! A channel is one allocation. A [`Slot`] is a channel without one, for ends that stay within a scope,
//! and can be used again.

use std::cell::{Cell, OnceCell};
use std::fmt;
use std::future::Future;
use std::mem;
use std::ops::Deref;
use std::panic::Location;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

use crate::closed::{Closed, RecvNowaitError};
use crate::name::shared_name_methods;
use crate::observe::{self, kind};

/// The end that sends the value. `S` is how it reaches the channel, of which it has a share unless the
/// channel is a [`Slot`].
pub struct Sender<T, S: Deref<Target = Slot<T>> = Rc<Slot<T>>> {
    slot: S,
}

/// The end that receives the value: a future, which gives `Err(`[`Closed`]`)` if the sender went without
/// sending. `S` is as with [`Sender`].
///
/// # Cancel safety
///
/// Poll it by reference (`(&mut receiver).await`) to keep it over a timeout. A value that was sent goes
/// with a receiver that is dropped.
#[must_use = "futures do nothing unless awaited"]
pub struct Receiver<T, S: Deref<Target = Slot<T>> = Rc<Slot<T>>> {
    slot: S,
    location: &'static Location<'static>,
}

/// Room for one value on its way. It is what the ends of a [`channel`] share; on its own, it is a channel
/// that is not allocated and whose ends borrow it.
///
/// ```
/// use corio_sync::oneshot::Slot;
/// # futures_lite::future::block_on(async {
/// let mut slot = Slot::new();
/// for number in 0..3 {
///     let (sender, receiver) = slot.open();
///     sender.send(number).unwrap();
///     assert_eq!(receiver.await, Ok(number));
/// }
/// # });
/// ```
pub struct Slot<T> {
    /// Which of [`SENT`], [`SENDER_GONE`] and [`CLOSED`] hold; with none, the receiver has to wait.
    flags: Cell<u8>,
    value: Cell<Option<T>>,
    receiver: Cell<Option<Waker>>,
    sender: Cell<Option<Waker>>,
    name: OnceCell<Rc<str>>,
}

/// A value is there.
const SENT: u8 = 1;
/// Nothing more will be sent.
const SENDER_GONE: u8 = 2;
/// Nothing more may be sent: the receiver is gone or closed.
const CLOSED: u8 = 4;

/// The future of [`Sender::closed`].
#[must_use = "futures do nothing unless awaited"]
#[derive(Debug)]
pub struct WaitClosed<'a, T> {
    slot: &'a Slot<T>,
    location: &'static Location<'static>,
}

/// What [`Sender::statistics`] and [`Receiver::statistics`] tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct OneshotStatistics {
    /// Whether the sender is there and the value not sent.
    pub open: bool,
    /// Whether a value is waiting to be received.
    pub sent: bool,
    /// Whether the receiver is gone or closed.
    pub closed: bool,
}

/// The two ends of a channel for one value.
#[doc(alias = "oneshot")]
#[track_caller]
#[inline]
pub fn channel<T>() -> (Sender<T>, Receiver<T>) {
    // By its default, a share is filled where it lies, without a copy.
    let slot: Rc<Slot<T>> = Rc::default();
    let receiver = Receiver {
        slot: Rc::clone(&slot),
        location: Location::caller(),
    };
    (Sender { slot }, receiver)
}

impl<T> Slot<T> {
    /// An empty one.
    pub const fn new() -> Self {
        Slot {
            flags: Cell::new(0),
            value: Cell::new(None),
            receiver: Cell::new(None),
            sender: Cell::new(None),
            name: OnceCell::new(),
        }
    }

    /// The two ends of a channel through this. The ends of a use before are gone, and so is a value that
    /// was not received then.
    #[track_caller]
    #[inline]
    pub fn open(&mut self) -> (Sender<T, &Self>, Receiver<T, &Self>) {
        // After a sender that went, and a receiver that was there to the end, nothing is left.
        if mem::replace(self.flags.get_mut(), 0) != SENDER_GONE {
            self.value.take();
            self.receiver.take();
            self.sender.take();
        }
        let slot = &*self;
        (
            Sender { slot },
            Receiver {
                slot,
                location: Location::caller(),
            },
        )
    }

    /// Gives the channel a name, shown wherever a task is seen waiting for it.
    #[must_use]
    pub fn named(self, name: impl Into<Rc<str>>) -> Self {
        Slot {
            name: OnceCell::from(name.into()),
            ..self
        }
    }

    #[inline]
    fn has(&self, flag: u8) -> bool {
        self.flags.get() & flag != 0
    }

    #[inline]
    fn raise(&self, flags: u8) {
        self.flags.set(self.flags.get() | flags);
    }

    /// The value, or that none will come.
    #[inline]
    fn outcome(&self) -> Option<Result<T, Closed>> {
        let flags = self.flags.get();
        if flags == 0 {
            return None;
        }
        self.flags.set(flags & !SENT);
        Some(self.value.take().ok_or(Closed))
    }

    fn close(&self) {
        self.raise(CLOSED);
        wake(&self.sender);
    }

    fn statistics(&self) -> OneshotStatistics {
        let (open, sent) = (!self.has(SENDER_GONE), self.has(SENT));
        OneshotStatistics {
            open,
            sent,
            closed: self.has(CLOSED),
        }
    }
}

impl<T, S: Deref<Target = Slot<T>>> Sender<T, S> {
    shared_name_methods!(slot.name);

    /// Sends the value.
    ///
    /// # Errors
    ///
    /// Gives it back if the receiver is gone or was closed.
    #[inline]
    pub fn send(self, value: T) -> Result<(), T> {
        if self.slot.has(CLOSED) {
            return Err(value);
        }
        // The place is empty: forgetting that spares the check.
        mem::forget(self.slot.value.replace(Some(value)));
        self.slot.raise(SENT);
        // The drop of `self` wakes the receiver.
        Ok(())
    }

    /// Whether the receiver is gone or was closed.
    pub fn is_closed(&self) -> bool {
        self.slot.has(CLOSED)
    }

    /// Waits until the receiver is gone or closed, so that work for a value nobody wants can end.
    ///
    /// # Cancel safety
    ///
    /// Nothing is lost.
    #[track_caller]
    pub fn closed(&mut self) -> WaitClosed<'_, T> {
        WaitClosed {
            slot: &self.slot,
            location: Location::caller(),
        }
    }

    /// How far the channel is.
    pub fn statistics(&self) -> OneshotStatistics {
        self.slot.statistics()
    }
}

impl<T, S: Deref<Target = Slot<T>>> Receiver<T, S> {
    shared_name_methods!(slot.name);

    /// The value, if it was sent.
    ///
    /// # Errors
    ///
    /// If it was not, saying whether it may still come.
    #[doc(alias = "try_recv")]
    pub fn recv_nowait(&mut self) -> Result<T, RecvNowaitError> {
        match self.slot.outcome() {
            Some(Ok(value)) => Ok(value),
            Some(Err(Closed)) => Err(RecvNowaitError::Closed),
            None => Err(RecvNowaitError::Empty),
        }
    }

    /// Lets nothing be sent any more. A value that was sent before can still be received.
    pub fn close(&mut self) {
        self.slot.close();
    }

    /// How far the channel is.
    pub fn statistics(&self) -> OneshotStatistics {
        self.slot.statistics()
    }
}

impl<T, S: Deref<Target = Slot<T>> + Unpin> Future for Receiver<T, S> {
    type Output = Result<T, Closed>;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let slot = &*self.slot;
        if let Some(outcome) = slot.outcome() {
            return Poll::Ready(outcome);
        }
        keep(&slot.receiver, cx.waker());
        // Cloning a waker is foreign code, which may have sent the value.
        if let Some(outcome) = slot.outcome() {
            return Poll::Ready(outcome);
        }
        observe::waits(
            kind!("oneshot"),
            slot.name.get(),
            observe::nobody,
            self.location,
        );
        Poll::Pending
    }
}

impl<T> Future for WaitClosed<'_, T> {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let slot = self.slot;
        if !slot.has(CLOSED) {
            keep(&slot.sender, cx.waker());
        }
        if slot.has(CLOSED) {
            return Poll::Ready(());
        }
        observe::waits(
            kind!("oneshot::closed"),
            slot.name.get(),
            observe::nobody,
            self.location,
        );
        Poll::Pending
    }
}

impl<T, S: Deref<Target = Slot<T>>> Drop for Sender<T, S> {
    #[inline]
    fn drop(&mut self) {
        self.slot.raise(SENDER_GONE);
        wake(&self.slot.receiver);
    }
}

impl<T, S: Deref<Target = Slot<T>>> Drop for Receiver<T, S> {
    #[inline]
    fn drop(&mut self) {
        // The sender takes the receiver's waker with it when it goes.
        if !self.slot.has(SENDER_GONE) {
            drop(self.slot.receiver.take());
            self.slot.close();
        }
    }
}

impl<T> Drop for WaitClosed<'_, T> {
    fn drop(&mut self) {
        drop(self.slot.sender.take());
    }
}

#[inline]
fn wake(waker: &Cell<Option<Waker>>) {
    if let Some(waker) = waker.take() {
        waker.wake();
    }
}

/// Keeps `waker` to be woken, in the place of another one.
#[inline]
fn keep(kept: &Cell<Option<Waker>>, waker: &Waker) {
    let known = kept.take();
    if known.as_ref().is_some_and(|known| known.will_wake(waker)) {
        kept.set(known);
    } else {
        kept.set(Some(waker.clone()));
    }
}

impl<T> Default for Slot<T> {
    #[inline]
    fn default() -> Self {
        Slot::new()
    }
}

impl<T> fmt::Debug for Slot<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.statistics().fmt(f)
    }
}

impl<T, S: Deref<Target = Slot<T>>> fmt::Debug for Sender<T, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Sender").field(&self.statistics()).finish()
    }
}

impl<T, S: Deref<Target = Slot<T>>> fmt::Debug for Receiver<T, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Receiver").field(&self.statistics()).finish()
    }
}
