//! `StreamFeeder`: the producer's end of a reader without a connection.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::fmt;
use std::io::{self, Read};
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

use super::error::LastingError;

/// Feeds a [`StreamReader`](crate::StreamReader), see [`fed`](crate::StreamReader::fed).
///
/// Dropped without a word about the end, it leaves the reader with the error
/// [`ConnectionAborted`](io::ErrorKind::ConnectionAborted) behind what was fed.
pub struct StreamFeeder {
    feed: Rc<Feed>,
    limit: usize,
}

/// What was fed and not read yet.
#[derive(Default)]
pub(super) struct Feed {
    bytes: RefCell<VecDeque<u8>>,
    eof: Cell<bool>,
    abandoned: Cell<bool>,
    error: RefCell<Option<LastingError>>,
    reader: Cell<Option<Waker>>,
}

impl StreamFeeder {
    pub(super) fn new(feed: Rc<Feed>, limit: usize) -> StreamFeeder {
        StreamFeeder { feed, limit }
    }

    /// Appends bytes, and wakes the reader.
    ///
    /// # Panics
    ///
    /// After [`feed_eof`](StreamFeeder::feed_eof).
    #[track_caller]
    pub fn feed_data(&self, bytes: &[u8]) {
        assert!(!self.feed.eof.get(), "data was fed after the end");
        self.feed.bytes.borrow_mut().extend(bytes);
        self.feed.wake();
    }

    /// Ends the stream.
    pub fn feed_eof(&self) {
        self.feed.eof.set(true);
        self.feed.wake();
    }

    /// Lets every read from now on fail with this error, also if there is something to be read.
    pub fn set_exception(&self, error: io::Error) {
        let before = self.feed.error.replace(Some(LastingError::new(error)));
        drop(before);
        self.feed.wake();
    }

    /// More than twice the limit of the reader was fed and is not read yet: a producer that can stop should.
    #[doc(alias = "pause_reading")]
    pub fn is_full(&self) -> bool {
        self.feed.bytes.borrow().len() > self.limit.saturating_mul(2)
    }
}

impl Feed {
    pub(super) fn error(&self) -> Option<io::Error> {
        self.error.borrow().as_ref().map(LastingError::again)
    }

    pub(super) fn poll_read(
        &self,
        cx: &mut Context<'_>,
        buf: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        let count = self.bytes.borrow_mut().read(buf)?;
        if count > 0 || self.eof.get() {
            return Poll::Ready(Ok(count));
        }
        if self.abandoned.get() {
            let message = "the feeder of the stream is gone";
            let error = io::Error::new(io::ErrorKind::ConnectionAborted, message);
            return Poll::Ready(Err(error));
        }
        let waker = cx.waker().clone();
        drop(self.reader.replace(Some(waker)));
        Poll::Pending
    }

    fn wake(&self) {
        if let Some(waker) = self.reader.take() {
            waker.wake();
        }
    }
}

impl Drop for StreamFeeder {
    fn drop(&mut self) {
        self.feed.abandoned.set(true);
        self.feed.wake();
    }
}

impl fmt::Debug for StreamFeeder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StreamFeeder")
            .field("unread", &self.feed.bytes.borrow().len())
            .field("eof", &self.feed.eof.get())
            .finish_non_exhaustive()
    }
}
