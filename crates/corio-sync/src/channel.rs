//! [`channel`]: a queue with two ends, which ends when one side is gone.
//!
//! Both ends can be cloned. When the last [`Sender`] goes, receivers take what is left and then see the
//! end; when the last [`Receiver`] goes, what is left is dropped and senders get their values back.
//!
//! ```
//! use corio_sync::channel;
//! # use futures_lite::future;
//! # future::block_on(async {
//! let (sender, mut receiver) = channel(1);
//! let producer = async move {
//!     for number in 0..3 {
//!         sender.send(number).await.unwrap();
//!     }
//! };
//! let consumer = async move {
//!     let mut sum = 0;
//!     while let Some(number) = receiver.recv().await {
//!         sum += number;
//!     }
//!     sum
//! };
//! assert_eq!(future::zip(producer, consumer).await.1, 3);
//! # });
//! ```

use std::fmt;
use std::future::Future;
use std::panic::Location;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

use futures_core::Stream;

use crate::closed::{RecvNowaitError, SendError, SendNowaitError};
use crate::name::shared_name_methods;
use crate::observe::Kind;
use crate::queue::{
    Fifo, Get, GetNowaitError, Kinds, Put, PutFrom, PutNowaitError, Queue, QueueShutDown,
    QueueStatistics, UNBOUNDED,
};
use crate::waiters::Ticket;

/// The sending end of a [`channel`].
pub struct Sender<T> {
    end: Rc<SendEnd<T>>,
}

/// The receiving end of a [`channel`], a [`Stream`] too. Clones share the values: each goes to one of them.
pub struct Receiver<T> {
    end: Rc<RecvEnd<T>>,
    /// This receiver's place in the line while it is polled as a stream.
    ticket: Option<Ticket>,
    location: &'static Location<'static>,
}

/// The future of [`Sender::send`].
#[must_use = "futures do nothing unless awaited"]
pub struct Sending<'a, T> {
    put: Put<'a, T, Fifo>,
}

/// The future of [`Sender::send_from`].
#[must_use = "futures do nothing unless awaited"]
pub struct SendingFrom<'a, T> {
    put: PutFrom<'a, T, Fifo>,
}

/// The future of [`Receiver::recv`].
#[must_use = "futures do nothing unless awaited"]
pub struct Receiving<'a, T> {
    get: Get<'a, T, Fifo>,
}

/// What the senders share; it goes with the last of them.
struct SendEnd<T> {
    queue: Rc<Queue<T>>,
}

/// What the receivers share; it goes with the last of them.
struct RecvEnd<T> {
    queue: Rc<Queue<T>>,
}

static KINDS: Kinds = Kinds {
    put: Kind::new("channel::send"),
    get: Kind::new("channel::recv"),
};

/// A channel with room for `capacity` values.
///
/// # Panics
///
/// If `capacity` is zero: nothing would ever fit.
#[doc(alias("mpsc", "mpmc", "open_memory_channel"))]
#[track_caller]
pub fn channel<T>(capacity: usize) -> (Sender<T>, Receiver<T>) {
    assert!(
        capacity > 0,
        "a channel needs room for a value; unbounded_channel() has no bound"
    );
    with_room(capacity, Location::caller())
}

/// A channel without a bound: sending never waits.
#[track_caller]
pub fn unbounded_channel<T>() -> (Sender<T>, Receiver<T>) {
    with_room(UNBOUNDED, Location::caller())
}

fn with_room<T>(room: usize, location: &'static Location<'static>) -> (Sender<T>, Receiver<T>) {
    let queue = Rc::new(Queue::with_room(room, &KINDS));
    let sender = Sender {
        end: Rc::new(SendEnd {
            queue: Rc::clone(&queue),
        }),
    };
    let receiver = Receiver {
        end: Rc::new(RecvEnd { queue }),
        ticket: None,
        location,
    };
    (sender, receiver)
}

impl<T> Sender<T> {
    shared_name_methods!(end.queue.name);

    /// Sends a value, waiting for room.
    ///
    /// # Errors
    ///
    /// Gives the value back if no receiver is left, now or while it waits.
    ///
    /// # Cancel safety
    ///
    /// A future that is dropped before it is ready has sent nothing and drops its value with it.
    /// [`Sending::into_value`] takes the value out of a future that was given up, and
    /// [`send_from`](Self::send_from) never takes it before it fits.
    #[track_caller]
    #[inline]
    pub fn send(&self, value: T) -> Sending<'_, T> {
        Sending {
            put: self.end.queue.put(value),
        }
    }

    /// Sends what is in `slot`, waiting for room; the slot is emptied when the value is in the channel.
    ///
    /// # Errors
    ///
    /// If no receiver is left. The value stays in the slot.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future before it is ready leaves the value in the slot.
    ///
    /// # Panics
    ///
    /// When polled, if the slot is empty.
    #[track_caller]
    pub fn send_from<'a>(&'a self, slot: &'a mut Option<T>) -> SendingFrom<'a, T> {
        SendingFrom {
            put: self.end.queue.put_from(slot),
        }
    }

    /// Sends a value if there is room.
    ///
    /// # Errors
    ///
    /// Gives the value back if there is no room or no receiver is left.
    #[doc(alias = "try_send")]
    #[inline]
    pub fn send_nowait(&self, value: T) -> Result<(), SendNowaitError<T>> {
        self.end
            .queue
            .put_nowait(value)
            .map_err(|error| match error {
                PutNowaitError::Full(value) => SendNowaitError::Full(value),
                PutNowaitError::ShutDown(value) => SendNowaitError::Closed(value),
            })
    }

    /// Whether no receiver is left.
    pub fn is_closed(&self) -> bool {
        self.end.queue.is_shut_down()
    }

    /// Counts of values and of those who wait.
    pub fn statistics(&self) -> QueueStatistics {
        self.end.queue.statistics()
    }
}

impl<T> Receiver<T> {
    shared_name_methods!(end.queue.name);

    /// Receives a value, waiting for one; `None` when no sender is left and everything was received.
    ///
    /// # Cancel safety
    ///
    /// A future that is dropped has received nothing; if it had been woken for a value, the next receiver
    /// is.
    #[track_caller]
    #[inline]
    pub fn recv(&self) -> Receiving<'_, T> {
        Receiving {
            get: self.end.queue.get(),
        }
    }

    /// Receives a value if there is one.
    ///
    /// # Errors
    ///
    /// If there is none, saying whether one may still come.
    #[doc(alias = "try_recv")]
    #[inline]
    pub fn recv_nowait(&self) -> Result<T, RecvNowaitError> {
        self.end.queue.get_nowait().map_err(|error| match error {
            GetNowaitError::Empty => RecvNowaitError::Empty,
            GetNowaitError::ShutDown => RecvNowaitError::Closed,
        })
    }

    /// Lets nothing more be sent. What is in the channel can still be received.
    pub fn close(&self) {
        self.end.queue.shutdown(false);
    }

    /// Values in the channel.
    pub fn len(&self) -> usize {
        self.end.queue.len()
    }

    /// Whether the channel is empty.
    pub fn is_empty(&self) -> bool {
        self.end.queue.is_empty()
    }

    /// Counts of values and of those who wait.
    pub fn statistics(&self) -> QueueStatistics {
        self.end.queue.statistics()
    }
}

impl<T> Sending<'_, T> {
    /// Gives up and takes the value back; `None` if it was sent, or given back, already.
    pub fn into_value(self) -> Option<T> {
        self.put.into_item()
    }
}

impl<T> Future for Sending<'_, T> {
    type Output = Result<(), SendError<T>>;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let put = Pin::new(&mut self.get_mut().put);
        put.poll(cx)
            .map_err(|QueueShutDown(value)| SendError(value))
    }
}

impl<T> Future for SendingFrom<'_, T> {
    type Output = Result<(), SendError<()>>;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let put = Pin::new(&mut self.get_mut().put);
        put.poll(cx).map_err(|QueueShutDown(())| SendError(()))
    }
}

impl<T> Future for Receiving<'_, T> {
    type Output = Option<T>;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<T>> {
        Pin::new(&mut self.get_mut().get).poll(cx).map(Result::ok)
    }
}

impl<T> Stream for Receiver<T> {
    type Item = T;

    #[inline]
    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<T>> {
        let this = self.get_mut();
        this.end
            .queue
            .poll_get(&mut this.ticket, this.location, cx)
            .map(Result::ok)
    }
}

impl<T> Clone for Sender<T> {
    fn clone(&self) -> Self {
        Sender {
            end: Rc::clone(&self.end),
        }
    }
}

impl<T> Clone for Receiver<T> {
    fn clone(&self) -> Self {
        Receiver {
            end: Rc::clone(&self.end),
            ticket: None,
            location: self.location,
        }
    }
}

impl<T> Drop for Receiver<T> {
    fn drop(&mut self) {
        self.end.queue.leave_getters(&mut self.ticket);
    }
}

impl<T> Drop for SendEnd<T> {
    fn drop(&mut self) {
        self.queue.shutdown(false);
    }
}

impl<T> Drop for RecvEnd<T> {
    fn drop(&mut self) {
        self.queue.shutdown(true);
    }
}

impl<T> fmt::Debug for Sender<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sender")
            .field("queue", &self.end.queue)
            .finish()
    }
}

impl<T> fmt::Debug for Receiver<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Receiver")
            .field("queue", &self.end.queue)
            .finish()
    }
}

impl<T> fmt::Debug for Sending<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sending").field("put", &self.put).finish()
    }
}

impl<T> fmt::Debug for SendingFrom<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SendingFrom")
            .field("put", &self.put)
            .finish()
    }
}

impl<T> fmt::Debug for Receiving<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Receiving").field("get", &self.get).finish()
    }
}
