//! What a loop knows of signals: its pipe, its lines, and the callbacks of `add_signal_handler`.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::io;
use std::panic::Location;
use std::rc::Rc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Weak};

use corio_core::LoopClosed;

use crate::event_loop::{EventLoop, Loop};
use crate::recurring::Recurring;
use crate::signal::line::Line;
use crate::signal::{Hook, SignalKind, Wire};

impl EventLoop {
    /// Calls `handler` in a turn of this loop after the signal has come. A signal has one handler per loop; a new one takes its
    /// place. Signals coalesce, see [`signal`](crate::signal); for SIGINT the handler takes the place of the run's own treatment
    /// of Ctrl-C.
    ///
    /// The handler is an ordinary callback and may do anything. One that panics is reported, and stays. It is called with the
    /// context variables of this call. Closing the loop takes all handlers back.
    ///
    /// # Errors
    ///
    /// [`InvalidInput`](io::ErrorKind::InvalidInput) when there is no such signal, [`Unsupported`](io::ErrorKind::Unsupported)
    /// when it cannot be caught (SIGKILL, SIGSTOP) or the program could not go on after it (SIGSEGV, SIGILL, SIGFPE); when the loop
    /// is closed; when the system has no descriptors left.
    ///
    /// ```
    /// # #[cfg(unix)] {
    /// # use corio_runtime as corio;
    /// use corio::signal::SignalKind;
    ///
    /// let event_loop = corio::EventLoop::new()?;
    /// event_loop.add_signal_handler(SignalKind::user_defined1(), || corio::get_running_loop().stop())?;
    /// event_loop.call_soon(|| signal_hook::low_level::raise(SignalKind::user_defined1().as_raw()).unwrap());
    /// event_loop.run_forever()?;
    /// assert!(event_loop.remove_signal_handler(SignalKind::user_defined1()));
    /// # }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[track_caller]
    pub fn add_signal_handler(
        &self,
        signal: impl Into<SignalKind>,
        handler: impl FnMut() + 'static,
    ) -> io::Result<()> {
        let recurring = Rc::new(Recurring::new(handler, Location::caller()));
        let line = self.inner.signals.line(&self.inner, signal.into())?;
        let handler = Handler { recurring, line };
        let mut handlers = self.inner.signals.handlers.borrow_mut();
        let before = handlers.insert(handler.line.kind, handler);
        drop(handlers);
        if let Some(before) = before {
            before.recurring.end();
        }
        Ok(())
    }

    /// Takes the handler of a signal back, also when the signal has come and it has not been called yet. False: there was none.
    pub fn remove_signal_handler(&self, signal: impl Into<SignalKind>) -> bool {
        let handler = self
            .inner
            .signals
            .handlers
            .borrow_mut()
            .remove(&signal.into());
        let there = handler.is_some();
        if let Some(handler) = handler {
            handler.recurring.end();
        }
        there
    }
}

/// The signals of a loop.
#[derive(Default)]
pub(crate) struct LoopSignals {
    /// Set by the handler with every signal that a line is for.
    any: Arc<AtomicBool>,
    /// There is a line, perhaps: the flag is worth a look.
    listening: Cell<bool>,
    lines: RefCell<Vec<Weak<Line>>>,
    handlers: RefCell<BTreeMap<SignalKind, Handler>>,
    #[cfg(unix)]
    pipe: RefCell<Option<Pipe>>,
}

struct Handler {
    recurring: Rc<Recurring>,
    line: Arc<Line>,
}

/// A socket that a signal writes to, so that the reactor's wait ends.
#[cfg(unix)]
struct Pipe {
    reader: std::os::unix::net::UnixStream,
    writer: Arc<std::os::unix::net::UnixStream>,
    key: corio_reactor::SourceKey,
}

impl LoopSignals {
    /// Somebody listens here.
    #[inline]
    pub(crate) fn is_listening(&self) -> bool {
        self.listening.get()
    }

    /// A signal has come that nobody here has been told of.
    pub(crate) fn is_pending(&self) -> bool {
        self.listening.get() && self.any.load(Ordering::SeqCst)
    }

    /// The line for a signal: the one that is there, or a new one.
    pub(crate) fn line(&self, event_loop: &Loop, kind: SignalKind) -> io::Result<Arc<Line>> {
        if event_loop.scheduler.is_closed() {
            return Err(io::Error::other(LoopClosed));
        }
        let known = {
            let lines = self.lines.borrow();
            let mut alive = lines.iter().filter_map(Weak::upgrade);
            alive.find(|line| line.kind == kind)
        };
        if let Some(line) = known {
            return Ok(line);
        }
        if let Some(error) = kind.refusal() {
            return Err(error);
        }
        let flag = Arc::new(AtomicBool::new(false));
        let wire = self.wire(event_loop, vec![flag.clone(), self.any.clone()])?;
        let line = Line::new(kind, flag, Hook::of_program(kind, &wire)?);
        self.lines.borrow_mut().push(Arc::downgrade(&line));
        self.listening.set(true);
        Ok(line)
    }

    /// A wire that sets these flags and ends the sleep of this loop.
    pub(crate) fn wire(&self, event_loop: &Loop, flags: Vec<Arc<AtomicBool>>) -> io::Result<Wire> {
        #[cfg(not(unix))]
        let _ = event_loop;
        Ok(Wire {
            flags,
            #[cfg(unix)]
            pipe: self.writer(event_loop)?,
        })
    }

    /// Tells the listeners of the signals that have come.
    #[cold]
    pub(crate) fn deliver(&self, event_loop: &Loop) {
        if !self.any.swap(false, Ordering::SeqCst) {
            return;
        }
        self.drain();
        for line in self.alive() {
            if !line.look() {
                continue;
            }
            let handler = {
                let handlers = self.handlers.borrow();
                handlers
                    .get(&line.kind)
                    .map(|handler| handler.recurring.clone())
            };
            if let Some(handler) = handler {
                let (scheduler, site) = (event_loop.scheduler.clone(), handler.site);
                event_loop
                    .scheduler
                    .call_soon_at(move || handler.call(&scheduler), site);
            }
        }
    }

    /// The lines that somebody listens to.
    fn alive(&self) -> Vec<Arc<Line>> {
        let mut alive = Vec::new();
        let mut lines = self.lines.borrow_mut();
        lines.retain(|line| line.upgrade().map(|line| alive.push(line)).is_some());
        self.listening.set(!lines.is_empty());
        alive
    }

    /// Ends all of it, because the loop is closed.
    pub(crate) fn close(&self, event_loop: &Loop) {
        for line in self.alive() {
            line.close();
        }
        let handlers = self.handlers.take();
        for handler in handlers.into_values() {
            handler.recurring.end();
        }
        #[cfg(not(unix))]
        let _ = event_loop;
        #[cfg(unix)]
        if let Some(pipe) = self.pipe.take() {
            // A reactor that cannot deregister has lost the source already.
            let _ = event_loop.reactor.deregister(pipe.key, &pipe.reader);
            event_loop.own_sources.set(event_loop.own_sources.get() - 1);
        }
    }

    /// Empties the pipe, so that the next signal is an edge again.
    pub(crate) fn drain(&self) {
        #[cfg(unix)]
        if let Some(pipe) = &*self.pipe.borrow() {
            use std::io::Read;
            let mut bytes = [0; 256];
            while matches!((&pipe.reader).read(&mut bytes), Ok(1..)) {}
        }
    }

    #[cfg(unix)]
    fn writer(&self, event_loop: &Loop) -> io::Result<Arc<std::os::unix::net::UnixStream>> {
        if let Some(pipe) = &*self.pipe.borrow() {
            return Ok(pipe.writer.clone());
        }
        let (reader, writer) = std::os::unix::net::UnixStream::pair()?;
        reader.set_nonblocking(true)?;
        writer.set_nonblocking(true)?;
        let writer = Arc::new(writer);
        let key = event_loop.reactor.register(&reader)?;
        event_loop.own_sources.set(event_loop.own_sources.get() + 1);
        *self.pipe.borrow_mut() = Some(Pipe {
            reader,
            writer: writer.clone(),
            key,
        });
        Ok(writer)
    }
}
