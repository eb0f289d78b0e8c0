//! The rule about futures: who awaits one has to be able to read what cancelling it does.

use crate::tidy::Problem;
use crate::tidy::tree::{TextFile, Tree};

const SECTION: &str = "# Cancel safety";

/// The docs of a public future, or those of a public function that returns it, have a section about being cancelled.
pub(super) fn cancel_safety(tree: &Tree) -> Vec<Problem> {
    let mut problems = Vec::new();
    for file in tree.rust().filter(|file| file.is_source()) {
        for (index, name) in futures(file) {
            let crate_files: Vec<&TextFile> = tree
                .rust()
                .filter(|other| is_same_crate(file, other))
                .collect();
            let is_public = crate_files.iter().any(|file| has_struct(file, name));
            if is_public && !crate_files.iter().any(|file| says(file, name)) {
                let message = format!(
                    "`{name}` is a public future: say under `{SECTION}` what becomes of things when it is dropped, \
                     in its docs or in those of the function that returns it"
                );
                problems.push(Problem::new(&file.path, index + 1, message));
            }
        }
    }
    problems
}

/// The lines with an `impl Future for`, and the names of the types.
fn futures(file: &TextFile) -> impl Iterator<Item = (usize, &str)> {
    let lines = file.code.bare.iter().enumerate();
    lines.filter_map(|(index, line)| {
        let (start, name) = line.split_once(" Future for ")?;
        let end = name.find(|c: char| !is_of_name(c)).unwrap_or(name.len());
        start
            .trim_start()
            .starts_with("impl")
            .then_some((index, &name[..end]))
    })
}

fn is_of_name(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

fn is_same_crate(file: &TextFile, other: &TextFile) -> bool {
    let folder = |file: &TextFile| {
        file.path
            .split_once("/src/")
            .map(|(folder, _)| folder.to_owned())
    };
    folder(file).is_some() && folder(file) == folder(other)
}

/// The line declares the public type.
fn declares(line: &str, name: &str) -> bool {
    let declared = line.trim_start().strip_prefix("pub struct ");
    let behind = declared.and_then(|declared| declared.strip_prefix(name));
    behind.is_some_and(|behind| !behind.starts_with(is_of_name))
}

fn has_struct(file: &TextFile, name: &str) -> bool {
    file.code.bare.iter().any(|line| declares(line, name))
}

/// The file has the section for this future.
fn says(file: &TextFile, name: &str) -> bool {
    let lines = file.code.bare.iter().enumerate();
    lines.into_iter().any(|(index, line)| {
        let is_here = declares(line, name)
            || line.trim_start().starts_with("pub fn ") && returns(file, index, name);
        is_here && has_section(file, index)
    })
}

/// The function that begins in this line returns the type.
fn returns(file: &TextFile, index: usize, name: &str) -> bool {
    let lines = file.code.bare[index..].iter();
    let mut signature = String::new();
    for line in lines {
        signature.push_str(line);
        signature.push(' ');
        if line.contains('{') || line.ends_with(';') {
            break;
        }
    }
    let Some((_, result)) = signature.split_once("->") else {
        return false;
    };
    result
        .split(|c: char| !is_of_name(c))
        .any(|word| word == name)
}

/// The comment above a declaration, attributes between, has the section.
fn has_section(file: &TextFile, index: usize) -> bool {
    for above in (0..index).rev() {
        let (bare, comment) = (file.code.bare[above].trim(), &file.code.comments[above]);
        if comment.contains(SECTION) {
            return true;
        }
        // Attributes stand between, some of several lines.
        let is_attribute = bare.starts_with('#')
            || bare.ends_with([',', ']'])
            || bare == ")]"
            || bare.starts_with("reason")
            || bare.starts_with("clippy");
        if comment.is_empty() && !is_attribute {
            return false;
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problems(text: &str) -> usize {
        let files = vec![TextFile::new("crates/one/src/sleep.rs", text)];
        let tree = Tree {
            files,
            packages: Vec::new(),
        };
        cancel_safety(&tree).len()
    }

    const FUTURE: &str = "impl<T> Future for Sleep<T> {}\n";

    #[test]
    fn a_public_future_says_what_cancelling_it_does() {
        let silent = format!("/// Sleeps.\npub struct Sleep<T>;\n{FUTURE}");
        assert_eq!(problems(&silent), 1);
        let said = format!(
            "/// Sleeps.\n///\n/// # Cancel safety\n///\n/// All is well.\n#[must_use]\npub struct Sleep<T>;\n{FUTURE}"
        );
        assert_eq!(problems(&said), 0);
    }

    #[test]
    fn the_function_that_returns_it_may_say_it() {
        let text = "/// Sleeps.\n///\n/// # Cancel safety\n#[track_caller]\npub fn sleep<T>(\n    time: T,\n) -> Sleep<T> {\n";
        let text = format!("/// The future.\npub struct Sleep<T>;\n\n{text}}}\n{FUTURE}");
        assert_eq!(problems(&text), 0);
        let other = text.replace("-> Sleep<T>", "-> Sleeper<T>");
        assert_eq!(problems(&other), 1);
    }

    #[test]
    fn what_is_not_public_may_be_silent() {
        assert_eq!(
            problems(&format!(
                "/// Sleeps.\npub(crate) struct Sleep<T>;\n{FUTURE}"
            )),
            0
        );
    }
}
