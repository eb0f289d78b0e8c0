//! Ctrl-C stops the loop and cancels nothing: the program looks through the tasks itself, and cancels each of them.
//!
//! Press Ctrl-C within a second. `stop` before `run_forever` is one last turn of the loop, in which the tasks learn of it.

use std::io;
use std::time::{Duration, Instant};

use corio::{EventLoop, RunError, wait};

async fn do_work(x: f64) -> String {
    println!("Waiting: {x}");
    corio::sleep(Duration::from_secs_f64(x)).await;
    format!("Done after {x}s")
}

pub(crate) fn run(seconds: [f64; 3]) -> io::Result<()> {
    let start = Instant::now();
    let event_loop = EventLoop::new()?;
    let tasks = seconds.map(|x| event_loop.create_task(do_work(x)));
    let waiting = event_loop.create_task(wait(tasks));
    if let Err(RunError::Interrupted) = event_loop.run_until_complete(&waiting) {
        let tasks = event_loop.all_tasks();
        for task in &tasks {
            println!("{task:?}");
        }
        for task in &tasks {
            println!("{}", task.cancel());
        }
        event_loop.stop();
        event_loop.run_forever()?;
    }
    event_loop.close();
    println!("TIME: {:.1}", start.elapsed().as_secs_f64());
    Ok(())
}

fn main() -> io::Result<()> {
    run([1.0, 2.0, 2.0])
}
