//! The futures of a `StreamWriter`.

use std::fmt;
use std::future::Future;
use std::io;
use std::panic::Location;
use std::pin::Pin;
use std::task::{Context, Poll};

use corio_core::waiting::{self, WaitKind};

use super::connection::{Connection, Phase};
use crate::wake_list::WakePlace;

static DRAIN: WaitKind = WaitKind::new("StreamWriter::drain");
static WAIT_CLOSED: WaitKind = WaitKind::new("StreamWriter::wait_closed");

/// Waits until it makes sense to write more. Made by [`StreamWriter::drain`](crate::StreamWriter::drain).
///
/// # Cancel safety
///
/// It only waits.
#[must_use = "a future does nothing unless it is awaited"]
pub struct Drain<'a> {
    wait: Wait<'a>,
    yielded: bool,
}

/// Waits until a connection is closed. Made by [`StreamWriter::wait_closed`](crate::StreamWriter::wait_closed).
///
/// # Cancel safety
///
/// It only waits.
#[must_use = "a future does nothing unless it is awaited"]
pub struct ConnectionClosed<'a> {
    wait: Wait<'a>,
}

/// A place among those who wait at a connection.
struct Wait<'a> {
    connection: &'a Connection,
    place: WakePlace,
    kind: &'static WaitKind,
    site: &'static Location<'static>,
}

impl<'a> Drain<'a> {
    pub(super) fn new(connection: &'a Connection, site: &'static Location<'static>) -> Drain<'a> {
        let wait = Wait::new(connection, &DRAIN, site);
        Drain {
            wait,
            yielded: false,
        }
    }
}

impl<'a> ConnectionClosed<'a> {
    pub(super) fn new(
        connection: &'a Connection,
        site: &'static Location<'static>,
    ) -> ConnectionClosed<'a> {
        let wait = Wait::new(connection, &WAIT_CLOSED, site);
        ConnectionClosed { wait }
    }
}

impl<'a> Wait<'a> {
    fn new(
        connection: &'a Connection,
        kind: &'static WaitKind,
        site: &'static Location<'static>,
    ) -> Wait<'a> {
        Wait {
            connection,
            place: WakePlace::default(),
            kind,
            site,
        }
    }

    fn wait<T>(&mut self, cx: &mut Context<'_>) -> Poll<T> {
        self.connection.waiting.wait(&mut self.place, cx.waker());
        waiting::note(self.kind, self.site);
        Poll::Pending
    }
}

impl Drop for Wait<'_> {
    fn drop(&mut self) {
        self.connection.waiting.leave(&mut self.place);
    }
}

impl Future for Drain<'_> {
    type Output = io::Result<()>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let connection = self.wait.connection;
        if let Some(error) = connection.error() {
            return Poll::Ready(Err(error));
        }
        if connection.phase() != Phase::Open && !self.yielded {
            self.yielded = true;
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        if connection.phase() == Phase::Closed {
            let message = "the connection is closed";
            let error = io::Error::new(io::ErrorKind::ConnectionReset, message);
            return Poll::Ready(Err(error));
        }
        if connection.outgoing.borrow().is_paused() {
            return self.wait.wait(cx);
        }
        Poll::Ready(Ok(()))
    }
}

impl Future for ConnectionClosed<'_> {
    type Output = io::Result<()>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let connection = self.wait.connection;
        if let Some(error) = connection.error() {
            return Poll::Ready(Err(error));
        }
        if connection.phase() == Phase::Closed {
            return Poll::Ready(Ok(()));
        }
        self.wait.wait(cx)
    }
}

impl fmt::Debug for Drain<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Drain").field(self.wait.connection).finish()
    }
}

impl fmt::Debug for ConnectionClosed<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("ConnectionClosed")
            .field(self.wait.connection)
            .finish()
    }
}
