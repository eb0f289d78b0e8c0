//! What the main coroutine returns comes out of `run_until_complete`: here the results of a `gather`.

use std::io;
use std::time::{Duration, Instant};

use corio::{EventLoop, TaskError, gather};

async fn do_work(x: f64) -> String {
    println!("Waiting: {x}");
    corio::sleep(Duration::from_secs_f64(x)).await;
    format!("Done after {x}s")
}

async fn work(seconds: [f64; 3]) -> Result<Vec<String>, TaskError> {
    gather(seconds.map(do_work)).await
}

pub(crate) fn run(seconds: [f64; 3]) -> io::Result<()> {
    let start = Instant::now();
    let event_loop = EventLoop::new()?;
    for result in event_loop.run_until_complete(work(seconds))?? {
        println!("Task ret: {result}");
    }
    println!("TIME: {:.1}", start.elapsed().as_secs_f64());
    Ok(())
}

fn main() -> io::Result<()> {
    run([1.0, 2.0, 4.0])
}
