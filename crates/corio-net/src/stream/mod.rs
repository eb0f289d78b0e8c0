//! Buffered streams, as asyncio has them: a reader and a writer that share a connection.
//!
//! ```text
//!   StreamReader ── Incoming ──▶ read, readline, ..      pulls: the transport is asked only when somebody reads
//!        │
//!    Connection ── transport: a socket, TLS, anything
//!        │
//!   StreamWriter ── Outgoing ──▶ write, drain            pushes: sent at once, and the rest by a flusher task,
//!                                                        which lives while there is something to send
//! ```

mod connection;
mod error;
mod feeder;
mod flusher;
mod incoming;
mod lines;
mod open;
mod options;
mod outgoing;
mod reader;
mod reads;
mod transport;
#[cfg(feature = "tls")]
mod upgrade;
mod watcher;
mod writer;
mod writes;

pub(crate) use self::connection::{Connection, Guest};
pub use self::error::{IncompleteReadError, LimitOverrunError, ReadError};
pub use self::feeder::StreamFeeder;
pub use self::lines::{Lines, NextLine};
pub use self::open::{OpenConnection, Opening, open_connection};
#[cfg(unix)]
pub use self::open::{OpenUnixConnection, OpeningUnix, open_unix_connection};
pub use self::options::StreamOptions;
pub use self::reader::StreamReader;
pub use self::reads::{Read, ReadExactly, ReadLine, ReadToEnd, ReadUntil};
#[cfg(feature = "tls")]
pub use self::upgrade::Upgraded;
#[cfg(feature = "tls")]
pub(crate) use self::upgrade::{Parts, settle, take_apart};
pub use self::writer::StreamWriter;
pub use self::writes::{ConnectionClosed, Drain};
