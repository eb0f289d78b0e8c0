//! The name of a task inside a waker.
//!
//! A waker holds no pointer and no count, only this number. It may be copied, kept for ever and woken from anywhere; whoever
//! has it can reach nothing but "the task in that slot of that loop, if it is still the one that was meant".
//!
//! The numbers of loops and the generations of slots come round again after a while. Then an old waker may name a younger
//! task: that task gets a poll it did not need, which every future must bear. Nothing else can happen.

use std::num::NonZeroU64;

/// `slot`: 26 bits, `generation`: 16 bits, `loop`: 20 bits, and two bits that are always `01`, so that a key is never zero.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
pub(crate) struct TaskKey(NonZeroU64);

const LOOP_BITS: u32 = 20;
const SLOT_BITS: u32 = 26;
/// How many of the lower bits of a task's number are in its key.
pub(crate) const GENERATION_BITS: u32 = 16;

/// More loops than this cannot be alive at a time.
pub(crate) const MAX_LOOPS: usize = 1 << LOOP_BITS;
/// More unfinished tasks than this cannot be in one loop.
pub(crate) const MAX_SLOTS: usize = 1 << SLOT_BITS;

impl TaskKey {
    #[inline]
    pub(crate) fn new(loop_id: u32, slot: u32, task: u64) -> TaskKey {
        TaskKey::from_bits(u64::from(loop_id) << 2).with_task(slot, task)
    }

    /// The key of a task of the same loop, where this one names the first task in the first slot.
    #[inline]
    pub(crate) fn with_task(self, slot: u32, task: u64) -> TaskKey {
        let generation = task & ((1 << GENERATION_BITS) - 1);
        let slot = u64::from(slot) << (LOOP_BITS + GENERATION_BITS + 2);
        TaskKey(self.0 | slot | (generation << (LOOP_BITS + 2)))
    }

    #[inline]
    pub(crate) fn loop_id(self) -> u32 {
        (self.to_bits() >> 2) as u32 & ((1 << LOOP_BITS) - 1)
    }

    #[inline]
    pub(crate) fn slot(self) -> usize {
        (self.to_bits() >> (LOOP_BITS + GENERATION_BITS + 2)) as usize
    }

    /// The lower bits of the task's number.
    #[inline]
    pub(crate) fn generation(self) -> u64 {
        (self.to_bits() >> (LOOP_BITS + 2)) & ((1 << GENERATION_BITS) - 1)
    }

    #[inline]
    pub(crate) fn to_bits(self) -> u64 {
        self.0.get()
    }

    /// The key with these bits; the lowest is set in every key.
    #[inline]
    pub(crate) fn from_bits(bits: u64) -> TaskKey {
        TaskKey(NonZeroU64::MIN | bits)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_gives_back_what_it_was_made_of() {
        for (loop_id, slot, task) in [
            (0, 0, 0),
            (1, 2, 3),
            (MAX_LOOPS as u32 - 1, MAX_SLOTS as u32 - 1, u64::MAX),
        ] {
            let key = TaskKey::new(loop_id, slot, task);
            assert_eq!(key.loop_id(), loop_id);
            assert_eq!(key.slot(), slot as usize);
            assert_eq!(key.generation(), task & 0xffff);
            assert_eq!(key.to_bits() & 3, 1);
            assert_eq!(TaskKey::from_bits(key.to_bits()), key);
        }
    }
}
