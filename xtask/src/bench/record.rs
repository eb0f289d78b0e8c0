//! The page of one run.

use crate::bench::estimates::Measured;
use crate::bench::machine::Machine;
use crate::bench::shown_nanoseconds;
use crate::bench::tables::Tables;
use std::fmt::Write;

/// The facts, then a table for each title, then the tables that benchmarks have made themselves.
pub(super) fn page(
    machine: &Machine,
    command: &str,
    measured: &[Measured],
    tables: &[Tables],
) -> String {
    let mut page = head(machine, command);
    for group in measured.chunk_by(|a, b| a.title() == b.title()) {
        page.push_str(&table(group));
    }
    for Tables { name, text } in tables {
        page.push_str(&format!("\n## {name}\n\n{}\n", text.trim_end()));
    }
    page
}

fn head(machine: &Machine, command: &str) -> String {
    let state = if machine.changed {
        ", with local changes"
    } else {
        ""
    };
    format!(
        "# Benchmarks of {}\n\n\
         | | |\n| --- | --- |\n\
         | command | `{command}` |\n\
         | commit | {}{state} |\n\
         | compiler | {} |\n\
         | processor | {}, {} hardware threads |\n\
         | system | {} |\n\
         | load before | {} |\n\n\
         Medians, with the confidence interval of criterion; less is better.\n",
        machine.date,
        machine.commit,
        machine.rustc,
        machine.cpu,
        machine.cores,
        machine.kernel,
        machine.load
    )
}

fn table(group: &[Measured]) -> String {
    let title = group.first().map(Measured::title).unwrap_or_default();
    let fastest = group
        .iter()
        .map(|measured| measured.median)
        .fold(f64::INFINITY, f64::min);
    let mut table = format!(
        "\n## {title}\n\n| who | median | interval | per element | times the fastest |\n| --- | ---: | ---: | ---: | ---: |\n"
    );
    for measured in group {
        let (low, high) = measured.interval;
        let each = measured.elements.map_or("-".to_owned(), |count| {
            shown_nanoseconds(measured.median / count)
        });
        // Writing to a string cannot fail.
        let _ = writeln!(
            table,
            "| {} | {} | {} to {} | {each} | {:.2} |",
            measured.label(),
            shown_nanoseconds(measured.median),
            shown_nanoseconds(low),
            shown_nanoseconds(high),
            measured.median / fastest
        );
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_has_the_facts_and_a_table_per_title() {
        let machine = Machine {
            date: "2026-01-31".into(),
            commit: "0123456789".into(),
            changed: true,
            cpu: "Some CPU".into(),
            cores: 2,
            kernel: "Linux 6".into(),
            rustc: "rustc 1.85.0".into(),
            load: "0.00 0.01 0.02".into(),
        };
        let measured = |function: &str, parameter: &str, median| Measured {
            group: "gather".into(),
            function: function.into(),
            parameter: parameter.into(),
            median,
            interval: (median - 1.0, median + 1.0),
            elements: Some(10.0),
        };
        let results = [
            measured("corio", "10", 100.0),
            measured("other", "10", 150.0),
            measured("corio", "20", 220.0),
        ];
        let tables = [Tables {
            name: "memory".into(),
            text: "Bytes\n\n| who | bytes |\n\n".into(),
        }];
        let page = page(&machine, "cargo xtask bench gather", &results, &tables);
        for expected in [
            "# Benchmarks of 2026-01-31\n",
            "| command | `cargo xtask bench gather` |\n",
            "| commit | 0123456789, with local changes |\n",
            "| processor | Some CPU, 2 hardware threads |\n",
            "\n## gather 10\n",
            "| corio | 100 ns | 99.0 ns to 101 ns | 10.0 ns | 1.00 |\n| other | 150 ns | 149 ns to 151 ns | 15.0 ns | 1.50 |\n",
            "\n## gather 20\n",
            "\n## memory\n\nBytes\n\n| who | bytes |\n",
            "| corio | 220 ns | 219 ns to 221 ns | 22.0 ns | 1.00 |\n",
        ] {
            assert!(page.contains(expected), "{expected:?} is not in\n{page}");
        }
    }
}
