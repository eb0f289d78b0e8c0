//! [`Slot`]: where a value is on its way, and which end has gone.

use std::cell::{Cell, OnceCell};
use std::fmt;
use std::mem;
use std::panic::Location;
use std::rc::Rc;
use std::task::{Poll, Waker};

use super::pool::Origin;
use super::{OneshotStatistics, Receiver, Sender};
use crate::closed::Closed;

/// Room for one value on its way. It is what the ends of a [`channel`](super::channel) share; on its own, it is a channel
/// that is not allocated and whose ends borrow it.
///
/// Whichever end goes last leaves nothing in it but the name.
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
    /// Which of the constants below hold.
    pub(super) flags: Cell<u8>,
    /// What the receiver would get if nothing more came.
    pub(super) value: Cell<Result<T, Closed>>,
    pub(super) receiver: Cell<Option<Waker>>,
    pub(super) sender: Cell<Option<Waker>>,
    pub(super) origin: OnceCell<Box<Origin<T>>>,
}

/// Whoever goes last brings the slot back to its pool.
pub(super) const ON_LOAN: u8 = 1;
/// Somebody has waited for the receiver to close. With no more than this, the receiver has to wait.
pub(super) const WATCHED: u8 = 2;
/// A value is there. The sender is gone then, or about to go.
pub(super) const SENT: u8 = 4;
/// Nothing more will be sent.
pub(super) const SENDER_GONE: u8 = 8;
/// Nothing more may be sent: the receiver is gone or closed.
pub(super) const CLOSED: u8 = 16;
/// The receiver is gone. One that goes last on the usual path does not say so.
pub(super) const RECEIVER_GONE: u8 = 32;

impl<T> Slot<T> {
    /// An empty one.
    pub const fn new() -> Self {
        Slot {
            flags: Cell::new(0),
            value: Cell::new(Err(Closed)),
            receiver: Cell::new(None),
            sender: Cell::new(None),
            origin: OnceCell::new(),
        }
    }

    /// The two ends of a channel through this. The ends of a use before are gone.
    #[track_caller]
    #[inline]
    pub fn open(&mut self) -> (Sender<T, &Self>, Receiver<T, &Self>) {
        // Ends that were leaked may have left something.
        if mem::replace(self.flags.get_mut(), 0) != SENDER_GONE {
            *self.value.get_mut() = Err(Closed);
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
            origin: OnceCell::from(Origin::named(name.into())),
            ..self
        }
    }

    pub(super) fn name(&self) -> Option<&Rc<str>> {
        self.origin.get().and_then(|origin| origin.name.as_ref())
    }

    #[inline]
    pub(super) fn has(&self, flag: u8) -> bool {
        self.flags.get() & flag != 0
    }

    /// Whether the receiver has nothing to wait for.
    #[inline]
    pub(super) fn is_over(&self) -> bool {
        self.flags.get() >= SENT
    }

    /// Whether the sender is gone and nothing is left to receive. The receiver may be gone too, and the sender
    /// not yet: it wakes the receiver before it gives up its share.
    pub(super) fn is_ending(&self) -> bool {
        self.flags.get() & (SENDER_GONE | SENT) == SENDER_GONE
    }

    #[inline]
    pub(super) fn raise(&self, flags: u8) {
        self.flags.set(self.flags.get() | flags);
    }

    /// The value, or that none will come.
    #[inline]
    pub(super) fn outcome(&self) -> Option<Result<T, Closed>> {
        if !self.is_over() {
            return None;
        }
        self.flags.set(self.flags.get() & !SENT);
        Some(self.value.replace(Err(Closed)))
    }

    /// [`outcome`](Self::outcome), where a waker was kept too late to be woken.
    #[cold]
    #[inline(never)]
    pub(super) fn outcome_meanwhile(&self) -> Poll<Result<T, Closed>> {
        drop(self.receiver.take());
        self.outcome().map_or(Poll::Pending, Poll::Ready)
    }

    pub(super) fn close(&self) {
        self.raise(CLOSED);
        wake(&self.sender);
    }

    /// The receiver goes.
    #[inline]
    pub(super) fn leave_receiver(&self) {
        // Most often the sender is gone, and its value was received: nothing is left.
        const OVER: u8 = SENDER_GONE;
        const OVER_ON_LOAN: u8 = SENDER_GONE | ON_LOAN;
        match self.flags.get() {
            OVER => {}
            OVER_ON_LOAN => self.go_home(),
            _ => self.leave_receiver_early(),
        }
    }

    /// The receiver goes before the sender, or without the value.
    #[cold]
    #[inline(never)]
    fn leave_receiver_early(&self) {
        self.close();
        drop(self.receiver.take());
        drop(self.value.replace(Err(Closed)));
        // Nobody else's code from here on: either the sender sees this, or this sees the sender's.
        self.raise(RECEIVER_GONE);
        if self.has(SENDER_GONE) {
            self.go_home();
        }
    }

    /// The sender goes.
    #[inline]
    pub(super) fn leave_sender(&self) {
        self.raise(SENDER_GONE);
        if self.has(CLOSED) {
            self.leave_sender_late();
        } else {
            wake(&self.receiver);
        }
    }

    /// The sender goes after the receiver was closed.
    #[cold]
    #[inline(never)]
    fn leave_sender_late(&self) {
        if self.has(RECEIVER_GONE) {
            self.go_home();
        } else {
            wake(&self.receiver);
        }
    }

    /// Both ends are gone, or as good as gone.
    #[inline(never)]
    fn go_home(&self) {
        let origin = self.origin.get().filter(|_| self.has(ON_LOAN));
        if let Some(origin) = origin {
            origin.take_back();
        }
    }

    pub(super) fn statistics(&self) -> OneshotStatistics {
        let (open, sent) = (!self.has(SENDER_GONE), self.has(SENT));
        OneshotStatistics {
            open,
            sent,
            closed: self.has(CLOSED),
        }
    }
}

#[inline]
pub(super) fn wake(waker: &Cell<Option<Waker>>) {
    if let Some(waker) = waker.take() {
        waker.wake();
    }
}

/// Keeps `waker` to be woken, in the place of another one.
#[inline]
pub(super) fn keep(kept: &Cell<Option<Waker>>, waker: &Waker) {
    match kept.take() {
        // Nobody puts another one here meanwhile: forgetting that there is none spares the check.
        None => mem::forget(kept.replace(Some(waker.clone()))),
        Some(known) => keep_one_of(kept, known, waker),
    }
}

#[inline(never)]
fn keep_one_of(kept: &Cell<Option<Waker>>, known: Waker, waker: &Waker) {
    if known.will_wake(waker) {
        kept.set(Some(known));
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
