//! The tour: every program of this folder, one after the other, and what it shows.
//!
//! `--quick` makes the programs sleep for tenths of a second instead of seconds, and the last one smaller.

#![allow(
    dead_code,
    reason = "the programs are here as the files that they are, each with a `main` of its own"
)]

use std::io;
use std::process::ExitCode;
use std::time::Instant;

use pace::Pace;
use stops::STOPS;

mod alternate;
mod as_completed;
mod await_sleep;
mod blocking_call;
mod borrowing_children;
mod cleanup_that_awaits;
mod concurrent_wait;
mod create_task;
mod deadline_tree;
mod define_coroutine;
mod done_callback;
mod interleave;
mod million;
mod nested_gather;
mod nested_wait;
mod producer_consumer;
mod return_gather;
mod return_wait;
mod states;
mod stop_all_tasks;
mod stop_main;
mod task_result;
mod yield_next;
mod yield_send;

#[path = "tour/interrupt.rs"]
mod interrupt;
#[path = "tour/pace.rs"]
mod pace;
#[path = "tour/stops.rs"]
mod stops;

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    let quick = match arguments.next().as_deref() {
        None => false,
        Some("--quick") => true,
        Some(other) => {
            eprintln!("tour: `{other}` is not an option, there is only `--quick`");
            return ExitCode::FAILURE;
        }
    };
    match walk(&Pace::new(quick)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("tour: {error}");
            ExitCode::FAILURE
        }
    }
}

fn walk(pace: &Pace) -> io::Result<()> {
    let begin = Instant::now();
    for (index, stop) in STOPS.iter().enumerate() {
        println!("== {} ({} of {}) ==", stop.name, index + 1, STOPS.len());
        println!("{}\n", stop.shows());
        let start = Instant::now();
        stop.run(pace)?;
        println!("\n-- {:.1} s --\n", start.elapsed().as_secs_f64());
    }
    println!(
        "{} programs in {:.1} s",
        STOPS.len(),
        begin.elapsed().as_secs_f64()
    );
    Ok(())
}
