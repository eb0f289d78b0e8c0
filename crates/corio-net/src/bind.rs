//! Binding sockets to addresses: the options and the future.

use std::fmt;
use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use socket2::{Domain, Socket, Type};

use crate::Lookup;

/// How a listener or a UDP socket is bound.
///
/// ```
/// # use corio_runtime as corio;
/// use corio_net::{BindOptions, TcpListener};
///
/// corio::run(async {
///     let options = BindOptions::new().backlog(16).only_v6(true);
///     match TcpListener::bind_with("[::1]:0", &options).await {
///         Ok(listener) => assert!(listener.local_addr()?.is_ipv6()),
///         Err(error) => println!("no IPv6 here: {error}"),
///     }
///     std::io::Result::Ok(())
/// })?;
/// # std::io::Result::Ok(())
/// ```
#[derive(Clone, Debug)]
#[must_use = "options do nothing unless something is bound with them"]
pub struct BindOptions {
    pub(crate) backlog: i32,
    reuse_address: Option<bool>,
    reuse_port: bool,
    only_v6: Option<bool>,
}

pub(crate) const BACKLOG: i32 = 1024;

impl BindOptions {
    /// What `bind` uses.
    pub fn new() -> BindOptions {
        BindOptions {
            backlog: BACKLOG,
            reuse_address: None,
            reuse_port: false,
            only_v6: None,
        }
    }

    /// How many connections may wait to be accepted. 1,024, unless told otherwise; the system may have a lower limit.
    pub fn backlog(mut self, backlog: u32) -> Self {
        self.backlog = i32::try_from(backlog).unwrap_or(i32::MAX);
        self
    }

    /// Whether an address may be bound although connections of an earlier program are still in their last phase. Unless told
    /// otherwise listeners on Unix do so. Elsewhere it means that several sockets may have the address at the same time, as it does
    /// for UDP.
    pub fn reuse_address(mut self, reuse: bool) -> Self {
        self.reuse_address = Some(reuse);
        self
    }

    /// Whether several sockets may have the same address at the same time, each of which gets a part of what comes. Not unless it
    /// is asked for.
    ///
    /// Systems that do not have it fail to bind with [`Unsupported`](io::ErrorKind::Unsupported).
    pub fn reuse_port(mut self, reuse: bool) -> Self {
        self.reuse_port = reuse;
        self
    }

    /// Whether an IPv6 socket is for IPv6 only. Unless told otherwise that is the system's choice. Has no effect on others.
    pub fn only_v6(mut self, only: bool) -> Self {
        self.only_v6 = Some(only);
        self
    }

    /// A socket that is to be bound to `addr`, in non-blocking mode.
    pub(crate) fn socket(
        &self,
        addr: SocketAddr,
        kind: Type,
        reuse_address: bool,
    ) -> io::Result<Socket> {
        let socket = nonblocking_socket(Domain::for_address(addr), kind)?;
        if self.reuse_address.unwrap_or(reuse_address) {
            socket.set_reuse_address(true)?;
        }
        if self.reuse_port {
            set_reuse_port(&socket)?;
        }
        if let (Some(only_v6), true) = (self.only_v6, addr.is_ipv6()) {
            socket.set_only_v6(only_v6)?;
        }
        Ok(socket)
    }
}

impl Default for BindOptions {
    fn default() -> BindOptions {
        BindOptions::new()
    }
}

/// A socket in non-blocking mode, which children do not inherit.
#[cfg(any(target_os = "linux", target_os = "android"))]
pub(crate) fn nonblocking_socket(domain: Domain, kind: Type) -> io::Result<Socket> {
    Socket::new(domain, kind.nonblocking(), None)
}

/// A socket in non-blocking mode, which children do not inherit.
#[cfg(not(any(target_os = "linux", target_os = "android")))]
pub(crate) fn nonblocking_socket(domain: Domain, kind: Type) -> io::Result<Socket> {
    let socket = Socket::new(domain, kind, None)?;
    socket.set_nonblocking(true)?;
    Ok(socket)
}

#[cfg(all(unix, not(any(target_os = "solaris", target_os = "illumos"))))]
fn set_reuse_port(socket: &Socket) -> io::Result<()> {
    socket.set_reuse_port(true)
}

#[cfg(not(all(unix, not(any(target_os = "solaris", target_os = "illumos")))))]
fn set_reuse_port(_: &Socket) -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}

/// Binds, once the address is known. Made by `bind` of the socket types.
///
/// # Cancel safety
///
/// Dropped before it is ready, nothing is bound.
#[must_use = "a future does nothing unless it is awaited"]
pub struct Bind<T> {
    lookup: Lookup,
    options: BindOptions,
    bind: fn(SocketAddr, &BindOptions) -> io::Result<T>,
}

impl<T> Bind<T> {
    pub(crate) fn new(
        lookup: Lookup,
        options: BindOptions,
        bind: fn(SocketAddr, &BindOptions) -> io::Result<T>,
    ) -> Bind<T> {
        Bind {
            lookup,
            options,
            bind,
        }
    }
}

impl<T> Future for Bind<T> {
    type Output = io::Result<T>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<T>> {
        let addresses = ready!(Pin::new(&mut self.lookup).poll(cx))?;
        Poll::Ready(first(addresses, |addr| (self.bind)(addr, &self.options)))
    }
}

impl<T> fmt::Debug for Bind<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Bind")
            .field("lookup", &self.lookup)
            .field("options", &self.options)
            .finish()
    }
}

/// What the first address gives that does not fail, or the first failure.
pub(crate) fn first<T>(
    addresses: Vec<SocketAddr>,
    mut attempt: impl FnMut(SocketAddr) -> io::Result<T>,
) -> io::Result<T> {
    let mut first_error = None;
    for addr in addresses {
        match attempt(addr) {
            Ok(value) => return Ok(value),
            Err(error) => first_error = first_error.or(Some(error)),
        }
    }
    Err(first_error.unwrap_or_else(|| io::ErrorKind::InvalidInput.into()))
}
