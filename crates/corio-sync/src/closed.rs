//! What the channels of this crate say when the other side is gone.

use std::error::Error;
use std::fmt;

/// Nobody is left to receive; the value is in it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct SendError<T>(pub T);

/// Why a value could not be sent at once; it is in it.
#[derive(Clone, Copy, PartialEq, Eq)]
#[doc(alias = "TrySendError")]
pub enum SendNowaitError<T> {
    /// There is no room.
    Full(T),
    /// Nobody is left to receive.
    Closed(T),
}

/// Why there is nothing to receive at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[doc(alias = "TryRecvError")]
pub enum RecvNowaitError {
    /// There is nothing at the moment.
    Empty,
    /// Nothing will come: nobody is left to send.
    Closed,
}

/// Nothing will come: nobody is left to send.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[doc(alias = "RecvError")]
pub struct Closed;

impl<T> SendError<T> {
    /// The value that was not sent.
    pub fn into_inner(self) -> T {
        self.0
    }
}

impl<T> SendNowaitError<T> {
    /// The value that was not sent.
    pub fn into_inner(self) -> T {
        match self {
            SendNowaitError::Full(value) | SendNowaitError::Closed(value) => value,
        }
    }

    /// Whether there was no room.
    pub fn is_full(&self) -> bool {
        matches!(self, SendNowaitError::Full(_))
    }
}

const NO_RECEIVER: &str = "nobody is left to receive";
const NO_SENDER: &str = "nobody is left to send";

impl<T> fmt::Debug for SendError<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SendError")
    }
}

impl<T> fmt::Display for SendError<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(NO_RECEIVER)
    }
}

impl<T> fmt::Debug for SendNowaitError<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.is_full() { "Full" } else { "Closed" })
    }
}

impl<T> fmt::Display for SendNowaitError<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.is_full() {
            "the channel is full"
        } else {
            NO_RECEIVER
        })
    }
}

impl fmt::Display for RecvNowaitError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            RecvNowaitError::Empty => "nothing to receive",
            RecvNowaitError::Closed => NO_SENDER,
        })
    }
}

impl fmt::Display for Closed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(NO_SENDER)
    }
}

impl<T> Error for SendError<T> {}
impl<T> Error for SendNowaitError<T> {}
impl Error for RecvNowaitError {}
impl Error for Closed {}
