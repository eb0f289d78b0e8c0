//! The four states of a task: pending, running while it takes a step, and at the end done or cancelled.

use std::time::Duration;

use corio::{create_task, current_task, sleep};

async fn look_at_myself() {
    let me = current_task().expect("a task is running");
    println!("{:?}", me.state());
}

pub(crate) async fn run() {
    let task = create_task(look_at_myself());
    println!("{:?}", task.state());
    // A task that is awaited by reference is only watched: afterwards it is still here to be asked.
    let ended = (&task).await;
    assert!(ended.is_ok());
    println!("{:?}", task.state());

    let task = create_task(sleep(Duration::from_secs(3600)));
    task.cancel();
    let ended = (&task).await;
    assert!(ended.is_err_and(|error| error.is_cancelled()));
    println!("{:?}", task.state());
}

#[corio::main]
async fn main() {
    run().await;
}
