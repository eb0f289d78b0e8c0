//! What the main coroutine returns comes out of `run_until_complete`: here the tasks that a `wait` found done and pending.

use std::io;
use std::time::{Duration, Instant};

use corio::{EventLoop, Task, create_task, wait};

async fn do_work(x: f64) -> String {
    println!("Waiting: {x}");
    corio::sleep(Duration::from_secs_f64(x)).await;
    format!("Done after {x}s")
}

async fn work(seconds: [f64; 3]) -> (Vec<Task<String>>, Vec<Task<String>>) {
    wait(seconds.map(|x| create_task(do_work(x)))).await
}

pub(crate) fn run(seconds: [f64; 3]) -> io::Result<()> {
    let start = Instant::now();
    let event_loop = EventLoop::new()?;
    let (done, pending) = event_loop.run_until_complete(work(seconds))?;
    println!("done: {}, pending: {}", done.len(), pending.len());
    for task in done {
        println!("Task ret: {}", task.into_result()?);
    }
    println!("TIME: {:.1}", start.elapsed().as_secs_f64());
    Ok(())
}

fn main() -> io::Result<()> {
    run([1.0, 2.0, 4.0])
}
