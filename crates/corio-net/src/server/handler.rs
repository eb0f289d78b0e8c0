//! Handlers: what a server does with a connection, and what may come of that.

use std::fmt;
use std::future::Future;
use std::rc::Rc;

#[cfg(feature = "tls")]
use corio_core::Report;
#[cfg(feature = "tls")]
use corio_runtime::get_running_loop;
use futures_io::{AsyncRead, AsyncWrite};

use super::acceptor::Acceptor;
use super::clients::{Clients, OfTask, Presence};
use super::shared::Shared;
use crate::stream::{StreamOptions, StreamReader, StreamWriter};
#[cfg(feature = "tls")]
use crate::tls::TlsAcceptor;

/// What a handler may give: nothing, or a `Result`. An `Err` goes to the exception handler of the loop.
#[diagnostic::on_unimplemented(
    message = "a handler of connections cannot give `{Self}`",
    note = "it gives nothing, or a `Result` whose error has `Display`"
)]
pub trait HandlerOutput: sealed::Sealed {
    #[doc(hidden)]
    fn outcome(self) -> Result<(), String>;
}

mod sealed {
    pub trait Sealed {}
    impl Sealed for () {}
    impl<T, E> Sealed for Result<T, E> {}
}

impl HandlerOutput for () {
    fn outcome(self) -> Result<(), String> {
        Ok(())
    }
}

impl<T, E: fmt::Display> HandlerOutput for Result<T, E> {
    fn outcome(self) -> Result<(), String> {
        self.map(drop).map_err(|error| error.to_string())
    }
}

/// Begins the task of a connection.
pub(super) trait Handle<A: Acceptor>: 'static {
    fn begin(self: &Rc<Self>, shared: &Rc<Shared>, connection: A::Connection, peer: A::Peer);
}

/// A handler of connections as they are.
pub(super) struct Plain<H>(pub(super) H);

/// A handler of a reader and a writer.
pub(super) struct Streams<H> {
    pub(super) handler: H,
    pub(super) options: StreamOptions,
}

impl<A, H, R> Handle<A> for Plain<H>
where
    A: Acceptor,
    H: AsyncFn(A::Connection, A::Peer) -> R + 'static,
    R: HandlerOutput,
{
    fn begin(self: &Rc<Self>, shared: &Rc<Shared>, connection: A::Connection, peer: A::Peer) {
        let name = task_name(shared, &peer);
        let handler = self.clone();
        let presence = Clients::enter(shared);
        begin::<H>(shared, presence, name, async move {
            (handler.0)(connection, peer).await.outcome()
        });
    }
}

impl<A, H, R> Handle<A> for Streams<H>
where
    A: Acceptor<Connection: AsyncRead + AsyncWrite + Unpin>,
    H: AsyncFn(StreamReader, StreamWriter) -> R + 'static,
    R: HandlerOutput,
{
    fn begin(self: &Rc<Self>, shared: &Rc<Shared>, connection: A::Connection, peer: A::Peer) {
        let name = task_name(shared, &peer);
        let handler = self.clone();
        let presence = Clients::enter(shared);
        let options = self.options.of_peer(&peer);
        let (reader, writer) = options.streams(connection);
        presence.set_connection(writer.connection());
        writer.connection().set_guest(presence.clone());
        begin::<H>(shared, presence, name, async move {
            (handler.handler)(reader, writer).await.outcome()
        });
    }
}

/// A handler of a reader and a writer with TLS. The handshake is a part of the connection's task: a client that is slow holds up
/// nobody else, and closing the server ends it.
#[cfg(feature = "tls")]
pub(super) struct Secured<H> {
    pub(super) handler: H,
    pub(super) options: StreamOptions,
    pub(super) acceptor: TlsAcceptor,
}

#[cfg(feature = "tls")]
impl<A, H, R> Handle<A> for Secured<H>
where
    A: Acceptor<Connection: AsyncRead + AsyncWrite + Unpin>,
    H: AsyncFn(StreamReader, StreamWriter) -> R + 'static,
    R: HandlerOutput,
{
    fn begin(self: &Rc<Self>, shared: &Rc<Shared>, connection: A::Connection, peer: A::Peer) {
        let name = task_name(shared, &peer);
        let this = self.clone();
        let presence = Clients::enter(shared);
        let of_connection = presence.clone();
        begin::<H>(shared, presence, name, async move {
            let options = this.options.of_peer(&peer).of_socket(&connection);
            let stream = match this.acceptor.accept(connection).await {
                Ok(stream) => stream,
                Err(error) => {
                    handshake_failed(&peer, &error);
                    return Ok(());
                }
            };
            let (reader, writer) = options.streams(stream);
            of_connection.set_connection(writer.connection());
            writer.connection().set_guest(of_connection);
            (this.handler)(reader, writer).await.outcome()
        });
    }
}

/// Whoever knocks at an open port can make this happen, so it is told in debug mode only.
#[cfg(feature = "tls")]
fn handshake_failed(peer: &impl fmt::Debug, error: &std::io::Error) {
    let event_loop = get_running_loop();
    if event_loop.debug() {
        let message = format!("the TLS handshake with {peer:?} failed: {error}");
        event_loop.call_exception_handler(&Report::new(message));
    }
}

fn task_name(shared: &Shared, peer: &impl fmt::Debug) -> String {
    format!("{}: {peer:?}", shared.options.name())
}

/// The task is shown as one of the handler `H`.
fn begin<H>(
    shared: &Shared,
    presence: Presence,
    name: String,
    work: impl Future<Output = Result<(), String>> + 'static,
) {
    let of_task = OfTask(presence.clone());
    let task = shared.create_task::<H, _>(async move {
        let outcome = work.await;
        drop(of_task);
        outcome
    });
    let task = task.named(name).report_errors();
    presence.set_task(task.any());
}
