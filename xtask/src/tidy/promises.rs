//! Rules about texts that name code: a promise names the test that proves it, a list names every example.

use crate::tidy::Problem;
use crate::tidy::edges::{cells, is_separator};
use crate::tidy::tree::{TextFile, Tree};

const GUARANTEES: &str = "docs/guarantees.md";
const EXAMPLES: &str = "examples/README.md";

/// Each row `| promise | path/to/test.rs::name_of_test |` names tests that exist; several are separated by commas.
pub(super) fn tests(tree: &Tree) -> Vec<Problem> {
    let Some(file) = tree.file(GUARANTEES) else {
        return Vec::new();
    };
    let mut problems = Vec::new();
    for (line, row) in rows(&file.text) {
        let named = row.last().map_or("", String::as_str);
        for test in named.split(',').map(str::trim) {
            if let Some(message) = problem_with(tree, test) {
                problems.push(Problem::new(GUARANTEES, line, message));
            }
        }
    }
    problems
}

/// The rows of all tables, with their line numbers, without the two lines of each header.
fn rows(text: &str) -> Vec<(usize, Vec<String>)> {
    let lines: Vec<_> = text.lines().collect();
    let is_row = |line: &str| line.trim_start().starts_with('|');
    let is_header = |index: usize| {
        lines
            .get(index + 1)
            .is_some_and(|below| is_row(below) && is_separator(below))
    };
    let indices = (0..lines.len()).filter(|&index| is_row(lines[index]));
    let content = indices.filter(|&index| !is_separator(lines[index]) && !is_header(index));
    content
        .map(|index| (index + 1, cells(lines[index])))
        .collect()
}

/// Why `test`, as a promise names it, proves nothing.
fn problem_with(tree: &Tree, test: &str) -> Option<String> {
    let Some((path, name)) = test.split_once(".rs::") else {
        return Some(format!(
            "name the test that proves it, as path/to/test.rs::its_name; found `{test}`"
        ));
    };
    let path = format!("{path}.rs");
    let Some(file) = tree.file(&path) else {
        return Some(format!(
            "there is no file {path}: name the test where it is now"
        ));
    };
    let name = name.rsplit("::").next().unwrap_or(name);
    match declaration(file, name) {
        None => Some(format!(
            "{path} has no test {name}: name the one that proves it now"
        )),
        Some(index) if !is_test(file, index) => Some(format!(
            "{name} of {path} is not a test: its attribute is missing"
        )),
        Some(_) => None,
    }
}

/// The index of the line that declares the function.
fn declaration(file: &TextFile, name: &str) -> Option<usize> {
    let declared = format!("fn {name}");
    file.code.bare.iter().position(|line| {
        let behind = line.split_once(&declared).map(|(_, behind)| behind);
        behind.is_some_and(|behind| behind.trim_start().starts_with(['(', '<']))
    })
}

/// Whether one of the attributes right above makes it a test.
fn is_test(file: &TextFile, declaration: usize) -> bool {
    let above = file.code.bare[..declaration]
        .iter()
        .rev()
        .map(|line| line.trim());
    let attributes = above.take_while(|line| line.is_empty() || line.starts_with("#["));
    attributes
        .into_iter()
        .any(|line| line.starts_with("#[") && line.contains("test"))
}

/// Every `examples/*.rs` is named in the list beside them, or in the tour that runs them.
pub(super) fn examples(tree: &Tree) -> Vec<Problem> {
    let list = |file: &&TextFile| file.path == EXAMPLES || file.path.starts_with("examples/tour");
    let lists: String = tree
        .files
        .iter()
        .filter(list)
        .map(|file| file.text.as_str())
        .collect();
    let names = tree
        .rust()
        .filter_map(|file| Some((file, example_name(&file.path)?)));
    let unnamed = names.filter(|(_, name)| *name != "tour" && !names_it(&lists, name));
    unnamed
        .map(|(file, name)| {
            Problem::new(
                &file.path,
                1,
                format!("name `{name}` in {EXAMPLES}: what does it show?"),
            )
        })
        .collect()
}

/// `x` of `examples/x.rs` and of `examples/x/main.rs`.
fn example_name(path: &str) -> Option<&str> {
    let inside = path.strip_prefix("examples/")?;
    let name = inside
        .strip_suffix("/main.rs")
        .or_else(|| inside.strip_suffix(".rs"))?;
    (!name.contains('/')).then_some(name)
}

fn names_it(text: &str, name: &str) -> bool {
    text.split(|c: char| !c.is_alphanumeric() && c != '_')
        .any(|word| word == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn messages(problems: Vec<Problem>) -> Vec<String> {
        problems.iter().map(Problem::to_string).collect()
    }

    const TEST: (&str, &str) = (
        "crates/a/tests/b_keeps.rs",
        "#[test]\n#[should_panic]\n/// Why.\nfn order_is_kept() {}\n\nmod m {\n    #[corio::test]\n    async fn inner() {}\n}\nfn helper() {}\n",
    );

    fn promise(row: &str) -> Vec<String> {
        let text = format!("# G\n\n| promise | proved by |\n| --- | --- |\n{row}\n");
        messages(super::tests(&Tree::of(&[TEST, (GUARANTEES, &text)])))
    }

    #[test]
    fn promises_with_their_tests_are_fine() {
        assert_eq!(
            promise("| Order. | `crates/a/tests/b_keeps.rs::order_is_kept` |"),
            [""; 0]
        );
        assert_eq!(
            promise(
                "| Both. | crates/a/tests/b_keeps.rs::m::inner, crates/a/tests/b_keeps.rs::order_is_kept |"
            ),
            [""; 0]
        );
        assert_eq!(messages(super::tests(&Tree::of(&[]))), [""; 0]);
    }

    #[test]
    fn promises_without_a_test_are_reported() {
        assert_eq!(
            promise("| Order. | later |"),
            [
                "docs/guarantees.md:5: name the test that proves it, as path/to/test.rs::its_name; found `later`"
            ]
        );
        assert_eq!(
            promise("| Order. | crates/a/tests/c.rs::order_is_kept |"),
            [
                "docs/guarantees.md:5: there is no file crates/a/tests/c.rs: name the test where it is now"
            ]
        );
        assert_eq!(
            promise("| Order. | crates/a/tests/b_keeps.rs::order |"),
            [
                "docs/guarantees.md:5: crates/a/tests/b_keeps.rs has no test order: name the one that proves it now"
            ]
        );
        assert_eq!(
            promise("| Order. | crates/a/tests/b_keeps.rs::helper |"),
            [
                "docs/guarantees.md:5: helper of crates/a/tests/b_keeps.rs is not a test: its attribute is missing"
            ]
        );
    }

    #[test]
    fn examples_have_to_be_named() {
        let files = [
            ("examples/README.md", "`one`: shows one"),
            ("examples/one.rs", ""),
            ("examples/two/main.rs", ""),
            ("examples/two/part.rs", ""),
            ("examples/three.rs", ""),
            ("examples/tour.rs", "run(three)"),
        ];
        let expected =
            ["examples/two/main.rs:1: name `two` in examples/README.md: what does it show?"];
        assert_eq!(messages(examples(&Tree::of(&files))), expected);
    }
}
