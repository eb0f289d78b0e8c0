//! `start_server`.

use std::fmt;
use std::future::{Future, IntoFuture};
use std::io;
use std::net::{self, SocketAddr};
use std::panic::Location;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use socket2::SockRef;

use super::handle::Server;
use super::handler::HandlerOutput;
use super::serving::{Serving, serving_methods};
use crate::stream::{StreamReader, StreamWriter};
use crate::tcp::bind_now;
use crate::{BindOptions, Lookup, TcpListener, ToSocketAddrs};

/// Serves TCP connections: each has a task of its own, in which `handler` gets a reader and a writer.
///
/// It is awaited as it is, or after options. All addresses of a name are listened at; with port 0 they get the same port, if that
/// is free. Instead of an address it takes a [`TcpListener`], or one of the standard library, that is bound already.
///
/// The handler gives nothing or a `Result`. Its `Err` and its panic go to the exception handler of the loop; cancelling it is no
/// error. Whatever its end is, the connection is closed when the writer is dropped, and what was written is still sent. See
/// [`Server`] for how a server ends. A server that cannot accept, because there are no descriptors left, says so to the exception
/// handler, pauses for a second and goes on.
///
/// ```
/// # use corio_runtime as corio;
/// use corio_net::{open_connection, start_server};
/// use std::time::Duration;
///
/// corio::run(async {
///     let server = start_server(
///         async |mut reader, writer| {
///             while let Some(line) = reader.lines().next().await {
///                 writer.write(&line?);
///                 writer.drain().await?;
///             }
///             std::io::Result::Ok(())
///         },
///         "127.0.0.1:0",
///     )
///     .await?;
///     let (mut reader, writer) = open_connection(server.local_addrs()).await?;
///     writer.write(b"echo\n");
///     assert_eq!(reader.readline().await?, b"echo\n");
///     let report = server.shutdown(Duration::from_secs(5)).await;
///     assert_eq!((report.connections, report.forced), (1, 0));
///     std::io::Result::Ok(())
/// })?;
/// # std::io::Result::Ok(())
/// ```
///
/// # Errors
///
/// That of the look-up, or of an address: in use, not of this machine, not allowed.
///
/// # Panics
///
/// When it is polled on a thread where no loop is running.
///
/// # Cancel safety
///
/// Dropped before it is ready, nothing is bound.
#[doc(alias = "create_server")]
#[track_caller]
pub fn start_server<H, R>(handler: H, addr: impl ListenAt) -> StartServer<H>
where
    H: AsyncFn(StreamReader, StreamWriter) -> R + 'static,
    R: HandlerOutput + 'static,
{
    StartServer {
        serving: Serving::new(handler, Location::caller()),
        places: addr.places(),
        bind: BindOptions::new().backlog(BACKLOG).only_v6(true),
        backlog: None,
    }
}

/// That of asyncio.
const BACKLOG: u32 = 100;

/// Where a server may listen: at addresses, or at a listener that there is already.
pub trait ListenAt {
    #[doc(hidden)]
    fn places(self) -> ListenPlaces;
}

/// What [`ListenAt`] gives.
#[derive(Debug)]
pub struct ListenPlaces(Places);

#[derive(Debug)]
enum Places {
    Lookup(Lookup),
    Listener(io::Result<TcpListener>),
}

impl<T: ToSocketAddrs> ListenAt for T {
    fn places(self) -> ListenPlaces {
        ListenPlaces(Places::Lookup(self.lookup()))
    }
}

impl ListenAt for TcpListener {
    fn places(self) -> ListenPlaces {
        ListenPlaces(Places::Listener(Ok(self)))
    }
}

impl ListenAt for net::TcpListener {
    fn places(self) -> ListenPlaces {
        ListenPlaces(Places::Listener(TcpListener::from_std(self)))
    }
}

/// A server that is to be started. Made by [`start_server`], and awaited.
#[must_use = "it does nothing unless it is awaited"]
pub struct StartServer<H> {
    serving: Serving<H>,
    places: ListenPlaces,
    bind: BindOptions,
    /// For a listener that there is already.
    backlog: Option<u32>,
}

impl<H> StartServer<H> {
    serving_methods!();

    /// How many connections may wait to be accepted. 100, unless told otherwise; a listener that there is already keeps what it has,
    /// unless told otherwise. For those of the standard library that is 128. Windows cannot change it later.
    pub fn backlog(mut self, backlog: u32) -> Self {
        self.bind = self.bind.backlog(backlog);
        self.backlog = Some(backlog);
        self
    }

    /// Whether several sockets may have the same address at the same time, see [`BindOptions::reuse_port`].
    pub fn reuse_port(mut self, reuse: bool) -> Self {
        self.bind = self.bind.reuse_port(reuse);
        self
    }

    /// Whether the address may be one of an earlier program, see [`BindOptions::reuse_address`].
    pub fn reuse_address(mut self, reuse: bool) -> Self {
        self.bind = self.bind.reuse_address(reuse);
        self
    }
}

impl<H, R> IntoFuture for StartServer<H>
where
    H: AsyncFn(StreamReader, StreamWriter) -> R + 'static,
    R: HandlerOutput + 'static,
{
    type Output = io::Result<Server>;
    type IntoFuture = Starting<H>;

    fn into_future(self) -> Starting<H> {
        Starting { start: Some(self) }
    }
}

/// The future of [`start_server`].
///
/// # Cancel safety
///
/// Dropped before it is ready, nothing is bound.
#[must_use = "a future does nothing unless it is awaited"]
pub struct Starting<H> {
    start: Option<StartServer<H>>,
}

/// The handler is never pinned here.
impl<H> Unpin for Starting<H> {}

impl<H, R> Future for Starting<H>
where
    H: AsyncFn(StreamReader, StreamWriter) -> R + 'static,
    R: HandlerOutput + 'static,
{
    type Output = io::Result<Server>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<Server>> {
        let start = self.start.as_mut();
        let start = start.expect("a server that has started was polled again");
        let addresses = match &mut start.places.0 {
            Places::Lookup(lookup) => ready!(Pin::new(lookup).poll(cx))?,
            Places::Listener(_) => Vec::new(),
        };
        let Some(start) = self.start.take() else {
            return Poll::Pending;
        };
        let listeners = match start.places.0 {
            Places::Lookup(_) => bind_all(addresses, &start.bind)?,
            Places::Listener(listener) => {
                let listener = listener?;
                if start.backlog.is_some() {
                    // What listens already gets another backlog by that.
                    SockRef::from(&listener).listen(start.bind.backlog)?;
                }
                vec![listener]
            }
        };
        Poll::Ready(Ok(start.serving.server(listeners, None)))
    }
}

/// All of them, or none. What a name means twice is bound once; a family that this machine does not have is left out, as long as
/// there is another.
fn bind_all(addresses: Vec<SocketAddr>, options: &BindOptions) -> io::Result<Vec<TcpListener>> {
    let mut listeners = Vec::<TcpListener>::new();
    let mut missing = None;
    for (index, addr) in addresses.iter().enumerate() {
        if addresses[..index].contains(addr) {
            continue;
        }
        let port = listeners.first().and_then(|first| first.local_addr().ok());
        let same_port = port.filter(|_| addr.port() == 0).and_then(|first| {
            let addr = SocketAddr::new(addr.ip(), first.port());
            bind_now(addr, options).ok()
        });
        match same_port.map_or_else(|| bind_now(*addr, options), Ok) {
            Ok(listener) => listeners.push(listener),
            Err(error) if is_of_no_family(&error) => missing = missing.or(Some(error)),
            Err(error) => return Err(error),
        }
    }
    match missing {
        Some(error) if listeners.is_empty() => Err(error),
        _ => Ok(listeners),
    }
}

fn is_of_no_family(error: &io::Error) -> bool {
    #[cfg(unix)]
    if error.raw_os_error() == Some(rustix::io::Errno::AFNOSUPPORT.raw_os_error()) {
        return true;
    }
    error.kind() == io::ErrorKind::AddrNotAvailable
}

impl<H> fmt::Debug for StartServer<H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StartServer")
            .field("places", &self.places)
            .field("bind", &self.bind)
            .field("serve", &self.serving.serve)
            .finish_non_exhaustive()
    }
}

impl<H> fmt::Debug for Starting<H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Starting").field(&self.start).finish()
    }
}
