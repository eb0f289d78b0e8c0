//! `loom`: the models in `crates/*/tests/loom_*.rs`, in every interleaving up to a number of forced switches.

use crate::shell::{self, Failure, Outcome, Verdict};
use crate::workspace::{self, Workspace};
use std::fs;
use std::path::Path;

/// Switches that loom may force within one run. Two find nearly everything and keep a model within seconds.
const PREEMPTIONS: &str = "2";

pub(crate) fn run(arguments: &[String]) -> Verdict {
    let workspace = Workspace::load()?;
    let root = workspace::root();
    let mut ran = false;
    for package in &workspace.packages {
        if has_models(&root.join(&package.folder))? {
            models_of(&package.name, &workspace.target_directory, arguments)?;
            ran = true;
        }
    }
    if ran {
        Ok(Outcome::Passed)
    } else {
        Ok(Outcome::Skipped("no crate has a tests/loom_*.rs".into()))
    }
}

fn models_of(package: &str, target_directory: &Path, arguments: &[String]) -> Result<(), Failure> {
    let mut test = shell::cargo();
    // Another target folder, because the flag changes every crate below as well.
    test.args(["test", "--release", "--target-dir"])
        .arg(target_directory.join("loom"));
    test.args(["-p", package, "--test", "loom_*"])
        .args(arguments);
    shell::add_rustflags(&mut test, "--cfg loom");
    if std::env::var_os("LOOM_MAX_PREEMPTIONS").is_none() {
        test.env("LOOM_MAX_PREEMPTIONS", PREEMPTIONS);
    }
    shell::run(&mut test)
}

fn has_models(folder: &Path) -> Result<bool, Failure> {
    let tests = folder.join("tests");
    if !tests.is_dir() {
        return Ok(false);
    }
    let entries = fs::read_dir(&tests)
        .map_err(|error| Failure::new(format!("{}: {error}", tests.display())))?;
    let is_model = |name: &str| name.starts_with("loom_") && name.ends_with(".rs");
    Ok(entries
        .flatten()
        .any(|entry| entry.file_name().to_str().is_some_and(is_model)))
}
