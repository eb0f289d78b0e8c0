//! The future that connects.

use std::fmt;
use std::future::Future;
use std::io;
use std::panic::Location;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use super::race::Race;
use super::{TcpConnector, TcpStream};
use crate::Lookup;

/// Makes a connection. Made by [`TcpStream::connect`] and [`TcpConnector::connect`].
///
/// # Cancel safety
///
/// Dropped before it is ready, attempts under way are given up and their sockets closed.
#[must_use = "a future does nothing unless it is awaited"]
pub struct Connect {
    stage: Stage,
    connector: TcpConnector,
    site: &'static Location<'static>,
}

enum Stage {
    Lookup(Lookup),
    Race(Race),
}

impl Connect {
    pub(super) fn new(
        lookup: Lookup,
        connector: TcpConnector,
        site: &'static Location<'static>,
    ) -> Connect {
        Connect {
            stage: Stage::Lookup(lookup),
            connector,
            site,
        }
    }
}

impl Future for Connect {
    type Output = io::Result<TcpStream>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<TcpStream>> {
        let this = &mut *self;
        loop {
            match &mut this.stage {
                Stage::Lookup(lookup) => {
                    let looked_up = !lookup.is_known();
                    let addresses = ready!(Pin::new(lookup).poll(cx))?;
                    let interleave = this.connector.interleave;
                    let race = Race::new(addresses, looked_up, interleave, this.site);
                    this.stage = Stage::Race(race);
                }
                Stage::Race(race) => return race.poll(&this.connector, cx),
            }
        }
    }
}

impl fmt::Debug for Connect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut debug = f.debug_struct("Connect");
        match &self.stage {
            Stage::Lookup(lookup) => debug.field("lookup", lookup),
            Stage::Race(race) => debug.field("race", race),
        };
        debug.finish_non_exhaustive()
    }
}
