//! Random programs go as they do under asyncio: the same events in the same order at the same time.

mod asyncio;
mod support;

use asyncio::op::parse;
use asyncio::recorded::{PROGRAMS, compare};
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
    while test.turn() {}
    let waiting = test.scheduler.all_tasks();
    assert!(waiting.is_empty(), "waits for ever: {waiting:?}\n{program}");
    test.settle();
    // What is still to be called holds the world, and the world the loop.
    test.clock.disarm_all();
    world.into_log()
}

#[test]
fn random_programs_log_what_they_log_under_asyncio_in_the_same_order() {
    compare(PROGRAMS, play);
}
