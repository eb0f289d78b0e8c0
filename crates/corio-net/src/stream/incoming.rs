//! `Incoming`: bytes that have arrived and were not asked for yet.

/// A buffer that is filled at its end and emptied at its beginning.
pub(super) struct Incoming {
    /// All of it is initialised; what counts is between `start` and `end`.
    bytes: Vec<u8>,
    start: usize,
    end: usize,
    /// How much room the next read is given at least.
    room: usize,
}

const SMALLEST_ROOM: usize = 4 * 1024;
const LARGEST_ROOM: usize = 256 * 1024;
/// An empty buffer that is larger than this gives its memory back.
const KEPT: usize = 128 * 1024;

impl Incoming {
    pub(super) fn new() -> Incoming {
        Incoming {
            bytes: Vec::new(),
            start: 0,
            end: 0,
            room: SMALLEST_ROOM,
        }
    }

    pub(super) fn data(&self) -> &[u8] {
        &self.bytes[self.start..self.end]
    }

    /// Where the next bytes go.
    pub(super) fn room(&mut self) -> &mut [u8] {
        if self.bytes.len() - self.end < self.room {
            self.bytes.copy_within(self.start..self.end, 0);
            self.end -= self.start;
            self.start = 0;
            if self.bytes.len() - self.end < self.room {
                let doubled = self.bytes.len().saturating_mul(2);
                self.bytes.resize(doubled.max(self.end + self.room), 0);
            }
        }
        &mut self.bytes[self.end..]
    }

    /// So many bytes were put into the room.
    ///
    /// # Panics
    ///
    /// When that is more than there was.
    pub(super) fn filled(&mut self, count: usize) {
        let room = self.bytes.len() - self.end;
        assert!(
            count <= room,
            "a transport has read more than it was asked to"
        );
        if count == room {
            self.room = (self.room * 2).min(LARGEST_ROOM);
        }
        self.end += count;
    }

    pub(super) fn consume(&mut self, count: usize) {
        self.start += count;
        assert!(self.start <= self.end, "more was consumed than there is");
        if self.start == self.end {
            (self.start, self.end) = (0, 0);
            if self.bytes.len() > KEPT {
                self.bytes = Vec::new();
                self.room = SMALLEST_ROOM;
            }
        }
    }

    /// Takes the first `count` bytes out.
    pub(super) fn take(&mut self, count: usize) -> Vec<u8> {
        if count > KEPT && self.start == 0 && self.end == count {
            let mut bytes = std::mem::take(&mut self.bytes);
            bytes.truncate(count);
            self.end = 0;
            return bytes;
        }
        let bytes = self.data()[..count].to_vec();
        self.consume(count);
        bytes
    }

    pub(super) fn take_all(&mut self) -> Vec<u8> {
        self.take(self.end - self.start)
    }
}
