//! A coroutine that awaits others: `gather` gives their results, in the order of the arguments.

use std::io;
use std::time::{Duration, Instant};

async fn do_work(x: f64) -> String {
    println!("Waiting: {x}");
    corio::sleep(Duration::from_secs_f64(x)).await;
    format!("Done after {x}s")
}

pub(crate) async fn run(seconds: [f64; 3]) -> io::Result<()> {
    let start = Instant::now();
    for result in corio::gather(seconds.map(do_work)).await? {
        println!("Task ret: {result}");
    }
    println!("TIME: {:.1}", start.elapsed().as_secs_f64());
    Ok(())
}

#[corio::main]
async fn main() -> io::Result<()> {
    run([1.0, 2.0, 4.0]).await
}
