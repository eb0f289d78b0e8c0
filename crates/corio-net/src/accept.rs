//! Accepting connections, of TCP and Unix listeners.

use std::fmt;
use std::future::Future;
use std::io;
use std::panic::Location;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};

use corio_core::waiting::WaitKind;
use corio_reactor::{AsSource, Direction};
use corio_runtime::{IoSource, IoWaiter};
use futures_core::Stream;

/// [`TcpListener`](crate::TcpListener) and, on Unix, [`UnixListener`](crate::UnixListener), for the types that serve both. Nothing
/// else implements it.
pub trait Listener: sealed::Listener {}

impl<L: sealed::Listener> Listener for L {}

pub(crate) mod sealed {
    use super::{AsSource, IoSource, Queue, WaitKind, io};

    /// The listeners of this crate.
    pub trait Listener {
        type Os: AsSource;
        type Stream;
        type Addr;

        fn source(&self) -> &IoSource<Self::Os>;
        fn queue(&self) -> &Queue;
        fn kind() -> &'static WaitKind;
        fn accept_now(os: &Self::Os) -> io::Result<(Self::Stream, Self::Addr)>;
    }
}

/// Waits for a connection. Made by `accept` of a listener.
///
/// # Cancel safety
///
/// Dropped before it is ready, it has accepted nothing: the connection waits for the next `accept`.
#[must_use = "a future does nothing unless it is awaited"]
pub struct Accept<'a, L: Listener> {
    listener: &'a L,
    waiter: IoWaiter,
}

/// The connections of a listener, one after the other, without an end. Made by `incoming` of a listener.
///
/// It is a [`Stream`] as well. An error is an item like others; the next one may be a connection.
#[derive(Debug)]
#[must_use = "it accepts nothing unless it is asked to"]
pub struct Incoming<'a, L: Listener> {
    next: Accept<'a, L>,
}

impl<'a, L: Listener> Accept<'a, L> {
    pub(crate) fn new(listener: &'a L, site: &'static Location<'static>) -> Accept<'a, L> {
        Accept {
            listener,
            waiter: IoWaiter::new(L::kind(), site),
        }
    }

    fn poll_accept(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<(L::Stream, L::Addr)>> {
        let listener = self.listener;
        let source = listener.source();
        source.poll_io_as(Direction::Read, &mut self.waiter, cx, |os| {
            accept_next::<L>(os, listener.queue())
        })
    }
}

impl<'a, L: Listener> Incoming<'a, L> {
    pub(crate) fn new(listener: &'a L, site: &'static Location<'static>) -> Incoming<'a, L> {
        let next = Accept::new(listener, site);
        Incoming { next }
    }
}

/// A connection that failed before it was accepted is nobody's error: the next one is taken.
pub(crate) fn accept_next<L: Listener>(
    os: &L::Os,
    queue: &Queue,
) -> io::Result<(L::Stream, L::Addr)> {
    loop {
        if queue.is_empty(os) {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        match L::accept_now(os) {
            Err(error) if concerns_one_connection(&error) => {}
            result => {
                queue.gave(&result);
                return result;
            }
        }
    }
}

/// What is known of the connections that wait for being accepted.
///
/// Linux makes a socket before it looks whether there is a connection for it, so an `accept` that would block costs ten times as much
/// as asking whether it would. The one after a success mostly would; the one after an event has something to take. So the first is
/// preceded by the question, the second is not.
///
/// It is a guess, and wrong at times when several tasks accept: then it costs one system call in vain.
#[derive(Default)]
pub struct Queue {
    gave_one: AtomicBool,
}

impl Queue {
    /// There is surely nothing to accept at this moment. What comes later is an event.
    fn is_empty(&self, os: &impl AsSource) -> bool {
        let empty = self.gave_one.load(Ordering::Relaxed) && !has_one(os);
        if empty {
            self.gave_one.store(false, Ordering::Relaxed);
        }
        empty
    }

    fn gave<T>(&self, result: &io::Result<T>) {
        self.gave_one.store(result.is_ok(), Ordering::Relaxed);
    }
}

/// Whether there may be something to accept, be it an error.
#[cfg(any(target_os = "linux", target_os = "android"))]
fn has_one(os: &impl AsSource) -> bool {
    use rustix::event::{PollFd, PollFlags, Timespec, poll};

    let mut asked = [PollFd::new(os, PollFlags::IN)];
    let at_once = Timespec::default();
    poll(&mut asked, Some(&at_once)).map_or(true, |ready| ready > 0)
}

#[cfg(not(any(target_os = "linux", target_os = "android")))]
fn has_one(_: &impl AsSource) -> bool {
    true
}

/// On some systems, Linux among them, `accept` tells what befell the network of the connection at the head of the line.
pub(crate) fn concerns_one_connection(error: &io::Error) -> bool {
    is_trouble_of_a_network(error)
        || matches!(
            error.kind(),
            io::ErrorKind::ConnectionAborted
                | io::ErrorKind::ConnectionReset
                | io::ErrorKind::HostUnreachable
                | io::ErrorKind::NetworkUnreachable
        )
}

/// Those for which the standard library has no kind.
#[cfg(unix)]
fn is_trouble_of_a_network(error: &io::Error) -> bool {
    use rustix::io::Errno;

    let those = [
        Errno::PROTO,
        Errno::NOPROTOOPT,
        Errno::NETDOWN,
        Errno::HOSTDOWN,
    ];
    let number = error.raw_os_error();
    those
        .iter()
        .any(|errno| number == Some(errno.raw_os_error()))
}

#[cfg(not(unix))]
fn is_trouble_of_a_network(_: &io::Error) -> bool {
    false
}

impl<L: Listener> Future for Accept<'_, L> {
    type Output = io::Result<(L::Stream, L::Addr)>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        self.poll_accept(cx)
    }
}

impl<L: Listener> Stream for Incoming<'_, L> {
    type Item = io::Result<L::Stream>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let accepted = self.next.poll_accept(cx);
        accepted.map(|result| Some(result.map(|(stream, _)| stream)))
    }
}

impl<L: Listener> fmt::Debug for Accept<'_, L> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Accept").field(&self.waiter).finish()
    }
}
