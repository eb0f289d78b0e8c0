//! The future that connects in the Unix domain.

use std::fmt;
use std::future::Future;
use std::io;
use std::os::unix::net;
use std::panic::Location;
use std::path::Path;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use corio_core::waiting::WaitKind;
use corio_reactor::Direction;
use corio_runtime::{IoSource, IoWaiter};
use socket2::{Domain, SockAddr, Socket, Type};

use super::{UnixStream, address};
use crate::backoff::Backoff;
use crate::bind::nonblocking_socket;

static CONNECT: WaitKind = WaitKind::new("UnixStream::connect");

/// Makes a connection. Made by [`UnixStream::connect`] and [`UnixStream::connect_addr`].
///
/// # Cancel safety
///
/// Dropped before it is ready, the attempt is given up and its socket closed.
#[must_use = "a future does nothing unless it is awaited"]
pub struct UnixConnect {
    stage: Stage,
    site: &'static Location<'static>,
}

enum Stage {
    New(io::Result<SockAddr>),
    /// The listener has no room for another connection, which the system does not report when it changes.
    NoRoom(Socket, SockAddr, Backoff),
    UnderWay(IoWaiter, IoSource<net::UnixStream>),
    Over,
}

impl UnixConnect {
    pub(super) fn new(addr: io::Result<SockAddr>, site: &'static Location<'static>) -> UnixConnect {
        let stage = Stage::New(addr);
        UnixConnect { stage, site }
    }

    /// Tries to connect; afterwards the stage says how that went.
    fn attempt(&mut self, socket: Socket, addr: SockAddr, mut backoff: Backoff) -> io::Result<()> {
        self.stage = match socket.connect(&addr) {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                backoff.again();
                Stage::NoRoom(socket, addr, backoff)
            }
            Err(error) if !is_under_way(&error) => return Err(error),
            _ => {
                let waiter = IoWaiter::new(&CONNECT, self.site);
                let source = IoSource::unshared(net::UnixStream::from(socket));
                Stage::UnderWay(waiter, source)
            }
        };
        Ok(())
    }
}

impl Future for UnixConnect {
    type Output = io::Result<UnixStream>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<UnixStream>> {
        let this = &mut *self;
        loop {
            match &mut this.stage {
                Stage::UnderWay(waiter, source) => {
                    ready!(source.poll_io_as(Direction::Write, waiter, cx, outcome))?;
                }
                Stage::NoRoom(_, _, backoff) => ready!(backoff.poll(cx)),
                Stage::New(_) => {}
                Stage::Over => panic!("a connection was polled after its end"),
            }
            match std::mem::replace(&mut this.stage, Stage::Over) {
                Stage::UnderWay(waiter, source) => {
                    drop(waiter);
                    return Poll::Ready(Ok(UnixStream::of_source(source)));
                }
                Stage::NoRoom(socket, addr, backoff) => this.attempt(socket, addr, backoff)?,
                Stage::New(addr) => {
                    let socket = nonblocking_socket(Domain::UNIX, Type::STREAM)?;
                    this.attempt(socket, addr?, Backoff::new())?;
                }
                Stage::Over => {}
            }
        }
    }
}

fn is_under_way(error: &io::Error) -> bool {
    error.raw_os_error() == Some(rustix::io::Errno::INPROGRESS.raw_os_error())
        || error.kind() == io::ErrorKind::Interrupted
}

/// How an attempt has ended; `WouldBlock` if it has not.
fn outcome(stream: &net::UnixStream) -> io::Result<()> {
    match stream.peer_addr() {
        Ok(_) => Ok(()),
        Err(_) => match stream.take_error()? {
            Some(error) => Err(error),
            None => Err(io::ErrorKind::WouldBlock.into()),
        },
    }
}

/// Somebody accepts connections at the path, or might: it is not known that nobody does.
pub(crate) fn is_listened_at(path: &Path) -> bool {
    let attempt = || -> io::Result<()> {
        let socket = nonblocking_socket(Domain::UNIX, Type::STREAM)?;
        socket.connect(&address::of_path(path)?)
    };
    !matches!(attempt(), Err(error) if error.kind() == io::ErrorKind::ConnectionRefused)
}

impl fmt::Debug for UnixConnect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let stage = match &self.stage {
            Stage::New(_) => "new",
            Stage::NoRoom(..) => "no room",
            Stage::UnderWay(..) => "under way",
            Stage::Over => "over",
        };
        f.debug_struct("UnixConnect")
            .field("stage", &stage)
            .finish_non_exhaustive()
    }
}
