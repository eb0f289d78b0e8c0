//! Random programs whose main task leaves others go to their end as they do under asyncio's runner.

mod asyncio;
#[path = "support/on_loop.rs"]
mod support;

use asyncio::op::parse;
use asyncio::recorded::compare;
use asyncio::world::{World, current};
use corio_runtime::Runner;
use support::{begin, call_later};

/// The log of a program in the form of the file.
fn play(program: &str) -> Vec<String> {
    let mut runner = Runner::builder()
        .virtual_clock()
        .sigint(false)
        .build()
        .unwrap();
    let event_loop = runner.event_loop();
    event_loop.set_exception_handler(|_| {});
    begin(event_loop.time());
    let world = event_loop
        .run_until_complete(async { World::new() })
        .unwrap();
    let main = async {
        let task = current();
        world.list("0".into(), &task);
        for number in 1..9 {
            let task = task.clone();
            call_later(f64::from(number) * 60.0, move || task.cancel());
        }
        world.clone().whole("0".into(), parse(program)).await
    };
    drop(runner.run(main));
    let before = event_loop.time();
    drop(runner.close());
    let took = event_loop.time() - before;
    assert!(took.as_secs() <= 30, "{took:?}\n{program}");
    world.into_log()
}

#[test]
fn random_programs_go_to_their_end_as_under_the_runner_of_asyncio() {
    compare(include_str!("asyncio/to_the_end.txt"), play);
}
