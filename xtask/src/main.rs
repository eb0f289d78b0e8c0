//! The chores of the project: `cargo xtask <command>`, with nothing but the standard library.
//!
//! One module per command. A command runs other programs and reports in one of three ways: passed, skipped because a tool is
//! not there, or failed with what to do. `.ci/run` and the workflows call these commands and nothing else, so that whatever
//! they check can be checked by hand.

#![deny(missing_docs)]
#![forbid(unsafe_code)]

mod bench;
mod ci;
mod coverage;
mod cross;
mod docs;
mod json;
mod loom;
mod miri;
mod sanitize;
mod shell;
mod test;
mod tidy;
mod workspace;

use shell::{Outcome, Verdict};
use std::process::ExitCode;

/// A chore: its name, what it does, and the function that does it with the arguments after the name.
struct Command {
    name: &'static str,
    about: &'static str,
    run: fn(&[String]) -> Verdict,
}

const COMMANDS: [Command; 11] = [
    Command {
        name: "ci",
        about: "everything a change must pass; `ci --full` adds sanitizers, Miri and other targets",
        run: ci::run,
    },
    Command {
        name: "test",
        about: "all tests and doctests; arguments go to `cargo test`",
        run: test::run,
    },
    Command {
        name: "tidy",
        about: "the rules of the house: edges, module docs, SAFETY arguments, ..",
        run: tidy::run,
    },
    Command {
        name: "docs",
        about: "the documentation, warnings denied",
        run: docs::run,
    },
    Command {
        name: "loom",
        about: "every interleaving of the models in tests/loom_*.rs",
        run: loom::run,
    },
    Command {
        name: "sanitize",
        about: "the tests under asan, tsan or valgrind: `sanitize asan`",
        run: sanitize::run,
    },
    Command {
        name: "miri",
        about: "the tests of the crates without an OS under Miri, where a nightly has it",
        run: miri::run,
    },
    Command {
        name: "cross",
        about: "cargo check for Windows and macOS",
        run: cross::run,
    },
    Command {
        name: "coverage",
        about: "line coverage, where cargo-llvm-cov is installed",
        run: coverage::run,
    },
    Command {
        name: "bench",
        about: "the benchmarks, and a dated record of them; arguments go to `cargo bench`",
        run: bench::run,
    },
    Command {
        name: "help",
        about: "this list",
        run: help,
    },
];

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let (name, rest) = arguments
        .split_first()
        .map_or(("help", &[][..]), |(name, rest)| (name.as_str(), rest));
    let Some(command) = COMMANDS.iter().find(|command| command.name == name) else {
        eprintln!("xtask: there is no command `{name}`; `cargo xtask help` lists those there are");
        return ExitCode::FAILURE;
    };
    match (command.run)(rest) {
        Ok(Outcome::Passed) => ExitCode::SUCCESS,
        Ok(Outcome::Skipped(why)) => {
            println!("skipped: {why}");
            ExitCode::SUCCESS
        }
        Err(failure) => {
            eprintln!("xtask {name}: {failure}");
            ExitCode::FAILURE
        }
    }
}

fn help(_arguments: &[String]) -> Verdict {
    println!("cargo xtask <command>\n");
    for command in &COMMANDS {
        println!("  {:<9} {}", command.name, command.about);
    }
    Ok(Outcome::Passed)
}
