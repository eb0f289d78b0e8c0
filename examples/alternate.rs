//! A and B are both endless, and B drives A: each of them prints its line when it has its turn.
//!
//! The number of rounds is the optional argument (3 if there is none). Every line is followed by a pause of half a
//! second. The pause blocks the thread, which is all right here: nothing else runs on it.

use std::thread::sleep;
use std::time::Duration;

use corio::coroutine::Generator;

fn a(pause: Duration) -> Generator<()> {
    Generator::new(async move |co| {
        loop {
            println!("----A----");
            sleep(pause);
            co.yield_(()).await;
        }
    })
}

fn b(a: Generator<()>, pause: Duration) -> Generator<()> {
    Generator::new(async move |co| {
        loop {
            a.next().unwrap();
            println!("----B----");
            sleep(pause);
            co.yield_(()).await;
        }
    })
}

pub(crate) fn run(rounds: usize, pause: Duration) {
    let b = b(a(pause), pause);
    for () in b.take(rounds) {}
}

fn main() {
    let rounds = match std::env::args().nth(1) {
        Some(rounds) => rounds.parse().expect("the number of rounds"),
        None => 3,
    };
    run(rounds, Duration::from_millis(500));
}
