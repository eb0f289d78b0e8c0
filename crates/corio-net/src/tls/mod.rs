//! TLS, by rustls: with the feature `tls`.
//!
//! ```text
//!   open_connection(..).tls(config)      start_server(..).tls(config)        reader and writer
//!   open_unix_connection(..), too        start_unix_server(..), too
//!                 └──── TlsConnector ──┬── TlsAcceptor ────┘
//!            TlsHandshake: 60 s, and then an error
//!                                      ▼
//!        TlsStream over any stream: AsyncRead and AsyncWrite of futures-io     what hyper gets, in compat::Hyper
//! ```
//!
//! What is trusted, what a server shows and which versions there are is said to rustls, which is re-exported as [`rustls`]. The
//! certificates that the system trusts come from crates such as `rustls-platform-verifier` and `webpki-roots`.
//!
//! ```no_run
//! # use corio_runtime as corio;
//! use corio_net::open_connection;
//! use corio_net::tls::rustls::{ClientConfig, RootCertStore};
//!
//! # fn the_certificates_to_trust() -> RootCertStore { RootCertStore::empty() }
//! corio::run(async {
//!     let config = ClientConfig::builder()
//!         .with_root_certificates(the_certificates_to_trust())
//!         .with_no_client_auth();
//!     let (mut reader, writer) = open_connection("example.org:443").tls(config).await?;
//!     writer.write(b"GET / HTTP/1.0\r\nhost: example.org\r\n\r\n");
//!     let page = reader.read_to_end().await?;
//!     println!("{} bytes", page.len());
//!     std::io::Result::Ok(())
//! })?;
//! # std::io::Result::Ok(())
//! ```
//!
//! | what | rule |
//! | --- | --- |
//! | the handshake | 60 s, unless told otherwise; then [`TimedOut`](std::io::ErrorKind::TimedOut) |
//! | the end that the peer says | reading comes to its end |
//! | a connection that breaks off | reading fails with [`UnexpectedEof`](std::io::ErrorKind::UnexpectedEof): what came may be cut short |
//! | closing | says so to the peer, and waits for its end for 30 s, unless told otherwise |
//! | on a connection in use | [`StreamWriter::start_tls`](crate::StreamWriter::start_tls): the streams go in, others come out |
//! | ending only what is written | not there: [`can_write_eof`](crate::StreamWriter::can_write_eof) is false |

mod acceptor;
mod connector;
mod handshake;
mod open;
mod start;
mod stream;

pub use futures_rustls::rustls;

pub use self::acceptor::TlsAcceptor;
pub use self::connector::TlsConnector;
pub use self::handshake::TlsHandshake;
pub use self::open::{OpenTls, OpeningTls};
pub use self::start::StartTls;
pub use self::stream::TlsStream;
pub use crate::stream::Upgraded;

use std::time::Duration;

/// How long things may take.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    handshake: Duration,
    shutdown: Duration,
}

impl Limits {
    /// Those of asyncio.
    const USUAL: Limits = Limits {
        handshake: Duration::from_secs(60),
        shutdown: Duration::from_secs(30),
    };
}
