//! One poll of an operation.
//!
//! Nearly always the source is registered with the loop that runs, has never been anywhere else, and is known to be ready. Then
//! [`poll_op`](IoSource::poll_op) needs nothing but the flags that the reactor shares with the source; it is compiled into its
//! callers. Whatever else there is happens out of line, in [`wait`](IoSource::wait): joining a loop, waiting, and all operations of
//! a source that has changed loops, whose flags at the present one have to be asked for.
//!
//! Of the flags, the thread of the first loop alone writes and reads: its reactor with an event, operations here when they clear. A
//! source that another loop takes away in the midst of an operation has left before that loop registers it, and what is cleared
//! here then is read by nobody any more.
//!
//! An operation may be foreign code that uses the source, so everything is asked anew before each attempt. What was said before is
//! kept as a ticket, which is worth nothing once a newer event has come.

use std::io;
use std::panic::Location;
use std::sync::Arc;
use std::task::{Context, Poll};

use corio_core::waiting::{self, WaitKind};
use corio_reactor::{AsSource, Direction, Reactor, ReadyFlags, SourceKey, Ticket};

use super::waiter::Spot;
use super::{IoSource, IoWaiter, here};

impl<S: AsSource> IoSource<S> {
    /// Tries `op` whenever that pays. Who has no waiter leaves a waker that stays until the next event.
    #[track_caller]
    #[inline(always)]
    pub(super) fn poll_op<R>(
        &self,
        direction: Direction,
        mut waiter: Option<&mut IoWaiter>,
        (kind, site): (&'static WaitKind, &'static Location<'static>),
        cx: &mut Context<'_>,
        mut op: impl FnMut(&S) -> io::Result<R>,
        drained: impl Fn(&R) -> bool,
    ) -> Poll<io::Result<R>> {
        let number = here::number();
        loop {
            let at_home = self.place.is_only_at(number)
                && waiter
                    .as_ref()
                    .is_none_or(|waiter| waiter.is_at_most_at(number, direction));
            let known = if at_home { self.flags.get() } else { None };
            let seen = known.and_then(|flags| Some((flags, flags.ticket(direction)?)));
            let held;
            let (flags, ticket) = match seen {
                Some(seen) => seen,
                None => match self.wait(kind, direction, waiter.as_deref_mut(), cx) {
                    Poll::Ready(Ok((flags, ticket))) => {
                        held = flags;
                        (&held, ticket)
                    }
                    Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
                    Poll::Pending => {
                        waiting::note(kind, site);
                        return Poll::Pending;
                    }
                },
            };
            match op(self.get_ref()) {
                Ok(result) => {
                    if drained(&result) {
                        flags.clear_drained(direction, ticket);
                    }
                    if let Some(waiter) = waiter {
                        waiter.is_off_the_list();
                    }
                    return Poll::Ready(Ok(result));
                }
                Err(error) => {
                    if let Some(error) = failed(flags, direction, ticket, error) {
                        withdraw(waiter);
                        return Poll::Ready(Err(error));
                    }
                }
            }
        }
    }

    /// Joins the running loop if need be, and waits there.
    #[track_caller]
    #[inline(never)]
    fn wait(
        &self,
        kind: &'static WaitKind,
        direction: Direction,
        mut waiter: Option<&mut IoWaiter>,
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<(Arc<ReadyFlags>, Ticket)>> {
        let (number, reactor) = here::running(kind);
        let key = self.key_for(number, &reactor, direction, waiter.as_deref_mut())?;
        let token = waiter.as_deref_mut().map(IoWaiter::token);
        match reactor.wait_ready(key, direction, token, cx) {
            Poll::Ready(Ok(ticket)) => {
                let flags = reactor.flags(key).map_err(io::Error::from)?;
                Poll::Ready(Ok((flags, ticket)))
            }
            Poll::Ready(Err(error)) => {
                withdraw(waiter);
                Poll::Ready(Err(error))
            }
            Poll::Pending => {
                if let Some(waiter) = waiter {
                    waiter.is_left_at(Spot::new(number, key, direction));
                }
                Poll::Pending
            }
        }
    }

    /// The key at the running loop. A waker that was left elsewhere is taken back.
    #[inline]
    fn key_for(
        &self,
        number: u64,
        reactor: &Reactor,
        direction: Direction,
        waiter: Option<&mut IoWaiter>,
    ) -> io::Result<SourceKey> {
        let known = self.place.key_at(number);
        let fits = |waiter: &IoWaiter| {
            known.is_some_and(|key| waiter.fits(Spot::new(number, key, direction)))
        };
        let was_at = match waiter {
            Some(waiter) if !fits(waiter) => waiter.withdraw(),
            _ => None,
        };
        match known {
            Some(key) => Ok(key),
            // Two loops that take the source from each other would never get anything done.
            None if was_at == Some(number) => Err(moved()),
            None => self.join_anew(number, reactor),
        }
    }
}

/// `None`: the operation has to be tried again, now or later.
#[inline(never)]
fn failed(
    flags: &ReadyFlags,
    direction: Direction,
    ticket: Ticket,
    error: io::Error,
) -> Option<io::Error> {
    match error.kind() {
        io::ErrorKind::WouldBlock => {
            flags.clear_ready(direction, ticket);
            None
        }
        io::ErrorKind::Interrupted => None,
        _ => Some(error),
    }
}

#[cold]
fn withdraw(waiter: Option<&mut IoWaiter>) {
    waiter.and_then(IoWaiter::withdraw);
}

#[cold]
fn moved() -> io::Error {
    io::Error::new(
        io::ErrorKind::NotConnected,
        "the source was taken to another event loop while this operation waited",
    )
}
