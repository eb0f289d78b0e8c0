//! Three tasks at the same time take as long as the longest of them, not as long as all of them in a row.
//!
//! First under `wait`, which waits and leaves the results in the tasks; then under `gather`, which collects them.

use std::io;
use std::time::{Duration, Instant};

use corio::{EventLoop, gather, wait};

async fn do_work(x: f64) -> String {
    println!("Waiting: {x}");
    corio::sleep(Duration::from_secs_f64(x)).await;
    format!("Done after {x}s")
}

pub(crate) fn run(seconds: [f64; 3]) -> io::Result<()> {
    let event_loop = EventLoop::new()?;

    let start = Instant::now();
    let tasks = seconds.map(|x| event_loop.create_task(do_work(x)));
    event_loop.run_until_complete(wait(&tasks))?;
    for task in &tasks {
        println!("Task ret: {}", task.result()?);
    }
    println!("TIME: {:.1}", start.elapsed().as_secs_f64());

    let start = Instant::now();
    let results = event_loop.run_until_complete(gather(seconds.map(do_work)))??;
    for result in results {
        println!("Task ret: {result}");
    }
    println!("TIME: {:.1}", start.elapsed().as_secs_f64());
    Ok(())
}

fn main() -> io::Result<()> {
    run([1.0, 2.0, 4.0])
}
