//! The dependency edges between crates are exactly those of the table in ARCHITECTURE.md, and point down its layers.

use crate::tidy::Problem;
use crate::tidy::tree::Tree;
use crate::workspace::{Dependency, Package};

const FILE: &str = "ARCHITECTURE.md";
const START: &str = "<!-- edges";
const END: &str = "<!-- /edges";

/// A row of the table.
#[derive(Debug, PartialEq, Eq)]
struct Row {
    line: usize,
    krate: String,
    /// `None` for crates outside of the layers.
    layer: Option<u32>,
    dependencies: Vec<String>,
}

/// Compares the table with what cargo knows.
pub(super) fn check(tree: &Tree) -> Vec<Problem> {
    let text = tree.file(FILE).map_or("", |file| &file.text);
    let rows = match rows(text) {
        Ok(rows) => rows,
        Err(problem) => return vec![problem],
    };
    let mut problems = Vec::new();
    for package in tree.packages.iter().filter(|package| is_layered(package)) {
        match rows.iter().find(|row| row.krate == package.name) {
            Some(row) => problems.extend(differences(row, package)),
            None => problems.push(Problem::new(
                FILE,
                1,
                format!(
                    "add a row for {} to the table of edges: which layer, which dependencies?",
                    package.name
                ),
            )),
        }
    }
    for row in &rows {
        if !tree
            .packages
            .iter()
            .any(|package| package.name == row.krate)
        {
            problems.push(Problem::new(
                FILE,
                row.line,
                format!("there is no crate {}: remove its row", row.krate),
            ));
        }
        problems.extend(
            rows.iter()
                .filter(|below| !points_down(row, below))
                .map(|below| {
                    let message = format!(
                        "{} may not depend on {}: edges point to a lower layer",
                        row.krate, below.krate
                    );
                    Problem::new(FILE, row.line, message)
                }),
        );
    }
    problems
}

/// Benchmarks compare with whatever they like; all else has its place.
fn is_layered(package: &Package) -> bool {
    package.folder.starts_with("crates/") || package.folder == "xtask"
}

/// What the table and the package's Cargo.toml say differently.
fn differences(row: &Row, package: &Package) -> Vec<Problem> {
    let manifest = format!("{}/Cargo.toml", package.folder);
    let real: Vec<_> = package
        .dependencies
        .iter()
        .filter(|dependency| counts(dependency))
        .collect();
    let undeclared = real.iter().filter(|dependency| !row.dependencies.contains(&dependency.name)).map(|dependency| {
        let message = format!(
            "{} depends on {}, which {FILE}:{} does not allow: remove the dependency, or argue for the edge there",
            row.krate, dependency.name, row.line
        );
        Problem::new(&manifest, 1, message)
    });
    let unused = row
        .dependencies
        .iter()
        .filter(|name| !real.iter().any(|dependency| dependency.name == **name))
        .map(|name| {
            let message = format!(
                "{} does not depend on {name}: remove it from the row",
                row.krate
            );
            Problem::new(FILE, row.line, message)
        });
    let mut problems: Vec<_> = undeclared.chain(unused).collect();
    problems.dedup();
    problems
}

/// What tests and models need is not part of the architecture.
fn counts(dependency: &Dependency) -> bool {
    !dependency.for_development && dependency.target.as_deref() != Some("cfg(loom)")
}

fn points_down(row: &Row, other: &Row) -> bool {
    let depends = row.dependencies.contains(&other.krate);
    match (row.layer, other.layer) {
        (Some(from), Some(to)) if depends => from > to,
        _ => true,
    }
}

/// Reads the table between the marks. Its columns are found by their names.
fn rows(text: &str) -> Result<Vec<Row>, Problem> {
    let missing = || {
        let message = format!(
            "write the table of edges between `{START} -->` and `{END} -->`, with the columns crate, layer, may depend on"
        );
        Problem::new(FILE, 1, message)
    };
    let mut lines = text
        .lines()
        .enumerate()
        .skip_while(|(_, line)| !line.starts_with(START))
        .skip(1);
    let inside: Vec<_> = lines
        .by_ref()
        .take_while(|(_, line)| !line.starts_with(END))
        .collect();
    let mut table = inside.into_iter().filter(|(_, line)| line.starts_with('|'));

    let (_, header) = table.next().ok_or_else(missing)?;
    let header = cells(header);
    let column = |name: &str| {
        header
            .iter()
            .position(|cell| cell.eq_ignore_ascii_case(name))
            .ok_or_else(missing)
    };
    let (krate, layer, dependencies) =
        (column("crate")?, column("layer")?, column("may depend on")?);

    let mut rows = Vec::new();
    for (index, line) in table.filter(|(_, line)| !is_separator(line)) {
        let cells = cells(line);
        let cell = |at: usize| cells.get(at).map_or("", String::as_str);
        rows.push(Row {
            line: index + 1,
            krate: cell(krate).to_owned(),
            layer: cell(layer).trim_start_matches('L').parse().ok(),
            dependencies: names(cell(dependencies)),
        });
    }
    if rows.is_empty() {
        Err(missing())
    } else {
        Ok(rows)
    }
}

/// The cells of a row, without white space and backticks.
pub(super) fn cells(line: &str) -> Vec<String> {
    let line = line.trim().trim_start_matches('|').trim_end_matches('|');
    line.split('|')
        .map(|cell| cell.replace('`', "").trim().to_owned())
        .collect()
}

/// Whether it is the row of dashes under the header.
pub(super) fn is_separator(line: &str) -> bool {
    line.chars().all(|c| "|-: ".contains(c))
}

/// `a, b (on Linux)` as a and b; `nothing` as nothing.
fn names(cell: &str) -> Vec<String> {
    let names = cell
        .split(',')
        .filter_map(|name| name.split_whitespace().next());
    names
        .filter(|name| *name != "nothing")
        .map(str::to_owned)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const TABLE: &str = "# A\n\n<!-- edges: read by a program -->\n\n| crate | layer | may depend on | why |\n| --- | --- | --- | --- |\n\
        | `corio-core` | L0 | `parking_lot`, `rustix` (on Linux) | x |\n| corio-sync | L1 | corio-core | y |\n\
        | corio-macros | - | nothing | z |\n<!-- /edges -->\n| not | in | the table |\n";

    fn package(name: &str, dependencies: &[&str]) -> Package {
        let dependency = |name: &&str| Dependency {
            name: (*name).to_owned(),
            ..Dependency::default()
        };
        Package {
            name: name.to_owned(),
            folder: format!("crates/{name}"),
            dependencies: dependencies.iter().map(dependency).collect(),
            roots: Vec::new(),
        }
    }

    fn problems(table: &str, packages: Vec<Package>) -> Vec<String> {
        let mut tree = Tree::of(&[(FILE, table)]);
        tree.packages = packages;
        check(&tree).iter().map(Problem::to_string).collect()
    }

    fn as_declared() -> Vec<Package> {
        vec![
            package("corio-core", &["parking_lot", "rustix"]),
            package("corio-sync", &["corio-core"]),
            package("corio-macros", &[]),
        ]
    }

    #[test]
    fn the_table_is_read_between_its_marks() {
        let rows = rows(TABLE).unwrap();
        let row = |line, krate: &str, layer, dependencies: &[&str]| Row {
            line,
            krate: krate.into(),
            layer,
            dependencies: dependencies.iter().map(|name| (*name).to_owned()).collect(),
        };
        let expected = [
            row(7, "corio-core", Some(0), &["parking_lot", "rustix"]),
            row(8, "corio-sync", Some(1), &["corio-core"]),
            row(9, "corio-macros", None, &[]),
        ];
        assert_eq!(rows, expected);
    }

    #[test]
    fn edges_as_declared_are_no_problem() {
        assert_eq!(problems(TABLE, as_declared()), [""; 0]);
    }

    #[test]
    fn edges_for_tests_and_models_are_free() {
        let mut packages = as_declared();
        let development = Dependency {
            name: "proptest".into(),
            for_development: true,
            target: None,
        };
        let model = Dependency {
            name: "loom".into(),
            for_development: false,
            target: Some("cfg(loom)".into()),
        };
        packages[0].dependencies.extend([development, model]);
        assert_eq!(problems(TABLE, packages), [""; 0]);
    }

    #[test]
    fn an_undeclared_edge_and_an_unused_one_are_reported() {
        let mut packages = as_declared();
        packages[0] = package("corio-core", &["parking_lot", "slab"]);
        let expected = [
            "crates/corio-core/Cargo.toml:1: corio-core depends on slab, which ARCHITECTURE.md:7 does not allow: \
             remove the dependency, or argue for the edge there",
            "ARCHITECTURE.md:7: corio-core does not depend on rustix: remove it from the row",
        ];
        assert_eq!(problems(TABLE, packages), expected);
    }

    #[test]
    fn crates_and_rows_without_each_other_are_reported() {
        let mut packages = as_declared();
        packages[2] = package("corio-net", &[]);
        let expected = [
            "ARCHITECTURE.md:1: add a row for corio-net to the table of edges: which layer, which dependencies?",
            "ARCHITECTURE.md:9: there is no crate corio-macros: remove its row",
        ];
        assert_eq!(problems(TABLE, packages), expected);
    }

    #[test]
    fn an_edge_that_does_not_point_down_is_reported() {
        let table = TABLE.replace("| L1 |", "| L0 |");
        let expected = [
            "ARCHITECTURE.md:8: corio-sync may not depend on corio-core: edges point to a lower layer",
        ];
        assert_eq!(problems(&table, as_declared()), expected);
    }

    #[test]
    fn a_missing_table_is_reported() {
        assert!(
            problems("# A\n", as_declared())[0]
                .starts_with("ARCHITECTURE.md:1: write the table of edges")
        );
        assert!(
            problems("<!-- edges -->\n| a | b |\n", as_declared())[0]
                .starts_with("ARCHITECTURE.md:1: write the")
        );
    }
}
