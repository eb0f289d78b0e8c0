//! What TCP and Unix streams have in common: bytes in order, two directions, an end for each.

mod methods;
mod owned;
mod read;
mod split;
mod traits;
mod whole;
mod write;

use std::fmt;
use std::io::{self, IoSlice, IoSliceMut};
use std::net::Shutdown;

use corio_core::waiting::WaitKind;
use corio_reactor::{AsSource, Direction};
use corio_runtime::IoSource;

pub(crate) use self::methods::stream_methods;
pub(crate) use self::owned::into_split;
pub use self::owned::{OwnedReadHalf, OwnedWriteHalf, ReuniteError};
pub use self::read::{Peek, ReadSome, ReadVectored};
pub(crate) use self::split::split;
pub use self::split::{ReadHalf, WriteHalf};
pub use self::whole::{ReadExact, WriteAll};
pub use self::write::{WriteSome, WriteVectored};

/// [`TcpStream`](crate::TcpStream) and, on Unix, [`UnixStream`](crate::UnixStream), for the types that serve both. Nothing else
/// implements it.
pub trait ByteStream: sealed::Stream + fmt::Debug + Send + Sync + Unpin {}

impl<S: sealed::Stream + fmt::Debug + Send + Sync + Unpin> ByteStream for S {}

pub(crate) mod sealed {
    use super::{Kinds, StreamSocket};
    use corio_runtime::IoSource;

    /// The streams of this crate.
    pub trait Stream {
        type Os: StreamSocket;

        fn source(&self) -> &IoSource<Self::Os>;
        fn kinds() -> &'static Kinds;
    }
}

/// The operations of a stream socket of the standard library.
#[allow(unreachable_pub, reason = "the sealed trait has it for a bound")]
pub trait StreamSocket: AsSource {
    /// Whether a read that gives less than it could has taken all there was.
    const SHORT_READ_DRAINS: bool;

    fn receive(&self, buf: &mut [u8]) -> io::Result<usize>;
    fn receive_vectored(&self, bufs: &mut [IoSliceMut<'_>]) -> io::Result<usize>;
    fn transmit(&self, buf: &[u8]) -> io::Result<usize>;
    fn transmit_vectored(&self, bufs: &[IoSlice<'_>]) -> io::Result<usize>;
    fn end(&self, how: Shutdown) -> io::Result<()>;
}

/// What the operations of one type are called in task lists.
pub struct Kinds {
    pub(crate) read: WaitKind,
    pub(crate) write: WaitKind,
    pub(crate) peek: WaitKind,
}

macro_rules! stream_socket {
    ($socket:ty, short_read_drains: $drains:expr) => {
        impl $crate::bytes::StreamSocket for $socket {
            const SHORT_READ_DRAINS: bool = $drains;

            #[inline]
            fn receive(&self, buf: &mut [u8]) -> ::std::io::Result<usize> {
                ::std::io::Read::read(&mut &*self, buf)
            }

            fn receive_vectored(
                &self,
                bufs: &mut [::std::io::IoSliceMut<'_>],
            ) -> ::std::io::Result<usize> {
                ::std::io::Read::read_vectored(&mut &*self, bufs)
            }

            #[inline]
            fn transmit(&self, buf: &[u8]) -> ::std::io::Result<usize> {
                ::std::io::Write::write(&mut &*self, buf)
            }

            fn transmit_vectored(
                &self,
                bufs: &[::std::io::IoSlice<'_>],
            ) -> ::std::io::Result<usize> {
                ::std::io::Write::write_vectored(&mut &*self, bufs)
            }

            fn end(&self, how: ::std::net::Shutdown) -> ::std::io::Result<()> {
                self.shutdown(how)
            }
        }
    };
}
pub(crate) use stream_socket;

/// How many bytes a short operation has to fall short of, or 0 if it proves nothing.
#[inline]
fn goal<O: StreamSocket>(direction: Direction, len: usize) -> usize {
    match direction {
        Direction::Read if !O::SHORT_READ_DRAINS => 0,
        _ => len,
    }
}

/// The same for several buffers, and how long they are together. The system takes no more of them at a time than it likes to,
/// so with many of them a short operation proves nothing either.
fn vectored_goal<O: StreamSocket>(
    direction: Direction,
    lens: impl ExactSizeIterator<Item = usize>,
) -> (usize, usize) {
    let few = lens.len() <= ALWAYS_TAKEN;
    let total = lens.fold(0, usize::saturating_add);
    let goal = if few { goal::<O>(direction, total) } else { 0 };
    (total, goal)
}

/// How many buffers every system takes at once.
const ALWAYS_TAKEN: usize = 16;

/// Ends a direction. Doing it twice is fine, also where the system objects to that.
pub(crate) fn shut_down<O: StreamSocket>(source: &IoSource<O>, how: Shutdown) -> io::Result<()> {
    match source.get_ref().end(how) {
        Err(error) if error.kind() == io::ErrorKind::NotConnected => Ok(()),
        result => result,
    }
}
