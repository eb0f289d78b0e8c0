//! `Serving`: what the builders of servers of streams have in common, whatever the connections come from.

use std::panic::Location;
use std::rc::Rc;

use futures_io::{AsyncRead, AsyncWrite};

use super::accepting::Seat;
use super::acceptor::Acceptor;
use super::handle::Server;
#[cfg(feature = "tls")]
use super::handler::Secured;
use super::handler::{Handle, HandlerOutput, Streams};
use super::options::ServeOptions;
use super::shared::{AnySeat, Shared};
use crate::stream::{StreamOptions, StreamReader, StreamWriter};
#[cfg(feature = "tls")]
use crate::tls::TlsAcceptor;

pub(super) struct Serving<H> {
    handler: H,
    pub(super) streams: StreamOptions,
    pub(super) serve: ServeOptions,
    #[cfg(feature = "tls")]
    pub(super) tls: Option<TlsAcceptor>,
    site: &'static Location<'static>,
}

impl<H> Serving<H> {
    pub(super) fn new(handler: H, site: &'static Location<'static>) -> Serving<H> {
        Serving {
            handler,
            streams: StreamOptions::new(),
            serve: ServeOptions::new(),
            #[cfg(feature = "tls")]
            tls: None,
            site,
        }
    }

    /// A server of the connections of these acceptors, and what is to be done when it closes.
    pub(super) fn server<A, R>(
        self,
        acceptors: Vec<A>,
        clean_up: Option<Box<dyn FnOnce()>>,
    ) -> Server
    where
        A: Acceptor<Connection: AsyncRead + AsyncWrite + Unpin>,
        H: AsyncFn(StreamReader, StreamWriter) -> R + 'static,
        R: HandlerOutput + 'static,
    {
        let (handler, options) = (self.handler, self.streams);
        #[cfg(feature = "tls")]
        if let Some(acceptor) = self.tls {
            let handler = Secured {
                handler,
                options,
                acceptor,
            };
            return serve_with(handler, acceptors, self.serve, clean_up, self.site);
        }
        let handler = Streams { handler, options };
        serve_with(handler, acceptors, self.serve, clean_up, self.site)
    }
}

fn serve_with<A: Acceptor>(
    handler: impl Handle<A>,
    acceptors: Vec<A>,
    options: ServeOptions,
    clean_up: Option<Box<dyn FnOnce()>>,
    site: &'static Location<'static>,
) -> Server {
    let handler = Rc::new(handler);
    let seat =
        |acceptor| -> Rc<dyn AnySeat> { Rc::new(Seat::new(acceptor, handler.clone(), site)) };
    let seats = acceptors.into_iter().map(seat).collect();
    Server::new(Shared::new(options, seats, clean_up, site))
}

/// Adds what [`Serving`] has to a builder with a field `serving`.
macro_rules! serving_methods {
    () => {
        /// How many bytes a line may have. 64 KiB, unless told otherwise.
        pub fn limit(mut self, limit: usize) -> Self {
            self.serving.streams = self.serving.streams.limit(limit);
            self
        }

        /// Whether it begins to accept at once, see [`ServeOptions::start_serving`](crate::ServeOptions::start_serving).
        pub fn start_serving(mut self, start: bool) -> Self {
            self.serving.serve = self.serving.serve.start_serving(start);
            self
        }

        /// What the server is called, see [`ServeOptions::named`](crate::ServeOptions::named).
        pub fn named(mut self, name: impl Into<std::borrow::Cow<'static, str>>) -> Self {
            self.serving.serve = self.serving.serve.named(name);
            self
        }

        /// How long connections may clean up, see [`ServeOptions::grace`](crate::ServeOptions::grace).
        pub fn grace(mut self, grace: std::time::Duration) -> Self {
            self.serving.serve = self.serving.serve.grace(grace);
            self
        }

        /// How long the server pauses when it cannot accept, see
        /// [`ServeOptions::retry_delay`](crate::ServeOptions::retry_delay).
        pub fn retry_delay(mut self, delay: std::time::Duration) -> Self {
            self.serving.serve = self.serving.serve.retry_delay(delay);
            self
        }

        /// With TLS. It takes a `rustls::ServerConfig` or a [`TlsAcceptor`](crate::tls::TlsAcceptor).
        ///
        /// The handshake is made in the task of the connection, before the handler begins. When it fails the connection is closed,
        /// and in debug mode the exception handler is told.
        #[cfg(feature = "tls")]
        #[doc(alias = "ssl")]
        pub fn tls(mut self, acceptor: impl Into<crate::tls::TlsAcceptor>) -> Self {
            self.serving.tls = Some(acceptor.into());
            self
        }
    };
}
pub(super) use serving_methods;
