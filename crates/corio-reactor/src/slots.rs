//! The table of registered sources.

use std::io;

use crate::key::{MAX_SOURCES, SourceKey, Token};
use crate::source::Source;

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
    Free { next: Option<u32> },
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

    /// Puts a source under the key that [`next_key`](Slots::next_key) has just given.
    pub(crate) fn insert(&mut self, key: SourceKey, source: Source) {
        let slot = Slot {
            generation: key.generation,
            state: State::Used(source),
        };
        match self.slots.get_mut(key.index as usize) {
            Some(place) => {
                let State::Free { next } = place.state else {
                    unreachable!("a used place was given away")
                };
                self.free = next;
                *place = slot;
            }
            None => self.slots.push(slot),
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

    pub(crate) fn remove(&mut self, key: SourceKey) -> Option<Source> {
        self.get_mut(key)?;
        let slot = &mut self.slots[key.index as usize];
        let State::Used(source) =
            std::mem::replace(&mut slot.state, State::Free { next: self.free })
        else {
            unreachable!("get_mut has seen the source")
        };
        self.live -= 1;
        match slot.generation.checked_add(1) {
            Some(next) => {
                slot.generation = next;
                self.free = Some(key.index);
            }
            None => slot.state = State::Free { next: None },
        }
        Some(source)
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
    use crate::readiness::Tidings;

    fn insert(slots: &mut Slots) -> SourceKey {
        let key = slots.next_key().expect("room");
        slots.insert(key, Source::new(7, Tidings::BytesOnly));
        key
    }

    #[test]
    fn a_removed_key_stays_unknown_when_its_place_is_used_again() {
        let mut slots = Slots::default();
        let old = insert(&mut slots);
        assert!(slots.remove(old).is_some());
        let new = insert(&mut slots);
        assert_eq!(old.index, new.index);
        assert!(slots.get_mut(old).is_none());
        assert!(slots.get_by_token(Token::of(old)).is_none());
        assert!(slots.remove(old).is_none());
        assert!(slots.get_mut(new).is_some());
        assert_eq!(
            slots.get_by_token(Token::of(new)).map(|(key, _)| key),
            Some(new)
        );
        assert_eq!(slots.len(), 1);
    }

    #[test]
    fn keys_that_were_never_given_name_nothing() {
        let mut slots = Slots::default();
        let keys: Vec<_> = (0..5).map(|_| insert(&mut slots)).collect();
        slots.remove(keys[2]);
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
        assert!(slots.remove(last).is_some());
        assert!(slots.get_mut(last).is_none());
        assert_eq!(insert(&mut slots).index, 1);
    }
}
