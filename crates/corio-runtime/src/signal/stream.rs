//! `signal`: a signal as a stream.

use std::fmt;
use std::future::Future;
use std::io;
use std::panic::Location;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use corio_core::Scheduler;
use corio_core::waiting::{self, WaitKind};
use futures_core::Stream;

use crate::current::no_loop;
use crate::event_loop::EventLoop;
use crate::signal::SignalKind;
use crate::signal::line::{Ear, Line};

static SIGNAL: WaitKind = WaitKind::new("signal");

/// Listens for a signal on the loop that runs here, from this call on.
///
/// # Errors
///
/// [`InvalidInput`](io::ErrorKind::InvalidInput) when there is no such signal, [`Unsupported`](io::ErrorKind::Unsupported) when it
/// cannot be caught (SIGKILL, SIGSTOP) or the program could not go on after it (SIGSEGV, SIGILL, SIGFPE); when the system has no
/// descriptors left.
///
/// # Panics
///
/// When no loop is running on this thread.
///
/// ```
/// # #[cfg(unix)] {
/// # use corio_runtime as corio;
/// use corio::signal::{SignalKind, signal};
///
/// corio::run(async {
///     let mut reload = signal(SignalKind::hangup())?;
///     signal_hook::low_level::raise(SignalKind::hangup().as_raw())?;
///     reload.recv().await;
///     std::io::Result::Ok(())
/// })?;
/// # }
/// # std::io::Result::Ok(())
/// ```
#[track_caller]
pub fn signal(kind: impl Into<SignalKind>) -> io::Result<Signal> {
    let event_loop = Scheduler::with_current(|scheduler| EventLoop::of(scheduler?));
    let event_loop = event_loop.unwrap_or_else(|| no_loop("signal"));
    Signal::on(&event_loop, kind.into(), Location::caller())
}

/// A signal that is listened for, until this is dropped. Also a [`Stream`] that never ends.
///
/// It is `Send`: it may be awaited and dropped anywhere, but hears of signals only while the loop runs on which it was made, and
/// of none after that loop was closed.
pub struct Signal {
    line: Arc<Line>,
    ear: Ear,
    site: &'static Location<'static>,
}

impl Signal {
    pub(crate) fn on(
        event_loop: &EventLoop,
        kind: SignalKind,
        site: &'static Location<'static>,
    ) -> io::Result<Signal> {
        let signals = &event_loop.inner.signals;
        // What has come before is for those who were there.
        signals.deliver(&event_loop.inner);
        let line = signals.line(&event_loop.inner, kind)?;
        let ear = line.listen();
        Ok(Signal { line, ear, site })
    }

    /// Which signal.
    pub fn kind(&self) -> SignalKind {
        self.line.kind
    }

    /// Waits for the next time the signal comes. Times that nobody waited for are one.
    ///
    /// # Cancel safety
    ///
    /// Safe: a signal that comes while nobody waits is kept for the next call.
    #[track_caller]
    pub fn recv(&mut self) -> Recv<'_> {
        self.site = Location::caller();
        Recv { signal: self }
    }

    /// Waits for the next time, inside of a `poll`.
    pub fn poll_recv(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let polled = self.line.poll(&mut self.ear, cx);
        if polled.is_pending() {
            waiting::note(&SIGNAL, self.site);
        }
        polled
    }
}

impl Drop for Signal {
    fn drop(&mut self) {
        self.line.forget(&self.ear);
    }
}

impl Stream for Signal {
    type Item = ();

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<()>> {
        self.poll_recv(cx).map(Some)
    }
}

impl fmt::Debug for Signal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Signal")
            .field("kind", &format_args!("{}", self.kind()))
            .finish_non_exhaustive()
    }
}

/// The future of [`Signal::recv`].
///
/// # Cancel safety
///
/// Dropping it loses nothing: a signal that comes meanwhile is kept for the next call.
#[derive(Debug)]
#[must_use = "a future does nothing unless it is awaited"]
pub struct Recv<'a> {
    signal: &'a mut Signal,
}

impl Future for Recv<'_> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        self.signal.poll_recv(cx)
    }
}
