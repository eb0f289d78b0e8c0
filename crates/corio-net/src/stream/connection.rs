//! `Connection`: the transport, what is to be sent on it, and how far it is with its end.
//!
//! ```text
//!   Open ──close, or the writer goes──▶ Closing ──all is sent, or nothing can be──▶ Closed: the transport is dropped
//!     └───────────────────────────── abort ────────────────────────────────────────────▲
//! ```
//!
//! A transport is foreign code, so it is taken out of its cell while it is polled.

use std::any::Any;
use std::cell::{Cell, RefCell};
use std::fmt;
use std::io;
use std::panic::Location;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker, ready};

use corio_core::Scheduler;
use futures_io::{AsyncRead, AsyncWrite};

use super::error::LastingError;
use super::flusher::flush;
use super::outgoing::Outgoing;
use super::transport::{Facts, Transport};
use crate::wake_list::WakeList;

pub(crate) struct Connection {
    /// Absent while it is polled, and when it is closed.
    transport: Cell<Option<Box<dyn Transport>>>,
    pub(super) facts: Facts,
    scheduler: Scheduler,
    site: &'static Location<'static>,
    pub(super) outgoing: RefCell<Outgoing>,
    phase: Cell<Phase>,
    ending: Cell<Ending>,
    /// Something was written, and the transport has not said that it has sent it.
    unflushed: Cell<bool>,
    /// Something was written after the end of what is written.
    misused: Cell<bool>,
    error: RefCell<Option<LastingError>>,
    /// Who waits in `drain` or for the end.
    pub(super) waiting: WakeList,
    reader: Cell<Option<Waker>>,
    flushing: Cell<bool>,
    has_writer: Cell<bool>,
    /// The loop has asked the flusher to end.
    hurried: Cell<bool>,
    /// Dropped when the connection is closed.
    guest: Cell<Option<Box<dyn Any>>>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Phase {
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

enum Step {
    Write,
    Flush,
    End,
    Nothing,
}

/// The transport cannot be used now: it is being polled, or gone.
struct Absent;

impl Connection {
    pub(super) fn new(
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
            flushing: Cell::new(false),
            has_writer: Cell::new(true),
            hurried: Cell::new(false),
            guest: Cell::new(None),
        })
    }

    /// Keeps something until the connection is closed.
    pub(crate) fn set_guest(&self, guest: impl Any) {
        if self.phase.get() != Phase::Closed {
            drop(self.guest.replace(Some(Box::new(guest))));
        }
    }

    pub(super) fn phase(&self) -> Phase {
        self.phase.get()
    }

    /// How the connection has failed.
    pub(super) fn error(&self) -> Option<io::Error> {
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
    pub(super) fn with_transport_as<T: 'static, R>(
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
    pub(super) fn poll_read(
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
                    self.remember_reader(cx.waker());
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

    /// Whom to wake when the connection is closed from this side, of which a transport need not tell.
    fn remember_reader(&self, waker: &Waker) {
        let before = self.reader.take();
        let same = before.filter(|before| before.will_wake(waker));
        self.reader
            .set(Some(same.unwrap_or_else(|| waker.clone())));
    }
}

/// Writing.
impl Connection {
    /// Sends what can be sent now, keeps the rest, and sees to it that it is sent.
    pub(super) fn write(self: &Rc<Self>, mut bytes: &[u8]) {
        if self.phase.get() != Phase::Open || self.error.borrow().is_some() {
            return;
        }
        if self.ending.get() != Ending::No {
            self.misused.set(true);
            return;
        }
        if self.is_idle() && self.is_on_its_loop() {
            bytes = self.write_now(bytes);
        }
        self.outgoing.borrow_mut().push(bytes);
        self.send_the_rest();
    }

    /// Without a detour through the buffer. Gives what is left.
    fn write_now<'a>(&self, mut bytes: &'a [u8]) -> &'a [u8] {
        let mut cx = Context::from_waker(Waker::noop());
        while !bytes.is_empty() {
            let result =
                self.with_transport(|transport| Pin::new(transport).poll_write(&mut cx, bytes));
            match result {
                Ok(Poll::Ready(result)) => match self.written(result, bytes.len()) {
                    Some(count) => bytes = &bytes[count..],
                    None => return &[],
                },
                Ok(Poll::Pending) | Err(Absent) => break,
            }
        }
        bytes
    }

    /// What came of an attempt to write. `None`: the connection has failed.
    fn written(&self, result: io::Result<usize>, len: usize) -> Option<usize> {
        match result {
            Ok(0) => {
                let error = io::ErrorKind::WriteZero.into();
                self.fail(LastingError::new(error));
                None
            }
            Ok(count) => {
                assert!(
                    count <= len,
                    "a transport has written more than it was given"
                );
                self.unflushed.set(!self.facts.plain);
                Some(count)
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => Some(0),
            Err(error) => {
                self.fail(LastingError::new(error));
                None
            }
        }
    }

    /// Ends what is written, behind what is buffered.
    pub(super) fn write_eof(self: &Rc<Self>) {
        if self.phase.get() == Phase::Open && self.ending.get() == Ending::No {
            self.ending.set(Ending::Asked);
            self.send_the_rest();
        }
    }

    pub(super) fn close(self: &Rc<Self>) {
        if self.phase.get() != Phase::Open {
            return;
        }
        self.phase.set(Phase::Closing);
        if !self.facts.plain && self.ending.get() == Ending::No {
            self.ending.set(Ending::Asked);
        }
        self.wake_reader();
        if self.is_idle() || self.error.borrow().is_some() {
            self.finish();
        } else {
            self.send_the_rest();
        }
    }

    /// Closes without sending anything more.
    pub(crate) fn abort(&self) {
        if self.phase.get() != Phase::Closed {
            self.finish();
        }
    }

    /// The writer is gone: nobody can close the connection any more, so it closes.
    pub(super) fn writer_goes(self: &Rc<Self>) {
        self.has_writer.set(false);
        self.close();
        if self.hurried.get() {
            self.give_up();
        }
    }

    /// Sends as much as possible. Ready when nothing is left, or nothing can be sent any more.
    pub(super) fn poll_send(&self, cx: &mut Context<'_>) -> Poll<()> {
        loop {
            match self.next_step() {
                Step::Write => {
                    let lent = self.outgoing.borrow_mut().lend();
                    let result = self.with_transport(|transport| {
                        Pin::new(transport).poll_write(cx, lent.rest())
                    });
                    let sent = match result {
                        Ok(Poll::Ready(result)) => self.written(result, lent.rest().len()),
                        Ok(Poll::Pending) | Err(Absent) => {
                            self.outgoing.borrow_mut().give_back(lent, 0);
                            return Poll::Pending;
                        }
                    };
                    let resumes = match sent {
                        Some(sent) => self.outgoing.borrow_mut().give_back(lent, sent),
                        None => continue,
                    };
                    if resumes {
                        self.waiting.wake_all();
                    }
                }
                Step::Flush => {
                    ready!(self.poll_rest(cx, |transport, cx| transport.poll_flush(cx)));
                    self.unflushed.set(false);
                }
                Step::End => {
                    ready!(self.poll_rest(cx, |transport, cx| transport.poll_close(cx)));
                    self.ending.set(Ending::Done);
                }
                Step::Nothing => break,
            }
        }
        if self.phase.get() == Phase::Closing {
            self.finish();
        } else {
            self.waiting.wake_all();
        }
        Poll::Ready(())
    }

    fn next_step(&self) -> Step {
        if self.phase.get() == Phase::Closed || self.error.borrow().is_some() {
            Step::Nothing
        } else if self.outgoing.borrow().len() > 0 {
            Step::Write
        } else if self.unflushed.get() {
            Step::Flush
        } else if self.ending.get() == Ending::Asked {
            Step::End
        } else {
            Step::Nothing
        }
    }

    fn poll_rest(
        &self,
        cx: &mut Context<'_>,
        poll: impl FnOnce(Pin<&mut dyn Transport>, &mut Context<'_>) -> Poll<io::Result<()>>,
    ) -> Poll<()> {
        match self.with_transport(|transport| poll(Pin::new(transport), cx)) {
            Ok(Poll::Ready(Ok(()))) => Poll::Ready(()),
            Ok(Poll::Ready(Err(error))) => {
                self.fail(LastingError::new(error));
                Poll::Ready(())
            }
            Ok(Poll::Pending) | Err(Absent) => Poll::Pending,
        }
    }

    /// Nothing is left to be sent.
    pub(super) fn is_idle(&self) -> bool {
        matches!(self.next_step(), Step::Nothing)
    }

    fn is_on_its_loop(&self) -> bool {
        Scheduler::with_current(|scheduler| {
            scheduler.is_some_and(|scheduler| scheduler.number() == self.scheduler.number())
        })
    }

    /// Sends the rest now if that is possible, and starts the flusher if it is not.
    fn send_the_rest(self: &Rc<Self>) {
        if self.flushing.get() || (self.is_idle() && self.phase.get() == Phase::Open) {
            return;
        }
        if self.is_on_its_loop() {
            let mut cx = Context::from_waker(Waker::noop());
            if self.poll_send(&mut cx).is_ready() {
                return;
            }
        }
        self.flushing.set(true);
        self.scheduler.create_task_at(flush(self.clone()), self.site);
    }
}

/// Ends.
impl Connection {
    /// The flusher is gone, with or without having sent everything.
    pub(super) fn flusher_ends(&self) {
        self.flushing.set(false);
        if !self.is_idle() {
            self.give_up();
        }
    }

    /// The flusher was asked to end. True: it goes on, because there is a writer that may want to say something.
    pub(super) fn is_hurried(&self) -> bool {
        self.has_writer.get() && !self.hurried.replace(true)
    }

    /// What is left will not be sent.
    pub(super) fn give_up(&self) {
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
        if self.phase.get() == Phase::Closing {
            self.finish();
        }
        self.waiting.wake_all();
    }

    fn finish(&self) {
        self.phase.set(Phase::Closed);
        self.outgoing.borrow_mut().clear();
        drop(self.transport.take());
        drop(self.guest.take());
        self.wake_reader();
        self.waiting.wake_all();
    }

    fn wake_reader(&self) {
        if let Some(waker) = self.reader.take() {
            waker.wake();
        }
    }
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
