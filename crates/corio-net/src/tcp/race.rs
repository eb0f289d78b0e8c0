//! Several addresses, the first of which to answer is taken: RFC 8305.

use std::error::Error;
use std::fmt;
use std::future::Future;
use std::io;
use std::net::{self, SocketAddr};
use std::panic::Location;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::vec;

use corio_core::waiting::WaitKind;
use corio_reactor::Direction;
use corio_runtime::{IoSource, IoWaiter, Sleep, sleep};

use super::{TcpConnector, TcpStream};

static CONNECT: WaitKind = WaitKind::new("TcpStream::connect");

/// Attempts to connect, of which several may be under way.
#[derive(Debug)]
pub(super) struct Race {
    to_try: vec::IntoIter<SocketAddr>,
    attempts: Vec<Attempt>,
    failures: Vec<(SocketAddr, io::Error)>,
    /// The caller may not know the addresses.
    looked_up: bool,
    /// Until the next address is tried beside those under way.
    head_start: Option<Sleep>,
    site: &'static Location<'static>,
}

#[derive(Debug)]
struct Attempt {
    waiter: IoWaiter,
    source: IoSource<net::TcpStream>,
    addr: SocketAddr,
}

impl Race {
    pub(super) fn new(
        addresses: Vec<SocketAddr>,
        looked_up: bool,
        interleave: bool,
        site: &'static Location<'static>,
    ) -> Race {
        let addresses = if interleave {
            interleaved(addresses)
        } else {
            addresses
        };
        Race {
            to_try: addresses.into_iter(),
            attempts: Vec::new(),
            failures: Vec::new(),
            looked_up,
            head_start: None,
            site,
        }
    }

    pub(super) fn poll(
        &mut self,
        connector: &TcpConnector,
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<TcpStream>> {
        loop {
            let failed_before = self.failures.len();
            if let Some(stream) = self.poll_attempts(cx) {
                return Poll::Ready(Ok(stream));
            }
            let has_failed = self.failures.len() > failed_before;
            let next_may_start =
                self.attempts.is_empty() || has_failed || self.head_start_is_over(cx);
            if !next_may_start {
                return Poll::Pending;
            }
            if !self.start_next(connector) {
                return if self.attempts.is_empty() {
                    Poll::Ready(Err(self.error()))
                } else {
                    Poll::Pending
                };
            }
        }
    }

    /// The error of the one address that the caller has given as it is, or what became of each.
    fn error(&mut self) -> io::Error {
        let mut failures = std::mem::take(&mut self.failures);
        let Some((_, first)) = failures.first() else {
            return io::Error::new(io::ErrorKind::InvalidInput, "no address was given");
        };
        if self.looked_up || failures.len() > 1 {
            return io::Error::new(first.kind(), ConnectErrors { failures });
        }
        failures.remove(0).1
    }

    /// Looks at all attempts, so that all of them wake the task.
    fn poll_attempts(&mut self, cx: &mut Context<'_>) -> Option<TcpStream> {
        let mut at = 0;
        while let Some(attempt) = self.attempts.get_mut(at) {
            match attempt.poll(cx) {
                Poll::Pending => at += 1,
                Poll::Ready(Ok(())) => {
                    let won = self.attempts.swap_remove(at);
                    return Some(TcpStream::of_source(won.source));
                }
                Poll::Ready(Err(error)) => {
                    let lost = self.attempts.remove(at);
                    self.failures.push((lost.addr, error));
                }
            }
        }
        None
    }

    fn head_start_is_over(&mut self, cx: &mut Context<'_>) -> bool {
        if self.to_try.len() == 0 {
            return false;
        }
        match &mut self.head_start {
            Some(head_start) => Pin::new(head_start).poll(cx).is_ready(),
            None => false,
        }
    }

    /// Begins to connect to the next address for which that can be begun. `false` if there is none.
    fn start_next(&mut self, connector: &TcpConnector) -> bool {
        for addr in self.to_try.by_ref() {
            match connector.begin(addr) {
                Ok(stream) => {
                    self.attempts.push(Attempt {
                        waiter: IoWaiter::new(&CONNECT, self.site),
                        source: IoSource::unshared(stream),
                        addr,
                    });
                    self.head_start = connector.delay.map(sleep);
                    return true;
                }
                Err(error) => self.failures.push((addr, error)),
            }
        }
        false
    }
}

impl Attempt {
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.source
            .poll_io_as(Direction::Write, &mut self.waiter, cx, outcome)
    }
}

/// How an attempt has ended; `WouldBlock` if it has not.
fn outcome(stream: &net::TcpStream) -> io::Result<()> {
    match stream.peer_addr() {
        Ok(peer) if is_itself(stream, peer) => Err(io::ErrorKind::ConnectionRefused.into()),
        Ok(_) => Ok(()),
        Err(_) => match stream.take_error()? {
            Some(error) => Err(error),
            None => Err(io::ErrorKind::WouldBlock.into()),
        },
    }
}

/// A connection to a port of this machine that nobody listens at may be given that very port, and then is one to itself.
fn is_itself(stream: &net::TcpStream, peer: SocketAddr) -> bool {
    stream.local_addr().is_ok_and(|local| local == peer)
}

/// The families in turns, beginning with that of the first address.
fn interleaved(addresses: Vec<SocketAddr>) -> Vec<SocketAddr> {
    let Some(first) = addresses.first().map(SocketAddr::is_ipv4) else {
        return addresses;
    };
    let count = addresses.len();
    let (preferred, other): (Vec<_>, Vec<_>) = addresses
        .into_iter()
        .partition(|addr| addr.is_ipv4() == first);
    let (mut preferred, mut other) = (preferred.into_iter(), other.into_iter());
    let mut mixed = Vec::with_capacity(count);
    while mixed.len() < count {
        mixed.extend(preferred.next());
        mixed.extend(other.next());
    }
    mixed
}

/// What became of each address that was tried, when none answered: of several, or of those that a name stands for.
///
/// It is inside of an [`io::Error`] that has the kind of the first failure. That error has no number of the operating system; those
/// in here have theirs.
///
/// ```
/// # use corio_runtime as corio;
/// use corio_net::{ConnectErrors, TcpStream};
/// use std::net::{SocketAddr, TcpListener};
///
/// // Two ports at which nobody listens any more.
/// let gone = || TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr());
/// let addresses: [SocketAddr; 2] = [gone()?, gone()?];
/// let error = corio::run(TcpStream::connect(addresses)).unwrap_err();
/// assert_eq!(error.kind(), std::io::ErrorKind::ConnectionRefused);
/// let all = error.get_ref().unwrap().downcast_ref::<ConnectErrors>().unwrap();
/// assert!(all.iter().map(|(addr, _)| *addr).eq(addresses));
/// # std::io::Result::Ok(())
/// ```
#[derive(Debug)]
pub struct ConnectErrors {
    failures: Vec<(SocketAddr, io::Error)>,
}

impl ConnectErrors {
    /// The addresses in the order in which they failed, and why.
    pub fn iter(&self) -> impl Iterator<Item = &(SocketAddr, io::Error)> {
        self.failures.iter()
    }
}

impl fmt::Display for ConnectErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("no address answered")?;
        for (at, (addr, error)) in self.failures.iter().enumerate() {
            let separator = if at == 0 { ": " } else { "; " };
            write!(f, "{separator}{addr}: {error}")?;
        }
        Ok(())
    }
}

impl Error for ConnectErrors {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.failures.first().map(|(_, error)| error as _)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn families_come_in_turns_and_each_keeps_its_order() {
        let addr = |text: &str| text.parse::<SocketAddr>().expect("an address");
        let (a, b, c) = (addr("[::1]:1"), addr("[::2]:1"), addr("[::3]:1"));
        let (x, y) = (addr("1.1.1.1:1"), addr("2.2.2.2:1"));
        assert_eq!(interleaved(vec![a, b, c, x, y]), [a, x, b, y, c]);
        assert_eq!(interleaved(vec![x, a, b, y, c]), [x, a, y, b, c]);
        assert_eq!(interleaved(vec![y, x]), [y, x]);
        assert_eq!(interleaved(vec![]), []);
    }
}
