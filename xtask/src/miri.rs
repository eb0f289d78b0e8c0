//! `miri`: the rules that the compiler relies on, checked while the tests run. Needs a nightly that has Miri.

use crate::shell::{self, Outcome, Verdict};
use crate::workspace::Workspace;

/// The crates without an operating system below them.
const PACKAGES: [&str; 5] = [
    "corio-core",
    "corio-timer",
    "corio-coroutine",
    "corio-combinators",
    "corio-sync",
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
    let mut miri = shell::program("rustup");
    miri.args(["run", "nightly", "cargo", "miri", "test", "--tests"]);
    miri.arg("--target-dir")
        .arg(workspace.target_directory.join("miri"));
    for package in workspace.existing(&PACKAGES) {
        miri.args(["-p", package]);
    }
    // Property tests look for a file of earlier failures in the working folder, which isolation forbids.
    miri.env(
        "MIRIFLAGS",
        "-Zmiri-strict-provenance -Zmiri-symbolic-alignment-check -Zmiri-disable-isolation",
    );
    miri.env_remove("RUSTUP_TOOLCHAIN").args(arguments);
    shell::run(&mut miri)?;
    Ok(Outcome::Passed)
}
