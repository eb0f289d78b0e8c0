//! `Outgoing`: bytes that were written and not sent yet, and whether that is too many of them.

use std::mem;

/// The default of the high-water mark. The low one is a quarter of the high one.
const HIGH: usize = 64 * 1024;

pub(super) struct Outgoing {
    pending: Pending,
    /// How many bytes there are, also while they are lent.
    len: usize,
    high: usize,
    low: usize,
    paused: bool,
}

/// Bytes of which the first have been sent.
#[derive(Default)]
pub(super) struct Pending {
    bytes: Vec<u8>,
    sent: usize,
}

impl Outgoing {
    pub(super) fn new() -> Outgoing {
        Outgoing {
            pending: Pending::default(),
            len: 0,
            high: HIGH,
            low: HIGH / 4,
            paused: false,
        }
    }

    pub(super) fn len(&self) -> usize {
        self.len
    }

    pub(super) fn limits(&self) -> (usize, usize) {
        (self.low, self.high)
    }

    pub(super) fn set_limits(&mut self, low: usize, high: usize) {
        (self.low, self.high) = (low, high);
        self.paused = self.len > if self.paused { self.low } else { self.high };
    }

    /// There is more than the high-water mark, and was since, more than the low one.
    pub(super) fn is_paused(&self) -> bool {
        self.paused
    }

    pub(super) fn push(&mut self, bytes: &[u8]) {
        self.pending.bytes.extend_from_slice(bytes);
        self.len += bytes.len();
        self.paused |= self.len > self.high;
    }

    /// Lends the bytes, since no borrow may be held while they are sent.
    pub(super) fn lend(&mut self) -> Pending {
        mem::take(&mut self.pending)
    }

    /// Takes them back, in front of what was written meanwhile, after `sent` more were sent. True: writers may go on.
    pub(super) fn give_back(&mut self, mut lent: Pending, sent: usize) -> bool {
        lent.sent += sent;
        self.len -= sent;
        if lent.sent == lent.bytes.len() {
            lent.bytes.clear();
            lent.sent = 0;
            // What a burst needed is not kept for ever.
            lent.bytes.shrink_to(self.high.max(HIGH) * 2);
        }
        let written_meanwhile = mem::replace(&mut self.pending, lent);
        let bytes = &written_meanwhile.bytes[written_meanwhile.sent..];
        self.pending.bytes.extend_from_slice(bytes);
        let resumes = self.paused && self.len <= self.low;
        self.paused &= !resumes;
        resumes
    }

    /// Nothing will be sent any more.
    pub(super) fn clear(&mut self) {
        self.pending = Pending::default();
        self.len = 0;
        self.paused = false;
    }
}

impl Pending {
    pub(super) fn rest(&self) -> &[u8] {
        &self.bytes[self.sent..]
    }
}
