//! The cell between a body and whoever resumes it: one value each way, and whose turn it is.
//!
//! ```text
//!             1                2
//! Created ────────▶ Running ────────▶ Yielded      1  resume: the body is polled
//!                   ▲ │ │ ▲     1        │         2  a yield hands a value out
//!                   │ │ │ └──────────────┘         3  the body waits for something else
//!               1   │ │ │ 4                        4  the body let an interrupt out
//!        Awaiting ──┘ │ └──────▶ Raised            5  the body ended, was dropped or panicked
//!             ▲   3   │ 5           │ 5
//!             └───────┤             ▼
//!                     └─────────▶ Closed
//! ```
//!
//! Only a yield of this coroutine, polled by this coroutine's own body, may make edges 2 and 4. A handle can be carried
//! anywhere, so every use of it is checked against the body that this thread polls right now ([`Entered`]).

use std::cell::Cell;
use std::ptr;

use crate::{Interrupt, Thrown};

/// What a resume brings to the yield that waits.
#[derive(Default)]
pub(crate) enum Signal<S> {
    /// Nothing is in the inbox.
    #[default]
    Empty,
    Next,
    Send(S),
    Throw(Thrown),
    Close,
}

/// See the picture at the top of the file.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Phase {
    Created,
    Running,
    Yielded,
    Raised,
    Awaiting,
    Closed,
}

/// Shared by the coroutine and the handle that its body holds.
pub(crate) struct Channel<Y, S> {
    phase: Cell<Phase>,
    /// Number of the newest yield: the only one that an answer can be for.
    ticket: Cell<u64>,
    outbox: Cell<Option<Y>>,
    inbox: Cell<Signal<S>>,
}

/// Marks a coroutine's body as the one being polled on this thread, until dropped.
pub(crate) struct Entered {
    outer: *const (),
}

thread_local! {
    /// Address of the channel whose body is being polled. It is only ever compared.
    static CURRENT: Cell<*const ()> = const { Cell::new(ptr::null()) };
}

impl<Y, S> Channel<Y, S> {
    pub(crate) fn new() -> Self {
        Channel {
            phase: Cell::new(Phase::Created),
            ticket: Cell::new(0),
            outbox: Cell::new(None),
            inbox: Cell::new(Signal::Empty),
        }
    }

    pub(crate) fn phase(&self) -> Phase {
        self.phase.get()
    }

    pub(crate) fn set_phase(&self, phase: Phase) {
        self.phase.set(phase);
    }

    /// Whether this coroutine's own body is the innermost one being polled.
    pub(crate) fn is_entered(&self) -> bool {
        CURRENT.get() == self.address()
    }

    pub(crate) fn enter(&self) -> Entered {
        Entered {
            outer: CURRENT.replace(self.address()),
        }
    }

    fn address(&self) -> *const () {
        ptr::from_ref(self).cast()
    }

    /// The resumer's side: puts an answer in for the yield that waits.
    pub(crate) fn deliver(&self, signal: Signal<S>) {
        self.inbox.set(signal);
    }

    /// The resumer's side: what the body handed out.
    pub(crate) fn take_value(&self) -> Option<Y> {
        self.outbox.take()
    }

    /// The resumer's side: what the body let out.
    pub(crate) fn take_interrupt(&self) -> Interrupt {
        match self.inbox.take() {
            Signal::Throw(thrown) => Interrupt::Thrown(thrown),
            _ => Interrupt::Closed,
        }
    }

    /// The body's side: hands a value out and returns the ticket of this yield.
    pub(crate) fn hand_out(&self, value: Y) -> u64 {
        self.check_entered();
        if self.phase.get() == Phase::Yielded {
            two_yields();
        }
        let ticket = self.ticket.get() + 1;
        self.outbox.set(Some(value));
        self.ticket.set(ticket);
        self.phase.set(Phase::Yielded);
        ticket
    }

    /// The body's side: the answer to the yield with this ticket, if the coroutine was resumed since.
    pub(crate) fn answer(&self, ticket: u64) -> Signal<S> {
        self.check_entered();
        if self.ticket.get() != ticket {
            two_yields();
        }
        if self.phase.get() == Phase::Yielded {
            Signal::Empty
        } else {
            self.inbox.take()
        }
    }

    /// The yield with this ticket is dropped. Its value is taken back if the body has not suspended with it yet.
    pub(crate) fn retract(&self, ticket: u64) {
        if self.ticket.get() != ticket || self.phase.get() != Phase::Yielded {
            return;
        }
        if self.is_entered() {
            self.phase.set(Phase::Running);
            drop(self.outbox.take());
        } else {
            self.phase.set(Phase::Awaiting);
        }
    }

    /// The body's side: asks the resumer to drop the body and to pass the interrupt on.
    pub(crate) fn raise(&self, interrupt: Interrupt) {
        self.check_entered();
        self.inbox.set(match interrupt {
            Interrupt::Thrown(thrown) => Signal::Throw(thrown),
            Interrupt::Closed => Signal::Close,
        });
        self.phase.set(Phase::Raised);
    }

    fn check_entered(&self) {
        if !self.is_entered() {
            outside();
        }
    }
}

impl Drop for Entered {
    #[inline]
    fn drop(&mut self) {
        CURRENT.set(self.outer);
    }
}

#[cold]
fn outside() -> ! {
    panic!(
        "a coroutine's handle was used outside the body it was given to: \
         await its futures in that body, and let every coroutine yield through its own handle"
    )
}

#[cold]
fn two_yields() -> ! {
    panic!("two yields of one coroutine were awaited at the same time: await one after the other")
}
