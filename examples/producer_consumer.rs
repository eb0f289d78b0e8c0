//! The producer drives the consumer: it sends one item after the other, and each is consumed before the next is made.
//!
//! Two sides that work hand in hand, on one thread, with no queue and no lock between them.

use corio::coroutine::Coroutine;

fn consumer() -> Coroutine<(), u32> {
    Coroutine::new(async |co| {
        while let Some(item) = co.yield_(()).await {
            println!("consumed {item}");
        }
    })
}

/// Owns the consumer: when the producer is done and dropped, so is the consumer, at the yield where it waits.
fn producer(consumer: Coroutine<(), u32>) {
    // A `next` sends nothing. It brings the consumer to its first yield, where it can be sent to.
    consumer.next().unwrap();
    for item in 1..=5 {
        println!("produced {item}");
        consumer.send(item).unwrap();
    }
}

pub(crate) fn run() {
    producer(consumer());
}

fn main() {
    run();
}
