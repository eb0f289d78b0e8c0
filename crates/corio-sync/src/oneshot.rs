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
//! A channel is one allocation. A [`Pool`] opens channels in memory that is used again, for requests that
//! keep coming. A [`Slot`] is a channel without an allocation, for ends that stay within a scope.

use std::fmt;
use std::future::Future;
use std::mem;
use std::ops::Deref;
use std::panic::Location;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

use crate::closed::{Closed, RecvNowaitError};
use crate::observe::{self, kind};
use pool::Origin;
use slot::{CLOSED, SENT, WATCHED, keep};

mod pool;
mod slot;

pub use pool::{Pool, PoolStatistics};
pub use slot::Slot;

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
///
/// Each channel is an allocation, which is more than half of its time. A [`Slot`] has none, and a [`Pool`] none once
/// it is warm: where channels follow one another, both are more than twice as fast.
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

/// What both ends can do.
macro_rules! end_methods {
    () => {
        /// Gives the channel a name, shown wherever a task is seen waiting for it. The first name stays, and the
        /// channels of a [`Pool`] have that of their pool.
        #[must_use = "the end comes back"]
        pub fn named(self, name: impl Into<Rc<str>>) -> Self {
            self.slot.origin.get_or_init(|| Origin::named(name.into()));
            self
        }

        /// The name given with `named` to an end, the [`Slot`] or the [`Pool`].
        pub fn name(&self) -> Option<&str> {
            self.slot.name().map(|name| &**name)
        }

        /// How far the channel is.
        pub fn statistics(&self) -> OneshotStatistics {
            self.slot.statistics()
        }
    };
}

impl<T, S: Deref<Target = Slot<T>>> Sender<T, S> {
    end_methods!();

    /// Sends the value.
    ///
    /// # Errors
    ///
    /// Gives it back if the receiver is gone or was closed.
    #[inline]
    pub fn send(self, value: T) -> Result<(), T> {
        if self.slot.has(CLOSED) {
            return self.refuse(value);
        }
        // The place is empty: forgetting that spares the check.
        mem::forget(self.slot.value.replace(Ok(value)));
        self.slot.raise(SENT);
        // The drop of `self` wakes the receiver.
        Ok(())
    }

    #[cold]
    #[inline(never)]
    fn refuse(self, value: T) -> Result<(), T> {
        Err(value)
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
}

impl<T, S: Deref<Target = Slot<T>>> Receiver<T, S> {
    end_methods!();

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
        if slot.is_over() {
            return slot.outcome_meanwhile();
        }
        observe::waits(kind!("oneshot"), slot.name(), self.location);
        Poll::Pending
    }
}

impl<T> Future for WaitClosed<'_, T> {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let slot = self.slot;
        if !slot.has(CLOSED) {
            slot.raise(WATCHED);
            keep(&slot.sender, cx.waker());
        }
        if slot.has(CLOSED) {
            drop(slot.sender.take());
            return Poll::Ready(());
        }
        observe::waits(kind!("oneshot::closed"), slot.name(), self.location);
        Poll::Pending
    }
}

impl<T, S: Deref<Target = Slot<T>>> Drop for Sender<T, S> {
    #[inline]
    fn drop(&mut self) {
        self.slot.leave_sender();
    }
}

impl<T, S: Deref<Target = Slot<T>>> Drop for Receiver<T, S> {
    #[inline]
    fn drop(&mut self) {
        self.slot.leave_receiver();
    }
}

impl<T> Drop for WaitClosed<'_, T> {
    fn drop(&mut self) {
        drop(self.slot.sender.take());
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
