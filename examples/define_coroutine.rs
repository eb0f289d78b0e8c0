//! Calling an `async fn` runs nothing: it makes a coroutine, and an event loop runs it.

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
    let coroutine = do_work(seconds);
    // Up to here nothing was printed.
    let event_loop = EventLoop::new()?;
    event_loop.run_until_complete(coroutine)?;
    println!("TIME: {:.1}", start.elapsed().as_secs_f64());
    Ok(())
}

fn main() -> io::Result<()> {
    run(2.0)
}
