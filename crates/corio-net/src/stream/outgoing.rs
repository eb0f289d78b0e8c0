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
        } else if lent.sent >= lent.bytes.len() - lent.sent {
            // A buffer that is never empty must not grow for ever. Moving the rest is no more work than was sending the beginning.
            lent.bytes.drain(..lent.sent);
            lent.sent = 0;
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_buffer_that_is_never_empty_does_not_grow_and_keeps_its_order() {
        let mut outgoing = Outgoing::new();
        let (mut written, mut sent) = (0_u8, 0_u8);
        for round in 0..10_000_usize {
            while outgoing.len() < 50_000 {
                outgoing.push(&[written]);
                written = written.wrapping_add(1);
            }
            let lent = outgoing.lend();
            let count = lent.rest().len().min(1 + round % 997);
            for &byte in &lent.rest()[..count] {
                assert_eq!(byte, sent);
                sent = sent.wrapping_add(1);
            }
            outgoing.give_back(lent, count);
        }
        assert!(outgoing.pending.bytes.capacity() <= 4 * 50_000);
    }

    #[test]
    fn what_is_written_while_bytes_are_lent_comes_behind_them() {
        let mut outgoing = Outgoing::new();
        outgoing.push(b"abcdef");
        let lent = outgoing.lend();
        outgoing.push(b"gh");
        assert_eq!(outgoing.len(), 8);
        outgoing.give_back(lent, 4);
        assert_eq!(outgoing.pending.rest(), b"efgh");
        assert_eq!(outgoing.len(), 4);
    }
}
