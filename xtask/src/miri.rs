//! `miri`: the rules that the compiler relies on, checked while the tests run. Needs a nightly that has Miri.
//!
//! The recycler of task cells is switched off (`corio_no_pool`), or it would hand out memory that Miri should see freed.

use std::process::Command;

use crate::shell::{self, Outcome, Verdict};
use crate::workspace::Workspace;

/// All tests of the crate with the `unsafe` code that needs no operating system below it.
const PACKAGES: [&str; 1] = ["corio-core"];

/// Of the safe crates above, the tests that bring much foreign code to the tasks and drop futures half way.
const TESTS: [(&str, &[&str]); 2] = [
    (
        "corio-combinators",
        &[
            "drops_everywhere",
            "futures_after_a_move",
            "gather_outcomes",
            "limit_without_a_node",
            "owned_wait_by_reference",
            "scope_children",
            "timeout_rules",
        ],
    ),
    ("corio-sync", &["lock_behaviour", "waker_rules"]),
];

pub(crate) fn run(arguments: &[String]) -> Verdict {
    if !shell::works(shell::program("rustup").args([
        "run",
        "nightly",
        "cargo",
        "miri",
        "--version",
    ])) {
        return Ok(Outcome::Skipped(
            "no nightly with Miri: `rustup toolchain install nightly --component miri`".into(),
        ));
    }
    let workspace = Workspace::load()?;
    let mut whole = miri(&workspace);
    whole.arg("--tests");
    for package in workspace.existing(&PACKAGES) {
        whole.args(["-p", package]);
    }
    shell::run(whole.args(arguments))?;
    for (package, tests) in TESTS {
        let mut some = miri(&workspace);
        some.args(["-p", package]);
        for test in tests {
            some.args(["--test", test]);
        }
        shell::run(some.args(arguments))?;
    }
    Ok(Outcome::Passed)
}

fn miri(workspace: &Workspace) -> Command {
    let mut miri = shell::program("rustup");
    miri.args(["run", "nightly", "cargo", "miri", "test"])
        .arg("--target-dir")
        .arg(workspace.target_directory.join("miri"));
    // Property tests look for a file of earlier failures in the working folder, which isolation forbids; and it is slow.
    miri.env(
        "MIRIFLAGS",
        "-Zmiri-strict-provenance -Zmiri-symbolic-alignment-check -Zmiri-disable-isolation",
    )
    .env("PROPTEST_CASES", "8")
    .env_remove("RUSTUP_TOOLCHAIN");
    shell::add_rustflags(&mut miri, "--cfg corio_no_pool");
    miri
}
