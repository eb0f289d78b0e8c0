//! Tests that are programs: each runs as a child of the test process, and is judged by what it prints and how it ends.

use std::os::unix::process::ExitStatusExt;
use std::process::{Command, Output, Stdio};
use std::thread;
use std::time::{Duration, Instant};

/// Declares the programs of a file: each is a function of that file, with what it prints and how it ends.
macro_rules! cases {
    ($(#[test] fn $name:ident() prints $expected:expr, ends $ends:expr;)*) => {
        pub(super) const CASES: &[crate::programs::Case] =
            &[$((stringify!($name), $name, $expected, $ends)),*];
    };
}

/// A name, the program, what it prints, and the signal that ends it.
pub(crate) type Case = (&'static str, fn(), &'static str, Option<i32>);

const PROGRAM: &str = "CORIO_TEST_PROGRAM";

/// The `main` of the test: judges all programs, or is one of them.
pub(crate) fn main(cases: &[Case]) {
    match std::env::var(PROGRAM) {
        Ok(name) => {
            let case = cases.iter().find(|case| case.0 == name);
            case.expect("a program of this file").1();
        }
        Err(_) if std::env::args().any(|argument| argument == "--list") => {}
        Err(_) => judge(cases),
    }
}

/// A process that was started in the background of a script is born deaf to these signals, and so would be its children.
fn hear_again() {
    for signal in [libc::SIGHUP, libc::SIGINT, libc::SIGQUIT] {
        // SAFETY: the default action is a valid one, and no other thread of this process has an opinion.
        unsafe { libc::signal(signal, libc::SIG_DFL) };
    }
}

fn judge(cases: &[Case]) {
    hear_again();
    let filter = std::env::args()
        .nth(1)
        .filter(|word| !word.starts_with('-'));
    let mut failed = 0;
    for (name, _, expected, by_signal) in cases {
        if filter.as_ref().is_some_and(|word| !name.contains(word)) {
            continue;
        }
        let child = outcome(name);
        let printed = String::from_utf8_lossy(&child.stdout);
        let ended_well = match by_signal {
            Some(_) => child.status.signal() == *by_signal,
            None => child.status.success(),
        };
        if printed == *expected && ended_well {
            println!("test {name} ... ok");
        } else {
            failed += 1;
            println!("test {name} ... FAILED");
            println!(
                "expected:\n{expected}\nprinted:\n{printed}\nended: {}",
                child.status
            );
            println!("{}", String::from_utf8_lossy(&child.stderr));
        }
    }
    assert_eq!(failed, 0, "programs failed");
}

/// Runs a program to its end. One that hangs is killed after a minute, so that its name is told.
fn outcome(name: &str) -> Output {
    let mut child = Command::new(std::env::current_exe().expect("the tests run from a file"))
        .env(PROGRAM, name)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("it starts");
    let begin = Instant::now();
    while child.try_wait().expect("it is our child").is_none() {
        if begin.elapsed() > Duration::from_secs(60) {
            child.kill().expect("it is our child");
        }
        thread::sleep(Duration::from_millis(1));
    }
    child.wait_with_output().expect("it has ended")
}
