//! Every program of `examples/` is run as a process of its own, and what it prints is compared line by line.
//!
//! The order is exact, times are not: a sleep is never early, and how late it is depends on the machine.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use examples_support::comparison::{compare, fits};
use examples_support::process::Program;
use examples_support::promises::{
    A_CROWD, GRACEFUL, INTERRUPTED, PROMISES, Promise, SERVERS, STARS, TIMED,
};

#[cfg_attr(not(unix), allow(dead_code, reason = "nothing is interrupted"))]
mod examples_support;

#[test]
fn programs_print_what_they_promise() {
    let check = |(name, promised): Promise, arguments: &'static [&'static str]| {
        // All at the same time: most of them only wait.
        thread::spawn(move || {
            let compared = when_not_held_up(least_time_of(name), || {
                let lines = Program::new(name, arguments).lines()?;
                compare(promised, 1.0, &lines)
            });
            compared.err().map(|error| format!("{name}: {error}"))
        })
    };
    let mut checks: Vec<_> = PROMISES
        .iter()
        .chain(SERVERS)
        .map(|&promise| check(promise, &[]))
        .collect();
    checks.push(check(A_CROWD, &["10000"]));
    let done = checks
        .into_iter()
        .map(|check| check.join().expect("no panic"));
    let differences: Vec<String> = done.flatten().collect();
    assert!(differences.is_empty(), "{}", differences.join("\n"));
}

#[test]
#[cfg(unix)]
fn interrupted_programs_list_their_tasks_and_cancel_them() {
    use examples_support::process::hear_interrupts;

    hear_interrupts();
    for &(name, promised) in INTERRUPTED {
        // One that was at it for a second may have finished a task before it heard of the interrupt.
        let compared = when_not_held_up(Some(Duration::from_millis(900)), || {
            let lines = Program::new(name, &[]).interrupted_after(3).lines()?;
            compare(promised, 1.0, &lines)
        });
        assert_eq!(compared, Ok(()), "{name}");
    }
}

/// The outcome of a check that holds if the machine lets it run: it is made again if it has failed and has taken longer than it takes
/// at least, by more than a moment. Without such a time it is made once.
fn when_not_held_up(
    least: Option<Duration>,
    check: impl Fn() -> Result<(), String>,
) -> Result<(), String> {
    const MOMENT: Duration = Duration::from_millis(100);
    const PATIENCE: Duration = Duration::from_secs(90);
    let begin = Instant::now();
    loop {
        let start = Instant::now();
        let outcome = check();
        let held_up = least.is_some_and(|least| start.elapsed() >= least + MOMENT);
        if outcome.is_ok() || !held_up || begin.elapsed() > PATIENCE {
            return outcome;
        }
    }
}

fn least_time_of(name: &str) -> Option<Duration> {
    let timed = TIMED.iter().find(|(timed, _)| *timed == name);
    timed.map(|(_, millis)| Duration::from_millis(*millis))
}

#[test]
#[cfg(unix)]
fn a_server_that_interrupts_itself_answers_what_it_has_begun() {
    use examples_support::process::hear_interrupts;

    hear_interrupts();
    let (name, promised) = GRACEFUL;
    let printed = Program::new(name, &[]).lines();
    assert_eq!(
        printed.and_then(|lines| compare(promised, 1.0, &lines)),
        Ok(())
    );
}

#[test]
#[cfg(unix)]
fn the_tour_runs_every_program_and_survives_its_own_interrupts() {
    use examples_support::process::hear_interrupts;

    hear_interrupts();
    // Where one time is held against another a run that was held up is no proof of anything.
    let mut tries_left = 5;
    let differences = loop {
        tries_left -= 1;
        let differences = differences_in_the_tour();
        let timed = |(name, _): &(&str, String)| least_time_of(name).is_some();
        if tries_left == 0 || !differences.iter().all(timed) || differences.is_empty() {
            break differences;
        }
    };
    assert_eq!(differences, []);
}

/// Where the tour prints something else than its programs promise.
#[cfg(unix)]
fn differences_in_the_tour() -> Vec<(&'static str, String)> {
    use examples_support::comparison::sections;

    let lines = Program::new("tour", &["--quick"]).lines().unwrap();
    let mut stops = sections(&lines);
    let last = stops.last().map(|(name, _)| *name);
    assert_eq!(last, Some("million"));
    let at_pace = |promises: &'static [Promise], pace| {
        promises
            .iter()
            .map(move |&(name, lines)| (name, lines, pace))
    };
    let promises = at_pace(PROMISES, 0.1)
        .chain(at_pace(INTERRUPTED, 60.0))
        .chain([(A_CROWD.0, A_CROWD.1, 1.0)]);
    let mut differences = Vec::new();
    for (name, promised, pace) in promises {
        let index = stops.iter().position(|(stop, _)| *stop == name);
        let (_, printed) = stops.remove(index.unwrap_or_else(|| panic!("no stop at {name}")));
        if let Err(difference) = compare(promised, pace, &printed) {
            differences.push((name, difference));
        }
    }
    assert!(stops.is_empty(), "promised nowhere: {stops:?}");
    differences
}

#[test]
fn every_program_is_listed_and_promises_something() {
    let examples = Path::new(env!("CARGO_MANIFEST_DIR")).join("");
    let list = fs::read_to_string(examples.join("README.md")).unwrap();
    let files = fs::read_dir(&examples)
        .unwrap()
        .map(|file| file.unwrap().path());
    let is_program = |path: &PathBuf| path.extension().is_some_and(|end| end == "rs");
    let names: BTreeSet<String> = files
        .filter(is_program)
        .map(|path| path.file_stem().unwrap().to_string_lossy().into_owned())
        .collect();
    let promises = PROMISES
        .iter()
        .chain(INTERRUPTED)
        .chain(SERVERS)
        .chain([&A_CROWD, &GRACEFUL]);
    let promised = promises.map(|(name, _)| name.to_string());
    let known: BTreeSet<String> = promised.chain(["tour".into()]).collect();
    assert_eq!(names, known);
    for name in names {
        assert!(
            list.contains(&format!("[`{name}`]({name}.rs)")),
            "list {name} in {list}"
        );
    }
}

#[test]
fn the_comparison_tells_lines_apart() {
    let keeps = |printed: &[&str]| {
        let printed: Vec<String> = printed.iter().map(|line| line.to_string()).collect();
        compare(&["Waiting: %2", "at *.rs:*>", "TIME: %4"], 0.1, &printed).is_ok()
    };
    assert!(keeps(&["Waiting: 0.2", "at a/b.rs:7>", "TIME: 0.4"]));
    assert!(keeps(&["Waiting: 0.2", "at a/b.rs:7>", "TIME: 0.9"]));
    assert!(!keeps(&["Waiting: 0.2", "at a/b.rs:7>", "TIME: 0.3"]));
    assert!(!keeps(&["Waiting: 0.2", "at a/b.c:7>", "TIME: 0.4"]));
    assert!(!keeps(&["at a/b.rs:7>", "Waiting: 0.2", "TIME: 0.4"]));
    assert!(!keeps(&["Waiting: 0.2", "at a/b.rs:7>"]));
    assert!(!fits("4", "44"));
    assert!(!fits(STARS, "*"));
}
