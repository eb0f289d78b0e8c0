//! [`TimerKey`].

use std::fmt;
use std::num::NonZeroU32;

/// The name of one timer of one [`Wheel`](crate::Wheel).
///
/// A key stays valid until its timer has fired or was cancelled; from then on it is found nowhere. No key is ever given
/// out twice by a wheel, so a key that was kept too long cannot reach somebody else's timer. A key of one wheel means
/// nothing to another: there it may name another timer.
///
/// A key and an `Option` of one both take eight bytes.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct TimerKey {
    pub(crate) index: u32,
    pub(crate) generation: NonZeroU32,
}

impl TimerKey {
    /// The key as a number that [`from_bits`](TimerKey::from_bits) turns back, for places that hold a plain `u64`.
    ///
    /// The number is never 0.
    pub fn to_bits(self) -> u64 {
        u64::from(self.generation.get()) << 32 | u64::from(self.index)
    }

    /// The key that `bits` stand for. Bits that never were a key give one that is found nowhere, or, if they happen to
    /// equal those of a live key, that key.
    ///
    /// ```
    /// # use corio_timer::{TimerKey, Wheel};
    /// let mut wheel = Wheel::new();
    /// let key = wheel.insert(10, "tea");
    /// assert_eq!(TimerKey::from_bits(key.to_bits()), key);
    /// assert_eq!(wheel.get(TimerKey::from_bits(0)), None);
    /// ```
    pub fn from_bits(bits: u64) -> TimerKey {
        match NonZeroU32::new((bits >> 32) as u32) {
            Some(generation) => TimerKey {
                index: bits as u32,
                generation,
            },
            None => TimerKey {
                index: u32::MAX,
                generation: NonZeroU32::MIN,
            },
        }
    }
}

impl fmt::Debug for TimerKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TimerKey({}.{})", self.index, self.generation)
    }
}
