//! Servers: something that accepts, a handler, and a task for every connection.
//!
//! ```text
//!   Acceptor ──▶ accepting task ──▶ connection's task: handler(reader, writer)
//!      │              │                    │ counted while it runs, or its connection is open
//!      └── Seat ──────┴──── Shared ────────┘ ◀── Server: close, shutdown, wait_closed
//! ```
//!
//! ```text
//!   bound ──start_serving──▶ serving ──close──▶ closed: nobody is accepted, connections go on ──▶ the last has ended
//! ```

mod accepting;
mod acceptor;
mod clients;
mod handle;
mod handler;
mod options;
mod serving;
mod shared;
mod start;
#[cfg(unix)]
mod start_unix;
mod waits;

pub use self::acceptor::Acceptor;
pub use self::handle::{ServeError, Server};
pub use self::handler::HandlerOutput;
pub use self::options::{ServeOptions, serve};
pub use self::start::{ListenAt, ListenPlaces, StartServer, Starting, start_server};
#[cfg(unix)]
pub use self::start_unix::{StartUnixServer, start_unix_server};
pub use self::waits::{ServeForever, ServerClosed, Shutdown, ShutdownReport};
