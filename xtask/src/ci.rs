//! `ci`: what a change must pass, step by step, with the time each step took.

use crate::shell::{self, Failure, Outcome, Verdict, shown_time};
use crate::{cross, docs, loom, miri, sanitize, test, tidy};
use std::time::{Duration, Instant};

/// A part of the gate.
struct Step {
    name: &'static str,
    run: fn() -> Verdict,
}

/// In the order in which a mistake is cheapest to find.
const STEPS: [Step; 6] = [
    Step {
        name: "fmt",
        run: fmt,
    },
    Step {
        name: "tidy",
        run: || tidy::run(&[]),
    },
    Step {
        name: "clippy",
        run: clippy,
    },
    Step {
        name: "test",
        run: || test::run(&[]),
    },
    Step {
        name: "docs",
        run: || docs::run(&[]),
    },
    Step {
        name: "loom",
        run: || loom::run(&[]),
    },
];

/// What `--full` adds, for before a release and for the weekly run.
const MORE_STEPS: [Step; 3] = [
    Step {
        name: "cross",
        run: || cross::run(&[]),
    },
    Step {
        name: "sanitize",
        run: || sanitize::run(&[]),
    },
    Step {
        name: "miri",
        run: || miri::run(&[]),
    },
];

pub(crate) fn run(arguments: &[String]) -> Verdict {
    let full = match arguments {
        [] => false,
        [flag] if flag == "--full" => true,
        _ => return Err(Failure::new("the only argument is `--full`")),
    };
    let mut report = Vec::new();
    for step in STEPS.iter().chain(MORE_STEPS.iter().filter(|_| full)) {
        println!("\n==> {}", step.name);
        let start = Instant::now();
        let verdict = (step.run)();
        report.push(line(step.name, start.elapsed(), &verdict));
        if let Err(failure) = verdict {
            summary(&report);
            return Err(Failure::new(format!(
                "step `{}` failed: {failure}",
                step.name
            )));
        }
    }
    summary(&report);
    Ok(Outcome::Passed)
}

fn line(name: &str, time: Duration, verdict: &Verdict) -> String {
    let outcome = match verdict {
        Ok(Outcome::Passed) => "passed".to_owned(),
        Ok(Outcome::Skipped(why)) => format!("skipped: {why}"),
        Err(_) => "FAILED".to_owned(),
    };
    format!("{name:<9} {:>12}  {outcome}", shown_time(time))
}

fn summary(report: &[String]) {
    println!("\n==> summary");
    for line in report {
        println!("{line}");
    }
}

fn fmt() -> Verdict {
    if !shell::works(shell::cargo().args(["fmt", "--version"])) {
        return Ok(Outcome::Skipped(
            "rustfmt is not there: `rustup component add rustfmt`".into(),
        ));
    }
    shell::run(shell::cargo().args(["fmt", "--all", "--check"]))?;
    Ok(Outcome::Passed)
}

fn clippy() -> Verdict {
    if !shell::works(shell::cargo().args(["clippy", "--version"])) {
        return Ok(Outcome::Skipped(
            "clippy is not there: `rustup component add clippy`".into(),
        ));
    }
    shell::run(shell::cargo().args([
        "clippy",
        "--workspace",
        "--all-targets",
        "--",
        "-D",
        "warnings",
    ]))?;
    Ok(Outcome::Passed)
}
