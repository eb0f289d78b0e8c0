//! `Refusal`: why a handle must not be used.

use std::io;

/// An error in a form of which every operation can get a copy: its number, or else its kind.
#[derive(Clone, Copy, Debug)]
pub(super) enum Refusal {
    Os(i32),
    Kind(io::ErrorKind),
}

impl Refusal {
    pub(super) fn of(error: &io::Error) -> Refusal {
        match error.raw_os_error() {
            Some(number) => Refusal::Os(number),
            None => Refusal::Kind(error.kind()),
        }
    }

    pub(super) fn error(self) -> io::Error {
        match self {
            Refusal::Os(number) => io::Error::from_raw_os_error(number),
            Refusal::Kind(kind) => kind.into(),
        }
    }
}
