//! `sanitize`: the tests of the crates nearest to memory and threads, under a tool that watches every access.
//!
//! Everything runs on the stable toolchain. The sanitizers are switched on with `RUSTC_BOOTSTRAP`, set for that one command
//! only: in the environment of ordinary builds it would make build scripts of other crates believe in a nightly. The recycler
//! of task cells is switched off (`corio_no_pool`), or it would hand out memory that the tool should see freed.

use crate::shell::{self, Failure, Outcome, Verdict};
use crate::workspace::{self, Workspace};
use std::path::PathBuf;
use std::process::Command;

const PACKAGES: [&str; 6] = [
    "corio-core",
    "corio-reactor",
    "corio-combinators",
    "corio-sync",
    "corio-runtime",
    "corio-net",
];

/// What stands under every test: only leaks that the program can no longer reach count, because the test harness itself keeps
/// some memory to the end; fair scheduling, or spinning threads starve the others.
const VALGRIND: &str = "valgrind -q --error-exitcode=9 --leak-check=full --show-leak-kinds=definite,indirect \
                        --errors-for-leak-kinds=definite,indirect --fair-sched=yes --suppressions=";

/// What is no error of ours, each with its reason.
const SUPPRESSIONS: &str = "xtask/src/sanitize.supp";

/// With TLS, whose ciphers are in assembly: valgrind cannot follow there what is initialised, and takes all that was decrypted, and
/// all that depends on it, for undefined. What is left is looked for: wrong addresses and leaks.
const WITH_CIPHERS: &str = "corio-net";

/// How long tests with random cases go on under valgrind, where each step takes fifty times as long, unless the caller says so.
const SHORT: [(&str, &str); 2] = [("PROPTEST_CASES", "16"), ("CORIO_SOAK_CONNECTIONS", "30")];

pub(crate) fn run(arguments: &[String]) -> Verdict {
    let (tool, rest) = arguments
        .split_first()
        .map_or(("all", &[][..]), |(tool, rest)| (tool.as_str(), rest));
    match tool {
        "asan" => asan(rest),
        "tsan" => tsan(rest),
        "valgrind" => valgrind(rest),
        "all" => all(rest),
        other => Err(Failure::new(format!(
            "no tool `{other}`: asan, tsan, valgrind or all"
        ))),
    }
}

fn all(arguments: &[String]) -> Verdict {
    let mut skipped = Vec::new();
    for tool in [asan, valgrind, tsan] {
        if let Outcome::Skipped(why) = tool(arguments)? {
            println!("skipped: {why}");
            skipped.push(why);
        }
    }
    if skipped.is_empty() {
        Ok(Outcome::Passed)
    } else {
        Ok(Outcome::Skipped(skipped.join("; ")))
    }
}

/// AddressSanitizer: use after free, out of bounds, leaks. Its run-time library comes with the standard library.
fn asan(arguments: &[String]) -> Verdict {
    let Some(host) = Host::find() else {
        return Ok(no_rustc());
    };
    if !host.has_address_sanitizer() {
        return Ok(Outcome::Skipped(format!(
            "AddressSanitizer does not come with the toolchain for {}",
            host.triple
        )));
    }
    let mut test = tests("asan", &host, "-Zsanitizer=address", &PACKAGES, arguments)?;
    test.env("RUSTC_BOOTSTRAP", "1")
        .env("ASAN_OPTIONS", "detect_stack_use_after_return=1");
    shell::run(&mut test)?;
    Ok(Outcome::Passed)
}

/// ThreadSanitizer: data races. The standard library has to be built with it, or correct programs are reported.
fn tsan(arguments: &[String]) -> Verdict {
    let Some(host) = Host::find() else {
        return Ok(no_rustc());
    };
    if !host.triple.contains("linux") {
        return Ok(Outcome::Skipped(format!(
            "ThreadSanitizer is only run on Linux, not on {}",
            host.triple
        )));
    }
    if !host
        .sysroot
        .join("lib/rustlib/src/rust/library/Cargo.lock")
        .is_file()
    {
        return Ok(Outcome::Skipped(
            "the standard library's source is not there: `rustup component add rust-src`".into(),
        ));
    }
    let mut test = tests("tsan", &host, "-Zsanitizer=thread", &PACKAGES, &[])?;
    test.arg("-Zbuild-std")
        .args(arguments)
        .env("RUSTC_BOOTSTRAP", "1");
    if std::env::var_os("TSAN_OPTIONS").is_none() {
        // A race with an access that the tool has forgotten is not reported, so it is to remember as much as it can.
        test.env("TSAN_OPTIONS", "history_size=7");
    }
    shell::run(&mut test)?;
    Ok(Outcome::Passed)
}

/// Valgrind: use after free, reads of uninitialised memory, leaks; no rebuild, no special flags, slow.
fn valgrind(arguments: &[String]) -> Verdict {
    let Some(host) = Host::find() else {
        return Ok(no_rustc());
    };
    if !shell::works(shell::program("valgrind").arg("--version")) {
        return Ok(Outcome::Skipped("valgrind is not installed".into()));
    }
    let (ciphers, plain): (Vec<&str>, _) = PACKAGES.iter().partition(|name| **name == WITH_CIPHERS);
    under_valgrind(&host, &plain, "", arguments)?;
    under_valgrind(&host, &ciphers, " --undef-value-errors=no", arguments)?;
    Ok(Outcome::Passed)
}

fn under_valgrind(
    host: &Host,
    packages: &[&str],
    more: &str,
    arguments: &[String],
) -> Result<(), Failure> {
    let mut test = tests("valgrind", host, "", packages, arguments)?;
    if !arguments.iter().any(|argument| argument == "--") {
        test.arg("--");
    }
    test.arg("--test-threads=1");
    for (variable, value) in SHORT {
        if std::env::var_os(variable).is_none() {
            test.env(variable, value);
        }
    }
    let triple = host.triple.to_uppercase().replace('-', "_");
    let suppressions = workspace::root().join(SUPPRESSIONS);
    let runner = format!("{VALGRIND}{}{more}", suppressions.display());
    test.env(format!("CARGO_TARGET_{triple}_RUNNER"), runner);
    shell::run(&mut test)
}

/// `cargo test` in a target folder of its own. With `--target`, the flags leave build scripts and macros alone.
fn tests(
    tool: &str,
    host: &Host,
    flags: &str,
    packages: &[&str],
    arguments: &[String],
) -> Result<Command, Failure> {
    let workspace = Workspace::load()?;
    let mut test = shell::cargo();
    test.args(["test", "--tests", "--target", &host.triple]);
    test.arg("--target-dir")
        .arg(workspace.target_directory.join(tool));
    for package in workspace.existing(packages) {
        test.args(["-p", package]);
    }
    shell::add_rustflags(&mut test, format!("{flags} --cfg corio_no_pool").trim());
    test.args(arguments);
    Ok(test)
}

/// The toolchain in use.
struct Host {
    triple: String,
    sysroot: PathBuf,
}

impl Host {
    fn find() -> Option<Self> {
        let version = shell::output(shell::program("rustc").arg("-vV"))?;
        let triple = version
            .lines()
            .find_map(|line| line.strip_prefix("host: "))?
            .to_owned();
        let sysroot = shell::output(shell::program("rustc").args(["--print", "sysroot"]))?.into();
        Some(Host { triple, sysroot })
    }

    fn has_address_sanitizer(&self) -> bool {
        let libraries = self
            .sysroot
            .join("lib/rustlib")
            .join(&self.triple)
            .join("lib");
        let names = std::fs::read_dir(libraries)
            .into_iter()
            .flatten()
            .flatten()
            .map(|entry| entry.file_name());
        names
            .into_iter()
            .any(|name| name.to_str().is_some_and(|name| name.contains("_rt.asan")))
    }
}

fn no_rustc() -> Outcome {
    Outcome::Skipped("`rustc -vV` does not work here".into())
}
