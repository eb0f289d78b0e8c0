//! A request to cancel: who asked, why, and where it entered.

use std::borrow::Cow;
use std::sync::Arc;

use super::nodes::NodeId;

/// What a person may read about a request.
#[derive(Debug, Default)]
pub(crate) struct Why {
    pub(crate) reason: Option<Cow<'static, str>>,
    /// The name of the task that asked, if it was one.
    pub(crate) asker: Option<String>,
}

/// One entry into the tree: where, which request, and why.
#[derive(Clone, Debug)]
pub(crate) struct Part {
    pub(crate) origin: NodeId,
    /// No other entry has it, and what enters later has a greater one.
    pub(crate) number: u64,
    /// Each has its own: when the first of several has come to its end, what goes on still tells who asked for that.
    pub(crate) why: Arc<Why>,
}

/// Requests that travel together.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    /// What is told when no entry is left.
    last_why: Arc<Why>,
    /// By their numbers, each once: what is new joins at the end, however many there are.
    pub(crate) parts: Vec<Part>,
}

impl Request {
    pub(crate) fn new(why: Arc<Why>, parts: Vec<Part>) -> Request {
        Request {
            last_why: why,
            parts,
        }
    }

    /// One without an entry: it matters to nobody, and is told about only.
    pub(crate) fn empty(why: Arc<Why>) -> Request {
        Request::new(why, Vec::new())
    }

    /// That of the one among them which entered first, whichever came here first.
    pub(crate) fn why(&self) -> &Arc<Why> {
        self.parts.first().map_or(&self.last_why, |part| &part.why)
    }

    /// That of the first among those which entered at `origin`: what has gone past the place where it entered decides no more.
    pub(crate) fn why_from(&self, origin: NodeId) -> &Arc<Why> {
        let first = self.parts.iter().find(|part| part.origin == origin);
        first.map_or(self.why(), |part| &part.why)
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
        let why = self.why().clone();
        let parts = std::mem::take(&mut self.parts).into_iter();
        let (out, kept) = parts.partition(|part| leaves(part.origin));
        self.parts = kept;
        Request::new(why, out)
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
            why: Arc::new(Why {
                reason: Some(number.to_string().into()),
                asker: None,
            }),
        };
        Request::new(Arc::default(), numbers.iter().map(part).collect())
    }

    fn numbers(request: &Request) -> Vec<u64> {
        request.parts.iter().map(|part| part.number).collect()
    }

    fn reason(request: &Request) -> Option<&str> {
        request.why().reason.as_deref()
    }

    #[test]
    fn merged_requests_have_each_entry_once_in_the_order_of_coming() {
        let mut all = request(&[3, 5]);
        for more in [&[7][..], &[5], &[1, 4, 9], &[], &[2, 3, 8]] {
            all.merge(request(more));
        }
        assert_eq!(numbers(&all), [1, 2, 3, 4, 5, 7, 8, 9]);
        let third = all.split(|origin| origin.index == 1);
        assert_eq!(numbers(&third), [3, 9]);
        assert_eq!(numbers(&all), [1, 2, 4, 5, 7, 8]);
    }

    #[test]
    fn the_reason_is_that_of_the_entry_which_came_first() {
        let mut all = request(&[3]);
        all.merge(request(&[4]));
        assert_eq!(reason(&all), Some("3"));
        all.merge(request(&[1]));
        assert_eq!(reason(&all), Some("1"));
        let origin = all.parts[1].origin;
        assert_eq!(all.why_from(origin).reason.as_deref(), Some("3"));
        let first = all.split(|origin| origin.index == 2);
        assert_eq!(reason(&first), Some("1"));
        assert_eq!(reason(&all), Some("3"));
    }

    #[test]
    fn requests_overlap_when_they_have_an_entry_in_common() {
        let (some, others) = (request(&[2, 4, 6, 8]), request(&[1, 6]));
        assert!(some.overlaps(&others) && others.overlaps(&some));
        assert!(!some.overlaps(&request(&[1, 3, 9])));
        assert!(!some.overlaps(&request(&[])));
    }
}
