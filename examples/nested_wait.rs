//! A coroutine that awaits others: `wait` gives back the tasks that are done and those that are still pending.
//!
//! Without a time limit, and waiting for all, none is pending.

use std::io;
use std::time::{Duration, Instant};

async fn do_work(x: f64) -> String {
    println!("Waiting: {x}");
    corio::sleep(Duration::from_secs_f64(x)).await;
    format!("Done after {x}s")
}

pub(crate) async fn run(seconds: [f64; 3]) -> io::Result<()> {
    let start = Instant::now();
    let tasks = seconds.map(|x| corio::create_task(do_work(x)));
    let (done, pending) = corio::wait(tasks).await;
    println!("done: {}, pending: {}", done.len(), pending.len());
    for task in done {
        println!("Task ret: {}", task.into_result()?);
    }
    println!("TIME: {:.1}", start.elapsed().as_secs_f64());
    Ok(())
}

#[corio::main]
async fn main() -> io::Result<()> {
    run([1.0, 2.0, 4.0]).await
}
