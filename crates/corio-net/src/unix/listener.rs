//! `UnixListener`.

use std::fmt;
use std::io;
use std::os::unix::net::{self, SocketAddr};
use std::panic::Location;
use std::path::Path;

use corio_core::waiting::WaitKind;
use corio_runtime::IoSource;
use socket2::{Domain, SockAddr, Type};

use super::{UnixStream, address};
use crate::accept::{Accept, Incoming, Queue, sealed};
use crate::bind::{BACKLOG, nonblocking_socket};

/// Waits for connections in the Unix domain. Dropping it ends that; connections that were not accepted are closed.
///
/// The file at its path is left to who made it: [`bind`](UnixListener::bind) fails if there is one, and dropping the listener does
/// not remove it. Abstract names, which Linux has, go with the listener.
///
/// ```
/// # use corio_runtime as corio;
/// use corio_net::{UnixListener, UnixStream};
///
/// let path = std::env::temp_dir().join(format!("corio-net-{}.sock", std::process::id()));
/// # let _ = std::fs::remove_file(&path);
/// let listener = UnixListener::bind(&path)?;
/// corio::run(async {
///     let client = UnixStream::connect(&path).await?;
///     let (server, _) = listener.accept().await?;
///     client.write(b"hello").await?;
///     let mut buffer = [0; 16];
///     assert_eq!(server.read(&mut buffer).await?, 5);
///     std::io::Result::Ok(())
/// })?;
/// std::fs::remove_file(&path)?;
/// # std::io::Result::Ok(())
/// ```
pub struct UnixListener {
    source: IoSource<net::UnixListener>,
    queue: Queue,
}

static ACCEPT: WaitKind = WaitKind::new("UnixListener::accept");

impl UnixListener {
    /// Listens at a path, at which a file is made. The backlog is 1,024. No loop is needed.
    ///
    /// # Errors
    ///
    /// [`AddrInUse`](io::ErrorKind::AddrInUse) when there is a file at the path, also one that a program left behind; and what else
    /// the operating system says.
    pub fn bind(path: impl AsRef<Path>) -> io::Result<UnixListener> {
        bind_now(&address::of_path(path.as_ref())?)
    }

    /// Listens at an address, which may have an abstract name on Linux. No loop is needed.
    ///
    /// # Errors
    ///
    /// As [`bind`](UnixListener::bind).
    pub fn bind_addr(addr: &SocketAddr) -> io::Result<UnixListener> {
        bind_now(&address::of_std(addr)?)
    }

    /// Takes a listener of the standard library, and switches it to non-blocking mode. No loop is needed.
    ///
    /// # Errors
    ///
    /// When the mode cannot be switched. `From` takes the listener without asking, and has the first `accept` say so.
    pub fn from_std(listener: net::UnixListener) -> io::Result<UnixListener> {
        UnixListener::prepare(&listener)?;
        Ok(UnixListener::of_source(IoSource::new(listener)))
    }

    fn prepare(listener: &net::UnixListener) -> io::Result<()> {
        listener.set_nonblocking(true)
    }

    /// The listener is prepared, or the source knows that it is not.
    fn of_source(source: IoSource<net::UnixListener>) -> UnixListener {
        let queue = Queue::default();
        UnixListener { source, queue }
    }

    /// Leaves the loop and gives the listener back, in **non-blocking** mode.
    pub fn into_std(self) -> net::UnixListener {
        self.source.into_inner()
    }

    /// Waits for a connection, and gives it with the address of the peer, which mostly has none.
    ///
    /// # Errors
    ///
    /// What the operating system says, foremost that there are no descriptors left. The listener stays usable.
    ///
    /// # Panics
    ///
    /// When it is polled on a thread where no loop is running.
    ///
    /// # Cancel safety
    ///
    /// Dropped before it is ready, it has accepted nothing: the connection waits for the next `accept`.
    #[track_caller]
    pub fn accept(&self) -> Accept<'_, UnixListener> {
        Accept::new(self, Location::caller())
    }

    /// The connections, one after the other, as a stream without an end.
    ///
    /// # Errors
    ///
    /// As [`accept`](UnixListener::accept).
    ///
    /// # Cancel safety
    ///
    /// As [`accept`](UnixListener::accept).
    #[track_caller]
    pub fn incoming(&self) -> Incoming<'_, UnixListener> {
        Incoming::new(self, Location::caller())
    }

    /// The address.
    ///
    /// # Errors
    ///
    /// What the operating system says.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.source.get_ref().local_addr()
    }
}

fn bind_now(addr: &SockAddr) -> io::Result<UnixListener> {
    let socket = nonblocking_socket(Domain::UNIX, Type::STREAM)?;
    socket.bind(addr)?;
    socket.listen(BACKLOG)?;
    let listener = net::UnixListener::from(socket);
    Ok(UnixListener::of_source(IoSource::new(listener)))
}

impl sealed::Listener for UnixListener {
    type Os = net::UnixListener;
    type Stream = UnixStream;
    type Addr = SocketAddr;

    fn source(&self) -> &IoSource<net::UnixListener> {
        &self.source
    }

    fn queue(&self) -> &Queue {
        &self.queue
    }

    fn kind() -> &'static WaitKind {
        &ACCEPT
    }

    fn accept_now(os: &net::UnixListener) -> io::Result<(UnixStream, SocketAddr)> {
        let (stream, peer) = os.accept()?;
        Ok((UnixStream::of_new(stream)?, peer))
    }
}

crate::handles::handle_traits!(UnixListener, net::UnixListener);

impl fmt::Debug for UnixListener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut debug = f.debug_struct("UnixListener");
        if let Ok(addr) = self.local_addr() {
            debug.field("local", &addr);
        }
        debug.finish_non_exhaustive()
    }
}
