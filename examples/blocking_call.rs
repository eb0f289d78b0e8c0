//! A call that blocks the thread stops every task. In debug mode the loop says which task it was, and where it was created.
//!
//! The second task asks for a tenth of a second and gets what the first one leaves. `corio::sleep(..).await` in the place of
//! `std::thread::sleep(..)` is the cure. Debug mode can also be switched on from outside: `CORIO_DEBUG=1`.

use std::io;
use std::thread;
use std::time::{Duration, Instant};

use corio::{EventLoop, gather};

async fn block(seconds: f64) {
    println!("Blocking: {seconds}");
    thread::sleep(Duration::from_secs_f64(seconds));
}

async fn nap(seconds: f64) {
    println!("Napping: {seconds}");
    let start = Instant::now();
    corio::sleep(Duration::from_secs_f64(seconds)).await;
    println!("Napped: {:.1}", start.elapsed().as_secs_f64());
}

pub(crate) fn run(seconds: f64) -> io::Result<()> {
    let event_loop = EventLoop::builder().debug(true).build()?;
    // Without a handler of its own the loop writes this to standard error.
    event_loop.set_exception_handler(|report| println!("Report: {report}"));
    let nap = event_loop.create_task(nap(0.1));
    let block = event_loop.create_task(block(seconds));
    event_loop.run_until_complete(gather([nap, block]))??;
    Ok(())
}

fn main() -> io::Result<()> {
    run(0.5)
}
