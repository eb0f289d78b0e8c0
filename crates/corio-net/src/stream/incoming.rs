//! `Incoming`: bytes that have arrived and were not asked for yet.

use std::cell::Cell;
use std::io;
use std::task::Poll;

/// A buffer that is filled at its end and emptied at its beginning. While there is nothing in it, it holds next to no memory: what a
/// transport reads goes through a buffer of the thread, so that many idle connections cost little.
#[derive(Default)]
pub(super) struct Incoming {
    bytes: Vec<u8>,
    start: usize,
}

/// How much a transport is asked for at once.
pub(super) const AT_ONCE: usize = 64 * 1024;

/// An empty buffer that is larger than this gives its memory back.
const KEPT: usize = 16 * 1024;

thread_local! {
    /// Empty before its first use, and while it is used.
    static PASSAGE: Cell<Vec<u8>> = const { Cell::new(Vec::new()) };
}

impl Incoming {
    pub(super) fn data(&self) -> &[u8] {
        &self.bytes[self.start..]
    }

    /// Appends what `read` puts into the buffer that it is given.
    ///
    /// # Panics
    ///
    /// When `read` says that it has put more there than fits.
    pub(super) fn fill(
        &mut self,
        read: impl FnOnce(&mut [u8]) -> Poll<io::Result<usize>>,
    ) -> Poll<io::Result<usize>> {
        // While its thread ends there is no passage any more.
        let mut passage = PASSAGE.try_with(Cell::take).unwrap_or_default();
        passage.resize(AT_ONCE, 0);
        let result = read(&mut passage);
        if let Poll::Ready(Ok(count)) = &result {
            assert!(
                *count <= AT_ONCE,
                "a transport has read more than it was asked to"
            );
            self.push(&passage[..*count]);
        }
        PASSAGE.try_with(|place| place.set(passage)).ok();
        result
    }

    fn push(&mut self, bytes: &[u8]) {
        // Moved when that is no more work than was the taking.
        if self.start >= self.bytes.len() - self.start {
            self.bytes.drain(..self.start);
            self.start = 0;
        }
        self.bytes.extend_from_slice(bytes);
    }

    pub(super) fn consume(&mut self, count: usize) {
        assert!(
            count <= self.data().len(),
            "more was consumed than there is"
        );
        self.start += count;
        if self.start == self.bytes.len() {
            self.start = 0;
            self.bytes.clear();
            self.bytes.shrink_to(KEPT);
        }
    }

    /// Takes the first `count` bytes out.
    pub(super) fn take(&mut self, count: usize) -> Vec<u8> {
        let all = self.start == 0 && count == self.bytes.len();
        if all && count >= self.bytes.capacity() / 2 {
            return std::mem::take(&mut self.bytes);
        }
        let bytes = self.data()[..count].to_vec();
        self.consume(count);
        bytes
    }

    pub(super) fn take_all(&mut self) -> Vec<u8> {
        self.take(self.data().len())
    }
}
