//! The name of a registered source, and how it travels through the operating system.

/// Names one registered source of one reactor: a place in its table and the generation of that place.
///
/// A key stays unique after its source is gone, so a stale one is refused, never mistaken for the next source in the
/// same place. Keys of different reactors must not be mixed; doing so is wrong but safe.
///
/// ```
/// use corio_reactor::SourceKey;
///
/// let key = SourceKey::from_bits(0x0000_0003_0000_0007);
/// assert_eq!(key.to_bits(), 0x0000_0003_0000_0007);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct SourceKey {
    pub(crate) index: u32,
    pub(crate) generation: u32,
}

impl SourceKey {
    /// The key as one number, for those who keep it in an atomic or pass it through foreign code.
    pub fn to_bits(self) -> u64 {
        u64::from(self.generation) << 32 | u64::from(self.index)
    }

    /// The key that [`to_bits`](SourceKey::to_bits) gave. Any other number makes a key that names nothing.
    pub fn from_bits(bits: u64) -> SourceKey {
        SourceKey {
            index: bits as u32,
            generation: (bits >> 32) as u32,
        }
    }
}

/// How many bits of a token say the place; the others say the generation.
///
/// On 32-bit machines the operating system carries only 32 bits, so the generation is cut to its low 12. That
/// suffices: deregistering ends the stream of events, and what is left over from before is at most one batch old.
const INDEX_BITS: u32 = if usize::BITS >= 64 { 32 } else { 20 };
const INDEX_MASK: usize = ((1_u64 << INDEX_BITS) - 1) as usize;

/// How many sources a reactor can hold: the last place is set aside for the reactor's own tokens.
pub(crate) const MAX_SOURCES: u32 = INDEX_MASK as u32;

/// What the operating system gives back with an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Token(pub(crate) usize);

impl Token {
    /// The reactor's own wake-up. `usize::MAX` itself belongs to `polling`.
    #[cfg_attr(not(any(target_os = "linux", target_os = "android")), allow(dead_code))]
    pub(crate) const WAKE_UP: Token = Token(INDEX_MASK);
    /// The reactor's own timer.
    #[cfg_attr(not(any(target_os = "linux", target_os = "android")), allow(dead_code))]
    pub(crate) const TIMER: Token = Token(INDEX_MASK | 1 << INDEX_BITS);

    pub(crate) fn of(key: SourceKey) -> Token {
        Token(key.index as usize | (key.generation as usize).wrapping_shl(INDEX_BITS))
    }

    pub(crate) fn index(self) -> usize {
        self.0 & INDEX_MASK
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_survive_the_round_trip_through_bits_and_differ_in_every_part() {
        for index in [0, 1, MAX_SOURCES - 1, u32::MAX] {
            for generation in [0, 1, 0x8000_0000, u32::MAX] {
                let key = SourceKey { index, generation };
                assert_eq!(SourceKey::from_bits(key.to_bits()), key);
            }
        }
        assert_eq!(size_of::<SourceKey>(), 8);
    }

    #[test]
    fn tokens_of_sources_are_never_the_reactors_own() {
        for index in [0, 1, MAX_SOURCES - 1] {
            for generation in [1, 2, 0xFFF, 0x1000, u32::MAX] {
                let token = Token::of(SourceKey { index, generation });
                assert_eq!(token.index(), index as usize);
                assert!(![Token::WAKE_UP, Token::TIMER, Token(usize::MAX)].contains(&token));
            }
        }
    }
}
