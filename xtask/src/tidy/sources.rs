//! Rules about single files.

use crate::tidy::Problem;
use crate::tidy::tree::{TextFile, Tree};

/// A file that grows past this holds two nouns.
const LONGEST: usize = 450;

/// How far above an `unsafe` its argument may start.
const REACH: usize = 12;

/// Every file under `src` starts with what it is for.
pub(super) fn module_docs(tree: &Tree) -> Vec<Problem> {
    let undocumented = |file: &&TextFile| {
        file.is_source()
            && !file.text.trim_start().starts_with("//!")
            && !file.text.trim_start().starts_with("/*!")
    };
    let problem =
        |file: &TextFile| Problem::new(&file.path, 1, "start the file with `//!`: what is it for?");
    tree.rust().filter(undocumented).map(problem).collect()
}

/// Blocks and impls have a `SAFETY:` comment; what only the caller can make sound says how under `# Safety`.
pub(super) fn safety(tree: &Tree) -> Vec<Problem> {
    let mut problems = Vec::new();
    for file in tree.rust() {
        for (index, line) in file.code.bare.iter().enumerate() {
            let Some(kind) = unsafe_use(line) else {
                continue;
            };
            let settled_by_trait = kind == Unsafe::Contract && is_method_of_trait(file, index);
            if !settled_by_trait && !has_argument(file, index) {
                problems.push(Problem::new(&file.path, index + 1, kind.cure()));
            }
        }
    }
    problems
}

/// What the word `unsafe` stands before.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Unsafe {
    Block,
    Impl,
    /// A function, a trait or foreign items: others have to keep a promise.
    Contract,
}

impl Unsafe {
    fn cure(self) -> &'static str {
        match self {
            Unsafe::Block => "say above this block why it is sound: `// SAFETY: ..`",
            Unsafe::Impl => "say above this impl why it holds: `// SAFETY: ..`",
            Unsafe::Contract => "say what callers must guarantee: a `# Safety` section",
        }
    }
}

/// The first use of `unsafe` in a line of code that has something to explain.
fn unsafe_use(line: &str) -> Option<Unsafe> {
    let is_name = |c: char| c.is_alphanumeric() || c == '_';
    line.match_indices("unsafe").find_map(|(at, word)| {
        let behind = &line[at + word.len()..];
        if line[..at].ends_with(is_name) || behind.starts_with(is_name) {
            return None;
        }
        let mut behind = behind.trim_start();
        if behind.is_empty() || behind.starts_with('{') {
            return Some(Unsafe::Block);
        }
        if let Some(foreign) = behind.strip_prefix("extern") {
            behind = foreign.trim_start().trim_start_matches('"').trim_start();
        }
        // A type of function pointers has no name behind its `fn`, and nothing to explain.
        let function = behind.strip_prefix("fn").map(str::trim_start);
        match behind {
            _ if function.is_some_and(|name| name.starts_with(is_name)) => Some(Unsafe::Contract),
            _ if behind.starts_with("trait") || behind.starts_with('{') => Some(Unsafe::Contract),
            _ if behind.starts_with("impl") => Some(Unsafe::Impl),
            _ => None,
        }
    })
}

/// Whether the line is inside of an `impl Trait for Type`: the trait's documentation has the contract.
fn is_method_of_trait(file: &TextFile, index: usize) -> bool {
    let indentation = |line: &str| line.len() - line.trim_start().len();
    let own = indentation(&file.code.bare[index]);
    let above = file.code.bare[..index].iter().rev();
    let mut outer = above.filter(|line| !line.trim().is_empty() && indentation(line) < own);
    outer.next().is_some_and(|line| {
        let line = line.trim_start();
        line.trim_start_matches("unsafe ").starts_with("impl") && line.contains(" for ")
    })
}

/// Whether a comment on the line, or above it before a blank line, argues for it.
fn has_argument(file: &TextFile, index: usize) -> bool {
    let argues = |line: usize| {
        let comment = &file.code.comments[line];
        comment.contains("SAFETY:") || comment.contains("# Safety")
    };
    let is_comment = |line: usize| {
        file.code.bare[line].trim().is_empty() && !file.code.comments[line].is_empty()
    };
    let mut code_lines = 0;
    let mut above = index;
    loop {
        if argues(above) {
            return true;
        }
        let Some(next) = above.checked_sub(1) else {
            return false;
        };
        above = next;
        let is_blank =
            file.code.bare[above].trim().is_empty() && file.code.comments[above].is_empty();
        // A long argument is still one argument: only lines of code count.
        code_lines += usize::from(!is_comment(above));
        if is_blank || code_lines > REACH {
            return false;
        }
    }
}

/// Nothing that says "later", in code or in comments, and no test that is switched off.
pub(super) fn leftovers(tree: &Tree) -> Vec<Problem> {
    const IN_CODE: [(&str, &str); 4] = [
        ("todo!", "write what is missing"),
        ("unimplemented!", "write what is missing"),
        ("dbg!", "remove the debugging output"),
        (
            "#[ignore",
            "make the test fast and reliable enough to run, or remove it",
        ),
    ];
    const IN_COMMENTS: [&str; 2] = [concat!("FIX", "ME"), concat!("XX", "X")];
    let mut problems = Vec::new();
    for file in tree.rust() {
        for (index, (bare, comment)) in file.code.bare.iter().zip(&file.code.comments).enumerate() {
            for (word, cure) in IN_CODE.iter().filter(|(word, _)| has_word(bare, word)) {
                problems.push(Problem::new(
                    &file.path,
                    index + 1,
                    format!("`{word}` is left: {cure}"),
                ));
            }
            for word in IN_COMMENTS.iter().filter(|word| has_word(comment, word)) {
                problems.push(Problem::new(
                    &file.path,
                    index + 1,
                    format!("`{word}` is left: do it, or open an issue"),
                ));
            }
        }
    }
    problems
}

/// Whether `word` occurs, and not as the end of a longer name.
fn has_word(text: &str, word: &str) -> bool {
    text.match_indices(word)
        .any(|(at, _)| !text[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_'))
}

/// Files that can be read in one sitting.
pub(super) fn length(tree: &Tree) -> Vec<Problem> {
    let lines = |file: &TextFile| file.text.lines().count();
    let too_long = tree
        .rust()
        .filter(|file| file.is_source() && lines(file) > LONGEST);
    let problem = |file: &TextFile| {
        format!(
            "{} lines, more than {LONGEST}: split it, a noun or a role a file",
            lines(file)
        )
    };
    too_long
        .map(|file| Problem::new(&file.path, LONGEST + 1, problem(file)))
        .collect()
}

/// White space that nobody sees.
pub(super) fn trailing_space(tree: &Tree) -> Vec<Problem> {
    let mut problems = Vec::new();
    for file in tree
        .files
        .iter()
        .filter(|file| !file.path.starts_with("LICENSE"))
    {
        for (index, line) in file.text.lines().enumerate() {
            if line.ends_with([' ', '\t']) {
                problems.push(Problem::new(
                    &file.path,
                    index + 1,
                    "remove the white space at the end of the line",
                ));
            }
        }
    }
    problems
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn lines(rule: fn(&Tree) -> Vec<Problem>, path: &str, text: &str, expected: &[usize]) {
        let lines: Vec<_> = rule(&Tree::of(&[(path, text)]))
            .into_iter()
            .map(|problem| problem.line)
            .collect();
        assert_eq!(lines, expected, "{text}");
    }

    #[test]
    fn files_under_src_need_module_docs() {
        lines(module_docs, "crates/a/src/b.rs", "use c;\n", &[1]);
        lines(
            module_docs,
            "crates/a/src/b.rs",
            "\n//! What it is for.\nuse c;\n",
            &[],
        );
        lines(module_docs, "crates/a/tests/b.rs", "use c;\n", &[]);
    }

    #[test]
    fn blocks_and_impls_need_a_safety_comment() {
        lines(safety, "a.rs", "let x = unsafe { y };", &[1]);
        lines(
            safety,
            "a.rs",
            "// SAFETY: y is alive.\nlet x = f(\n    unsafe { y },\n);",
            &[],
        );
        lines(
            safety,
            "a.rs",
            "// SAFETY: about something else.\n\nlet x = unsafe { y };",
            &[3],
        );
        lines(safety, "a.rs", "unsafe impl Send for A {}", &[1]);
        lines(safety, "a.rs", "let x = unsafe\n{ y };", &[1]);
        lines(
            safety,
            "a.rs",
            "let x = unsafe { y }; // SAFETY: y is alive.",
            &[],
        );
    }

    #[test]
    fn functions_need_a_safety_section() {
        lines(safety, "a.rs", "/// Does.\nunsafe fn f() {}", &[2]);
        lines(
            safety,
            "a.rs",
            "/// Does.\n///\n/// # Safety\n///\n/// Only once.\n#[inline]\npub unsafe fn f() {}",
            &[],
        );
        lines(safety, "a.rs", "unsafe trait T {}", &[1]);
        lines(safety, "a.rs", "struct V { f: unsafe fn(*const ()) }", &[]);
    }

    #[test]
    fn the_contract_of_a_method_is_with_its_trait() {
        let safety_of = "// SAFETY: passed on.\nunsafe impl T for A {\n    fn g() {}\n\n    unsafe fn f() {}\n}";
        lines(safety, "a.rs", safety_of, &[]);
        lines(
            safety,
            "a.rs",
            "impl A {\n    fn g() {}\n\n    unsafe fn f() {}\n}",
            &[4],
        );
    }

    #[test]
    fn foreign_items_have_a_contract_and_their_types_have_not() {
        lines(safety, "a.rs", "unsafe extern \"C\" { fn f(); }", &[1]);
        lines(safety, "a.rs", "unsafe extern \"C\" fn f() {}", &[1]);
        lines(safety, "a.rs", "type F = unsafe extern \"C\" fn();", &[]);
    }

    #[test]
    fn the_word_unsafe_alone_needs_nothing() {
        lines(
            safety,
            "a.rs",
            "#![forbid(unsafe_code)]\n// unsafe { }\nlet a = \"unsafe { }\";",
            &[],
        );
    }

    #[test]
    fn leftovers_are_found_in_code_and_comments() {
        lines(
            leftovers,
            "a.rs",
            "todo!()\nunimplemented!()\ndbg!(x)\n#[ignore]\n#[ignore = \"slow\"]",
            &[1, 2, 3, 4, 5],
        );
        lines(
            leftovers,
            "a.rs",
            concat!("// FIX", "ME: later\n/* XX", "X */"),
            &[1, 2],
        );
        lines(
            leftovers,
            "a.rs",
            "// todo! is a macro\n\"todo!()\"; my_todo!(); #![ignore_me]",
            &[],
        );
    }

    #[test]
    fn long_files_are_reported_where_they_get_too_long() {
        lines(length, "crates/a/src/b.rs", &"x\n".repeat(450), &[]);
        lines(length, "crates/a/src/b.rs", &"x\n".repeat(451), &[451]);
        lines(length, "crates/a/tests/b.rs", &"x\n".repeat(451), &[]);
    }

    #[test]
    fn trailing_space_is_found_in_every_text() {
        lines(trailing_space, "a.md", "a \nb\t\nc\n", &[1, 2]);
        lines(trailing_space, "a.rs", "a\n\nb", &[]);
    }
}
