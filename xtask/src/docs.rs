//! `docs`: the documentation of all crates; a broken link is a failure.

use crate::shell::{self, Outcome, Verdict};

pub(crate) fn run(arguments: &[String]) -> Verdict {
    let mut doc = shell::cargo();
    doc.args(["doc", "--workspace", "--no-deps"])
        .args(arguments)
        .env("RUSTDOCFLAGS", "-D warnings");
    shell::run(&mut doc)?;
    Ok(Outcome::Passed)
}
