//! The result of a task can be read from it once the loop has run it; before that it is an error, `NotDone`.

use std::io;
use std::time::Duration;

use corio::EventLoop;

async fn do_work(x: f64) -> String {
    println!("Waiting: {x}");
    corio::sleep(Duration::from_secs_f64(x)).await;
    format!("Done after {x}s")
}

pub(crate) fn run(seconds: f64) -> io::Result<()> {
    let event_loop = EventLoop::new()?;
    let task = event_loop.create_task(do_work(seconds));
    event_loop.run_until_complete(&task)?;
    println!("Task ret: {}", task.result()?);
    Ok(())
}

fn main() -> io::Result<()> {
    run(2.0)
}
