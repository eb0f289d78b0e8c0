//! `UnixStream`.

use std::fmt;
use std::io;
use std::os::unix::net::{self, SocketAddr};
use std::panic::Location;
use std::path::Path;

use corio_core::waiting::WaitKind;
use corio_runtime::IoSource;

use super::{UnixConnect, address};
use crate::bytes::{self, Kinds};

/// A connection in the Unix domain. Dropping it closes it.
///
/// Several tasks may read and write at the same time through `&UnixStream`. It may be made, moved and dropped on any thread, and
/// joins the loop that polls it, see [`IoSource`].
///
/// It implements `AsyncRead` and `AsyncWrite` of futures-io, also by reference.
///
/// ```
/// # use corio_runtime as corio;
/// use corio_net::UnixStream;
///
/// let (a, b) = UnixStream::pair()?;
/// corio::run(async {
///     a.write(b"hello").await?;
///     let mut buffer = [0; 16];
///     let length = b.read(&mut buffer).await?;
///     assert_eq!(&buffer[..length], b"hello");
///     std::io::Result::Ok(())
/// })?;
/// # std::io::Result::Ok(())
/// ```
pub struct UnixStream {
    source: IoSource<net::UnixStream>,
}

static KINDS: Kinds = Kinds {
    read: WaitKind::new("UnixStream::read"),
    write: WaitKind::new("UnixStream::write"),
    peek: WaitKind::new("UnixStream::peek"),
};

impl UnixStream {
    /// Connects to the listener at a path.
    ///
    /// A listener whose backlog is full is tried again after pauses of 1 ms to 50 ms, since the system does not report when it has
    /// room.
    ///
    /// # Errors
    ///
    /// [`NotFound`](io::ErrorKind::NotFound) when nothing is at the path,
    /// [`ConnectionRefused`](io::ErrorKind::ConnectionRefused) when nobody listens there any more,
    /// [`InvalidInput`](io::ErrorKind::InvalidInput) when the path is too long for an address.
    ///
    /// # Panics
    ///
    /// When it is polled on a thread where no loop is running.
    ///
    /// # Cancel safety
    ///
    /// Dropped before it is ready, the attempt is given up and its socket closed.
    #[doc(alias = "create_unix_connection")]
    #[track_caller]
    pub fn connect(path: impl AsRef<Path>) -> UnixConnect {
        UnixConnect::new(address::of_path(path.as_ref()), Location::caller())
    }

    /// Connects to an address, which may have an abstract name on Linux.
    ///
    /// # Errors
    ///
    /// As [`connect`](UnixStream::connect).
    ///
    /// # Panics
    ///
    /// As [`connect`](UnixStream::connect).
    ///
    /// # Cancel safety
    ///
    /// Dropped before it is ready, the attempt is given up and its socket closed.
    #[track_caller]
    pub fn connect_addr(addr: &SocketAddr) -> UnixConnect {
        UnixConnect::new(address::of_std(addr), Location::caller())
    }

    /// Two connected streams without addresses. No loop is needed.
    ///
    /// # Errors
    ///
    /// When there are no descriptors left.
    #[doc(alias = "socketpair")]
    pub fn pair() -> io::Result<(UnixStream, UnixStream)> {
        let (a, b) = net::UnixStream::pair()?;
        Ok((UnixStream::of_new(a)?, UnixStream::of_new(b)?))
    }

    /// Takes a connection of the standard library, and switches it to non-blocking mode. No loop is needed.
    ///
    /// # Errors
    ///
    /// When the mode cannot be switched. `From` takes the connection without asking, and has the first operation say so.
    pub fn from_std(stream: net::UnixStream) -> io::Result<UnixStream> {
        UnixStream::prepare(&stream)?;
        Ok(UnixStream::of_source(IoSource::new(stream)))
    }

    fn prepare(stream: &net::UnixStream) -> io::Result<()> {
        stream.set_nonblocking(true)
    }

    /// As `from_std`, for a socket that has just come from the system.
    pub(super) fn of_new(stream: net::UnixStream) -> io::Result<UnixStream> {
        UnixStream::prepare(&stream)?;
        Ok(UnixStream::of_source(IoSource::unshared(stream)))
    }

    /// The connection is prepared, or the source knows that it is not. It may be registered already.
    pub(super) fn of_source(source: IoSource<net::UnixStream>) -> UnixStream {
        UnixStream { source }
    }

    /// Leaves the loop and gives the connection back, in **non-blocking** mode.
    pub fn into_std(self) -> net::UnixStream {
        self.source.into_inner()
    }
}

bytes::stream_methods!(UnixStream, net::UnixStream);

impl UnixStream {
    /// The address of this end.
    ///
    /// # Errors
    ///
    /// What the operating system says.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.source.get_ref().local_addr()
    }

    /// The address of the other end.
    ///
    /// # Errors
    ///
    /// What the operating system says.
    pub fn peer_addr(&self) -> io::Result<SocketAddr> {
        self.source.get_ref().peer_addr()
    }
}

impl bytes::sealed::Stream for UnixStream {
    type Os = net::UnixStream;

    #[inline]
    fn source(&self) -> &IoSource<net::UnixStream> {
        &self.source
    }

    #[inline]
    fn kinds() -> &'static Kinds {
        &KINDS
    }
}

// A read ends early where the peer has passed a descriptor along, with more bytes behind it.
bytes::stream_socket!(net::UnixStream, short_read_drains: false);

crate::handles::handle_traits!(UnixStream, net::UnixStream);

impl fmt::Debug for UnixStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut debug = f.debug_struct("UnixStream");
        if let Ok(addr) = self.local_addr() {
            debug.field("local", &addr);
        }
        if let Ok(addr) = self.peer_addr() {
            debug.field("peer", &addr);
        }
        debug.finish_non_exhaustive()
    }
}
