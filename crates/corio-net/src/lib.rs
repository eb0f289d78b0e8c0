//! Sockets for the corio event loop: TCP, UDP and, on Unix, the Unix domain.
//!
//! ```text
//!   TcpStream, UdpSocket, ..        IoSource                      reactor of the loop
//!   read(&mut buf)  ───────▶  try: recv ── bytes ──▶ done
//!                                   └─ would block ──▶ wait ───▶  woken by the event: try again
//! ```
//!
//! An operation is one system call, tried at once; only one that would block waits. A socket joins the loop that polls it, and may
//! be made, moved and dropped on any thread.
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
//! | `accept`, `bind` | what listeners have in common: [`Accept`], [`Incoming`], [`Bind`], [`BindOptions`] |
//! | `resolve` | [`resolve`], [`Lookup`], and what counts as an address: [`ToSocketAddrs`] |
//! | `compat` | the traits of hyper and tokio, with the features `hyper` and `tokio-io` |
//! | `handles` | lending handles of the operating system |
//!
//! # What is promised
//!
//! * A future that is dropped before it is ready has moved no byte, accepted no connection, and left no waker behind.
//! * Any number of tasks may wait for the same socket. A socket that is dropped or taken to another loop leaves nobody waiting.
//! * Sockets and the futures that read, write and accept are `Send` and `Sync`; those that look names up are `Send`.
//! * Reading and writing allocate nothing.

#![deny(missing_docs)]
#![forbid(unsafe_code)]

mod accept;
mod backoff;
mod bind;
mod bytes;
mod datagrams;
mod handles;
mod resolve;
mod tcp;
mod udp;
#[cfg(unix)]
mod unix;

#[cfg(any(feature = "hyper", feature = "tokio-io"))]
pub mod compat;

pub use accept::{Accept, Incoming, Listener};
pub use bind::{Bind, BindOptions};
pub use bytes::{
    ByteStream, OwnedReadHalf, OwnedWriteHalf, Peek, ReadHalf, ReadSome, ReadVectored,
    ReuniteError, WriteHalf, WriteSome, WriteVectored,
};
pub use datagrams::{Datagrams, Recv, RecvFrom, SendOne, SendTo};
pub use resolve::{Lookup, ToSocketAddrs, resolve};
pub use tcp::{Connect, ConnectErrors, TcpConnector, TcpListener, TcpStream};
pub use udp::{UdpConnect, UdpSocket};
#[cfg(unix)]
pub use unix::{UnixConnect, UnixDatagram, UnixListener, UnixStream};
