//! The futures of a `Server`.

use std::cell::Cell;
use std::fmt;
use std::future::{Future, poll_fn};
use std::panic::Location;
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::task::{Context, Poll};
use std::time::Duration;

use corio_combinators::finally;
use corio_core::waiting::{self, WaitKind};
use corio_runtime::sleep;

use super::handle::ServeError;
use super::shared::{REASON, Shared, State};
use crate::wake_list::WakePlace;

static WAIT_CLOSED: WaitKind = WaitKind::new("Server::wait_closed");
static SERVE_FOREVER: WaitKind = WaitKind::new("Server::serve_forever");
static SHUTDOWN: WaitKind = WaitKind::new("Server::shutdown");

/// Waits for the end of a server and its connections. Made by [`Server::wait_closed`](crate::Server::wait_closed).
///
/// # Cancel safety
///
/// It only waits.
#[must_use = "a future does nothing unless it is awaited"]
pub struct ServerClosed {
    wait: Wait,
}

/// Serves until the server is closed. Made by [`Server::serve_forever`](crate::Server::serve_forever).
///
/// # Cancel safety
///
/// Cancelled, it ends the server and its connections; dropped by foreign code, it only closes the server.
#[must_use = "a future does nothing unless it is awaited"]
pub struct ServeForever {
    inner: Pin<Box<dyn Future<Output = Result<(), ServeError>>>>,
}

/// Ends a server. Made by [`Server::shutdown`](crate::Server::shutdown).
///
/// # Cancel safety
///
/// It begins at its first poll. Dropped later, the server is closed and its connections were asked, and nobody is ended by force.
#[must_use = "a future does nothing unless it is awaited"]
pub struct Shutdown {
    inner: Pin<Box<dyn Future<Output = ShutdownReport>>>,
}

/// What became of the connections of a server that was shut down.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct ShutdownReport {
    /// How many there were.
    pub connections: usize,
    /// How many of them had not ended when the grace was over, and were ended by force.
    pub forced: usize,
}

/// Waits for a state of the server.
struct Wait {
    shared: Rc<Shared>,
    until: fn(&Shared) -> bool,
    place: WakePlace,
    kind: &'static WaitKind,
    site: &'static Location<'static>,
}

impl ServerClosed {
    pub(super) fn new(shared: Rc<Shared>, site: &'static Location<'static>) -> ServerClosed {
        let wait = Wait::new(shared, Shared::is_over, &WAIT_CLOSED, site);
        ServerClosed { wait }
    }
}

impl ServeForever {
    pub(super) fn new(shared: Rc<Shared>, site: &'static Location<'static>) -> ServeForever {
        let inner = Box::pin(serve_forever(shared, site));
        ServeForever { inner }
    }
}

impl Shutdown {
    pub(super) fn new(
        shared: Rc<Shared>,
        grace: Duration,
        site: &'static Location<'static>,
    ) -> Shutdown {
        let inner = Box::pin(async move {
            shared.close();
            end_clients(&shared, grace, &SHUTDOWN, site).await
        });
        Shutdown { inner }
    }
}

async fn serve_forever(
    shared: Rc<Shared>,
    site: &'static Location<'static>,
) -> Result<(), ServeError> {
    if shared.state() == State::Closed {
        return Err(ServeError::Closed);
    }
    if shared.forever.replace(true) {
        return Err(ServeError::AlreadyServing);
    }
    let _forever = Forever(shared.clone());
    shared.start();
    let was_closed = Cell::new(false);
    let serving = async {
        let closed = |shared: &Shared| shared.state() == State::Closed;
        Wait::new(shared.clone(), closed, &SERVE_FOREVER, site).await;
        was_closed.set(true);
    };
    finally(serving, async || {
        if !was_closed.get() {
            shared.close();
            end_clients(&shared, shared.options.grace, &SERVE_FOREVER, site).await;
        }
    })
    .await;
    Wait::new(shared.clone(), Shared::is_over, &SERVE_FOREVER, site).await;
    Ok(())
}

/// Some task is in `serve_forever`, and ends the server however it leaves.
struct Forever(Rc<Shared>);

impl Drop for Forever {
    fn drop(&mut self) {
        self.0.forever.set(false);
        self.0.close();
    }
}

/// Asks the connections of a closed server to end, waits, and forces.
async fn end_clients(
    shared: &Rc<Shared>,
    grace: Duration,
    kind: &'static WaitKind,
    site: &'static Location<'static>,
) -> ShutdownReport {
    let connections = shared.clients.len();
    shared.clients.cancel(REASON);
    let mut over = pin!(Wait::new(shared.clone(), Shared::is_over, kind, site));
    let mut pause = pin!(sleep(grace));
    let in_time = poll_fn(|cx| {
        if over.as_mut().poll(cx).is_ready() {
            return Poll::Ready(true);
        }
        pause.as_mut().poll(cx).map(|()| false)
    });
    if in_time.await {
        return ShutdownReport {
            connections,
            forced: 0,
        };
    }
    let forced = shared.clients.abort();
    over.await;
    ShutdownReport {
        connections,
        forced,
    }
}

impl Wait {
    fn new(
        shared: Rc<Shared>,
        until: fn(&Shared) -> bool,
        kind: &'static WaitKind,
        site: &'static Location<'static>,
    ) -> Wait {
        Wait {
            shared,
            until,
            place: WakePlace::default(),
            kind,
            site,
        }
    }
}

impl Future for Wait {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let this = &mut *self;
        if (this.until)(&this.shared) {
            return Poll::Ready(());
        }
        this.shared.waiting.wait(&mut this.place, cx.waker());
        waiting::note(this.kind, this.site);
        Poll::Pending
    }
}

impl Drop for Wait {
    fn drop(&mut self) {
        self.shared.waiting.leave(&mut self.place);
    }
}

impl Future for ServerClosed {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        Pin::new(&mut self.wait).poll(cx)
    }
}

impl Future for ServeForever {
    type Output = Result<(), ServeError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        self.inner.as_mut().poll(cx)
    }
}

impl Future for Shutdown {
    type Output = ShutdownReport;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<ShutdownReport> {
        self.inner.as_mut().poll(cx)
    }
}

impl fmt::Debug for ServerClosed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ServerClosed")
    }
}

impl fmt::Debug for ServeForever {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ServeForever")
    }
}

impl fmt::Debug for Shutdown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Shutdown")
    }
}
