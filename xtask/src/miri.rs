//! `miri`: the rules that the compiler relies on, checked while the tests run. Needs a nightly that has Miri.
//!
//! The recycler of task cells is switched off (`corio_no_pool`), or it would hand out memory that Miri should see freed.

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
    shell::add_rustflags(&mut miri, "--cfg corio_no_pool");
    miri.env_remove("RUSTUP_TOOLCHAIN").args(arguments);
    shell::run(&mut miri)?;
    Ok(Outcome::Passed)
}
