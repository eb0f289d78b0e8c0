//! `coverage`: which lines the tests reach.

use crate::shell::{self, Outcome, Verdict};

pub(crate) fn run(arguments: &[String]) -> Verdict {
    if !shell::works(shell::cargo().args(["llvm-cov", "--version"])) {
        return Ok(Outcome::Skipped(
            "cargo-llvm-cov is not there: `cargo install cargo-llvm-cov --locked`".into(),
        ));
    }
    shell::run(
        shell::cargo()
            .args(["llvm-cov", "--workspace", "--exclude", "xtask"])
            .args(arguments),
    )?;
    Ok(Outcome::Passed)
}
