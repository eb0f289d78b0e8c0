//! Sockets for the corio event loop, TCP, UDP and, on Unix, the Unix domain; and on top of them buffered streams and servers.
//!
//! ```text
//!   TcpStream, UdpSocket, ..        IoSource                      reactor of the loop
//!   read(&mut buf)  ───────▶  try: recv ── bytes ──▶ done
//!                                   └─ would block ──▶ wait ───▶  woken by the event: try again
//! ```
//!
//! An operation is one system call, tried at once; only one that would block waits. A socket joins the loop that polls it, and may
//! be made, moved and dropped on any thread. Sockets of the standard library come in by `From`, and go back.
//!
//! ```
//! # use corio_runtime as corio;
//! use corio_net::{TcpListener, TcpStream};
//!
//! corio::run(async {
//!     let listener = TcpListener::bind("127.0.0.1:0").await?;
//!     let client = TcpStream::connect(listener.local_addr()?).await?;
//!     let (server, _) = listener.accept().await?;
//!
//!     server.write(b"hello").await?;
//!     let mut buffer = [0; 16];
//!     let length = client.read(&mut buffer).await?;
//!     assert_eq!(&buffer[..length], b"hello");
//!     std::io::Result::Ok(())
//! })?;
//! # std::io::Result::Ok(())
//! ```
//!
//! | module | noun |
//! | --- | --- |
//! | `tcp` | [`TcpStream`], [`TcpListener`], [`TcpConnector`]; `race` is happy eyeballs |
//! | `udp` | [`UdpSocket`] |
//! | `unix` | `UnixStream`, `UnixListener`, `UnixDatagram` |
//! | `bytes` | what streams have in common: [`ReadSome`], [`WriteSome`], halves, the traits of futures-io |
//! | `datagrams` | what datagram sockets have in common: [`Recv`], [`SendTo`] and the like |
//! | `stream` | [`open_connection`], [`StreamReader`], [`StreamWriter`]: a buffer for each direction, as asyncio has them |
//! | `server` | [`start_server`], [`serve`], [`Server`]: a task for every connection, and an orderly end |
//! | `accept`, `bind` | what listeners have in common: [`Accept`], [`Incoming`], [`Bind`], [`BindOptions`] |
//! | `resolve` | [`resolve`](resolve()), [`Lookup`], and what counts as an address: [`ToSocketAddrs`] |
//! | `compat` | the traits of hyper and tokio, with the features `hyper` and `tokio-io` |
//! | `tls` | TLS by rustls, with the feature `tls` |
//! | `wake_list` | who waits for one thing, on one thread |
//! | `handles` | lending handles of the operating system, taking those of the standard library, giving them back |
//!
//! # What is promised
//!
//! * A future that is dropped before it is ready has moved no byte, accepted no connection, and left no waker behind.
//! * Any number of tasks may wait for the same socket. A socket that is dropped or taken to another loop leaves nobody waiting.
//! * Sockets and the futures that read, write and accept are `Send` and `Sync`; those that look names up are `Send`.
//! * Reading and writing allocate nothing.
//! * A [`StreamWriter`] sends what was written although nobody waits for it, and keeps no more than asked for when one does.
//! * A [`Server`] goes on accepting whatever happens to a connection, and ends without losing track of one.

#![deny(missing_docs)]
#![forbid(unsafe_code)]

mod accept;
mod backoff;
mod bind;
mod bytes;
mod datagrams;
mod handles;
mod resolve;
mod server;
mod stream;
mod tcp;
mod udp;
#[cfg(unix)]
mod unix;
mod wake_list;

#[cfg(any(feature = "hyper", feature = "tokio-io"))]
pub mod compat;
#[cfg(feature = "tls")]
pub mod tls;

pub use accept::{Accept, Incoming, Listener};
pub use bind::{Bind, BindOptions};
pub use bytes::{
    ByteStream, OwnedReadHalf, OwnedWriteHalf, Peek, ReadExact, ReadHalf, ReadSome, ReadVectored,
    ReuniteError, WriteAll, WriteHalf, WriteSome, WriteVectored,
};
pub use datagrams::{Datagrams, Recv, RecvFrom, SendOne, SendTo};
pub use resolve::{Lookup, ToSocketAddrs, resolve};
pub use server::{
    Acceptor, HandlerOutput, ListenAt, ListenPlaces, ServeError, ServeForever, ServeOptions,
    Server, ServerClosed, Shutdown, ShutdownReport, StartServer, Starting, serve, start_server,
};
#[cfg(unix)]
pub use server::{StartUnixServer, start_unix_server};
pub use stream::{
    ConnectionClosed, Drain, IncompleteReadError, LimitOverrunError, Lines, NextLine,
    OpenConnection, Opening, Read, ReadError, ReadExactly, ReadLine, ReadToEnd, ReadUntil,
    StreamFeeder, StreamOptions, StreamReader, StreamWriter, open_connection,
};
#[cfg(unix)]
pub use stream::{OpenUnixConnection, OpeningUnix, open_unix_connection};
pub use tcp::{Connect, ConnectErrors, TcpConnector, TcpListener, TcpStream};
pub use udp::{UdpConnect, UdpSocket};
#[cfg(unix)]
pub use unix::{UnixConnect, UnixDatagram, UnixListener, UnixStream};
