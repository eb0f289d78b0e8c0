//! Handlers: what a server does with a connection, and what may come of that.

use std::fmt;
use std::future::Future;
use std::rc::Rc;

use corio_runtime::create_task;
use futures_io::{AsyncRead, AsyncWrite};

use super::acceptor::Acceptor;
use super::clients::{Clients, OfTask, Presence};
use super::shared::Shared;
use crate::stream::{StreamOptions, StreamReader, StreamWriter};

/// What a handler may give: nothing, or a `Result`. An `Err` goes to the exception handler of the loop.
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
        begin(presence, name, async move {
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
        let (reader, writer) = self.options.streams(connection);
        presence.set_connection(writer.connection());
        writer.connection().set_guest(presence.clone());
        begin(presence, name, async move {
            (handler.handler)(reader, writer).await.outcome()
        });
    }
}

fn task_name(shared: &Shared, peer: &impl fmt::Debug) -> String {
    format!("{}: {peer:?}", shared.options.name())
}

fn begin(
    presence: Presence,
    name: String,
    work: impl Future<Output = Result<(), String>> + 'static,
) {
    let of_task = OfTask(presence.clone());
    let task = create_task(async move {
        let outcome = work.await;
        drop(of_task);
        outcome
    });
    let task = task.named(name).report_errors();
    presence.set_task(task.any());
}
