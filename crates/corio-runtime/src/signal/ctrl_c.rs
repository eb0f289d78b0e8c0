//! `ctrl_c`: the next Ctrl-C as a future.

use std::fmt;
use std::future::Future;
use std::io;
use std::panic::Location;
use std::pin::Pin;
use std::task::{Context, Poll};

use corio_core::Scheduler;

use crate::current::no_loop;
use crate::event_loop::EventLoop;
use crate::signal::{Signal, SignalKind};

/// Waits for Ctrl-C (SIGINT), from its first poll on. Until it has ended or is dropped, Ctrl-C does nothing else: the run's own
/// treatment comes back then, and so does the default action where there is no run.
///
/// For a program that has a use for every Ctrl-C, [`signal`](crate::signal::signal) listens without gaps.
///
/// # Errors
///
/// When the system has no descriptors left.
///
/// # Panics
///
/// When it is first polled on a thread where no loop is running.
///
/// # Cancel safety
///
/// Dropping it ends the listening. A Ctrl-C that came after its last poll is lost with it.
///
/// ```no_run
/// # use corio_runtime as corio;
/// corio::run(async {
///     corio::signal::ctrl_c().await?;
///     println!("goodbye");
///     std::io::Result::Ok(())
/// })?;
/// # std::io::Result::Ok(())
/// ```
#[track_caller]
pub fn ctrl_c() -> CtrlC {
    CtrlC {
        stage: Stage::New,
        site: Location::caller(),
    }
}

/// The future of [`ctrl_c`].
#[must_use = "a future does nothing unless it is awaited"]
pub struct CtrlC {
    stage: Stage,
    site: &'static Location<'static>,
}

enum Stage {
    New,
    Listening(Signal),
    Over,
}

impl Future for CtrlC {
    type Output = io::Result<()>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = &mut *self;
        if let Stage::New = this.stage {
            let event_loop = Scheduler::with_current(|scheduler| EventLoop::of(scheduler?));
            let event_loop = event_loop.unwrap_or_else(|| no_loop("ctrl_c"));
            match Signal::on(&event_loop, SignalKind::interrupt(), this.site) {
                Ok(signal) => this.stage = Stage::Listening(signal),
                Err(error) => {
                    this.stage = Stage::Over;
                    return Poll::Ready(Err(error));
                }
            }
        }
        let Stage::Listening(signal) = &mut this.stage else {
            panic!("a `CtrlC` that has ended was polled again")
        };
        let polled = signal.poll_recv(cx);
        if polled.is_ready() {
            this.stage = Stage::Over;
        }
        polled.map(Ok)
    }
}

impl fmt::Debug for CtrlC {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CtrlC")
            .field("listening", &matches!(self.stage, Stage::Listening(_)))
            .finish()
    }
}
