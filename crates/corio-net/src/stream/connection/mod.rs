//! `Connection`: the transport, what is to be sent on it, and how far it is with its end.
//!
//! ```text
//!   Open ──close, or the writer goes──▶ Closing ──all is sent, or nothing can be──▶ Closed: the transport is dropped
//!     └───────────────────────────── abort ────────────────────────────────────────────▲
//! ```
//!
//! A transport is foreign code, so it is taken out of its cell while it is polled.

mod sending;

use std::cell::{Cell, RefCell};
use std::fmt;
use std::io;
use std::panic::Location;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

use corio_core::Scheduler;

use super::error::LastingError;
use super::outgoing::Outgoing;
use super::transport::{Facts, Transport};
use super::watcher::watch;
use crate::wake_list::WakeList;

pub(crate) struct Connection {
    /// Absent while it is polled, and when it is closed.
    transport: Cell<Option<Box<dyn Transport>>>,
    pub(in crate::stream) facts: Facts,
    scheduler: Scheduler,
    site: &'static Location<'static>,
    pub(in crate::stream) outgoing: RefCell<Outgoing>,
    phase: Cell<Phase>,
    ending: Cell<Ending>,
    /// Something was written, and the transport has not said that it has sent it.
    unflushed: Cell<bool>,
    /// Something was written after the end of what is written.
    misused: Cell<bool>,
    error: RefCell<Option<LastingError>>,
    /// Who waits in `drain` or for the end.
    pub(in crate::stream) waiting: WakeList,
    reader: Cell<Option<Waker>>,
    flusher: Cell<Option<Waker>>,
    flushing: Cell<bool>,
    has_writer: Cell<bool>,
    /// The loop has asked the flusher to end.
    hurried: Cell<bool>,
    /// Dropped when the connection is closed or lost.
    guest: Cell<Option<Box<dyn Guest>>>,
}

/// What a connection keeps: the count of a server.
pub(crate) trait Guest: 'static {
    /// What was this connection is another one now.
    #[cfg(feature = "tls")]
    fn moves_to(&self, connection: &Rc<Connection>);
}

/// What is left of a connection that goes on as another one.
#[cfg(feature = "tls")]
pub(in crate::stream) struct Dismantled {
    pub(in crate::stream) transport: Box<dyn Transport>,
    pub(in crate::stream) guest: Option<Box<dyn Guest>>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(in crate::stream) enum Phase {
    Open,
    Closing,
    Closed,
}

/// The end of what is written, by `write_eof` or because the connection is closing.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Ending {
    No,
    Asked,
    Done,
}

/// The transport cannot be used now: it is being polled, or gone.
struct Absent;

impl Connection {
    pub(in crate::stream) fn new(
        transport: Box<dyn Transport>,
        facts: Facts,
        site: &'static Location<'static>,
    ) -> Rc<Connection> {
        let scheduler = Scheduler::current().expect(
            "streams were made on a thread where no event loop runs: make them inside of `run`, or in a task of the loop",
        );
        Rc::new(Connection {
            transport: Cell::new(Some(transport)),
            facts,
            scheduler,
            site,
            outgoing: RefCell::new(Outgoing::new()),
            phase: Cell::new(Phase::Open),
            ending: Cell::new(Ending::No),
            unflushed: Cell::new(false),
            misused: Cell::new(false),
            error: RefCell::new(None),
            waiting: WakeList::default(),
            reader: Cell::new(None),
            flusher: Cell::new(None),
            flushing: Cell::new(false),
            has_writer: Cell::new(true),
            hurried: Cell::new(false),
            guest: Cell::new(None),
        })
    }

    /// Keeps something until the connection is closed or lost.
    pub(crate) fn set_guest(&self, guest: impl Guest) {
        self.set_guest_box(Box::new(guest));
    }

    pub(in crate::stream) fn set_guest_box(&self, guest: Box<dyn Guest>) {
        if self.phase.get() != Phase::Closed && self.error.borrow().is_none() {
            drop(self.guest.replace(Some(guest)));
        }
    }

    /// Takes out what can live on without it, and is closed from then on. `None`: it is closing, or its transport is being polled.
    #[cfg(feature = "tls")]
    pub(in crate::stream) fn dismantle(&self) -> Option<Dismantled> {
        if self.phase.get() != Phase::Open {
            return None;
        }
        let transport = self.transport.take()?;
        let guest = self.guest.take();
        self.finish();
        Some(Dismantled { transport, guest })
    }

    pub(in crate::stream) fn phase(&self) -> Phase {
        self.phase.get()
    }

    /// How the connection has failed.
    pub(in crate::stream) fn error(&self) -> Option<io::Error> {
        let error = self.error.borrow();
        let error = error.as_ref().map(LastingError::again);
        error.or_else(|| {
            self.misused.get().then(|| {
                let message = "bytes were written after the end of what is written";
                io::Error::new(io::ErrorKind::BrokenPipe, message)
            })
        })
    }

    /// Lends the transport.
    fn with_transport<R>(&self, work: impl FnOnce(&mut dyn Transport) -> R) -> Result<R, Absent> {
        struct Lent<'a> {
            owner: &'a Connection,
            transport: Option<Box<dyn Transport>>,
        }
        impl Drop for Lent<'_> {
            fn drop(&mut self) {
                let transport = self.transport.take();
                if self.owner.phase.get() != Phase::Closed {
                    self.owner.transport.set(transport);
                }
            }
        }
        let transport = self.transport.take().ok_or(Absent)?;
        let mut lent = Lent {
            owner: self,
            transport: Some(transport),
        };
        match &mut lent.transport {
            Some(transport) => Ok(work(&mut **transport)),
            None => Err(Absent),
        }
    }

    /// Lends the transport, if it is of this type.
    pub(in crate::stream) fn with_transport_as<T: 'static, R>(
        &self,
        look: impl FnOnce(&mut T) -> R,
    ) -> Option<R> {
        let looked = self.with_transport(|transport| {
            let transport = transport.as_any_mut().downcast_mut::<T>()?;
            Some(look(transport))
        });
        looked.ok().flatten()
    }
}

/// Reading.
impl Connection {
    pub(in crate::stream) fn poll_read(
        &self,
        cx: &mut Context<'_>,
        buf: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        loop {
            if self.phase.get() != Phase::Open {
                return Poll::Ready(Ok(0));
            }
            let result = self.with_transport(|transport| Pin::new(transport).poll_read(cx, buf));
            match result {
                Ok(Poll::Ready(Err(error))) if error.kind() == io::ErrorKind::Interrupted => {}
                Ok(Poll::Ready(Err(error))) => {
                    let error = LastingError::new(error);
                    self.fail(error.clone());
                    return Poll::Ready(Err(error.again()));
                }
                Ok(Poll::Ready(result)) => return Poll::Ready(result),
                Ok(Poll::Pending) => {
                    // A transport need not tell its reader of an end that comes from this side.
                    remember(&self.reader, cx.waker());
                    return Poll::Pending;
                }
                // Polled by the transport itself, while it is polled.
                Err(Absent) => {
                    cx.waker().wake_by_ref();
                    return Poll::Pending;
                }
            }
        }
    }
}

/// Ends.
impl Connection {
    /// The reader is gone. What holds the writer need not look at the connection again, so somebody has to, for the server that
    /// waits for its end.
    pub(in crate::stream) fn reader_goes(self: &Rc<Self>) {
        let guest = self.guest.take();
        let waits = guest.is_some() && self.has_writer.get() && self.phase.get() == Phase::Open;
        self.guest.set(guest);
        if waits {
            self.scheduler
                .create_task_at(watch(self.clone()), self.site);
        }
    }

    /// The flusher is gone, with or without having sent everything.
    pub(in crate::stream) fn flusher_ends(&self) {
        self.flushing.set(false);
        if !self.is_idle() {
            self.give_up();
        }
    }

    /// The flusher was asked to end. True: it goes on, because there is a writer that may want to say something.
    pub(in crate::stream) fn flusher_may_go_on(&self) -> bool {
        self.has_writer.get() && !self.hurried.replace(true)
    }

    /// What is left will not be sent.
    pub(in crate::stream) fn give_up(&self) {
        if self.phase.get() == Phase::Closed {
            return;
        }
        let message = "the event loop has ended before everything was sent";
        let error = io::Error::new(io::ErrorKind::ConnectionAborted, message);
        self.fail(LastingError::new(error));
        self.finish();
    }

    /// The first failure is the one that is told.
    fn fail(&self, error: LastingError) {
        if self.error.borrow().is_some() {
            return;
        }
        *self.error.borrow_mut() = Some(error);
        self.outgoing.borrow_mut().clear();
        drop(self.guest.take());
        if self.phase.get() == Phase::Closing {
            self.finish();
        }
        self.wake_writers();
    }

    fn finish(&self) {
        self.phase.set(Phase::Closed);
        self.outgoing.borrow_mut().clear();
        drop(self.transport.take());
        drop(self.guest.take());
        self.wake_reader();
        self.wake_writers();
    }

    fn wake_reader(&self) {
        if let Some(waker) = self.reader.take() {
            waker.wake();
        }
    }

    fn wake_writers(&self) {
        if let Some(waker) = self.flusher.take() {
            waker.wake();
        }
        self.waiting.wake_all();
    }
}

fn remember(place: &Cell<Option<Waker>>, waker: &Waker) {
    let before = place.take();
    let same = before.filter(|before| before.will_wake(waker));
    place.set(Some(same.unwrap_or_else(|| waker.clone())));
}

impl fmt::Debug for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut debug = f.debug_struct("Connection");
        if let Some(peer) = self.facts.peer {
            debug.field("peer", &peer);
        }
        debug
            .field("phase", &self.phase.get())
            .field("to_send", &self.outgoing.borrow().len())
            .finish_non_exhaustive()
    }
}
