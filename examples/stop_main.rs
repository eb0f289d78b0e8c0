//! Ctrl-C while a main coroutine awaits others: one `gather` over all tasks cancels them together, main included.
//!
//! Press Ctrl-C within a second.

use std::io;
use std::time::{Duration, Instant};

use corio::{EventLoop, RunError, TaskError, create_task, gather, wait};

async fn do_work(x: f64) -> String {
    println!("Waiting: {x}");
    corio::sleep(Duration::from_secs_f64(x)).await;
    format!("Done after {x}s")
}

async fn work(seconds: [f64; 3]) -> Result<(), TaskError> {
    let (done, _) = wait(seconds.map(|x| create_task(do_work(x)))).await;
    for task in done {
        println!("Task ret: {}", task.into_result()?);
    }
    Ok(())
}

pub(crate) fn run(seconds: [f64; 3]) -> io::Result<()> {
    let start = Instant::now();
    let event_loop = EventLoop::new()?;
    let main = event_loop.create_task(work(seconds));
    if let Err(RunError::Interrupted) = event_loop.run_until_complete(&main) {
        let tasks = event_loop.all_tasks();
        for task in &tasks {
            println!("{task:?}");
        }
        println!("{}", gather(tasks).cancel());
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
