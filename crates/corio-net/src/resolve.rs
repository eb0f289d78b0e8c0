//! From what programs write as an address to socket addresses.

use std::fmt;
use std::future::Future;
use std::io;
use std::net::{
    IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV4, SocketAddrV6, ToSocketAddrs as _,
};
use std::pin::Pin;
use std::sync::OnceLock;
use std::task::{Context, Poll, ready};

use corio_core::TaskError;
use corio_runtime::{BlockingPool, ToThread, get_running_loop};

/// Looks a host name up, as the system does it. An address in digits is taken as it is.
///
/// The look-up runs on a thread of its own, and its outcome has the system's order. A resolver that hangs holds up neither the loop
/// nor the end of the program.
///
/// # Errors
///
/// What the resolver says: the name does not exist, or it cannot be asked. A name without addresses is
/// [`NotFound`](io::ErrorKind::NotFound).
///
/// # Panics
///
/// When it is polled on a thread where no loop is running and a name has to be looked up.
///
/// # Cancel safety
///
/// Dropping it gives the look-up up; one that has begun goes on on its thread, and nobody hears of it.
///
/// ```
/// # use corio_runtime as corio;
/// corio::run(async {
///     let addresses = corio_net::resolve("127.0.0.1", 80).await?;
///     assert_eq!(addresses, ["127.0.0.1:80".parse().unwrap()]);
///     std::io::Result::Ok(())
/// })?;
/// # std::io::Result::Ok(())
/// ```
#[doc(alias = "getaddrinfo")]
#[doc(alias = "lookup_host")]
pub fn resolve(host: &str, port: u16) -> Lookup {
    Lookup::host(host, port)
}

/// What names one or several socket addresses: addresses, pairs of a host and a port, and strings such as `"localhost:80"` or
/// `"[::1]:80"`.
///
/// It is for arguments; a type of your own implements it with [`Lookup::known`] or [`Lookup::host`].
pub trait ToSocketAddrs {
    /// The look-up that gives the addresses. It does nothing yet.
    fn lookup(self) -> Lookup;
}

/// A look-up under way: a future of the addresses, of which there is at least one. Made by [`resolve`] and by [`ToSocketAddrs`].
///
/// # Cancel safety
///
/// Dropping it gives the look-up up; one that has begun goes on on its thread, and nobody hears of it.
#[must_use = "a future does nothing unless it is awaited"]
#[derive(Debug)]
pub struct Lookup {
    stage: Stage,
}

#[derive(Debug)]
enum Stage {
    Known(Vec<SocketAddr>),
    Host(String, u16),
    /// A string without a port that can be read.
    WithoutPort(String),
    Own(Own),
    Asked(ToThread<io::Result<Vec<SocketAddr>>>),
    Over,
}

/// What looks up in place of the system.
struct Own(Box<dyn FnOnce() -> io::Result<Vec<SocketAddr>> + Send>);

impl fmt::Debug for Own {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("..")
    }
}

impl Lookup {
    /// A look-up of what is known.
    pub fn known(addresses: impl Into<Vec<SocketAddr>>) -> Lookup {
        let stage = Stage::Known(addresses.into());
        Lookup { stage }
    }

    /// A look-up of a name; digits need none. Brackets around an IPv6 address may be there or not.
    pub fn host(host: &str, port: u16) -> Lookup {
        let bare = host
            .strip_prefix('[')
            .and_then(|host| host.strip_suffix(']'));
        if let Ok(address) = bare.unwrap_or(host).parse::<IpAddr>() {
            return Lookup::known([SocketAddr::new(address, port)]);
        }
        let stage = Stage::Host(host.to_owned(), port);
        Lookup { stage }
    }

    /// A look-up by code of your own, which may block: it runs on one of the threads that look names up.
    ///
    /// There are at most 64 of them in a process; while so many hang, other look-ups wait.
    ///
    /// ```
    /// # use corio_runtime as corio;
    /// use corio_net::{Lookup, TcpListener, TcpStream};
    ///
    /// corio::run(async {
    ///     let listener = TcpListener::bind("127.0.0.1:0").await?;
    ///     let addr = listener.local_addr()?;
    ///     let from_a_table = Lookup::blocking(move || Ok(vec![addr]));
    ///     TcpStream::connect(from_a_table).await.map(drop)
    /// })?;
    /// # std::io::Result::Ok(())
    /// ```
    pub fn blocking<F>(look_up: F) -> Lookup
    where
        F: FnOnce() -> io::Result<Vec<SocketAddr>> + Send + 'static,
    {
        let stage = Stage::Own(Own(Box::new(look_up)));
        Lookup { stage }
    }

    /// Nothing has to be looked up.
    pub(crate) fn is_known(&self) -> bool {
        matches!(self.stage, Stage::Known(_))
    }

    /// The name that is looked up; of what is known, the address, unless there are several.
    #[cfg(feature = "tls")]
    pub(crate) fn name(&self) -> Option<String> {
        match &self.stage {
            Stage::Host(host, _) => Some(host.clone()),
            Stage::Known(addresses) => {
                let (first, others) = addresses.split_first()?;
                let same = others.iter().all(|other| other.ip() == first.ip());
                same.then(|| first.ip().to_string())
            }
            _ => None,
        }
    }

    fn parsed(text: &str) -> Lookup {
        if let Ok(address) = text.parse::<SocketAddr>() {
            return Lookup::known([address]);
        }
        match text
            .rsplit_once(':')
            .map(|(host, port)| (host, port.parse()))
        {
            Some((host, Ok(port))) => Lookup::host(host, port),
            _ => Lookup {
                stage: Stage::WithoutPort(text.to_owned()),
            },
        }
    }
}

impl Future for Lookup {
    type Output = io::Result<Vec<SocketAddr>>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        loop {
            match &mut self.stage {
                Stage::Known(addresses) => {
                    let addresses = std::mem::take(addresses);
                    self.stage = Stage::Over;
                    return Poll::Ready(not_empty(addresses));
                }
                Stage::Host(host, port) => {
                    let (host, port) = (std::mem::take(host), *port);
                    let ask = move || Ok((host.as_str(), port).to_socket_addrs()?.collect());
                    self.stage = Stage::Own(Own(Box::new(ask)));
                }
                Stage::Own(_) => {
                    let event_loop = get_running_loop();
                    if let Stage::Own(Own(ask)) = std::mem::replace(&mut self.stage, Stage::Over) {
                        let asked = event_loop.run_in_executor(resolver_threads(), ask);
                        self.stage = Stage::Asked(asked);
                    }
                }
                Stage::WithoutPort(text) => {
                    let message = format!("{text:?} is not of the form host:port");
                    self.stage = Stage::Over;
                    let error = io::Error::new(io::ErrorKind::InvalidInput, message);
                    return Poll::Ready(Err(error));
                }
                Stage::Asked(asked) => {
                    let answer = ready!(Pin::new(asked).poll(cx));
                    self.stage = Stage::Over;
                    return Poll::Ready(match answer {
                        Ok(addresses) => addresses.and_then(not_empty),
                        Err(error) => Err(failed(error)),
                    });
                }
                Stage::Over => panic!("a look-up was polled after its end"),
            }
        }
    }
}

fn not_empty(addresses: Vec<SocketAddr>) -> io::Result<Vec<SocketAddr>> {
    if addresses.is_empty() {
        return Err(io::Error::new(
            io::ErrorKind::NotFound,
            "the name has no addresses",
        ));
    }
    Ok(addresses)
}

fn failed(error: TaskError) -> io::Error {
    io::Error::other(format!("the look-up did not end: {error}"))
}

/// The threads of the resolver. They belong to the process: no loop waits for them at its end, since a look-up may hang for
/// longer than anybody wants to wait.
fn resolver_threads() -> &'static BlockingPool {
    static THREADS: OnceLock<BlockingPool> = OnceLock::new();
    THREADS.get_or_init(|| BlockingPool::builder().name("corio-dns").build())
}

impl ToSocketAddrs for Lookup {
    fn lookup(self) -> Lookup {
        self
    }
}

impl ToSocketAddrs for &str {
    fn lookup(self) -> Lookup {
        Lookup::parsed(self)
    }
}

impl ToSocketAddrs for String {
    fn lookup(self) -> Lookup {
        Lookup::parsed(&self)
    }
}

impl ToSocketAddrs for &String {
    fn lookup(self) -> Lookup {
        Lookup::parsed(self)
    }
}

impl ToSocketAddrs for (&str, u16) {
    fn lookup(self) -> Lookup {
        Lookup::host(self.0, self.1)
    }
}

impl ToSocketAddrs for (String, u16) {
    fn lookup(self) -> Lookup {
        Lookup::host(&self.0, self.1)
    }
}

impl ToSocketAddrs for &[SocketAddr] {
    fn lookup(self) -> Lookup {
        Lookup::known(self)
    }
}

impl<const N: usize> ToSocketAddrs for [SocketAddr; N] {
    fn lookup(self) -> Lookup {
        Lookup::known(self)
    }
}

impl<const N: usize> ToSocketAddrs for &[SocketAddr; N] {
    fn lookup(self) -> Lookup {
        Lookup::known(*self)
    }
}

impl ToSocketAddrs for Vec<SocketAddr> {
    fn lookup(self) -> Lookup {
        Lookup::known(self)
    }
}

impl ToSocketAddrs for &Vec<SocketAddr> {
    fn lookup(self) -> Lookup {
        Lookup::known(self.as_slice())
    }
}

impl ToSocketAddrs for &SocketAddr {
    fn lookup(self) -> Lookup {
        Lookup::known([*self])
    }
}

macro_rules! single_addresses {
    ($($address:ty),+) => {$(
        impl ToSocketAddrs for $address {
            fn lookup(self) -> Lookup {
                Lookup::known([SocketAddr::from(self)])
            }
        }
    )+};
}

single_addresses!(
    SocketAddr,
    SocketAddrV4,
    SocketAddrV6,
    (IpAddr, u16),
    (Ipv4Addr, u16),
    (Ipv6Addr, u16)
);
