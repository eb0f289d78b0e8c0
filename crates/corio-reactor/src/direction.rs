//! The two directions of a source.

/// What a task waits for: that it can read, or that it can write.
///
/// Accepting connections is reading, connecting is writing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Direction {
    /// Data, a connection, the end of the stream or an error can be read.
    Read,
    /// Data can be written, a connection is made, or writing fails at once.
    Write,
}

/// A set of directions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Directions {
    pub(crate) read: bool,
    pub(crate) write: bool,
}

impl Directions {
    pub(crate) const NONE: Directions = Directions {
        read: false,
        write: false,
    };
    pub(crate) const BOTH: Directions = Directions {
        read: true,
        write: true,
    };

    pub(crate) fn with(self, direction: Direction) -> Directions {
        match direction {
            Direction::Read => Directions { read: true, ..self },
            Direction::Write => Directions {
                write: true,
                ..self
            },
        }
    }

    /// Whether `other` is a part of this set.
    pub(crate) fn covers(self, other: Directions) -> bool {
        (self.read || !other.read) && (self.write || !other.write)
    }
}
