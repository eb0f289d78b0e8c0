//! Rules about crates and about the project as a whole.

use crate::tidy::Problem;
use crate::tidy::tree::Tree;
use crate::workspace::Package;

/// The crates that cannot do without `unsafe`: the task cell and its wakers, the registration of a handle with the OS, and
/// the signal handler.
const WITH_UNSAFE: [&str; 3] = ["corio-core", "corio-reactor", "corio-process"];

/// Every crate root denies missing docs, and forbids `unsafe` unless it is one of the three.
pub(super) fn roots(tree: &Tree) -> Vec<Problem> {
    let mut problems = Vec::new();
    for package in tree
        .packages
        .iter()
        .filter(|package| is_ours_to_publish(package) || package.name == "xtask")
    {
        for root in &package.roots {
            let Some(file) = tree.file(root) else {
                continue;
            };
            let has = |attribute: &str| file.code.bare.iter().any(|line| line.trim() == attribute);
            let mut want = |attribute: &str| {
                if !has(attribute) {
                    problems.push(Problem::new(
                        root,
                        1,
                        format!("add `{attribute}` to the crate root"),
                    ));
                }
            };
            want("#![deny(missing_docs)]");
            if !WITH_UNSAFE.contains(&package.name.as_str()) {
                want("#![forbid(unsafe_code)]");
            }
        }
    }
    problems
}

/// A README.md in each crate; both licences and the policies at the root.
pub(super) fn files(tree: &Tree) -> Vec<Problem> {
    let of_packages = tree
        .packages
        .iter()
        .filter(|package| is_ours_to_publish(package));
    let readmes = of_packages.map(|package| {
        (
            format!("{}/README.md", package.folder),
            "what is the crate, for whom?",
        )
    });
    let of_project = [
        ("LICENSE-MIT", "the text of the licence"),
        ("LICENSE-APACHE", "the text of the licence"),
        ("SECURITY.md", "how to report a hole in private"),
        ("CONTRIBUTING.md", "how to run everything"),
    ];
    let of_project = of_project
        .into_iter()
        .map(|(path, content)| (path.to_owned(), content));
    let missing = readmes
        .chain(of_project)
        .filter(|(path, _)| tree.file(path).is_none());
    missing
        .map(|(path, content)| Problem::new(&path, 1, format!("write this file: {content}")))
        .collect()
}

fn is_ours_to_publish(package: &Package) -> bool {
    package.folder.starts_with("crates/")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tree_with(name: &str, files: &[(&str, &str)]) -> Tree {
        let mut tree = Tree::of(files);
        let folder = format!("crates/{name}");
        let roots = vec![format!("{folder}/src/lib.rs")];
        tree.packages.push(Package {
            name: name.to_owned(),
            folder,
            roots,
            ..Package::default()
        });
        tree
    }

    fn messages(problems: Vec<Problem>) -> Vec<String> {
        problems.iter().map(Problem::to_string).collect()
    }

    #[test]
    fn roots_without_the_attributes_are_reported() {
        let tree = tree_with(
            "corio-sync",
            &[(
                "crates/corio-sync/src/lib.rs",
                "// #![forbid(unsafe_code)]\n",
            )],
        );
        let expected = [
            "crates/corio-sync/src/lib.rs:1: add `#![deny(missing_docs)]` to the crate root",
            "crates/corio-sync/src/lib.rs:1: add `#![forbid(unsafe_code)]` to the crate root",
        ];
        assert_eq!(messages(roots(&tree)), expected);
    }

    #[test]
    fn the_core_may_use_unsafe() {
        let tree = tree_with(
            "corio-core",
            &[("crates/corio-core/src/lib.rs", "#![deny(missing_docs)]\n")],
        );
        assert_eq!(messages(roots(&tree)), [""; 0]);
    }

    #[test]
    fn missing_files_are_reported() {
        let tree = tree_with(
            "corio-sync",
            &[
                ("LICENSE-MIT", ""),
                ("LICENSE-APACHE", ""),
                ("SECURITY.md", ""),
            ],
        );
        let expected = [
            "crates/corio-sync/README.md:1: write this file: what is the crate, for whom?",
            "CONTRIBUTING.md:1: write this file: how to run everything",
        ];
        assert_eq!(messages(files(&tree)), expected);
    }
}
