//! [`Member`]: a task as a combinator sees it, and which of them it owns.

use corio_core::combine::AnyTryTask;
use corio_core::{AnyTask, TaskError};

/// A task that a combinator looks at.
pub(crate) enum Member {
    /// A value is a value.
    Any(AnyTask),
    /// A value may be an error.
    Try(AnyTryTask),
}

impl Member {
    pub(crate) fn task(&self) -> &AnyTask {
        match self {
            Member::Any(task) => task,
            Member::Try(task) => task.task(),
        }
    }

    pub(crate) fn is_err(&self) -> bool {
        match self {
            Member::Any(_) => false,
            Member::Try(task) => task.is_err(),
        }
    }
}

/// Which members end with whoever waits for them.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Owned {
    All,
    Nothing,
    /// A bit for each of the first sixteen.
    These(u16),
}

impl Owned {
    pub(crate) fn has(self, index: usize) -> bool {
        match self {
            Owned::All => true,
            Owned::Nothing => false,
            Owned::These(bits) => bits >> index & 1 == 1,
        }
    }
}

/// The error of a member that ended without a value. It counts as seen.
pub(crate) fn error_of(member: &Member) -> Option<TaskError> {
    member.task().result().err()
}
