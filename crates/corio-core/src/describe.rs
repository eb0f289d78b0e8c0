//! Names of tasks, and their `Debug` form.

use std::fmt;

use crate::cell::CellRef;
use crate::error::TaskError;
use crate::state::Outcome;
use crate::task::{AnyTask, Task};

/// The name of a future's type as it is shown: without the closures that the compiler puts into it, so that a function inside of an
/// async one is `outer::inner`, and without the modules of the standard library, which say nothing about the program.
pub(crate) struct TypePath(pub(crate) &'static str);

impl fmt::Display for TypePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for part in self.0.split("::{{closure}}") {
            let mut rest = part;
            while !rest.is_empty() {
                let in_path = |c: char| c.is_alphanumeric() || c == '_' || c == ':';
                let (path, after) = rest.split_at(rest.find(|c| !in_path(c)).unwrap_or(rest.len()));
                f.write_str(without_modules(path))?;
                let next = after.find(in_path).unwrap_or(after.len());
                f.write_str(&after[..next])?;
                rest = &after[next..];
            }
        }
        Ok(())
    }
}

/// The last name of a path of the standard library; any other path as it is.
fn without_modules(path: &str) -> &str {
    let standard = ["core::", "alloc::", "std::"];
    match path.rsplit_once("::") {
        Some((_, name)) if standard.iter().any(|root| path.starts_with(root)) => name,
        _ => path,
    }
}

impl CellRef {
    pub(crate) fn name(&self) -> String {
        self.extras(|extras| extras.name.as_deref().map(str::to_owned))
            .unwrap_or_else(|| format!("Task-{}", self.id()))
    }

    fn describe(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = match self.state.outcome() {
            Some(Outcome::Cancelled) => "cancelled",
            Some(_) => "finished",
            None if self.state.cancelling() > 0 => "cancelling",
            None if self.state.is_running() => "running",
            None => "pending",
        };
        let site = self.site;
        write!(
            f,
            "<Task {state} name='{}' coro={} at {}:{}",
            self.name(),
            TypePath(self.type_name()),
            site.file(),
            site.line()
        )?;
        if let Some(waiting) = self.waits_for() {
            write!(f, " wait_for={waiting}")?;
        }
        if let Some(Outcome::Panicked) = self.state.outcome() {
            if let Some(TaskError::Panicked(panic)) = self.error() {
                write!(f, " exception={:?}", panic.message())?;
            }
        }
        let callbacks = self.callback_sites();
        if !callbacks.is_empty() {
            write!(f, " cb=[")?;
            for (index, site) in callbacks.iter().enumerate() {
                let comma = if index == 0 { "" } else { ", " };
                write!(f, "{comma}{}:{}", site.file(), site.line())?;
            }
            write!(f, "]")?;
        }
        write!(f, ">")
    }
}

impl<T> fmt::Debug for Task<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.cell().describe(f)
    }
}

impl fmt::Debug for AnyTask {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.cell().describe(f)
    }
}
