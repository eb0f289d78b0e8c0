//! Deadlines compose: the code inside can read how much time it has, the nearer deadline wins, and each is reported by the timeout
//! that it belongs to.

use std::time::{Duration, Instant};

use corio::{CancelScope, deadline, sleep, timeout};

fn in_tenths(duration: Duration) -> String {
    format!("{:.1} s", duration.as_secs_f64())
}

fn time_left() -> String {
    let left = deadline().map(|deadline| deadline.saturating_duration_since(Instant::now()));
    left.map_or("no limit".to_owned(), in_tenths)
}

async fn query(name: &str, needs: Duration) -> String {
    println!("{name}: {} left", time_left());
    sleep(needs).await;
    format!("{name}: answered")
}

pub(crate) async fn run() {
    println!("outside: {}", time_left());
    let whole = timeout(Duration::from_millis(500), async {
        let fast = timeout(
            Duration::from_millis(200),
            query("fast", Duration::from_millis(50)),
        )
        .await;
        println!("{}", fast.unwrap_or_else(|error| format!("fast: {error}")));
        let slow = timeout(
            Duration::from_millis(200),
            query("slow", Duration::from_secs(60)),
        )
        .await;
        println!("{}", slow.unwrap_or_else(|error| format!("slow: {error}")));
        timeout(
            Duration::from_secs(60),
            query("endless", Duration::from_secs(60)),
        )
        .await
    });
    match whole.await {
        Ok(_) => println!("whole: in time"),
        Err(error) => println!("whole: {error}"),
    }

    let scope = CancelScope::new();
    let inside = scope.clone();
    let result = scope
        .run(async move {
            inside.reschedule(Some(Instant::now() + Duration::from_millis(100)));
            sleep(Duration::from_secs(60)).await;
        })
        .await;
    println!(
        "scope: expired {}, cancelled {}",
        scope.expired(),
        result.is_err()
    );
}

#[corio::main]
async fn main() {
    run().await;
}
