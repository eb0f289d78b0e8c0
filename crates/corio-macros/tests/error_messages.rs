//! A misuse gives exactly one message, at the place to change.
//!
//! Each case is compiled by the compiler that compiled this test, with the macros that were built for this test.

use std::env::consts::{DLL_PREFIX, DLL_SUFFIX};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::{env, fs};

/// Compiles `source` and asserts the errors: `line:column: message` each.
fn check(source: &str, expected: &[&str]) {
    let source = source.trim_start();
    assert_eq!(errors(source), expected, "in:\n{source}");
}

/// Compiles `source` and asserts where the errors are: `line:column` each. The words are the compiler's, and may change.
fn check_places(source: &str, expected: &[&str]) {
    let source = source.trim_start();
    let errors = errors(source);
    let places: Vec<_> = errors
        .iter()
        .map(|error| error.split(": ").next().unwrap_or_default())
        .collect();
    assert_eq!(places, expected, "in:\n{source}\n{errors:?}");
}

#[test]
fn correct_programs_give_no_error() {
    check(
        "#[main(crate = \"facade\")] async fn main() -> Result<(), std::fmt::Error> { Ok(()) }",
        &[],
    );
    check(
        "#[test(crate = \"facade\")] async fn one() {} fn main() {}",
        &[],
    );
}

#[test]
fn what_is_not_async() {
    check(
        "
#[main(crate = \"facade\")]
pub fn main() -> Result<(), u8> { Ok(()) }",
        &["2:5: #[corio::main] needs an `async fn`: add `async`"],
    );
    check(
        "
#[test]
fn one() { let x = vec![1]; drop(x) }
fn main() {}",
        &["2:1: #[corio::test] needs an `async fn`: add `async`"],
    );
}

#[test]
fn what_has_arguments() {
    check(
        "
#[main(crate = \"facade\")]
async fn main(args: Vec<String>) { drop(args) }",
        &["2:14: a function under #[corio::main] cannot take arguments"],
    );
    check(
        "
struct S;
impl S {
    #[main(crate = \"facade\")]
    async fn start(&self) { let _: &Self = self; }
}
fn main() {}",
        &["4:19: a function under #[corio::main] cannot take arguments"],
    );
}

#[test]
fn what_is_generic() {
    check(
        "
#[main(crate = \"facade\")]
async fn start<T: Fn() -> Vec<T>, const N: usize>() { std::mem::size_of::<T>(); }
fn main() {}",
        &["2:15: a function under #[corio::main] cannot be generic"],
    );
    check(
        "
#[main(crate = \"facade\")]
async fn start() -> u8 where u8: Copy { 1 }
fn main() {}",
        &["2:24: a function under #[corio::main] cannot be generic"],
    );
}

#[test]
fn what_is_not_a_function() {
    check(
        "
#[main]
pub struct Program { field: u8 }
fn main() { let _ = Program { field: 1 }.field; }",
        &["2:1: #[corio::main] stands before an `async fn`"],
    );
    check(
        "
trait T {
    #[test]
    async fn one();
}
fn main() {}",
        &["3:14: #[corio::test] needs a function with a body"],
    );
}

#[test]
fn qualifiers_that_nobody_could_honour() {
    check(
        "
#[main(crate = \"facade\")]
async unsafe fn main() {}",
        &["2:7: a function under #[corio::main] cannot be `unsafe`"],
    );
}

#[test]
fn two_attributes_for_one_test() {
    check(
        "
#[test(crate = \"facade\")]
#[::core::prelude::v1::test]
async fn one() {}
fn main() {}",
        &["2:24: #[corio::test] already makes this a test: remove the other attribute"],
    );
}

#[test]
fn unknown_options_list_the_known_ones() {
    check(
        "
#[main(flavor = \"one\")]
async fn main() {}",
        &["1:8: unknown option `flavor`; #[corio::main] knows `crate = \"path\"`"],
    );
    check(
        "
#[main(crate = \"facade\", clock = \"virtual\")]
async fn main() {}",
        &["1:26: `clock` is an option of #[corio::test]; #[corio::main] knows `crate = \"path\"`"],
    );
    check(
        "
#[test(threads(4))]
async fn one() {}
fn main() {}",
        &[
            "1:8: unknown option `threads`; #[corio::test] knows `crate = \"path\"` and `clock = \"virtual\"`",
        ],
    );
}

#[test]
fn values_that_do_not_fit() {
    let path = "`crate` takes a path in quotes, as in `crate = \"my::corio\"`";
    for value in [
        "3",
        "\"a b\"",
        "\"\"",
        "\"a::\"",
        "'c'",
        "\"facade::run()\"",
    ] {
        check(
            &format!("#[main(crate = {value})] async fn main() {{}}"),
            &[&format!("1:16: {path}")],
        );
    }
    check(
        "#[test(clock = \"real\")] async fn one() {} fn main() {}",
        &["1:16: `clock` is `\"virtual\"` or not given"],
    );
    check(
        "#[main(crate = \"facade\", crate = \"facade\")] async fn main() {}",
        &["1:26: `crate` is given twice"],
    );
}

#[test]
fn options_that_are_not_written_as_options() {
    let expected = "expected `option = \"value\"`; #[corio::main] knows `crate = \"path\"`";
    check(
        "#[main(\"facade\")] async fn main() {}",
        &[&format!("1:8: {expected}")],
    );
    check(
        "#[main(crate)] async fn main() {}",
        &[&format!("1:8: {expected}")],
    );
    check(
        "#[main(crate =)] async fn main() {}",
        &[&format!("1:8: {expected}")],
    );
    check(
        "#[main(crate = facade)] async fn main() {}",
        &[&format!("1:16: {expected}")],
    );
    check(
        "#[main(crate = \"facade\" 4)] async fn main() {}",
        &["1:25: expected `,` between options"],
    );
}

#[test]
fn a_facade_that_is_not_there_is_reported_at_its_name() {
    check_places("#[main(crate = \"missing\")] async fn main() {}", &["1:16"]);
    check_places("#[main] async fn main() {}", &["1:1"]);
}

#[test]
fn an_error_in_the_body_points_into_the_body() {
    check_places(
        "
#[main(crate = \"facade\")]
async fn main() {
    let number: u8 = \"text\";
}",
        &["3:22"],
    );
    check_places(
        "
#[main(crate = \"facade\")]
async fn main() -> Result<(), u8> {
    3
}",
        &["3:5"],
    );
    check_places(
        "
#[main(crate = \"facade\")]
async fn main() {
    return 4;
}",
        &["3:12"],
    );
    check_places(
        "
#[main(crate = \"facade\")]
async fn main() -> Result<(), u8> {
    Err(\"text\")?;
    Ok(())
}",
        &["3:16"],
    );
}

#[test]
fn a_message_is_switched_off_with_its_function() {
    check(
        "
#[main]
#[cfg(any())]
fn main() {}
#[cfg(all())]
fn main() {}",
        &[],
    );
}

const PRELUDE: &str = "
#[allow(unused)] use corio_macros::{main, test};
mod facade { pub fn run<F: Future>(_: F) -> F::Output { loop {} } }
";

/// The errors of the first compilation that gets as far as loading the macros.
fn errors(source: &str) -> Vec<String> {
    static NUMBER: AtomicUsize = AtomicUsize::new(0);
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    // The folder of another run beside this one has other files in it.
    let name = format!("error_messages_{}_{number}", std::process::id());
    let folder = Folder(PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name));
    let folder = &folder.0;
    fs::create_dir_all(folder).expect("the folder for test files is writable");
    let file = folder.join("case.rs");
    fs::write(&file, format!("{source}\n{PRELUDE}"))
        .expect("the folder for test files is writable");

    for library in built_macros() {
        let output = Command::new(rustc())
            .args([
                "--edition=2024",
                "--crate-type=bin",
                "--emit=metadata",
                "--error-format=short",
                "--cap-lints=allow",
            ])
            .arg(format!("--extern=corio_macros={}", library.display()))
            .arg("-o")
            .arg(folder.join("case.rmeta"))
            .arg(&file)
            .output()
            .expect("the compiler starts");
        let text = String::from_utf8_lossy(&output.stderr).into_owned();
        if !text.contains("corio_macros") {
            return text
                .lines()
                .filter_map(|line| place_and_message(line, &file))
                .collect();
        }
    }
    panic!("no build of corio_macros that this compiler can load was found next to this test");
}

struct Folder(PathBuf);

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// `case.rs:1:2: error[E0308]: text` as `1:2: text`; nothing for lines that are no error with a place.
fn place_and_message(line: &str, file: &Path) -> Option<String> {
    let rest = line.strip_prefix(file.to_str()?)?.strip_prefix(':')?;
    let (place, message) = rest.split_once(": error")?;
    let (_code, message) = message.split_once(": ")?;
    Some(format!("{place}: {message}"))
}

/// The dynamic libraries of the macros in the folder of this test, newest first.
///
/// With `--target`, tests and macros are in different folders.
fn built_macros() -> Vec<PathBuf> {
    let test = env::current_exe().expect("the test knows its own file");
    let dependencies = test.parent().expect("a file is in a folder");
    let profile = dependencies
        .parent()
        .and_then(Path::file_name)
        .expect("tests are built in <profile>/deps");
    let for_host = dependencies.join("../../..").join(profile).join("deps");

    let prefix = format!("{DLL_PREFIX}corio_macros-");
    let mut found: Vec<_> = [dependencies.to_path_buf(), for_host]
        .iter()
        .filter_map(|folder| fs::read_dir(folder).ok())
        .flatten()
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| {
            path.file_name()
                .and_then(|name| name.to_str())
                .is_some_and(|name| name.starts_with(&prefix))
        })
        .filter(|path| path.to_str().is_some_and(|path| path.ends_with(DLL_SUFFIX)))
        .filter_map(|path| Some((path.metadata().ok()?.modified().ok()?, path)))
        .collect();
    found.sort();
    found.into_iter().rev().map(|(_, path)| path).collect()
}

/// The compiler beside the cargo that runs this test.
fn rustc() -> PathBuf {
    if let Some(rustc) = env::var_os("RUSTC") {
        return rustc.into();
    }
    let cargo = PathBuf::from(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    let beside = cargo.with_file_name(format!("rustc{}", env::consts::EXE_SUFFIX));
    if beside.is_file() {
        beside
    } else {
        "rustc".into()
    }
}
