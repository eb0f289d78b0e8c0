//! `Server`.

use std::error::Error;
use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::panic::Location;
use std::rc::Rc;
use std::time::Duration;

use super::shared::{Shared, State};
use super::waits::{ServeForever, ServerClosed, Shutdown};

/// A server: what accepts connections, and the tasks of these. Made by [`start_server`](crate::start_server),
/// [`start_unix_server`](crate::start_unix_server) and [`serve`](crate::serve).
///
/// Clones are the same server. Dropping them all leaves it serving until the end of the loop, which owns its tasks.
///
/// | to end | the listener | the connections |
/// | --- | --- | --- |
/// | [`close`](Server::close) | goes | go on; [`wait_closed`](Server::wait_closed) waits for them |
/// | [`shutdown`](Server::shutdown), or cancelling [`serve_forever`](Server::serve_forever) | goes | are cancelled, may clean up, and end by force when the grace is over |
/// | [`close_clients`](Server::close_clients) | stays | are cancelled, may clean up, and end by force when the grace is over |
/// | [`abort_clients`](Server::abort_clients) | stays | end by force |
///
/// A connection counts until its handler has ended and, if it has a [`StreamWriter`](crate::StreamWriter), until that is closed and
/// what was written is sent, or until the connection is lost: reset by the peer, say, whoever still holds the writer.
#[derive(Clone)]
pub struct Server {
    shared: Rc<Shared>,
}

/// A server that cannot begin to serve.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum ServeError {
    /// It is closed.
    Closed,
    /// Another task is in [`serve_forever`](Server::serve_forever).
    AlreadyServing,
}

impl Server {
    pub(super) fn new(shared: Rc<Shared>) -> Server {
        if shared.options.start_serving {
            shared.start();
        }
        Server { shared }
    }

    /// Begins to accept connections. Doing it twice is fine.
    ///
    /// # Errors
    ///
    /// When the server is closed.
    ///
    /// # Panics
    ///
    /// When no loop is running on this thread.
    pub fn start_serving(&self) -> Result<(), ServeError> {
        self.shared.start();
        match self.shared.state() {
            State::Closed => Err(ServeError::Closed),
            _ => Ok(()),
        }
    }

    /// It accepts connections.
    pub fn is_serving(&self) -> bool {
        self.shared.state() == State::Serving
    }

    /// Accepts connections until the server is closed, and then waits for the last of them.
    ///
    /// Cancelled, it closes the server, asks the connections to end, waits for that until the grace is over, ends the rest by force,
    /// and then the cancellation goes on.
    ///
    /// # Errors
    ///
    /// When the server is closed already, or another task is in `serve_forever`.
    ///
    /// # Panics
    ///
    /// When it is polled on a thread where no loop is running.
    ///
    /// # Cancel safety
    ///
    /// Cancelled, it ends the server as told above; dropped by foreign code, it only closes it.
    #[track_caller]
    pub fn serve_forever(&self) -> ServeForever {
        ServeForever::new(self.shared.clone(), Location::caller())
    }

    /// Stops listening, now. Connections go on. Doing it twice is fine.
    pub fn close(&self) {
        self.shared.close();
    }

    /// Asks the connections to end: their handlers are cancelled, may clean up, and are ended by force when the grace of the server is
    /// over. Those that were asked before are not asked again.
    ///
    /// # Panics
    ///
    /// When no loop is running on this thread, and there are connections.
    pub fn close_clients(&self) {
        self.shared.close_clients();
    }

    /// Ends the connections by force: their handlers are dropped at their next turn, without being asked, and what they have written
    /// and was not sent is lost.
    pub fn abort_clients(&self) {
        self.shared.clients.abort();
    }

    /// Waits until the server is closed and its last connection has ended, in whichever order.
    ///
    /// As long as a client stays, this waits: it has no limit of its own, as in asyncio since 3.12. So first decide about the
    /// connections, with [`close_clients`](Server::close_clients), or put a limit around it:
    /// `timeout(limit, server.wait_closed())`. [`shutdown`](Server::shutdown) does both.
    ///
    /// # Cancel safety
    ///
    /// It only waits.
    #[track_caller]
    pub fn wait_closed(&self) -> ServerClosed {
        ServerClosed::new(self.shared.clone(), Location::caller())
    }

    /// Ends the server in good order: stops listening, asks the connections to end, waits for them as long as the grace, ends the rest
    /// by force, and says how many there were of each.
    ///
    /// # Panics
    ///
    /// When it is polled on a thread where no loop is running.
    ///
    /// # Cancel safety
    ///
    /// It begins at its first poll. Dropped later, the server is closed and its connections were asked, and nobody is ended by force.
    #[track_caller]
    pub fn shutdown(&self, grace: Duration) -> Shutdown {
        Shutdown::new(self.shared.clone(), grace, Location::caller())
    }

    /// Where it listens, with the ports that were found if 0 was asked for. Nowhere, once it is closed.
    #[doc(alias = "sockets")]
    pub fn local_addrs(&self) -> Vec<SocketAddr> {
        self.shared.local_addrs()
    }

    /// How many connections there are.
    pub fn connections(&self) -> usize {
        self.shared.clients.len()
    }
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Server")
            .field("name", &self.shared.options.name())
            .field("state", &self.shared.state())
            .field("local_addrs", &self.local_addrs())
            .field("connections", &self.connections())
            .finish()
    }
}

impl fmt::Display for ServeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            ServeError::Closed => "the server is closed",
            ServeError::AlreadyServing => "another task is in serve_forever of this server",
        })
    }
}

impl Error for ServeError {}

impl From<ServeError> for io::Error {
    fn from(error: ServeError) -> io::Error {
        let kind = match error {
            ServeError::Closed => io::ErrorKind::NotConnected,
            ServeError::AlreadyServing => io::ErrorKind::ResourceBusy,
        };
        io::Error::new(kind, error)
    }
}
