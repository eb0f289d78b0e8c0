//! The same programs on the event loop, with its wheel of timers and its virtual clock.

mod asyncio;
#[path = "support/on_loop.rs"]
mod support;

use asyncio::op::parse;
use asyncio::recorded::compare;
use asyncio::world::World;
use corio_combinators::wait;
use corio_runtime::{EventLoop, all_tasks, current_task, yield_now};
use support::{begin, call_later, create_task, now};

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
        loop {
            let mut others = all_tasks();
            others.retain(|task| Some(task) != current_task().as_ref());
            if others.is_empty() {
                break;
            }
            wait(others).await;
        }
        // The last done callbacks, and calls that are due.
        for _ in 0..3 {
            yield_now().await;
        }
        world.into_log()
    };
    event_loop.run_until_complete(main).unwrap()
}

#[test]
fn random_programs_log_what_they_log_under_asyncio_on_the_event_loop_too() {
    compare(play);
}
