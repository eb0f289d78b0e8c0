//! `test`: the command of the README, with whatever arguments one adds.

use crate::shell::{self, Outcome, Verdict};

pub(crate) fn run(arguments: &[String]) -> Verdict {
    shell::run(shell::cargo().args(["test", "--workspace"]).args(arguments))?;
    Ok(Outcome::Passed)
}
