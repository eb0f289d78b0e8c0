//! The table of registered sources.

use std::io;
use std::sync::Arc;
use std::task::Waker;

use crate::flags::ReadyFlags;
use crate::key::{MAX_SOURCES, SourceKey, Token};
use crate::readiness::Tidings;
use crate::source::{RawSource, Source};

/// The sources by key. Places are used again, generations are not: a place whose generations are used up is retired.
#[derive(Debug, Default)]
pub(crate) struct Slots {
    slots: Vec<Slot>,
    /// The last place that became free, which leads to the others.
    free: Option<u32>,
    live: usize,
}

#[derive(Debug)]
struct Slot {
    /// The generation of the source that is here, or of the next one.
    generation: u32,
    state: State,
}

#[derive(Debug)]
enum State {
    /// The flags of the last source that was here, for the next one if nobody else has them any more.
    Free {
        next: Option<u32>,
        flags: Arc<ReadyFlags>,
    },
    Used(Source),
}

impl Slots {
    pub(crate) fn len(&self) -> usize {
        self.live
    }

    /// The key that the next [`insert`](Slots::insert) will use. Fails when the table is full.
    pub(crate) fn next_key(&self) -> io::Result<SourceKey> {
        if let Some(index) = self.free {
            return Ok(SourceKey {
                index,
                generation: self.slots[index as usize].generation,
            });
        }
        match u32::try_from(self.slots.len()) {
            Ok(index) if index < MAX_SOURCES => Ok(SourceKey {
                index,
                generation: 1,
            }),
            _ => Err(io::Error::new(
                io::ErrorKind::OutOfMemory,
                "the reactor cannot hold more sources",
            )),
        }
    }

    /// Puts a source under the key that [`next_key`](Slots::next_key) has just given. `tidings` is what has to be reckoned with
    /// before its first event.
    pub(crate) fn insert(&mut self, key: SourceKey, raw: RawSource, tidings: Tidings) {
        let used = |flags| Slot {
            generation: key.generation,
            state: State::Used(Source::new(raw, flags)),
        };
        match self.slots.get_mut(key.index as usize) {
            Some(slot) => {
                let State::Free { next, flags } = &mut slot.state else {
                    unreachable!("a used place was given away")
                };
                self.free = *next;
                match Arc::get_mut(flags) {
                    Some(flags) => *flags = ReadyFlags::optimistic(tidings),
                    None => *flags = Arc::new(ReadyFlags::optimistic(tidings)),
                }
                *slot = used(flags.clone());
            }
            None => {
                let flags = Arc::new(ReadyFlags::optimistic(tidings));
                self.slots.push(used(flags));
            }
        }
        self.live += 1;
    }

    #[inline]
    pub(crate) fn get_mut(&mut self, key: SourceKey) -> Option<&mut Source> {
        match self.slots.get_mut(key.index as usize)? {
            Slot {
                generation,
                state: State::Used(source),
            } if *generation == key.generation => Some(source),
            _ => None,
        }
    }

    /// The source that an event is for, unless the event is a left-over of an earlier one.
    #[inline]
    pub(crate) fn get_by_token(&mut self, token: Token) -> Option<(SourceKey, &mut Source)> {
        let slot = self.slots.get_mut(token.index())?;
        let key = SourceKey {
            index: token.index() as u32,
            generation: slot.generation,
        };
        match &mut slot.state {
            State::Used(source) if Token::of(key) == token => Some((key, source)),
            _ => None,
        }
    }

    /// Takes a source out; all who wait for it go to `wakers`. False: there is none with this key.
    pub(crate) fn remove(&mut self, key: SourceKey, wakers: &mut Vec<Waker>) -> bool {
        let Some(source) = self.get_mut(key) else {
            return false;
        };
        source.drain_into(wakers);
        source.flags.end();
        let flags = source.flags.clone();
        let slot = &mut self.slots[key.index as usize];
        self.live -= 1;
        let next = match slot.generation.checked_add(1) {
            Some(next) => {
                slot.generation = next;
                self.free.replace(key.index)
            }
            None => None,
        };
        slot.state = State::Free { next, flags };
        true
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Source> {
        self.slots.iter().filter_map(|slot| match &slot.state {
            State::Used(source) => Some(source),
            State::Free { .. } => None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::direction::Direction;

    fn insert(slots: &mut Slots) -> SourceKey {
        let key = slots.next_key().expect("room");
        slots.insert(key, 7, Tidings::BytesOnly);
        key
    }

    #[test]
    fn a_removed_key_stays_unknown_when_its_place_is_used_again() {
        let mut slots = Slots::default();
        let old = insert(&mut slots);
        assert!(slots.remove(old, &mut Vec::new()));
        let new = insert(&mut slots);
        assert_eq!(old.index, new.index);
        assert!(slots.get_mut(old).is_none());
        assert!(slots.get_by_token(Token::of(old)).is_none());
        assert!(!slots.remove(old, &mut Vec::new()));
        assert!(slots.get_mut(new).is_some());
        assert_eq!(
            slots.get_by_token(Token::of(new)).map(|(key, _)| key),
            Some(new)
        );
        assert_eq!(slots.len(), 1);
    }

    #[test]
    fn flags_are_used_again_only_when_nobody_else_has_them() {
        let mut slots = Slots::default();
        let first = insert(&mut slots);
        let lent = slots.get_mut(first).expect("there").flags.clone();
        assert!(lent.ticket(Direction::Read).is_some());
        assert!(slots.remove(first, &mut Vec::new()));
        assert_eq!(lent.ticket(Direction::Read), None, "it is gone");
        let second = insert(&mut slots);
        assert_eq!(lent.ticket(Direction::Read), None, "it stays so");
        let own = Arc::as_ptr(&slots.get_mut(second).expect("there").flags);
        assert!(slots.remove(second, &mut Vec::new()));
        let third = insert(&mut slots);
        let flags = &slots.get_mut(third).expect("there").flags;
        assert_eq!(Arc::as_ptr(flags), own);
        assert!(flags.ticket(Direction::Write).is_some());
    }

    #[test]
    fn keys_that_were_never_given_name_nothing() {
        let mut slots = Slots::default();
        let keys: Vec<_> = (0..5).map(|_| insert(&mut slots)).collect();
        slots.remove(keys[2], &mut Vec::new());
        let capacity = slots.slots.capacity() as u32;
        for index in [2, 5, capacity, capacity + 1, MAX_SOURCES, u32::MAX] {
            for generation in [0, 1, 2, u32::MAX] {
                let key = SourceKey { index, generation };
                assert!(slots.get_mut(key).is_none(), "{key:?}");
                assert!(slots.get_by_token(Token::of(key)).is_none(), "{key:?}");
            }
        }
        assert!(slots.get_by_token(Token::WAKE_UP).is_none());
        assert!(slots.get_by_token(Token(usize::MAX)).is_none());
    }

    #[test]
    fn a_place_with_its_last_generation_is_retired_instead_of_starting_again() {
        let mut slots = Slots::default();
        let first = insert(&mut slots);
        slots.slots[0].generation = u32::MAX;
        let last = SourceKey {
            index: first.index,
            generation: u32::MAX,
        };
        assert!(slots.remove(last, &mut Vec::new()));
        assert!(slots.get_mut(last).is_none());
        assert_eq!(insert(&mut slots).index, 1);
    }
}
