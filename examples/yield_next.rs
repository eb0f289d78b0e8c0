//! A generator: nothing runs before the first `next`, and every yield hands a value out and stops there.
//!
//! The yield itself has a value too, once the generator goes on: what was sent to it. A plain `next` sends nothing.

use corio::coroutine::Coroutine;

fn fours() -> Coroutine<i32, i32> {
    Coroutine::new(async |co| {
        println!("starting...");
        loop {
            let res = co.yield_(4).await;
            println!("res: {res:?}");
        }
    })
}

pub(crate) fn run() {
    let fours = fours();
    println!("{}", fours.next().unwrap());
    println!("{}", "*".repeat(20));
    println!("{}", fours.next().unwrap());
}

fn main() {
    run();
}
