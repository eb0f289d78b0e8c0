//! Signals of the operating system: as futures, as streams, as callbacks of a loop.
//!
//! ```text
//!   handler (async-signal-safe)                        the loop
//!   sets a flag per signal and loop   ── pipe ──▶      wakes, looks at the flags in its turn, and tells its listeners
//! ```
//!
//! Listeners live on a loop; there may be any number of them, for the same signals, on any number of loops and threads. Each of
//! them hears of a signal that comes while it listens. Signals **coalesce**, as those of the system itself do: several that come
//! before the loop's turn are heard as one, and at least one is heard after the last that came.
//!
//! With the first listener of a signal in the process its default action is replaced, and with the last one it comes back. What
//! had been set by others before (another handler, or that the signal is ignored) stays in force beside the listeners. Signals
//! without a name in POSIX, such as the real-time ones, are ignored after their last listener has gone.
//!
//! # Ctrl-C
//!
//! [`run`](crate::run()) and [`Runner`](crate::Runner) have a treatment of their own for Ctrl-C: they cancel the main task. Who
//! listens for [`SignalKind::interrupt`] in any of the ways of this module takes its place: while such a listener exists anywhere
//! in the process, Ctrl-C is its business alone, and runs go on undisturbed.
//!
//! ```no_run
//! # use corio_runtime as corio;
//! use std::time::Duration;
//!
//! corio::run(async {
//!     let server = corio::create_task(async { corio::sleep(Duration::MAX).await });
//!     corio::signal::ctrl_c().await?;
//!     println!("closing, press Ctrl-C again to cancel what is left");
//!     server.cancel();
//!     std::io::Result::Ok(())
//! })?;
//! # std::io::Result::Ok(())
//! ```
//!
//! On a virtual clock, a wait for a signal does not count as something that can still happen.
//!
//! On Windows there are [`interrupt`](SignalKind::interrupt) and [`terminate`](SignalKind::terminate), and a loop that listens
//! looks for them every 50 ms.

mod ctrl_c;
mod hooks;
mod kind;
mod line;
mod of_loop;
mod stream;

pub use ctrl_c::{CtrlC, ctrl_c};
pub use kind::SignalKind;
pub use stream::{Recv, Signal, signal};

pub(crate) use hooks::{Hook, Wire};
pub(crate) use of_loop::LoopSignals;
