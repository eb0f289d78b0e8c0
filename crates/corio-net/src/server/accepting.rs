//! The accepting task of a server.

use std::cell::Cell;
use std::future::poll_fn;
use std::io;
use std::net::SocketAddr;
use std::panic::Location;
use std::rc::Rc;
use std::task::{Context, Poll};

use corio_core::waiting::{self, WaitKind};
use corio_core::{AnyTask, Report};
use corio_runtime::{get_running_loop, sleep, yield_now};

use super::acceptor::Acceptor;
use super::handle::Server;
use super::handler::Handle;
use super::shared::{AnySeat, Shared, State};

/// An acceptor, its handler and its task.
pub(super) struct Seat<A, H> {
    /// Absent while it is polled, and when the server is closed.
    acceptor: Cell<Option<A>>,
    /// Known beforehand, since an acceptor that is polled cannot be asked.
    local_addr: Option<SocketAddr>,
    handler: Rc<H>,
    task: Cell<Option<AnyTask>>,
    closed: Cell<bool>,
    site: &'static Location<'static>,
}

/// After so many connections in a row it is the turn of others.
const IN_A_ROW: u32 = 32;

static ACCEPT: WaitKind = WaitKind::new("Server: accept");

impl<A: Acceptor, H> Seat<A, H> {
    pub(super) fn new(acceptor: A, handler: Rc<H>, site: &'static Location<'static>) -> Seat<A, H> {
        Seat {
            local_addr: acceptor.local_addr(),
            acceptor: Cell::new(Some(acceptor)),
            handler,
            task: Cell::new(None),
            closed: Cell::new(false),
            site,
        }
    }

    /// `None`: the server is closed.
    #[allow(
        clippy::type_complexity,
        reason = "a pair that came, or did not, and then late"
    )]
    fn poll_accept(
        &self,
        cx: &mut Context<'_>,
    ) -> Poll<Option<io::Result<(A::Connection, A::Peer)>>> {
        let Some(mut acceptor) = self.acceptor.take() else {
            return Poll::Ready(None);
        };
        let result = acceptor.poll_accept(cx);
        if self.closed.get() {
            return Poll::Ready(None);
        }
        self.acceptor.set(Some(acceptor));
        if result.is_pending() {
            waiting::note(&ACCEPT, self.site);
        }
        result.map(Some)
    }
}

impl<A: Acceptor, H: Handle<A>> AnySeat for Seat<A, H> {
    fn start(self: Rc<Self>, shared: &Rc<Shared>) {
        let name = shared.options.name();
        let task = shared.create_task::<Server, _>(accept_all(self.clone(), Deaf(shared.clone())));
        let task = task.named(format!("{name}: accepting"));
        self.task.set(Some(task.any()));
    }

    fn close(&self) {
        self.closed.set(true);
        drop(self.acceptor.take());
        if let Some(task) = self.task.take() {
            task.cancel();
        }
    }

    fn local_addr(&self) -> Option<SocketAddr> {
        self.local_addr
    }
}

/// Whatever ends an accepting task closes the server: one that is open and deaf would be worse.
struct Deaf(Rc<Shared>);

impl Drop for Deaf {
    fn drop(&mut self) {
        self.0.close();
    }
}

async fn accept_all<A: Acceptor, H: Handle<A>>(seat: Rc<Seat<A, H>>, server: Deaf) {
    let shared = &server.0;
    let mut in_a_row = 0;
    let mut reported = false;
    while let Some(accepted) = poll_fn(|cx| seat.poll_accept(cx)).await {
        match accepted {
            Ok((connection, peer)) => {
                reported = false;
                seat.handler.begin(shared, connection, peer);
            }
            Err(error) if concerns_one_connection(&error) => {}
            Err(error) => {
                if !std::mem::replace(&mut reported, true) {
                    report(shared, &error);
                }
                sleep(shared.options.retry_delay).await;
            }
        }
        if shared.state() == State::Closed {
            return;
        }
        in_a_row += 1;
        if in_a_row == IN_A_ROW {
            in_a_row = 0;
            yield_now().await;
        }
    }
}

fn report(shared: &Shared, error: &io::Error) {
    let name = shared.options.name();
    let pause = shared.options.retry_delay;
    let message =
        format!("{name} cannot accept connections, and tries again every {pause:?}: {error}");
    get_running_loop().call_exception_handler(&Report::new(message));
}

/// The next connection may be better. Listeners of this crate pass over these by themselves.
fn concerns_one_connection(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::Interrupted || crate::accept::concerns_one_connection(error)
}
