//! `send` resumes a generator with a value: the yield at which it waits evaluates to that value.
//!
//! The first resume has to be a `next`: before it, no yield is there to take anything.

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
    println!("{}", fours.send(10).unwrap());
}

fn main() {
    run();
}
