//! `tidy`: the rules of the house that a program can check.
//!
//! Each rule is a function from the [`Tree`] to its [`Problem`]s, so that each can be tried on a made-up tree. A problem names
//! the place and says what to do.

mod code;
mod edges;
mod futures;
mod packages;
mod promises;
mod sources;
mod tree;

use crate::shell::{Failure, Outcome, Verdict};
use crate::workspace::{self, Workspace};
use std::fmt;
use tree::Tree;

/// Something to be changed before the work is done.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Problem {
    file: String,
    /// From 1.
    line: usize,
    /// What is wrong and what to do.
    message: String,
}

/// A rule: what it is about, and the function that finds what breaks it.
struct Rule {
    about: &'static str,
    check: fn(&Tree) -> Vec<Problem>,
}

const RULES: [Rule; 11] = [
    Rule {
        about: "dependency edges are those of ARCHITECTURE.md",
        check: edges::check,
    },
    Rule {
        about: "crate roots deny what they must",
        check: packages::roots,
    },
    Rule {
        about: "every crate has a README.md, the project its licences",
        check: packages::files,
    },
    Rule {
        about: "every file says what it is for",
        check: sources::module_docs,
    },
    Rule {
        about: "every unsafe has its argument",
        check: sources::safety,
    },
    Rule {
        about: "every public future says what cancelling it does",
        check: futures::cancel_safety,
    },
    Rule {
        about: "nothing is left to do later",
        check: sources::leftovers,
    },
    Rule {
        about: "no file is too long",
        check: sources::length,
    },
    Rule {
        about: "no white space at the end of a line",
        check: sources::trailing_space,
    },
    Rule {
        about: "every promise has its test",
        check: promises::tests,
    },
    Rule {
        about: "every example is in the list",
        check: promises::examples,
    },
];

pub(crate) fn run(_arguments: &[String]) -> Verdict {
    let tree = Tree::read(&workspace::root(), Workspace::load()?)?;
    let mut found = 0;
    for rule in &RULES {
        let mut problems = (rule.check)(&tree);
        problems.sort();
        println!(
            "tidy: {}: {}",
            rule.about,
            if problems.is_empty() { "yes" } else { "NO" }
        );
        for problem in &problems {
            println!("  {problem}");
        }
        found += problems.len();
    }
    match found {
        0 => Ok(Outcome::Passed),
        1 => Err(Failure::new("one problem, listed above")),
        more => Err(Failure::new(format!("{more} problems, listed above"))),
    }
}

impl Problem {
    fn new(file: &str, line: usize, message: impl Into<String>) -> Self {
        Problem {
            file: file.to_owned(),
            line,
            message: message.into(),
        }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.file, self.line, self.message)
    }
}
