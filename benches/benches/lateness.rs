//! How late a sleep ends, on a loop that has nothing else to do.

use std::time::{Duration, Instant};

use corio_benches::process::{Table, main as table};
use corio_benches::{Handle, Runtime};

const SLEEPS: u64 = 600;

fn main() {
    table::<Lateness>();
}

struct Lateness;

impl Table for Lateness {
    const NAME: &'static str = "lateness";
    const TITLE: &'static str =
        "How late a sleep ends: 600 sleeps of 0.1 to 10 ms, one after the other";
    const COLUMNS: &'static [&'static str] = &["runtime", "p50 us", "p99 us", "worst us", "early"];

    fn row<R: Runtime>() -> Vec<String> {
        let mut runtime = R::new();
        let handle = runtime.handle();
        // Negative is early.
        let mut late: Vec<i128> = runtime.block_on(async {
            let sleeps = handle.spawn(sleeps::<R::Handle>());
            R::Handle::output(R::Handle::join(sleeps).await)
        });
        late.sort_unstable();
        let early = late.iter().filter(|&&late| late < 0).count();
        let shown = |per_cent: usize| {
            let at = (late.len() - 1) * per_cent / 100;
            format!("{:.0}", late[at] as f64 / 1e3)
        };
        vec![shown(50), shown(99), shown(100), early.to_string()]
    }
}

/// Nanoseconds between the deadline and the end of each sleep.
async fn sleeps<H: Handle>() -> Vec<i128> {
    let mut late = Vec::with_capacity(SLEEPS as usize);
    for duration in durations() {
        let start = Instant::now();
        H::sleep(duration).await;
        let took = start.elapsed();
        late.push(took.as_nanos() as i128 - duration.as_nanos() as i128);
    }
    late
}

/// Durations that share no grid with a clock or a wheel, in an order without a pattern, the same for every runtime.
fn durations() -> impl Iterator<Item = Duration> {
    let mut state: u64 = 1;
    (0..SLEEPS).map(move |_| {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        Duration::from_nanos(100_000 + (state >> 33) % 9_900_000)
    })
}
