//! `bench`: runs the benchmarks, and keeps what came out as a record in the tree.
//!
//! Only what this very run measured goes into the record: results of earlier runs that lie around are older than its start.

mod chart;
mod estimates;
mod machine;
mod record;
mod tables;

use crate::shell::{self, Failure, Outcome, Verdict};
use crate::workspace::{self, Workspace};
use machine::Machine;
use std::fs;
use std::path::Path;
use std::time::SystemTime;

const RECORDS: &str = "benches/records";

pub(crate) fn run(arguments: &[String]) -> Verdict {
    let workspace = Workspace::load()?;
    let machine = Machine::look();
    let start = SystemTime::now();
    let mut bench = shell::cargo();
    bench.args(["bench", "-p", "corio-benches"]);
    if !arguments
        .iter()
        .any(|argument| argument.starts_with("--bench"))
    {
        // Not the library: its test harness does not know the options of criterion.
        bench.args(["--bench", "*"]);
    }
    shell::run(bench.args(arguments))?;

    let measured = estimates::since(start, &workspace.target_directory.join("criterion"))?;
    let tables = tables::since(start, &workspace.target_directory.join("tables"))?;
    if measured.is_empty() && tables.is_empty() {
        return Ok(Outcome::Skipped(
            "nothing was measured, so there is nothing to record".into(),
        ));
    }
    let folder = workspace::root().join(RECORDS);
    fs::create_dir_all(&folder).map_err(|error| cannot_write(&folder, &error))?;
    let command = format!("cargo xtask bench {}", arguments.join(" "));
    let name = format!("{}-{}.md", machine.date, machine.commit);
    write(
        &folder.join(&name),
        &record::page(&machine, command.trim(), &measured, &tables),
    )?;
    if !measured.is_empty() {
        write(&folder.join("chart.svg"), &chart::svg(&machine, &measured))?;
    }
    println!(
        "recorded {} results and {} tables in {RECORDS}/{name}",
        measured.len(),
        tables.len()
    );
    Ok(Outcome::Passed)
}

fn write(path: &Path, text: &str) -> Result<(), Failure> {
    fs::write(path, text).map_err(|error| cannot_write(path, &error))
}

fn cannot_write(path: &Path, error: &std::io::Error) -> Failure {
    Failure::new(format!("cannot write {}: {error}", path.display()))
}

/// Nanoseconds as `12.3 ns`, `4.56 µs`, `789 ms`: three digits that mean something.
fn shown_nanoseconds(nanoseconds: f64) -> String {
    let (value, unit) = match nanoseconds {
        n if n < 1e3 => (n, "ns"),
        n if n < 1e6 => (n / 1e3, "µs"),
        n if n < 1e9 => (n / 1e6, "ms"),
        n => (n / 1e9, "s"),
    };
    let decimals = match value {
        v if v < 10.0 => 2,
        v if v < 100.0 => 1,
        _ => 0,
    };
    format!("{value:.decimals$} {unit}")
}

#[cfg(test)]
mod tests {
    use super::shown_nanoseconds;

    #[test]
    fn times_are_shown_with_three_digits() {
        let shown = [
            1.234,
            99.94,
            123.4,
            4_560.0,
            789_000_000.0,
            12_300_000_000.0,
        ]
        .map(shown_nanoseconds);
        assert_eq!(
            shown,
            [
                "1.23 ns", "99.9 ns", "123 ns", "4.56 µs", "789 ms", "12.3 s"
            ]
        );
    }
}
