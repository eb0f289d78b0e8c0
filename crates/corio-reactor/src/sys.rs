//! The contact with the operating system that needs `unsafe`: saying which descriptor to watch, and moving the
//! kernel's events between threads.
//!
//! # Registration
//!
//! `polling` asks that a source is deleted from the poller before it is closed. The reactor asks the same of its
//! users and cannot enforce it, because it does not own what it watches. What a breach leads to has therefore to be
//! harmless:
//!
//! * The number of the descriptor is handed to the operating system and to tables of `polling`, which compare it. No
//!   memory is reached through it, and the reactor never reads, writes or closes it.
//! * The operating system forgets a closed descriptor (epoll, kqueue, event ports, AFD) or reports it as invalid
//!   (poll).
//! * Should the number be in use again by then, the worst that happens is an event for a key that nobody waits for
//!   any more, or an error of the registration. Events carry a key with a generation, never a pointer.

#![allow(unsafe_code)]

#[cfg(unix)]
use std::os::fd::BorrowedFd;
#[cfg(windows)]
use std::os::windows::io::BorrowedSocket;

use std::io;

use polling::{Event, PollMode, Poller};

use crate::direction::Directions;
use crate::key::Token;
use crate::source::RawSource;

/// How the operating system reports readiness.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    /// Each change once, for as long as the source is registered.
    Edge,
    /// As `Edge`, and asked of the epoll itself, for `polling` does not ask to be told when the other side has written its
    /// last. Without that an end could not be told from bytes.
    #[cfg(any(target_os = "linux", target_os = "android"))]
    EpollEdge,
    /// As `Edge`, but only that something can be read. For the reactor's own descriptors.
    #[cfg_attr(not(any(target_os = "linux", target_os = "android")), allow(dead_code))]
    EdgeRead,
    /// What is asked for, once, and nothing until it is asked for again.
    OneShot,
}

impl Mode {
    /// Whether the watch ends by itself with the last descriptor of its source. `polling` wants to be told.
    pub(crate) fn ends_with_descriptor(self) -> bool {
        #[cfg(any(target_os = "linux", target_os = "android"))]
        return self == Mode::EpollEdge;
        #[cfg(not(any(target_os = "linux", target_os = "android")))]
        return false;
    }
}

/// Starts watching `raw`, which was borrowed from its owner a moment ago. In one-shot mode nothing is asked for yet.
pub(crate) fn add(poller: &Poller, raw: RawSource, token: Token, mode: Mode) -> io::Result<()> {
    let (interest, mode) = match mode {
        #[cfg(any(target_os = "linux", target_os = "android"))]
        Mode::EpollEdge => return add_to_epoll(poller, raw, token),
        Mode::Edge => (Event::all(token.0), PollMode::Edge),
        Mode::EdgeRead => (Event::readable(token.0), PollMode::Edge),
        Mode::OneShot => (Event::none(token.0), PollMode::Oneshot),
    };
    // SAFETY: `raw` came from a live borrow in this very call of the reactor, so it is open now; that it may be
    // closed before it is deleted is harmless, as the head of this file argues.
    let result = unsafe { poller.add_with_mode(raw, interest, mode) };
    if let Err(error) = &result {
        // Some back ends note the descriptor before the operating system refuses it. An entry that was there before
        // this call is somebody else's and stays.
        if error.kind() != io::ErrorKind::AlreadyExists {
            let _ = delete(poller, raw);
        }
    }
    result
}

/// As [`Poller::delete`] takes it off again: both are a single call that names the descriptor to the epoll.
#[cfg(any(target_os = "linux", target_os = "android"))]
fn add_to_epoll(poller: &Poller, raw: RawSource, token: Token) -> io::Result<()> {
    use rustix::event::epoll::{EventData, EventFlags as Flags, add};
    use std::os::fd::AsFd;
    // Hang-ups and errors are reported unasked.
    let flags = Flags::IN | Flags::OUT | Flags::PRI | Flags::RDHUP | Flags::ET;
    let data = EventData::new_u64(token.0 as u64);
    add(poller.as_fd(), borrow(&raw), data, flags)?;
    Ok(())
}

/// Asks for the next event of a source that was added in one-shot mode.
pub(crate) fn rearm(
    poller: &Poller,
    raw: RawSource,
    token: Token,
    wanted: Directions,
) -> io::Result<()> {
    poller.modify(borrow(&raw), Event::new(token.0, wanted.read, wanted.write))
}

/// Stops watching.
pub(crate) fn delete(poller: &Poller, raw: RawSource) -> io::Result<()> {
    poller.delete(borrow(&raw))
}

#[cfg(unix)]
fn borrow(raw: &RawSource) -> BorrowedFd<'_> {
    // SAFETY: the number is that of an open descriptor (never -1) unless the user has closed a registered source; the
    // borrow ends with the call of `polling` it is made for, which does nothing but name the descriptor to the
    // operating system. The head of this file says why even a closed one is harmless there.
    unsafe { BorrowedFd::borrow_raw(*raw) }
}

#[cfg(windows)]
fn borrow(raw: &RawSource) -> BorrowedSocket<'_> {
    // SAFETY: as for descriptors; the socket came from a live borrow, so it is never INVALID_SOCKET.
    unsafe { BorrowedSocket::borrow_raw(*raw) }
}

/// Memory for the kernel's events.
#[cfg(any(target_os = "linux", target_os = "android"))]
pub(crate) struct EventBuffer(pub(crate) Vec<rustix::event::epoll::Event>);

// SAFETY: an event is a plain record of two numbers. It is not `Send` of itself because its second one could also be
// read as a pointer, which this crate never does: it registers numbers and reads numbers.
#[cfg(any(target_os = "linux", target_os = "android"))]
unsafe impl Send for EventBuffer {}
