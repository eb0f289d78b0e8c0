//! Generator-style coroutines: functions that stop in the middle, hand a value out, and are resumed there.
//!
//! An `async fn` waits for the world, and a loop decides when it goes on. A [`Coroutine`] waits for its caller: `next`,
//! `send`, `throw` and `close` resume it, one step each, on the caller's own stack. There is no loop, no thread and no
//! `unsafe`.
//!
//! ```text
//!   caller                              body
//!   coroutine.next()        ────────▶   starts, runs to
//!                           ◀── 1 ───   co.yield_(1).await
//!   coroutine.send("a")     ────────▶                     == Some("a"), runs to
//!                           ◀── 2 ───   co.yield_(2).await
//!   coroutine.next()        ────────▶                     == None
//!   Err(Returned("done"))   ◀────────   "done"
//! ```
//!
//! ```
//! use corio_coroutine::{Coroutine, ResumeError};
//!
//! let coroutine = Coroutine::new(async |co| {
//!     assert_eq!(co.yield_(1).await, Some("a"));
//!     assert_eq!(co.yield_(2).await, None);
//!     "done"
//! });
//! assert_eq!(coroutine.next().unwrap(), 1);
//! assert_eq!(coroutine.send("a").unwrap(), 2);
//! assert!(matches!(coroutine.next(), Err(ResumeError::Returned("done"))));
//! ```
//!
//! | type | what it is |
//! | --- | --- |
//! | [`Coroutine<Y, S, R>`](Coroutine) | yields `Y`, is sent `S`, returns `R` |
//! | [`Generator<Y, R>`](Generator) | the same when nothing is sent |
//! | [`ScopedCoroutine`] | the same with a body that borrows |
//! | [`AsyncCoroutine`], [`AsyncGenerator`] | may await anything between yields; a [`Stream`](futures_core::Stream) |
//! | [`Yielder`] | the body's handle: `yield_`, `try_yield`, `delegate`, `try_delegate`, `raise` |
//! | [`Interrupt`], [`Thrown`] | what a body can catch: an error thrown in, or its own close |
//! | [`ResumeError`], [`CloseError`] | why a resume brought no value, why a close was not quiet |
//! | [`CoroutineState`] | created, running, suspended or closed |
//!
//! # For those who come from Python
//!
//! | Python | here |
//! | --- | --- |
//! | `x = yield v` | `let x = co.yield_(v).await;` with `x: Option<S>` |
//! | `yield` inside `try` / `except` | `match co.try_yield(v).await { .. }` |
//! | `finally` | a guard's `Drop`, or `try_yield` and then `raise` when the clean-up has to await |
//! | `r = yield from inner()` | `let r = co.delegate(inner()).await;` |
//! | `StopIteration(r)` | `Err(ResumeError::Returned(r))` |
//! | `GeneratorExit` | `Interrupt::Closed` |
//! | `for v in g` | `for v in &g`, then `g.take_return()` |
//! | garbage collection closes a generator | dropping it drops its locals; only `close` is seen by the body |
//!
//! # Guarantees
//!
//! - Nothing runs before the first `next`, and nothing runs but inside a resume or a drop.
//! - A resume allocates nothing. Creation allocates the body and one small shared cell.
//! - Locals are dropped once, in order, on whichever way the body ends.
//! - A refused resume (`NotAtYield`, `Running`, `Exhausted`) runs nothing and changes nothing.
//! - A handle works in its own body only. Anywhere else it panics; no value ever reaches the wrong caller.
//! - A body that awaits something unready is polled once a resume: [`ResumeError::Blocked`], never a spin.

#![deny(missing_docs)]
#![forbid(unsafe_code)]

mod async_coroutine;
mod channel;
mod coroutine;
mod delegate;
mod error;
mod interrupt;
mod iter;
mod machine;
mod state;
mod yielder;

pub use async_coroutine::{AsyncCoroutine, AsyncGenerator, Close, Resume};
pub use coroutine::{Coroutine, Generator, ScopedCoroutine};
pub use delegate::{Delegate, TryDelegate};
pub use error::{CloseError, ResumeError};
pub use interrupt::{Interrupt, Thrown};
pub use iter::IntoIter;
pub use state::CoroutineState;
pub use yielder::{Raise, TryYield, Yield, Yielder};

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct ReadmeExamples;
