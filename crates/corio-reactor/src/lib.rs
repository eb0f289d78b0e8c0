//! Readiness of operating-system handles, for any executor that has a `Waker`.
//!
//! The problem: an operation on a socket or pipe that cannot be done now must not block the thread, and the task that
//! wants it must be woken when it can be done. The reactor sits between the two: it is told by the operating system
//! (through [`polling`](https://docs.rs/polling)) what became ready, and tells the tasks.
//!
//! ```text
//!   task                        reactor                          operating system
//!   ----                        -------                          ----------------
//!   register(&socket)  ------>  a place in the table, key  ----> watch it, both directions, once
//!   try: WouldBlock
//!   clear_ready, poll_ready ->  waker kept
//!                               wait(timeout)              ----> sleep
//!   woken, try again   <------  ready since event n        <---- event, with the key as token
//! ```
//!
//! A source is registered **once** and stays so; an operation is **tried first**, and only one that would block
//! waits. So the steady state of a busy socket costs its reads and writes and a share of one wait, nothing else.
//!
//! ```
//! use corio_reactor::{Direction, Reactor};
//! use std::io::{Read, Write};
//! use std::net::{TcpListener, TcpStream};
//! use std::task::{Context, Poll, Waker};
//!
//! let listener = TcpListener::bind("127.0.0.1:0")?;
//! listener.set_nonblocking(true)?;
//! let reactor = Reactor::new()?;
//! let key = reactor.register(&listener)?;
//!
//! let mut cx = Context::from_waker(Waker::noop()); // an executor brings a real one
//! assert!(reactor.try_io(key, Direction::Read, || listener.accept(), &mut cx).is_pending());
//! let client = TcpStream::connect(listener.local_addr()?)?;
//! reactor.wait(None, || true)?; // the waker is woken in here
//! assert!(reactor.try_io(key, Direction::Read, || listener.accept(), &mut cx).is_ready());
//! reactor.deregister(key, &listener)?;
//! # std::io::Result::Ok(())
//! ```
//!
//! | file | what is in it |
//! | --- | --- |
//! | `reactor` | [`Reactor`]: registering, the wait, and who is woken |
//! | `ready` | asking for readiness, and [`Ready`], the future that waits for it |
//! | `detacher` | [`Detacher`]: half of a deregistration, from another thread |
//! | `notifier`, `sleep` | [`Notifier`], and the flag that spares its system calls |
//! | `key`, `slots`, `source` | [`SourceKey`], the table it leads into, what is kept about a source |
//! | `direction`, `readiness`, `waiters` | [`Direction`], [`Ticket`], [`WaitToken`]: one direction of a source |
//! | `flags` | [`ReadyFlags`]: the readiness of a source, for its owner |
//! | `backend`, `driver` | [`Backend`]: the ways to wait |
//! | `sys` | registration with `polling`: the only `unsafe` code |
//! | `error` | [`NotRegistered`] |
//!
//! # Guarantees
//!
//! * An event between an attempt and [`clear_ready`](Reactor::clear_ready) is not lost: readiness is cleared only for
//!   the event it was seen with, and events are counted in 62 bits.
//! * A stale [`SourceKey`] is refused, and an event that is still under way for a source that is gone reaches nobody.
//! * All who wait for a direction are woken by its event, both directions by an error or the end; all who wait for a
//!   source that is deregistered are woken and told so.
//! * No waker is cloned, woken or dropped while anything is borrowed. A waker that panics does not keep others from
//!   being woken.
//! * A notification is never lost, whenever it comes, and many of them cost one system call at most.
//! * A wait is never early by rounding and never late by a rounded-up millisecond.
//! * In the steady state nothing is allocated.
//!
//! The life of a source and the way into sleep are played through, race by race, in the project's page
//! `docs/protocols/source-lifecycle.md`.

#![deny(missing_docs)]
#![deny(unsafe_code)]

mod backend;
mod detacher;
mod direction;
mod driver;
mod error;
mod flags;
mod key;
mod notifier;
mod primitive;
mod reactor;
mod readiness;
mod ready;

mod sleep;
mod slots;
mod source;
mod sys;
mod waiters;
mod wake_batch;

pub use backend::Backend;
pub use detacher::Detacher;
pub use direction::Direction;
pub use error::NotRegistered;
pub use flags::ReadyFlags;
pub use key::SourceKey;
pub use notifier::Notifier;
pub use reactor::Reactor;
pub use readiness::Ticket;
pub use ready::Ready;
pub use source::AsSource;
pub use waiters::WaitToken;
