//! A done callback is called with the task when it has ended. What else it needs, it captures.

use std::io;
use std::time::{Duration, Instant};

use corio::EventLoop;

async fn do_work(x: f64) -> String {
    println!("Waiting: {x}");
    corio::sleep(Duration::from_secs_f64(x)).await;
    format!("Done after {x}s")
}

pub(crate) fn run(seconds: f64) -> io::Result<()> {
    let start = Instant::now();
    let event_loop = EventLoop::new()?;
    let task = event_loop.create_task(do_work(seconds));
    let label = String::from("Callback");
    task.add_done_callback(move |task| println!("{label}: {}", task.result().unwrap()));
    event_loop.run_until_complete(&task)?;
    println!("TIME: {:.1}", start.elapsed().as_secs_f64());
    Ok(())
}

fn main() -> io::Result<()> {
    run(2.0)
}
