//! `EventLoop::builder()`.

use std::io;
use std::time::Duration;

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
            Clock::virtual_at_zero()
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
        *event_loop.inner.name.borrow_mut() = self.name;
        Ok(event_loop)
    }
}
