//! [`channel`]: every value to every receiver.
//!
//! Sending never waits: a receiver that falls behind by more than the capacity loses the oldest values
//! and is told how many. A receiver sees what is sent after it was made.
//!
//! ```
//! use corio_sync::broadcast::{self, RecvError};
//! # futures_lite::future::block_on(async {
//! let (sender, mut first) = broadcast::channel(2);
//! let mut second = sender.subscribe();
//! sender.send("a").unwrap();
//! assert_eq!(first.recv().await, Ok("a"));
//! sender.send("b").unwrap();
//! sender.send("c").unwrap();
//! assert_eq!(second.recv().await, Err(RecvError::Lagged(1)));
//! assert_eq!(second.recv().await, Ok("b"));
//! # });
//! ```

mod ring;

use std::cell::{Cell, OnceCell, RefCell};
use std::error::Error;
use std::fmt;
use std::future::Future;
use std::panic::Location;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

use futures_core::Stream;

use crate::closed::SendError;
use crate::name::shared_name_methods;
use crate::observe::{self, kind};
use crate::waiters::{Ticket, Waiters};
use ring::{Read, Ring};

/// The sending end. Clones send to the same receivers.
pub struct Sender<T> {
    shared: Rc<Shared<T>>,
}

/// A receiving end, with a place of its own in the sequence of values; a [`Stream`] too.
///
/// A clone continues from the same place.
pub struct Receiver<T> {
    shared: Rc<Shared<T>>,
    /// The number of the next value.
    next: u64,
    ticket: Option<Ticket>,
    location: &'static Location<'static>,
}

/// The future of [`Receiver::recv`].
#[must_use = "futures do nothing unless awaited"]
pub struct Receiving<'a, T: Clone> {
    receiver: &'a mut Receiver<T>,
    location: &'static Location<'static>,
}

/// Why [`Receiver::recv`] has no value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RecvError {
    /// So many values were overwritten before this receiver came to them. The next call goes on with the
    /// oldest that is left.
    Lagged(u64),
    /// No sender is left, and everything was received.
    Closed,
}

/// Why [`Receiver::recv_nowait`] has no value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RecvNowaitError {
    /// There is none at the moment.
    Empty,
    /// As [`RecvError::Lagged`].
    Lagged(u64),
    /// As [`RecvError::Closed`].
    Closed,
}

/// What [`Sender::statistics`] tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct BroadcastStatistics {
    /// Values that some receiver has not had yet.
    pub size: usize,
    /// The most that are kept.
    pub capacity: usize,
    /// Senders that exist.
    pub senders: usize,
    /// Receivers that exist.
    pub receivers: usize,
    /// Tasks that wait for a value.
    pub waiting: usize,
}

struct Shared<T> {
    ring: RefCell<Ring<T>>,
    senders: Cell<usize>,
    receivers: Cell<usize>,
    waiters: Waiters<()>,
    name: OnceCell<Rc<str>>,
}

/// A channel that keeps up to `capacity` values for receivers that are behind.
///
/// # Panics
///
/// If `capacity` is zero.
#[doc(alias = "broadcast")]
#[track_caller]
pub fn channel<T: Clone>(capacity: usize) -> (Sender<T>, Receiver<T>) {
    assert!(capacity > 0, "a broadcast channel needs room for a value");
    let shared = Rc::new(Shared {
        ring: RefCell::new(Ring::new(capacity)),
        senders: Cell::new(1),
        receivers: Cell::new(0),
        waiters: Waiters::new(),
        name: OnceCell::new(),
    });
    let receiver = Receiver::new(&shared, 0, Location::caller());
    (Sender { shared }, receiver)
}

impl<T: Clone> Sender<T> {
    shared_name_methods!(shared.name);

    /// Sends a value to every receiver there is, and says how many those are.
    ///
    /// # Errors
    ///
    /// Gives the value back if there is none.
    pub fn send(&self, value: T) -> Result<usize, SendError<T>> {
        let receivers = self.shared.receivers.get();
        if receivers == 0 {
            return Err(SendError(value));
        }
        let overwritten = self.shared.ring.borrow_mut().push(value, receivers);
        self.shared.waiters.wake_all();
        drop(overwritten);
        Ok(receivers)
    }

    /// A receiver of what is sent from now on.
    #[track_caller]
    pub fn subscribe(&self) -> Receiver<T> {
        let next = self.shared.ring.borrow().end();
        Receiver::new(&self.shared, next, Location::caller())
    }

    /// How many receivers there are.
    pub fn receiver_count(&self) -> usize {
        self.shared.receivers.get()
    }

    /// Counts of values, ends and those who wait.
    pub fn statistics(&self) -> BroadcastStatistics {
        let (size, capacity) = self.shared.ring.borrow().size();
        BroadcastStatistics {
            size,
            capacity,
            senders: self.shared.senders.get(),
            receivers: self.shared.receivers.get(),
            waiting: self.shared.waiters.waiting(),
        }
    }
}

impl<T> Receiver<T> {
    fn new(shared: &Rc<Shared<T>>, next: u64, location: &'static Location<'static>) -> Self {
        shared.receivers.set(shared.receivers.get() + 1);
        Receiver {
            shared: Rc::clone(shared),
            next,
            ticket: None,
            location,
        }
    }
}

impl<T: Clone> Receiver<T> {
    shared_name_methods!(shared.name);

    /// Receives the next value, waiting for it.
    ///
    /// # Errors
    ///
    /// If values were lost, or no sender is left.
    ///
    /// # Cancel safety
    ///
    /// A future that is dropped has received nothing.
    #[track_caller]
    pub fn recv(&mut self) -> Receiving<'_, T> {
        Receiving {
            receiver: self,
            location: Location::caller(),
        }
    }

    /// Receives the next value if it is there.
    ///
    /// # Errors
    ///
    /// If it is not, if values were lost, or if no sender is left.
    #[doc(alias = "try_recv")]
    pub fn recv_nowait(&mut self) -> Result<T, RecvNowaitError> {
        // The borrow ends before the value is cloned, which is foreign code.
        let read = self.shared.ring.borrow_mut().read(self.next);
        match read {
            Read::Last(value) => {
                self.next += 1;
                Ok(value)
            }
            Read::Shared(value) => {
                self.next += 1;
                Ok(ring::clone_of(&value))
            }
            Read::Lost(count) => {
                self.next += count;
                Err(RecvNowaitError::Lagged(count))
            }
            Read::Nothing if self.shared.senders.get() == 0 => Err(RecvNowaitError::Closed),
            Read::Nothing => Err(RecvNowaitError::Empty),
        }
    }

    fn poll_recv(
        &mut self,
        location: &'static Location<'static>,
        cx: &mut Context<'_>,
    ) -> Poll<Result<T, RecvError>> {
        let shared = Rc::clone(&self.shared);
        let chosen = |ticket| shared.waiters.claim(ticket, cx.waker());
        if !self.ticket.is_none_or(chosen) {
            observe::waits(
                kind!("broadcast"),
                shared.name.get(),
                observe::nobody,
                location,
            );
            return Poll::Pending;
        }
        let mut ticket = None;
        let received = || match self.recv_nowait() {
            Ok(value) => Some(Ok(value)),
            Err(RecvNowaitError::Lagged(count)) => Some(Err(RecvError::Lagged(count))),
            Err(RecvNowaitError::Closed) => Some(Err(RecvError::Closed)),
            Err(RecvNowaitError::Empty) => None,
        };
        let polled = shared.waiters.enter(&mut ticket, cx.waker(), (), received);
        self.ticket = ticket;
        if polled.is_pending() {
            observe::waits(
                kind!("broadcast"),
                shared.name.get(),
                observe::nobody,
                location,
            );
        }
        polled
    }
}

impl<T: Clone> Future for Receiving<'_, T> {
    type Output = Result<T, RecvError>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.get_mut();
        this.receiver.poll_recv(this.location, cx)
    }
}

/// Ends with the last sender; values that were lost are reported as items.
impl<T: Clone> Stream for Receiver<T> {
    type Item = Result<T, RecvError>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = self.get_mut();
        let location = this.location;
        this.poll_recv(location, cx)
            .map(|received| Some(received).filter(|got| !matches!(got, Err(RecvError::Closed))))
    }
}

impl<T> Clone for Sender<T> {
    fn clone(&self) -> Self {
        self.shared.senders.set(self.shared.senders.get() + 1);
        Sender {
            shared: Rc::clone(&self.shared),
        }
    }
}

impl<T> Clone for Receiver<T> {
    #[track_caller]
    fn clone(&self) -> Self {
        self.shared.ring.borrow_mut().join(self.next);
        Receiver::new(&self.shared, self.next, Location::caller())
    }
}

impl<T> Drop for Sender<T> {
    fn drop(&mut self) {
        let left = self.shared.senders.get() - 1;
        self.shared.senders.set(left);
        if left == 0 {
            self.shared.waiters.wake_all();
        }
    }
}

impl<T> Drop for Receiver<T> {
    fn drop(&mut self) {
        self.shared.waiters.forget(self.ticket);
        self.shared.receivers.set(self.shared.receivers.get() - 1);
        // The destructors of values are foreign code: they run after the borrow.
        let unwanted = self.shared.ring.borrow_mut().leave(self.next);
        drop(unwanted);
    }
}

impl<T: Clone> Drop for Receiving<'_, T> {
    fn drop(&mut self) {
        let receiver = &mut *self.receiver;
        receiver.shared.waiters.forget(receiver.ticket.take());
    }
}

impl<T> fmt::Debug for Sender<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sender")
            .field("receivers", &self.shared.receivers.get())
            .finish()
    }
}

impl<T> fmt::Debug for Receiver<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Receiver")
            .field("next", &self.next)
            .finish_non_exhaustive()
    }
}

impl<T: Clone> fmt::Debug for Receiving<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Receiving")
            .field("receiver", &self.receiver)
            .finish()
    }
}

impl fmt::Display for RecvError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            RecvError::Lagged(count) => write!(f, "fell behind and lost {count} values"),
            RecvError::Closed => f.write_str("nobody is left to send"),
        }
    }
}

impl fmt::Display for RecvNowaitError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            RecvNowaitError::Empty => f.write_str("nothing to receive"),
            RecvNowaitError::Lagged(count) => RecvError::Lagged(*count).fmt(f),
            RecvNowaitError::Closed => RecvError::Closed.fmt(f),
        }
    }
}

impl Error for RecvError {}
impl Error for RecvNowaitError {}
