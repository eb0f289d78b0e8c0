//! A request to cancel: who asked, why, and where it entered.

use std::borrow::Cow;
use std::sync::Arc;

use super::nodes::NodeId;

/// What a person may read about a request. The first of several that merged is kept.
#[derive(Debug, Default)]
pub(crate) struct Why {
    pub(crate) reason: Option<Cow<'static, str>>,
    /// The name of the task that asked, if it was one.
    pub(crate) asker: Option<String>,
}

/// One entry into the tree: where, and which request.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Part {
    pub(crate) origin: NodeId,
    /// No other entry has it, and what enters later has a greater one.
    pub(crate) number: u64,
}

/// Requests that travel together.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    pub(crate) why: Arc<Why>,
    /// By their numbers, each once: what is new joins at the end, however many there are.
    pub(crate) parts: Vec<Part>,
}

impl Request {
    /// One without an entry: it matters to nobody, and is told about only.
    pub(crate) fn empty(why: Arc<Why>) -> Request {
        Request {
            why,
            parts: Vec::new(),
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.parts.is_empty()
    }

    pub(crate) fn merge(&mut self, other: Request) {
        for part in other.parts {
            match self.parts.last() {
                Some(last) if last.number >= part.number => {
                    if let Err(place) = self.place_of(&part) {
                        self.parts.insert(place, part);
                    }
                }
                _ => self.parts.push(part),
            }
        }
    }

    pub(crate) fn merge_into(self, place: &mut Option<Request>) {
        match place {
            Some(there) => there.merge(self),
            None => *place = Some(self),
        }
    }

    /// They have an entry in common.
    pub(crate) fn overlaps(&self, other: &Request) -> bool {
        let (few, many) = if self.parts.len() <= other.parts.len() {
            (self, other)
        } else {
            (other, self)
        };
        few.parts.iter().any(|part| many.place_of(part).is_ok())
    }

    fn place_of(&self, part: &Part) -> Result<usize, usize> {
        self.parts
            .binary_search_by_key(&part.number, |part| part.number)
    }

    pub(crate) fn entered_at(&self, origin: NodeId) -> bool {
        self.parts.iter().any(|part| part.origin == origin)
    }

    /// Takes out the entries for which `leaves` holds.
    pub(crate) fn split(&mut self, leaves: impl Fn(NodeId) -> bool) -> Request {
        let (out, kept) = self.parts.iter().partition(|part| leaves(part.origin));
        self.parts = kept;
        Request {
            why: self.why.clone(),
            parts: out,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(numbers: &[u64]) -> Request {
        let part = |number: &u64| Part {
            origin: NodeId {
                index: 1 + *number as u32 % 3,
                generation: 0,
            },
            number: *number,
        };
        Request {
            why: Arc::default(),
            parts: numbers.iter().map(part).collect(),
        }
    }

    #[test]
    fn merged_requests_have_each_entry_once_in_the_order_of_coming() {
        let mut all = request(&[3, 5]);
        for more in [&[7][..], &[5], &[1, 4, 9], &[], &[2, 3, 8]] {
            all.merge(request(more));
        }
        assert_eq!(all.parts, request(&[1, 2, 3, 4, 5, 7, 8, 9]).parts);
        let third = all.split(|origin| origin.index == 1);
        assert_eq!(third.parts, request(&[3, 9]).parts);
        assert_eq!(all.parts, request(&[1, 2, 4, 5, 7, 8]).parts);
    }

    #[test]
    fn requests_overlap_when_they_have_an_entry_in_common() {
        let (some, others) = (request(&[2, 4, 6, 8]), request(&[1, 6]));
        assert!(some.overlaps(&others) && others.overlaps(&some));
        assert!(!some.overlaps(&request(&[1, 3, 9])));
        assert!(!some.overlaps(&request(&[])));
    }
}
