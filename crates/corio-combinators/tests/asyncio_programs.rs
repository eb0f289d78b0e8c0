//! Random programs end as they do under asyncio: task by task the same log at the same time.
//!
//! The file with the programs was written by `asyncio/programs.py`. `CORIO_ASYNCIO_PROGRAMS` names another one to be played.

mod asyncio;
mod support;

use std::fmt::Write;

use asyncio::op::parse;
use asyncio::world::World;
use support::{TestLoop, call_later};

/// The log of a program in the form of the file.
fn play(program: &str) -> String {
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
    let mut log = String::new();
    for (name, events) in &*world.logs.borrow() {
        for (time, event) in events {
            writeln!(log, "  {name} {time} {event}").expect("a string takes all");
        }
    }
    log
}

/// Programs with what they are to log.
fn programs(file: &str) -> Vec<(&str, String)> {
    let mut programs: Vec<(&str, String)> = Vec::new();
    for line in file.lines().filter(|line| !line.is_empty()) {
        match programs.last_mut() {
            Some((_, log)) if line.starts_with(' ') => {
                log.push_str(line);
                log.push('\n');
            }
            _ => programs.push((line, String::new())),
        }
    }
    programs
}

#[test]
fn random_programs_log_task_by_task_what_they_log_under_asyncio() {
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
    for (program, expected) in programs {
        let logged = play(program);
        if logged != expected {
            different.push((program, expected, logged));
        }
    }
    different.sort_by_key(|(program, ..)| program.len());
    let shown = different
        .iter()
        .take(10)
        .map(|(program, expected, logged)| {
            format!("\n{program}\nasyncio:\n{expected}\nhere:\n{logged}")
        });
    let shown: String = shown.collect();
    let count = different.len();
    assert!(
        different.is_empty(),
        "{count} of {played} programs differ. The shortest:\n{shown}"
    );
    assert!(played >= 100);
}
