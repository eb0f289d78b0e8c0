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

use std::cell::RefCell;
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
use crate::observe::kind;
use crate::sides::Sides;
use crate::waiters::Ticket;
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
    sides: Sides,
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
        sides: Sides::new(),
    });
    let receiver = Receiver::new(&shared, 0, Location::caller());
    (Sender { shared }, receiver)
}

impl<T: Clone> Sender<T> {
    shared_name_methods!(shared.sides.name);

    /// Sends a value to every receiver there is, and says how many those are.
    ///
    /// # Errors
    ///
    /// Gives the value back if there is none.
    pub fn send(&self, value: T) -> Result<usize, SendError<T>> {
        let receivers = self.shared.sides.receivers.get();
        if receivers == 0 {
            return Err(SendError(value));
        }
        let overwritten = self.shared.ring.borrow_mut().push(value, receivers);
        self.shared.sides.waiters.wake_all();
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
        self.shared.sides.receivers.get()
    }

    /// Counts of values, ends and those who wait.
    pub fn statistics(&self) -> BroadcastStatistics {
        let (size, capacity) = self.shared.ring.borrow().size();
        BroadcastStatistics {
            size,
            capacity,
            senders: self.shared.sides.senders.get(),
            receivers: self.shared.sides.receivers.get(),
            waiting: self.shared.sides.waiters.waiting(),
        }
    }
}

impl<T> Receiver<T> {
    fn new(shared: &Rc<Shared<T>>, next: u64, location: &'static Location<'static>) -> Self {
        shared.sides.receivers.comes();
        Receiver {
            shared: Rc::clone(shared),
            next,
            ticket: None,
            location,
        }
    }
}

impl<T: Clone> Receiver<T> {
    shared_name_methods!(shared.sides.name);

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
        self.shared.read(&mut self.next)
    }

    fn poll_recv(
        &mut self,
        location: &'static Location<'static>,
        cx: &mut Context<'_>,
    ) -> Poll<Result<T, RecvError>> {
        let (shared, next, kind) = (&self.shared, &mut self.next, kind!("broadcast"));
        let read = || match shared.read(next) {
            Ok(value) => Some(Ok(value)),
            Err(RecvNowaitError::Lagged(count)) => Some(Err(RecvError::Lagged(count))),
            Err(RecvNowaitError::Closed) => Some(Err(RecvError::Closed)),
            Err(RecvNowaitError::Empty) => None,
        };
        shared
            .sides
            .poll(&mut self.ticket, cx.waker(), kind, location, read)
    }
}

impl<T: Clone> Shared<T> {
    /// The value with this number, which becomes that of the next one.
    fn read(&self, next: &mut u64) -> Result<T, RecvNowaitError> {
        // The borrow ends before the value is cloned, which is foreign code.
        let read = self.ring.borrow_mut().read(*next);
        match read {
            Read::Last(value) => {
                *next += 1;
                Ok(value)
            }
            Read::Shared(value) => {
                *next += 1;
                Ok(ring::clone_of(&value))
            }
            Read::Lost(count) => {
                *next += count;
                Err(RecvNowaitError::Lagged(count))
            }
            Read::Nothing if self.sides.senders.get() == 0 => Err(RecvNowaitError::Closed),
            Read::Nothing => Err(RecvNowaitError::Empty),
        }
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
        self.shared.sides.senders.comes();
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
        self.shared.sides.sender_goes();
    }
}

impl<T> Drop for Receiver<T> {
    fn drop(&mut self) {
        self.shared.sides.waiters.forget(self.ticket);
        self.shared.sides.receivers.goes();
        // The destructors of values are foreign code: they run after the borrow.
        let unwanted = self.shared.ring.borrow_mut().leave(self.next);
        drop(unwanted);
    }
}

impl<T: Clone> Drop for Receiving<'_, T> {
    fn drop(&mut self) {
        let receiver = &mut *self.receiver;
        receiver.shared.sides.waiters.forget(receiver.ticket.take());
    }
}

impl<T> fmt::Debug for Sender<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sender")
            .field("receivers", &self.shared.sides.receivers.get())
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
