//! Ending the watch of a source from another thread.

use std::fmt;
use std::io;
use std::sync::{Arc, Weak};

use polling::Poller;

use crate::source::{self, AsSource};
use crate::sys::{self, Mode};

/// Makes the operating system forget a source of a [`Reactor`](crate::Reactor), from any thread.
///
/// It is the first half of a deregistration, for whoever has the source but not the reactor: a source that is dropped
/// on a foreign thread has to be detached before it is closed. The second half is
/// [`Reactor::forget`](crate::Reactor::forget), on the reactor's thread. In between, the key is good and reports
/// nothing new.
///
/// ```
/// use corio_reactor::Reactor;
/// use std::net::UdpSocket;
///
/// let reactor = Reactor::new()?;
/// let socket = UdpSocket::bind("127.0.0.1:0")?;
/// let key = reactor.register(&socket)?;
/// let detacher = reactor.detacher();
/// std::thread::spawn(move || detacher.detach(&socket)).join().unwrap()?;
/// assert_eq!(reactor.len(), 1);
/// assert!(reactor.forget(key));
/// assert!(reactor.is_empty());
/// # std::io::Result::Ok(())
/// ```
#[derive(Clone)]
pub struct Detacher {
    /// Weak, so that a forgotten detacher does not keep the poller of a dropped reactor.
    poller: Weak<Poller>,
    /// The operating system ends the watch with the last descriptor, and nobody else keeps a table.
    ends_with_descriptor: bool,
}

impl Detacher {
    pub(crate) fn new(poller: &Arc<Poller>, mode: Mode) -> Detacher {
        Detacher {
            poller: Arc::downgrade(poller),
            ends_with_descriptor: mode.ends_with_descriptor(),
        }
    }

    /// Stops the operating system's watch of `source`. Does nothing if the reactor is gone.
    ///
    /// # Errors
    ///
    /// What the operating system says, for instance that it does not watch this source.
    pub fn detach(&self, source: impl AsSource) -> io::Result<()> {
        match self.poller.upgrade() {
            Some(poller) => sys::delete(&poller, source::raw(&source)),
            None => Ok(()),
        }
    }

    /// As [`detach`](Detacher::detach), for a source that its owner closes right away and of whose handle there is no duplicate:
    /// where closing it ends the watch anyway, this makes no system call.
    ///
    /// Should there be a duplicate after all, the watch lives as long as that does. What the duplicate receives then ends a wait
    /// for nothing, and reaches nobody.
    ///
    /// # Errors
    ///
    /// As [`detach`](Detacher::detach).
    pub fn detach_closing(&self, source: impl AsSource) -> io::Result<()> {
        if self.ends_with_descriptor {
            Ok(())
        } else {
            self.detach(source)
        }
    }
}

impl fmt::Debug for Detacher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Detacher")
    }
}
