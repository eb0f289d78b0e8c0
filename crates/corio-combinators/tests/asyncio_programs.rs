//! Random programs go as they do under asyncio: the same events in the same order at the same time.
//!
//! A `~` before a program says that only what each task logs is the same. The file with the programs was written by `asyncio/programs.py`. `CORIO_ASYNCIO_PROGRAMS` names another one to be played.

mod asyncio;
mod support;

use asyncio::op::parse;
use asyncio::world::World;
use support::{TestLoop, call_later};

/// The log of a program in the form of the file.
fn play(program: &str) -> Vec<String> {
    let test = TestLoop::new();
    let world = World::new();
    let op = parse(program);
    let whole = world.clone().whole("0".into(), op);
    let main = test.scheduler.create_task(whole);
    world.list("0".into(), &main.any());
    drop(main);
    for number in 1..9 {
        let world = world.clone();
        call_later(f64::from(number) * 100.0, move || world.sweep());
    }
    while test.scheduler.task_count() > 0 && test.turn() {}
    let waiting = test.scheduler.all_tasks();
    assert!(waiting.is_empty(), "waits for ever: {waiting:?}\n{program}");
    test.settle();
    // What is still to be called holds the world, and the world the loop.
    test.clock.disarm_all();
    let events = world.log.take().into_iter();
    events
        .map(|(name, time, event)| format!("  {name} {time} {event}"))
        .collect()
}

/// Programs with what they are to log.
fn programs(file: &str) -> Vec<(&str, Vec<String>)> {
    let mut programs: Vec<(&str, Vec<String>)> = Vec::new();
    for line in file.lines().filter(|line| !line.is_empty()) {
        match programs.last_mut() {
            Some((_, log)) if line.starts_with(' ') => log.push(line.into()),
            _ => programs.push((line, Vec::new())),
        }
    }
    programs
}

/// Puts what each task logs together.
fn by_task(log: &mut [String]) {
    log.sort_by_cached_key(|line| line.split_whitespace().next().map(str::to_owned));
}

#[test]
fn random_programs_log_what_they_log_under_asyncio_in_the_same_order() {
    let file = match std::env::var("CORIO_ASYNCIO_PROGRAMS") {
        Ok(path) => std::fs::read_to_string(path).expect("a file of programs"),
        // Those that once were played otherwise come first.
        Err(_) => concat!(
            include_str!("asyncio/found.txt"),
            include_str!("asyncio/programs.txt")
        )
        .to_owned(),
    };
    let programs = programs(&file);
    let played = programs.len();
    let mut different = Vec::new();
    for (program, mut expected) in programs {
        let (program, in_order) = match program.strip_prefix('~') {
            Some(program) => (program, false),
            None => (program, true),
        };
        let mut logged = play(program);
        if !in_order {
            by_task(&mut expected);
            by_task(&mut logged);
        }
        if logged != expected {
            different.push((program, expected, logged));
        }
    }
    different.sort_by_key(|(program, ..)| program.len());
    let shown = different
        .iter()
        .take(10)
        .map(|(program, expected, logged)| {
            let (expected, logged) = (expected.join("\n"), logged.join("\n"));
            format!("\n{program}\nasyncio:\n{expected}\n\nhere:\n{logged}\n")
        });
    let shown: String = shown.collect();
    let count = different.len();
    assert!(
        different.is_empty(),
        "{count} of {played} programs differ. The shortest:\n{shown}"
    );
    assert!(played >= 100);
}
