//! `EventLoop::builder()`.

use std::io;
use std::time::Duration;

use corio_core::time::nanos;

use crate::clock::Clock;
use crate::event_loop::EventLoop;

/// The options of a loop.
#[derive(Clone, Debug, Default)]
#[must_use = "a builder does nothing until `build`"]
pub struct EventLoopBuilder {
    virtual_clock: bool,
    debug: Option<bool>,
    slow: Option<Duration>,
    name: Option<String>,
    busy_poll: Duration,
}

impl EventLoopBuilder {
    pub(crate) fn new() -> EventLoopBuilder {
        EventLoopBuilder::default()
    }

    /// The loop keeps its own time: it stands still while anything is ready or outstanding (a registered source,
    /// a job on a thread that somebody waits for, a [`Remote`](crate::Remote) handle in use), and otherwise jumps to the next deadline. When nothing can ever run again, the
    /// run panics with a list of the tasks.
    pub fn virtual_clock(mut self) -> Self {
        self.virtual_clock = true;
        self
    }

    /// Debug mode, see [`EventLoop::set_debug`].
    pub fn debug(mut self, debug: bool) -> Self {
        self.debug = Some(debug);
        self
    }

    /// See [`EventLoop::set_slow_callback_duration`].
    pub fn slow_callback_duration(mut self, duration: Duration) -> Self {
        self.slow = Some(duration);
        self
    }

    /// How long the loop goes on looking for I/O before it sleeps, once nothing is ready. Zero, as it is unless told otherwise:
    /// it sleeps at once.
    ///
    /// To be woken takes tens of microseconds. A loop that looks for an answer for longer than the peer needs to give it is
    /// spared that, and keeps a core busy meanwhile: worth it where the core has nothing else to do and time counts. Timers and
    /// what other threads send are seen while it looks. On a virtual clock it has no effect.
    ///
    /// ```
    /// # use corio_runtime::EventLoop;
    /// use std::time::Duration;
    ///
    /// let event_loop = EventLoop::builder().busy_poll(Duration::from_micros(50)).build()?;
    /// assert_eq!(event_loop.run_until_complete(async { 1 + 1 })?, 2);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn busy_poll(mut self, duration: Duration) -> Self {
        self.busy_poll = duration;
        self
    }

    /// A name for the loop, for its `Debug` output.
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }

    /// Makes the loop.
    ///
    /// # Errors
    ///
    /// When the system gives no descriptors for the reactor.
    pub fn build(self) -> io::Result<EventLoop> {
        let clock = if self.virtual_clock {
            Clock::virtual_from_now()
        } else {
            Clock::real()
        };
        let event_loop = EventLoop::with_clock(clock)?;
        if let Some(debug) = self.debug {
            event_loop.set_debug(debug);
        }
        if let Some(slow) = self.slow {
            event_loop.set_slow_callback_duration(slow);
        }
        let busy_poll = nanos(self.busy_poll);
        event_loop.inner.busy_poll.set(busy_poll);
        *event_loop.inner.name.borrow_mut() = self.name;
        Ok(event_loop)
    }
}
