//! `cross`: does it compile where it is not tested?

use crate::shell::{self, Outcome, Verdict};

/// Targets that `cargo check` can do from any host, without a linker for them.
const TARGETS: [&str; 2] = ["x86_64-pc-windows-gnu", "aarch64-apple-darwin"];

pub(crate) fn run(_arguments: &[String]) -> Verdict {
    let mut skipped = Vec::new();
    for target in TARGETS {
        if is_there(target) {
            shell::run(shell::cargo().args([
                "check",
                "--workspace",
                "--all-targets",
                "--target",
                target,
            ]))?;
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

/// Whether the standard library for `target` is there, or can be fetched.
fn is_there(target: &str) -> bool {
    let installed = shell::output(shell::program("rustup").args(["target", "list", "--installed"]));
    installed.is_some_and(|list| list.lines().any(|line| line == target))
        || shell::works(shell::program("rustup").args(["target", "add", target]))
}
