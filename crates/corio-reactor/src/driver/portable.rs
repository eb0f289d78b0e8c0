//! Waiting through `polling`, on every platform it knows.

use std::cell::RefCell;
use std::fmt;
use std::io;
use std::num::NonZeroUsize;
use std::time::Duration;

use polling::{Events, Poller};

use super::BATCH;
use crate::direction::Directions;
use crate::key::Token;
use crate::readiness::Tidings;

pub(crate) struct Portable {
    events: RefCell<Events>,
}

impl Portable {
    pub(super) fn new() -> Portable {
        const CAPACITY: NonZeroUsize = NonZeroUsize::new(BATCH).expect("not zero");
        Portable {
            events: RefCell::new(Events::with_capacity(CAPACITY)),
        }
    }

    pub(super) fn wait(&self, poller: &Poller, timeout: Option<Duration>) -> io::Result<()> {
        let mut events = self.events.borrow_mut();
        events.clear();
        poller.wait(&mut events, timeout)?;
        Ok(())
    }

    /// `polling` does not tell on every platform whether an event is an end, so each may be.
    pub(crate) fn for_each(&self, mut visit: impl FnMut(Token, Directions, Tidings)) {
        let mut events = self.events.borrow_mut();
        for event in events.iter() {
            visit(
                Token(event.key),
                Directions {
                    read: event.readable,
                    write: event.writable,
                },
                Tidings::MaybeMore,
            );
        }
        events.clear();
    }
}

impl fmt::Debug for Portable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Portable")
    }
}
