//! `cross`: does it compile where it is not tested?

use crate::shell::{self, Failure, Outcome, Verdict};

/// Targets that `cargo check` can do from any host, without a linker for them.
const TARGETS: [&str; 3] = [
    "x86_64-pc-windows-gnu",
    "aarch64-apple-darwin",
    "x86_64-unknown-freebsd",
];

/// Its tests encrypt with a library that is partly C, for which every target wants a compiler of its own. They are compiled where
/// they run.
const WITH_C: &str = "corio-net";

pub(crate) fn run(_arguments: &[String]) -> Verdict {
    let mut skipped = Vec::new();
    for target in TARGETS {
        if is_there(target) {
            check(
                target,
                &["--workspace", "--exclude", WITH_C, "--all-targets"],
            )?;
            check(target, &["--package", WITH_C])?;
        } else {
            println!("skipped: {target} is not installed, and rustup cannot add it");
            skipped.push(target);
        }
    }
    if skipped.is_empty() {
        Ok(Outcome::Passed)
    } else {
        Ok(Outcome::Skipped(format!("no {}", skipped.join(", no "))))
    }
}

fn check(target: &str, what: &[&str]) -> Result<(), Failure> {
    let mut check = shell::cargo();
    check.args(["check", "--target", target]).args(what);
    shell::add_rustflags(&mut check, "-D warnings");
    shell::run(&mut check)
}

/// Whether the standard library for `target` is there, or can be fetched.
fn is_there(target: &str) -> bool {
    let installed = shell::output(shell::program("rustup").args(["target", "list", "--installed"]));
    installed.is_some_and(|list| list.lines().any(|line| line == target))
        || shell::works(shell::program("rustup").args(["target", "add", target]))
}
