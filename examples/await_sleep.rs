//! An `await` gives the loop back: while a task sleeps, the loop is free for others, and the thread is idle if there are none.
//!
//! `#[corio::main]` makes the loop, runs `main` as its first task, and ends everything in order.

use std::io;
use std::time::{Duration, Instant};

async fn do_work(x: f64) -> String {
    println!("Waiting: {x}");
    corio::sleep(Duration::from_secs_f64(x)).await;
    format!("Done after {x}s")
}

pub(crate) async fn run(seconds: f64) -> io::Result<()> {
    let start = Instant::now();
    let task = corio::create_task(do_work(seconds));
    println!("Task ret: {}", task.await?);
    println!("TIME: {:.1}", start.elapsed().as_secs_f64());
    Ok(())
}

#[corio::main]
async fn main() -> io::Result<()> {
    run(2.0).await
}
