//! What the wheel knows about its earliest deadline without looking.

/// A bound that no deadline in the lists is below, and whether it is worth improving.
///
/// It answers the two questions of a loop that has nothing to fire: "is anything due" by one comparison, and "how long
/// may I sleep" without a search, unless the earliest timer was cancelled since.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Outlook {
    bound: u64,
    settled: bool,
}

impl Outlook {
    /// Of an empty wheel, which is also right for one whose only deadlines are `u64::MAX`.
    pub(crate) const CLEAR: Outlook = Outlook {
        bound: u64::MAX,
        settled: true,
    };

    /// No deadline is earlier than this.
    #[inline]
    pub(crate) fn bound(self) -> u64 {
        self.bound
    }

    /// The bound, if looking at the entries would not improve it.
    #[inline]
    pub(crate) fn settled(self) -> Option<u64> {
        self.settled.then_some(self.bound)
    }

    /// A timer with this deadline was added.
    #[inline]
    pub(crate) fn added(&mut self, deadline: u64) {
        if deadline < self.bound {
            *self = Outlook {
                bound: deadline,
                settled: true,
            };
        }
    }

    /// A timer with this deadline left its list, which `emptied` that list.
    #[inline]
    pub(crate) fn left(&mut self, deadline: u64, emptied: bool) {
        if emptied || deadline == self.bound {
            self.settled = false;
        }
    }

    /// No deadline is earlier than `bound`, but there may be none at it either.
    pub(crate) fn raise(&mut self, bound: u64) {
        if bound > self.bound {
            *self = Outlook {
                bound,
                settled: false,
            };
        }
    }

    /// `bound` is the best answer that is worth having.
    pub(crate) fn settle(&mut self, bound: u64) {
        *self = Outlook {
            bound,
            settled: true,
        };
    }
}
