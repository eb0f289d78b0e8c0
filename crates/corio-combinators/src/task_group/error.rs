//! The error of a group: every failure in it.

use std::error::Error;
use std::fmt;
use std::panic::Location;

use corio_core::Panic;

/// How a task group ended when it did not end well.
///
/// Its `Display` is a tree of all failures with the names and the places of the tasks; the error of a nested group is indented.
#[derive(Debug)]
#[non_exhaustive]
#[doc(alias = "ExceptionGroup")]
pub enum GroupError<E> {
    /// Children or the body have failed.
    Failed(Failures<E>),
    /// The group was ended by [`TaskGroup::cancel`](crate::TaskGroup::cancel) before its body had ended, and nothing failed.
    Stopped,
}

/// At least one failure, in the order of completion, that of the body last.
#[derive(Debug)]
pub struct Failures<E> {
    group: Option<String>,
    failed: Vec<Failed<E>>,
}

/// How one task failed.
#[derive(Debug)]
#[non_exhaustive]
pub enum Failure<E> {
    /// It returned this error.
    Error(E),
    /// It panicked.
    Panicked(Panic),
}

/// One failure, and whose it was.
#[derive(Debug)]
pub(super) struct Failed<E> {
    name: String,
    site: &'static Location<'static>,
    failure: Failure<E>,
}

impl<E> Failed<E> {
    pub(super) fn new(
        name: String,
        site: &'static Location<'static>,
        failure: Failure<E>,
    ) -> Failed<E> {
        Failed {
            name,
            site,
            failure,
        }
    }
}

impl<E> GroupError<E> {
    pub(super) fn failed(group: Option<String>, failed: Vec<Failed<E>>) -> GroupError<E> {
        GroupError::Failed(Failures { group, failed })
    }

    fn list(&self) -> &[Failed<E>] {
        match self {
            GroupError::Failed(failures) => &failures.failed,
            GroupError::Stopped => &[],
        }
    }

    /// How many failures there are.
    pub fn len(&self) -> usize {
        self.list().len()
    }

    /// No failure: the group was stopped.
    pub fn is_empty(&self) -> bool {
        self.list().is_empty()
    }

    /// The group was ended by its own `cancel`, and nothing failed.
    pub fn is_stopped(&self) -> bool {
        matches!(self, GroupError::Stopped)
    }

    /// The failures with the names of their tasks, in the order of completion; the body is called `body`, and comes last.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Failure<E>)> {
        self.list()
            .iter()
            .map(|failed| (failed.name.as_str(), &failed.failure))
    }

    /// The same by value.
    pub fn into_failures(self) -> Vec<(String, Failure<E>)> {
        let failed = match self {
            GroupError::Failed(failures) => failures.failed,
            GroupError::Stopped => Vec::new(),
        };
        failed
            .into_iter()
            .map(|failed| (failed.name, failed.failure))
            .collect()
    }

    /// Divides the failures: those for which `matches` holds, and the rest. A part without failures is `None`.
    pub fn split(
        self,
        mut matches: impl FnMut(&Failure<E>) -> bool,
    ) -> (Option<GroupError<E>>, Option<GroupError<E>>) {
        let GroupError::Failed(Failures { group, failed }) = self else {
            return (None, Some(GroupError::Stopped));
        };
        let (chosen, rest): (Vec<_>, Vec<_>) = failed
            .into_iter()
            .partition(|failed| matches(&failed.failure));
        let part = |failed: Vec<Failed<E>>| {
            (!failed.is_empty()).then(|| GroupError::failed(group.clone(), failed))
        };
        (part(chosen), part(rest))
    }

    /// The failures for which `matches` holds, if there are any.
    pub fn subgroup(self, matches: impl FnMut(&Failure<E>) -> bool) -> Option<GroupError<E>> {
        self.split(matches).0
    }
}

impl<E> Failure<E> {
    /// The error, if it was one.
    pub fn error(&self) -> Option<&E> {
        match self {
            Failure::Error(error) => Some(error),
            Failure::Panicked(_) => None,
        }
    }
}

impl<E: fmt::Display> fmt::Display for Failure<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Failure::Error(error) => error.fmt(f),
            Failure::Panicked(panic) => write!(f, "panicked: {}", panic.message()),
        }
    }
}

impl<E: fmt::Display> fmt::Display for GroupError<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            GroupError::Failed(failures) => failures.fmt(f),
            GroupError::Stopped => f.write_str("the task group was stopped"),
        }
    }
}

impl<E: fmt::Display> fmt::Display for Failures<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let many = if self.failed.len() == 1 { "" } else { "s" };
        write!(f, "{} failure{many} in ", self.failed.len())?;
        match &self.group {
            Some(name) => write!(f, "the task group '{name}'")?,
            None => f.write_str("a task group")?,
        }
        for (index, failed) in self.failed.iter().enumerate() {
            let last = index + 1 == self.failed.len();
            let (branch, below) = if last {
                ("└─ ", "   ")
            } else {
                ("├─ ", "│  ")
            };
            let (name, site) = (&failed.name, failed.site);
            let whose = format!("{name} ({}:{}): ", site.file(), site.line());
            let text = failed.failure.to_string();
            let mut lines = text.lines();
            write!(f, "\n{branch}{whose}{}", lines.next().unwrap_or_default())?;
            for line in lines {
                write!(f, "\n{below}{line}")?;
            }
        }
        Ok(())
    }
}

impl<E: fmt::Debug + fmt::Display> Error for GroupError<E> {}
