//! Where in the wheel a deadline belongs: ticks, levels, digits.
//!
//! A time is cut into a tick and the nanoseconds within it, and the tick into digits, one per level:
//!
//! ```text
//! bits      63..56   55..48   47..40   39..32   31..24   23..16   15..0
//!           level 5  level 4  level 3  level 2  level 1  level 0  ns in the tick
//! one slot  2.3 y    78 h     18 min   4.3 s    17 ms    66 us
//! ```

/// A tick is 2^16 ns, about 65 us: fine enough that few timers share one, coarse enough that a second of sleep
/// sits on the second level and is moved only once before it fires.
const TICK_BITS: u32 = 16;

/// 256 slots a level: six levels cover all of `u64`.
const DIGIT_BITS: u32 = 8;

/// The number of slots of a level.
pub(crate) const SLOTS: usize = 1 << DIGIT_BITS;

/// The number of levels.
pub(crate) const LEVELS: usize = ((u64::BITS - TICK_BITS).div_ceil(DIGIT_BITS)) as usize;

/// A time without the nanoseconds within its tick.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Tick(u64);

impl Tick {
    pub(crate) const ZERO: Tick = Tick(0);

    /// The tick that `time` lies in.
    pub(crate) fn of(time: u64) -> Tick {
        Tick(time >> TICK_BITS)
    }

    /// The first nanosecond of the tick.
    pub(crate) fn start(self) -> u64 {
        self.0 << TICK_BITS
    }

    /// The tick at which the slot `digit` of `level` begins, seen from `self`: the digits above stay, those below are zero.
    pub(crate) fn with_digit(self, level: usize, digit: usize) -> Tick {
        let shift = level as u32 * DIGIT_BITS;
        let above = shift + DIGIT_BITS;
        Tick((self.0 >> above << above) | ((digit as u64) << shift))
    }
}

/// Where an entry is: in one of the lists, in one of the runs, or unused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Place(u16);

impl Place {
    /// The list of timers that were due already when they were inserted.
    pub(crate) const LATE: Place = Place((LEVELS * SLOTS) as u16);
    /// The run of timers that are being fired; from here on a place has no list.
    pub(crate) const READY: Place = Place((LEVELS * SLOTS) as u16 + 1);
    /// The run of timers from the slot of level 1 that time is in.
    pub(crate) const NEAR: Place = Place((LEVELS * SLOTS) as u16 + 2);
    /// An unused entry.
    pub(crate) const FREE: Place = Place((LEVELS * SLOTS) as u16 + 3);

    /// The number of places that have a list.
    pub(crate) const LISTS: usize = LEVELS * SLOTS + 1;

    /// The slot for `deadline`, seen from `position`: on the level of the highest digit in which the two differ.
    pub(crate) fn in_wheel(position: Tick, deadline: u64) -> Place {
        let tick = Tick::of(deadline);
        debug_assert!(position <= tick, "the wheel has passed this deadline");
        let level = ((position.0 ^ tick.0) | 1).ilog2() / DIGIT_BITS;
        let digit = (tick.0 >> (level * DIGIT_BITS)) as usize % SLOTS;
        Place::slot(level as usize, digit)
    }

    pub(crate) fn slot(level: usize, digit: usize) -> Place {
        debug_assert!(level < LEVELS && digit < SLOTS);
        Place((level * SLOTS + digit) as u16)
    }

    /// Whether an entry here is in a list.
    pub(crate) fn is_list(self) -> bool {
        self.index() < Place::LISTS
    }

    pub(crate) fn index(self) -> usize {
        usize::from(self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_levels_cover_every_time() {
        assert_eq!(
            Place::in_wheel(Tick::ZERO, u64::MAX),
            Place::slot(LEVELS - 1, SLOTS - 1)
        );
        assert_eq!(
            Place::in_wheel(Tick::of(u64::MAX), u64::MAX),
            Place::slot(0, SLOTS - 1)
        );
        assert_eq!(
            Tick::of(u64::MAX).with_digit(LEVELS - 1, 1).start(),
            1 << 56
        );
    }

    #[test]
    fn a_deadline_goes_to_the_level_of_the_highest_differing_digit() {
        let position = Tick::of(0x0102_0304_0506_0000);
        for (deadline, level, digit) in [
            (0x0102_0304_0506_ffff, 0, 0x06),
            (0x0102_0304_0507_0000, 0, 0x07),
            (0x0102_0304_0600_0000, 1, 0x06),
            (0x0102_0305_0000_0000, 2, 0x05),
            (0x0102_0400_0000_0000, 3, 0x04),
            (0x0103_0000_0000_0000, 4, 0x03),
            (0x0200_0000_0000_0000, 5, 0x02),
        ] {
            assert_eq!(
                Place::in_wheel(position, deadline),
                Place::slot(level, digit)
            );
            assert!(position.with_digit(level, digit).start() <= deadline);
        }
    }
}
