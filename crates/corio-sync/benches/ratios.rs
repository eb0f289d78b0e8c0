//! The same operations as in `sync`, as ratios: within a round the contenders take short turns, so that a core
//! which changes its speed changes it for all of them.
//!
//! `cargo bench -p corio-sync --bench ratios -- hand-over` for the operations with this in their names.
//! Of callgrind's count for `ratios --run "contended hand-over" corio 200` and for 100 the difference is
//! that of 100,000 operations.

mod support;

use std::env;
use std::time::{Duration, Instant};

use support::operations::{self, Contender, OPERATIONS};

const ROUNDS: usize = 201;
/// A turn takes about so long.
const TURN: Duration = Duration::from_micros(500);

fn main() {
    let arguments: Vec<String> = env::args().skip(1).collect();
    if let [run, operation, contender, calls] = &arguments[..] {
        if run == "--run" {
            let calls = calls.parse().expect("a number of calls");
            return call(operation, contender, calls);
        }
    }
    // `cargo test` asks for no figures.
    if !arguments.iter().any(|argument| argument == "--bench") {
        return;
    }
    let words: Vec<&String> = arguments
        .iter()
        .filter(|word| !word.starts_with('-'))
        .collect();
    println!("{ROUNDS} rounds of turns of {TURN:?}; nanoseconds and ratios of an operation\n");
    println!(
        "| operation | contender | least ns | times tokio's speed, by the least | by the median of the rounds |"
    );
    println!("| --- | --- | ---: | ---: | ---: |");
    operations::each(&mut |operation, contenders| {
        if words.is_empty() || words.iter().any(|word| operation.contains(word.as_str())) {
            compare(operation, contenders);
        }
    });
}

/// Only does what is asked for, to be counted.
fn call(operation: &str, contender: &str, calls: usize) {
    operations::each(&mut |name, contenders| {
        for (who, run) in contenders {
            if (name, *who) == (operation, contender) {
                (0..calls).for_each(|_| run());
            }
        }
    });
}

/// Prints a row for each of the contenders.
fn compare(operation: &str, contenders: &mut [Contender<'_>]) {
    let calls: Vec<u32> = contenders
        .iter_mut()
        .map(|(_, run)| calls_of_a_turn(run))
        .collect();
    let mut took = vec![Vec::with_capacity(ROUNDS); contenders.len()];
    for _ in 0..ROUNDS {
        for (((_, run), &calls), took) in contenders.iter_mut().zip(&calls).zip(&mut took) {
            let each = turn(run, calls).as_nanos() as f64 / f64::from(calls);
            took.push(each / OPERATIONS as f64);
        }
    }
    let is_tokio = |(name, _): &Contender<'_>| *name == "tokio";
    let tokio = contenders
        .iter()
        .position(is_tokio)
        .expect("tokio takes part in everything");
    let tokio = took[tokio].clone();
    for ((name, _), took) in contenders.iter().zip(took) {
        let of_rounds = tokio.iter().zip(&took).map(|(tokio, took)| tokio / took);
        println!(
            "| {operation} | {name} | {:.2} | {:.2} | {:.2} |",
            least(&took),
            least(&tokio) / least(&took),
            median(of_rounds.collect()),
        );
    }
}

fn calls_of_a_turn(run: &mut dyn FnMut()) -> u32 {
    let mut calls = 1;
    while turn(run, calls) < TURN {
        calls *= 2;
    }
    calls
}

fn turn(run: &mut dyn FnMut(), calls: u32) -> Duration {
    let start = Instant::now();
    (0..calls).for_each(|_| run());
    start.elapsed()
}

fn least(figures: &[f64]) -> f64 {
    figures.iter().copied().fold(f64::INFINITY, f64::min)
}

fn median(mut figures: Vec<f64>) -> f64 {
    figures.sort_unstable_by(f64::total_cmp);
    figures[figures.len() / 2]
}
