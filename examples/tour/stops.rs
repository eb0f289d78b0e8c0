//! Where the tour stops: the programs, in the order in which they build on each other.

use std::io;
use std::time::Duration;

use crate::*;

/// One program of the tour.
pub(crate) struct Stop {
    pub(crate) name: &'static str,
    source: &'static str,
    run: fn(&Pace) -> io::Result<()>,
}

impl Stop {
    /// What the program shows: the first line of its file.
    pub(crate) fn shows(&self) -> &'static str {
        let line = self.source.lines().next().unwrap_or_default();
        line.trim_start_matches("//! ")
    }

    pub(crate) fn run(&self, pace: &Pace) -> io::Result<()> {
        (self.run)(pace)
    }
}

macro_rules! stops {
    ($($program:ident: $run:expr,)*) => {
        pub(crate) const STOPS: &[Stop] = &[$(Stop {
            name: stringify!($program),
            source: include_str!(concat!("../", stringify!($program), ".rs")),
            run: $run,
        }),*];
    };
}

stops! {
    interleave: |_| { interleave::run(); Ok(()) },
    yield_next: |_| { yield_next::run(); Ok(()) },
    yield_send: |_| { yield_send::run(); Ok(()) },
    alternate: |pace| { alternate::run(3, Duration::from_secs_f64(pace.of(0.5))); Ok(()) },
    producer_consumer: |_| { producer_consumer::run(); Ok(()) },
    define_coroutine: |pace| define_coroutine::run(pace.of(2.0)),
    create_task: |pace| create_task::run(pace.of(2.0)),
    done_callback: |pace| done_callback::run(pace.of(2.0)),
    task_result: |pace| task_result::run(pace.of(2.0)),
    await_sleep: |pace| corio::run(await_sleep::run(pace.of(2.0))),
    concurrent_wait: |pace| concurrent_wait::run(pace.each([1.0, 2.0, 4.0])),
    nested_wait: |pace| corio::run(nested_wait::run(pace.each([1.0, 2.0, 4.0]))),
    nested_gather: |pace| corio::run(nested_gather::run(pace.each([1.0, 2.0, 4.0]))),
    return_gather: |pace| return_gather::run(pace.each([1.0, 2.0, 4.0])),
    return_wait: |pace| return_wait::run(pace.each([1.0, 2.0, 4.0])),
    as_completed: |pace| corio::run(as_completed::run(pace.each([4.0, 2.0, 1.0]))),
    states: |_| { corio::run(states::run()); Ok(()) },
    stop_all_tasks: |pace| interrupted(pace, stop_all_tasks::run),
    stop_main: |pace| interrupted(pace, stop_main::run),
    cleanup_that_awaits: |_| { corio::run(cleanup_that_awaits::run()); Ok(()) },
    deadline_tree: |_| { corio::run(deadline_tree::run()); Ok(()) },
    borrowing_children: |_| { corio::run(borrowing_children::run()); Ok(()) },
    blocking_call: |_| blocking_call::run(0.5),
    million: |pace| { corio::run(million::run(pace.crowd())); Ok(()) },
}

/// Runs a program that waits for Ctrl-C, and sees to it that it comes.
fn interrupted(pace: &Pace, program: fn([f64; 3]) -> io::Result<()>) -> io::Result<()> {
    if interrupt::after(pace.before_interrupt()) {
        program(pace.interrupted([1.0, 2.0, 2.0]))
    } else {
        println!("(The tour cannot press Ctrl-C here. Run this program by itself, and press it.)");
        Ok(())
    }
}
