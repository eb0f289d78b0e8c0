//! Where a source is registered: the number of a loop, and a key in its reactor.
//!
//! The pair is read in every operation and written when the source joins a loop, which is nearly always once. Readers take
//! no lock. The loop's number is taken away before the key changes and set behind it, so a reader that finds the number of its
//! own loop before and after it has read the key has a pair that belongs together: only a reader's own thread could have set
//! that number again in between.
//!
//! The loop that a source joins first is nearly always its only one. Its number is kept a second time, until the source leaves it,
//! and then never again: so whoever finds it knows without looking further that nothing about the registration has ever changed.

use std::panic::RefUnwindSafe;

use corio_reactor::{Detacher, SourceKey};

use super::primitive::{AtomicU64, Mutex, Ordering};

/// The number of no loop.
pub(super) const NOWHERE: u64 = 0;

/// In the place of the first loop, before there is one and after it was left. No loop has this number, nor is it that of none.
const NEVER: u64 = u64::MAX;

pub(super) struct Place {
    of_loop: AtomicU64,
    key: AtomicU64,
    first_loop: AtomicU64,
    /// Held by those who change the others.
    registration: Mutex<Registration>,
}

struct Registration {
    /// The way to end the watch at the present loop.
    detacher: Option<Detacher>,
    /// It has left a loop.
    has_left: bool,
}

/// A place that the source has left or is leaving.
pub(super) struct Left {
    pub(super) of_loop: u64,
    pub(super) key: SourceKey,
    pub(super) detacher: Detacher,
}

/// No foreign code runs between two changes that belong together.
impl RefUnwindSafe for Place {}

impl Place {
    pub(super) fn nowhere() -> Place {
        Place {
            of_loop: AtomicU64::new(NOWHERE),
            key: AtomicU64::new(0),
            first_loop: AtomicU64::new(NEVER),
            registration: Mutex::new(Registration {
                detacher: None,
                has_left: false,
            }),
        }
    }

    /// The key at this loop, which runs on the calling thread. `None` if the source is registered elsewhere or nowhere.
    #[inline]
    pub(super) fn key_at(&self, of_loop: u64) -> Option<SourceKey> {
        if self.of_loop.load(Ordering::Acquire) != of_loop {
            return None;
        }
        // Whoever sees a key of another loop sees as well that the number was taken away.
        let key = self.key.load(Ordering::Acquire);
        (self.of_loop.load(Ordering::Relaxed) == of_loop).then(|| SourceKey::from_bits(key))
    }

    /// The source is registered at this loop, which runs on the calling thread, and has never been anywhere else.
    #[inline]
    pub(super) fn is_only_at(&self, of_loop: u64) -> bool {
        // Whoever sees the number sees as well what the source has got at its registration.
        self.first_loop.load(Ordering::Acquire) == of_loop
    }

    /// Changes the place: `leave` is called with the old one, if there is one, then `join` gives the key at the new one. Where
    /// that fails the source is nowhere. Neither may run foreign code.
    pub(super) fn change<E>(
        &self,
        to_loop: u64,
        leave: impl FnOnce(&Left),
        join: impl FnOnce() -> Result<(SourceKey, Detacher), E>,
    ) -> (Option<Left>, Result<SourceKey, E>) {
        let mut registration = self.registration.lock();
        let left = self.take_away(&mut registration);
        if let Some(left) = &left {
            leave(left);
        }
        let joined = join().map(|(key, of_new)| {
            registration.detacher = Some(of_new);
            self.key.store(key.to_bits(), Ordering::Release);
            self.of_loop.store(to_loop, Ordering::Release);
            if !registration.has_left {
                self.first_loop.store(to_loop, Ordering::Release);
            }
            key
        });
        (left, joined)
    }

    /// Empties the place, for a source that goes.
    pub(super) fn take(&mut self) -> Option<Left> {
        let mut registration = self.registration.lock();
        self.take_away(&mut registration)
    }

    fn take_away(&self, registration: &mut Registration) -> Option<Left> {
        let detacher = registration.detacher.take()?;
        registration.has_left = true;
        self.first_loop.store(NEVER, Ordering::Release);
        Some(Left {
            detacher,
            of_loop: self.of_loop.swap(NOWHERE, Ordering::AcqRel),
            key: SourceKey::from_bits(self.key.load(Ordering::Relaxed)),
        })
    }

    pub(super) fn of_loop(&self) -> Option<u64> {
        Some(self.of_loop.load(Ordering::Relaxed)).filter(|number| *number != NOWHERE)
    }
}
