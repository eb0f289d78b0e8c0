//! Results in the order in which the tasks end, whatever the order in which they began.

use std::io;
use std::time::{Duration, Instant};

async fn do_work(x: f64) -> String {
    println!("Waiting: {x}");
    corio::sleep(Duration::from_secs_f64(x)).await;
    format!("Done after {x}s")
}

pub(crate) async fn run(seconds: [f64; 3]) -> io::Result<()> {
    let start = Instant::now();
    let mut tasks = corio::as_completed(seconds.map(do_work));
    while let Some(task) = tasks.next().await {
        println!("Task ret: {}", task.into_result()?);
    }
    println!("TIME: {:.1}", start.elapsed().as_secs_f64());
    Ok(())
}

#[corio::main]
async fn main() -> io::Result<()> {
    run([4.0, 2.0, 1.0]).await
}
