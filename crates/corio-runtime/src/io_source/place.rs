//! Where a source is registered: the number of a loop, and a key in its reactor.
//!
//! The pair is read in every operation and written when the source joins a loop, which is nearly always once. Readers take
//! no lock. The loop's number is taken away before the key changes and set behind it, so a reader that finds the number of its
//! own loop before and after it has read the key has a pair that belongs together: only a reader's own thread could have set
//! that number again in between.

use std::panic::RefUnwindSafe;

use corio_reactor::{Detacher, SourceKey};

use super::primitive::{AtomicU64, Mutex, Ordering};

/// The number of no loop.
pub(super) const NOWHERE: u64 = 0;

pub(super) struct Place {
    of_loop: AtomicU64,
    key: AtomicU64,
    /// Held by those who change the pair. What it guards is the way to end the watch at the present loop.
    detacher: Mutex<Option<Detacher>>,
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
            detacher: Mutex::new(None),
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

    /// Changes the place: `leave` is called with the old one, if there is one, then `join` gives the key at the new one. Where
    /// that fails the source is nowhere. Neither may run foreign code.
    pub(super) fn change<E>(
        &self,
        to_loop: u64,
        leave: impl FnOnce(&Left),
        join: impl FnOnce() -> Result<(SourceKey, Detacher), E>,
    ) -> (Option<Left>, Result<SourceKey, E>) {
        let mut detacher = self.detacher.lock();
        let left = self.take_away(&mut detacher);
        if let Some(left) = &left {
            leave(left);
        }
        let joined = join().map(|(key, of_new)| {
            *detacher = Some(of_new);
            self.key.store(key.to_bits(), Ordering::Release);
            self.of_loop.store(to_loop, Ordering::Release);
            key
        });
        (left, joined)
    }

    /// Empties the place, for a source that goes.
    pub(super) fn take(&mut self) -> Option<Left> {
        let mut detacher = self.detacher.lock();
        self.take_away(&mut detacher)
    }

    fn take_away(&self, detacher: &mut Option<Detacher>) -> Option<Left> {
        Some(Left {
            detacher: detacher.take()?,
            of_loop: self.of_loop.swap(NOWHERE, Ordering::AcqRel),
            key: SourceKey::from_bits(self.key.load(Ordering::Relaxed)),
        })
    }

    pub(super) fn of_loop(&self) -> Option<u64> {
        Some(self.of_loop.load(Ordering::Relaxed)).filter(|number| *number != NOWHERE)
    }
}
