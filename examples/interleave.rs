//! Two coroutines take turns, and each keeps its place between its turns.
//!
//! Nobody decides the order but the caller: a `next` runs one of them up to its next yield. There is no loop and no thread.

use corio::coroutine::Generator;

fn a() -> Generator<()> {
    Generator::new(async |co| {
        println!("1");
        co.yield_(()).await;
        println!("2");
        co.yield_(()).await;
        println!("3");
        co.yield_(()).await;
    })
}

fn b() -> Generator<()> {
    Generator::new(async |co| {
        println!("x");
        co.yield_(()).await;
        println!("y");
        co.yield_(()).await;
        println!("z");
        co.yield_(()).await;
    })
}

pub(crate) fn run() {
    let a = a();
    let b = b();
    for turn in [&a, &a, &b, &b, &a, &b] {
        turn.next().unwrap();
    }
}

fn main() {
    run();
}
