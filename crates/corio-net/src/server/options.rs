//! `ServeOptions` and `serve`.

use std::borrow::Cow;
use std::panic::Location;
use std::rc::Rc;
use std::time::Duration;

use super::accepting::Seat;
use super::acceptor::Acceptor;
use super::handle::Server;
use super::handler::{HandlerOutput, Plain};
use super::shared::Shared;

/// Serves the connections of a listener: each has a task of its own, in which `handler` runs. Nothing is buffered; for readers and
/// writers there is [`start_server`](crate::start_server).
///
/// The handler gives nothing or a `Result`. Its `Err` and its panic go to the exception handler of the loop; whatever its end is,
/// its connection is dropped with it. See [`Server`] for how a server ends. [`ServeOptions`] has options.
///
/// ```
/// # use corio_runtime as corio;
/// use corio_net::{TcpListener, TcpStream, serve};
///
/// corio::run(async {
///     let listener = TcpListener::bind("127.0.0.1:0").await?;
///     let server = serve(listener, async |stream: TcpStream, peer| {
///         println!("{peer} is here");
///         stream.write(b"welcome").await
///     });
///     let client = TcpStream::connect(server.local_addrs()).await?;
///     let mut buffer = [0; 16];
///     assert_eq!(client.read(&mut buffer).await?, 7);
///     server.close();
///     server.wait_closed().await;
///     std::io::Result::Ok(())
/// })?;
/// # std::io::Result::Ok(())
/// ```
///
/// # Panics
///
/// When no loop is running on this thread.
#[track_caller]
pub fn serve<A, H, R>(listener: A, handler: H) -> Server
where
    A: Acceptor,
    H: AsyncFn(A::Connection, A::Peer) -> R + 'static,
    R: HandlerOutput + 'static,
{
    ServeOptions::new().serve(listener, handler)
}

/// How a server behaves.
#[derive(Clone, Debug)]
#[must_use = "options do nothing until something is served with them"]
pub struct ServeOptions {
    name: Cow<'static, str>,
    pub(super) grace: Duration,
    pub(super) retry_delay: Duration,
    pub(super) start_serving: bool,
}

/// How long connections may clean up.
const GRACE: Duration = Duration::from_secs(30);

/// How long a server that cannot accept pauses.
const RETRY_DELAY: Duration = Duration::from_secs(1);

impl ServeOptions {
    /// What [`serve`] uses.
    pub fn new() -> ServeOptions {
        ServeOptions {
            name: "server".into(),
            grace: GRACE,
            retry_delay: RETRY_DELAY,
            start_serving: true,
        }
    }

    /// What the server is called in the names of its tasks, such as `server: 127.0.0.1:50000`.
    pub fn named(mut self, name: impl Into<Cow<'static, str>>) -> Self {
        self.name = name.into();
        self
    }

    /// How long connections may clean up when they were asked to end, before they are ended by force: by
    /// [`close_clients`](Server::close_clients), and when [`serve_forever`](Server::serve_forever) is cancelled. 30 s, unless told
    /// otherwise; `Duration::MAX` is without an end.
    pub fn grace(mut self, grace: Duration) -> Self {
        self.grace = grace;
        self
    }

    /// How long the server pauses when it cannot accept, since there are no descriptors or there is no memory left. 1 s, unless told
    /// otherwise.
    pub fn retry_delay(mut self, delay: Duration) -> Self {
        self.retry_delay = delay;
        self
    }

    /// Whether it begins to accept at once. It does, unless told otherwise; else
    /// [`start_serving`](Server::start_serving) or [`serve_forever`](Server::serve_forever) begin. Until then connections wait in the
    /// backlog.
    pub fn start_serving(mut self, start: bool) -> Self {
        self.start_serving = start;
        self
    }

    /// Serves with these options, see [`serve`].
    ///
    /// # Panics
    ///
    /// When no loop is running on this thread.
    #[track_caller]
    pub fn serve<A, H, R>(&self, listener: A, handler: H) -> Server
    where
        A: Acceptor,
        H: AsyncFn(A::Connection, A::Peer) -> R + 'static,
        R: HandlerOutput + 'static,
    {
        let handler = Rc::new(Plain(handler));
        let site = Location::caller();
        let seat = Rc::new(Seat::new(listener, handler, site));
        Server::new(Shared::new(self.clone(), vec![seat], None, site))
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }
}

impl Default for ServeOptions {
    fn default() -> ServeOptions {
        ServeOptions::new()
    }
}
