//! What UDP and Unix datagram sockets have in common: messages with borders, and an address for each.

use std::fmt;
use std::future::Future;
use std::io;
use std::panic::Location;
use std::pin::Pin;
use std::task::{Context, Poll};

use corio_core::waiting::WaitKind;
use corio_reactor::{AsSource, Direction};
use corio_runtime::{IoSource, IoWaiter};

use crate::backoff::Backoff;

/// [`UdpSocket`](crate::UdpSocket) and, on Unix, [`UnixDatagram`](crate::UnixDatagram), for the types that serve both. Nothing else
/// implements it.
pub trait Datagrams: sealed::Datagrams + Unpin {}

impl<D: sealed::Datagrams + Unpin> Datagrams for D {}

pub(crate) mod sealed {
    use super::{DatagramKinds, DatagramSocket, IoSource};

    /// The datagram sockets of this crate.
    pub trait Datagrams {
        type Os: DatagramSocket;

        fn source(&self) -> &IoSource<Self::Os>;
        fn kinds() -> &'static DatagramKinds;
    }
}

/// The operations of a datagram socket of the standard library.
pub trait DatagramSocket: AsSource {
    type Addr: Unpin + fmt::Debug;

    /// Whether the socket may count as writable although the receiver has no room, so that readiness does not tell when it has.
    const FULL_RECEIVER_IS_SILENT: bool;

    fn receive(&self, buf: &mut [u8], how: Take) -> io::Result<usize>;
    fn receive_from(&self, buf: &mut [u8], how: Take) -> io::Result<(usize, Self::Addr)>;
    fn transmit(&self, buf: &[u8]) -> io::Result<usize>;
    fn transmit_to(&self, buf: &[u8], addr: &Self::Addr) -> io::Result<usize>;
}

/// Whether a message is taken, or only looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Take {
    Yes,
    Peek,
}

/// What the operations of one type are called in task lists.
pub struct DatagramKinds {
    pub(crate) receive: WaitKind,
    pub(crate) send: WaitKind,
}

/// Receives a message from the peer. Made by `recv` and `peek` of a datagram socket.
///
/// # Cancel safety
///
/// Dropped before it is ready, it has taken no message.
#[must_use = "a future does nothing unless it is awaited"]
pub struct Recv<'a, D: Datagrams> {
    socket: &'a D,
    buf: &'a mut [u8],
    how: Take,
    waiter: IoWaiter,
}

/// Receives a message from anybody. Made by `recv_from` and `peek_from` of a datagram socket.
///
/// # Cancel safety
///
/// Dropped before it is ready, it has taken no message.
#[must_use = "a future does nothing unless it is awaited"]
pub struct RecvFrom<'a, D: Datagrams> {
    socket: &'a D,
    buf: &'a mut [u8],
    how: Take,
    waiter: IoWaiter,
}

/// Sends a message to the peer. Made by `send` of a datagram socket.
///
/// # Cancel safety
///
/// Dropped before it is ready, it has sent nothing.
#[must_use = "a future does nothing unless it is awaited"]
pub struct SendOne<'a, D: Datagrams> {
    socket: &'a D,
    buf: &'a [u8],
    waiter: IoWaiter,
}

/// Sends a message to an address. Made by `send_to` of a datagram socket.
///
/// # Cancel safety
///
/// Dropped before it is ready, it has sent nothing.
#[must_use = "a future does nothing unless it is awaited"]
pub struct SendTo<'a, D: Datagrams> {
    socket: &'a D,
    buf: &'a [u8],
    /// The error is that of an address that cannot be one.
    addr: Result<Addr<D>, Option<io::Error>>,
    waiter: IoWaiter,
    backoff: Backoff,
}

type Addr<D> = <<D as sealed::Datagrams>::Os as DatagramSocket>::Addr;

fn to_receive<D: Datagrams>(site: &'static Location<'static>) -> IoWaiter {
    IoWaiter::new(&D::kinds().receive, site)
}

fn to_send<D: Datagrams>(site: &'static Location<'static>) -> IoWaiter {
    IoWaiter::new(&D::kinds().send, site)
}

impl<'a, D: Datagrams> Recv<'a, D> {
    pub(crate) fn new(
        socket: &'a D,
        buf: &'a mut [u8],
        how: Take,
        site: &'static Location<'static>,
    ) -> Recv<'a, D> {
        Recv {
            socket,
            buf,
            how,
            waiter: to_receive::<D>(site),
        }
    }
}

impl<'a, D: Datagrams> RecvFrom<'a, D> {
    pub(crate) fn new(
        socket: &'a D,
        buf: &'a mut [u8],
        how: Take,
        site: &'static Location<'static>,
    ) -> RecvFrom<'a, D> {
        RecvFrom {
            socket,
            buf,
            how,
            waiter: to_receive::<D>(site),
        }
    }
}

impl<'a, D: Datagrams> SendOne<'a, D> {
    pub(crate) fn new(
        socket: &'a D,
        buf: &'a [u8],
        site: &'static Location<'static>,
    ) -> SendOne<'a, D> {
        SendOne {
            socket,
            buf,
            waiter: to_send::<D>(site),
        }
    }
}

impl<'a, D: Datagrams> SendTo<'a, D> {
    pub(crate) fn new(
        socket: &'a D,
        buf: &'a [u8],
        addr: io::Result<Addr<D>>,
        site: &'static Location<'static>,
    ) -> SendTo<'a, D> {
        SendTo {
            socket,
            buf,
            addr: addr.map_err(Some),
            waiter: to_send::<D>(site),
            backoff: Backoff::new(),
        }
    }
}

impl<D: Datagrams> Future for Recv<'_, D> {
    type Output = io::Result<usize>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = &mut *self;
        let source = this.socket.source();
        source.poll_io_as(Direction::Read, &mut this.waiter, cx, |os| {
            os.receive(this.buf, this.how)
        })
    }
}

impl<D: Datagrams> Future for RecvFrom<'_, D> {
    type Output = io::Result<(usize, Addr<D>)>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = &mut *self;
        let source = this.socket.source();
        source.poll_io_as(Direction::Read, &mut this.waiter, cx, |os| {
            os.receive_from(this.buf, this.how)
        })
    }
}

impl<D: Datagrams> Future for SendOne<'_, D> {
    type Output = io::Result<usize>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = &mut *self;
        let source = this.socket.source();
        source.poll_io_as(Direction::Write, &mut this.waiter, cx, |os| {
            os.transmit(this.buf)
        })
    }
}

impl<D: Datagrams> Future for SendTo<'_, D> {
    type Output = io::Result<usize>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = &mut *self;
        let addr = match &mut this.addr {
            Ok(addr) => addr,
            Err(error) => {
                let error = error.take();
                return Poll::Ready(Err(error.expect("a send was polled after its end")));
            }
        };
        let source = this.socket.source();
        loop {
            if this.backoff.poll(cx).is_ready() {
                match source.try_write_io(|os| os.transmit_to(this.buf, addr)) {
                    Err(error) if error.kind() == io::ErrorKind::WouldBlock => this.backoff.again(),
                    result => return Poll::Ready(result),
                }
            }
            // Last, so that the task list shows this and not the pause.
            let sent = source.poll_io_as(Direction::Write, &mut this.waiter, cx, |os| {
                os.transmit_to(this.buf, addr)
            });
            if sent.is_ready() || !D::Os::FULL_RECEIVER_IS_SILENT || this.backoff.is_under_way() {
                return sent;
            }
            this.backoff.again();
        }
    }
}

impl<D: Datagrams> fmt::Debug for Recv<'_, D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Recv").field(&self.waiter).finish()
    }
}

impl<D: Datagrams> fmt::Debug for RecvFrom<'_, D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("RecvFrom").field(&self.waiter).finish()
    }
}

impl<D: Datagrams> fmt::Debug for SendOne<'_, D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("SendOne").field(&self.waiter).finish()
    }
}

impl<D: Datagrams> fmt::Debug for SendTo<'_, D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("SendTo")
            .field(&self.addr)
            .field(&self.waiter)
            .finish()
    }
}
