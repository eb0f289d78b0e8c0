//! Cancellation comes as a value at an await, and the clean-up may await in turn before the task ends.
//!
//! `catch_cancel` gives the request to the code around it; `propagate` lets it go on. `finally` is the short form for a clean-up
//! that runs after a value, an error and a cancellation alike.

use std::time::Duration;

use corio::{catch_cancel, create_task, finally, sleep};

const MOMENT: Duration = Duration::from_millis(50);

async fn upload() -> &'static str {
    match catch_cancel(sleep(Duration::from_secs(60))).await {
        Ok(()) => "uploaded",
        Err(cancelled) => {
            println!(
                "upload: asked to stop: {}",
                cancelled.reason().unwrap_or("no reason given")
            );
            sleep(MOMENT).await;
            println!("upload: said goodbye to the server");
            cancelled.propagate().await
        }
    }
}

async fn with_connection() {
    let work = async {
        println!("connection: open");
        sleep(Duration::from_secs(60)).await;
    };
    finally(work, async || {
        sleep(MOMENT).await;
        println!("connection: closed");
    })
    .await;
}

pub(crate) async fn run() {
    let upload = create_task(upload());
    let connection = create_task(with_connection());
    sleep(MOMENT).await;
    println!("cancel: {}", upload.cancel_with("deploy"));
    println!("cancel: {}", connection.cancel());
    let (upload, connection) = (upload.await, connection.await);
    println!("upload: {}", upload.unwrap_err());
    println!("connection: {}", connection.unwrap_err());
}

#[corio::main]
async fn main() {
    run().await;
}
