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

use std::cell::{Cell, OnceCell};
use std::fmt;
use std::future::Future;
use std::panic::Location;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

use crate::closed::{Closed, RecvNowaitError};
use crate::name::shared_name_methods;
use crate::observe;

/// The end that sends the value.
#[derive(Debug)]
pub struct Sender<T> {
    shared: Rc<Shared<T>>,
}

/// The end that receives the value: a future, which gives `Err(`[`Closed`]`)` if the sender went without
/// sending.
///
/// # Cancel safety
///
/// Poll it by reference (`(&mut receiver).await`) to keep it over a timeout. A value that was sent goes
/// with a receiver that is dropped.
#[must_use = "futures do nothing unless awaited"]
#[derive(Debug)]
pub struct Receiver<T> {
    shared: Rc<Shared<T>>,
    location: &'static Location<'static>,
}

/// The future of [`Sender::closed`].
#[must_use = "futures do nothing unless awaited"]
#[derive(Debug)]
pub struct WaitClosed<'a, T> {
    shared: &'a Shared<T>,
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

struct Shared<T> {
    value: Cell<Option<T>>,
    sender_gone: Cell<bool>,
    closed: Cell<bool>,
    receiver: Cell<Option<Waker>>,
    sender: Cell<Option<Waker>>,
    name: OnceCell<Rc<str>>,
}

/// The two ends of a channel for one value.
#[doc(alias = "oneshot")]
#[track_caller]
#[inline]
pub fn channel<T>() -> (Sender<T>, Receiver<T>) {
    let shared = Rc::new(Shared {
        value: Cell::new(None),
        sender_gone: Cell::new(false),
        closed: Cell::new(false),
        receiver: Cell::new(None),
        sender: Cell::new(None),
        name: OnceCell::new(),
    });
    let receiver = Receiver {
        shared: Rc::clone(&shared),
        location: Location::caller(),
    };
    (Sender { shared }, receiver)
}

impl<T> Sender<T> {
    shared_name_methods!(shared.name);

    /// Sends the value.
    ///
    /// # Errors
    ///
    /// Gives it back if the receiver is gone or was closed.
    #[inline]
    pub fn send(self, value: T) -> Result<(), T> {
        if self.shared.closed.get() {
            return Err(value);
        }
        self.shared.value.set(Some(value));
        // The drop of `self` wakes the receiver.
        Ok(())
    }

    /// Whether the receiver is gone or was closed.
    pub fn is_closed(&self) -> bool {
        self.shared.closed.get()
    }

    /// Waits until the receiver is gone or closed, so that work for a value nobody wants can end.
    ///
    /// # Cancel safety
    ///
    /// Nothing is lost.
    #[track_caller]
    pub fn closed(&mut self) -> WaitClosed<'_, T> {
        WaitClosed {
            shared: &self.shared,
            location: Location::caller(),
        }
    }

    /// How far the channel is.
    pub fn statistics(&self) -> OneshotStatistics {
        self.shared.statistics()
    }
}

impl<T> Receiver<T> {
    shared_name_methods!(shared.name);

    /// The value, if it was sent.
    ///
    /// # Errors
    ///
    /// If it was not, saying whether it may still come.
    #[doc(alias = "try_recv")]
    pub fn recv_nowait(&mut self) -> Result<T, RecvNowaitError> {
        match self.shared.outcome() {
            Some(Ok(value)) => Ok(value),
            Some(Err(Closed)) => Err(RecvNowaitError::Closed),
            None => Err(RecvNowaitError::Empty),
        }
    }

    /// Lets nothing be sent any more. A value that was sent before can still be received.
    pub fn close(&mut self) {
        self.shared.close();
    }

    /// How far the channel is.
    pub fn statistics(&self) -> OneshotStatistics {
        self.shared.statistics()
    }
}

impl<T> Shared<T> {
    /// The value, or that none will come.
    #[inline]
    fn outcome(&self) -> Option<Result<T, Closed>> {
        match self.value.take() {
            Some(value) => Some(Ok(value)),
            None if self.sender_gone.get() || self.closed.get() => Some(Err(Closed)),
            None => None,
        }
    }

    fn close(&self) {
        self.closed.set(true);
        wake(&self.sender);
    }

    fn statistics(&self) -> OneshotStatistics {
        let value = self.value.take();
        let sent = value.is_some();
        self.value.set(value);
        OneshotStatistics {
            open: !self.sender_gone.get(),
            sent,
            closed: self.closed.get(),
        }
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

impl<T> Future for Receiver<T> {
    type Output = Result<T, Closed>;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let shared = &*self.shared;
        if let Some(outcome) = shared.outcome() {
            return Poll::Ready(outcome);
        }
        keep(&shared.receiver, cx.waker());
        // Cloning a waker is foreign code, which may have sent the value.
        if let Some(outcome) = shared.outcome() {
            return Poll::Ready(outcome);
        }
        observe::waits("oneshot", shared.name.get(), observe::nobody, self.location);
        Poll::Pending
    }
}

impl<T> Future for WaitClosed<'_, T> {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let shared = self.shared;
        if !shared.closed.get() {
            keep(&shared.sender, cx.waker());
        }
        if shared.closed.get() {
            return Poll::Ready(());
        }
        observe::waits(
            "oneshot::closed",
            shared.name.get(),
            observe::nobody,
            self.location,
        );
        Poll::Pending
    }
}

impl<T> Drop for Sender<T> {
    #[inline]
    fn drop(&mut self) {
        self.shared.sender_gone.set(true);
        wake(&self.shared.receiver);
    }
}

impl<T> Drop for Receiver<T> {
    #[inline]
    fn drop(&mut self) {
        drop(self.shared.receiver.take());
        self.shared.close();
    }
}

impl<T> Drop for WaitClosed<'_, T> {
    fn drop(&mut self) {
        drop(self.shared.sender.take());
    }
}

impl<T> fmt::Debug for Shared<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.statistics().fmt(f)
    }
}
