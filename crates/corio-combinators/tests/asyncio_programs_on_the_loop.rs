//! The same programs on the event loop, with its wheel of timers and its virtual clock.

mod asyncio;
#[path = "support/on_loop.rs"]
mod support;

use asyncio::op::parse;
use asyncio::recorded::{PROGRAMS, compare};
use asyncio::world::World;
use corio_runtime::{EventLoop, all_tasks};
use support::{begin, call_later, create_task, now, sleep};

/// The log of a program in the form of the file.
fn play(program: &str) -> Vec<String> {
    let event_loop = EventLoop::builder().virtual_clock().build().unwrap();
    let main = async {
        begin(now());
        let world = World::new();
        let whole = create_task(world.clone().whole("0".into(), parse(program)));
        world.list("0".into(), &whole.any());
        for number in 1..9 {
            let world = world.clone();
            call_later(f64::from(number) * 100.0, move || world.sweep());
        }
        sleep(1000.0).await;
        let waiting = all_tasks();
        assert!(waiting.len() == 1, "waits for ever: {waiting:?}\n{program}");
        world.into_log()
    };
    event_loop.run_until_complete(main).unwrap()
}

#[test]
fn random_programs_log_what_they_log_under_asyncio_on_the_event_loop_too() {
    compare(PROGRAMS, play);
}
