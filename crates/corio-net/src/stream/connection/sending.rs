//! The sending half of a connection.

use std::io;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker, ready};

use corio_core::Scheduler;

use super::{Absent, Connection, Ending, Phase, remember};
use crate::stream::error::LastingError;
use crate::stream::flusher::flush;
use crate::stream::transport::Transport;

/// What is to be done next, to send everything.
enum Step {
    Write,
    Flush,
    End,
    Nothing,
}

impl Connection {
    /// Sends what can be sent now, keeps the rest, and sees to it that it is sent.
    pub(in crate::stream) fn write(self: &Rc<Self>, mut bytes: &[u8]) {
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

    pub(in crate::stream) fn set_limits(&self, low: usize, high: usize) {
        self.outgoing.borrow_mut().set_limits(low, high);
        self.waiting.wake_all();
    }

    /// Ends what is written, behind what is buffered.
    pub(in crate::stream) fn write_eof(self: &Rc<Self>) {
        if self.phase.get() == Phase::Open && self.ending.get() == Ending::No {
            self.ending.set(Ending::Asked);
            self.send_the_rest();
        }
    }

    pub(in crate::stream) fn close(self: &Rc<Self>) {
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
    pub(in crate::stream) fn writer_goes(self: &Rc<Self>) {
        self.has_writer.set(false);
        self.close();
        if self.hurried.get() {
            self.give_up();
        }
    }

    /// As `poll_send`, for the flusher, which is also woken when there is nothing to be sent any more.
    pub(in crate::stream) fn poll_flusher(&self, cx: &mut Context<'_>) -> Poll<()> {
        let result = self.poll_send(cx);
        if result.is_pending() {
            remember(&self.flusher, cx.waker());
        }
        result
    }

    /// Sends as much as possible. Ready when nothing is left, or nothing can be sent any more.
    fn poll_send(&self, cx: &mut Context<'_>) -> Poll<()> {
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
                            if self.phase.get() != Phase::Closed {
                                self.outgoing.borrow_mut().give_back(lent, 0);
                            }
                            return Poll::Pending;
                        }
                    };
                    let Some(sent) = sent.filter(|_| self.phase.get() != Phase::Closed) else {
                        continue;
                    };
                    let resumes = self.outgoing.borrow_mut().give_back(lent, sent);
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
        self.sent();
        Poll::Ready(())
    }

    /// Nothing is left to be sent: what waits for that goes on.
    pub(in crate::stream) fn sent(&self) {
        if self.phase.get() == Phase::Closing {
            self.finish();
        } else {
            self.waiting.wake_all();
        }
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
    pub(in crate::stream) fn is_idle(&self) -> bool {
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
        self.scheduler
            .create_task_at(flush(self.clone()), self.site);
    }
}
