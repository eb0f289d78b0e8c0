//! A million tasks that sleep for 1 to 2,000 ms: the CPU time that one costs from spawn to end, and the memory.

use std::cell::Cell;
use std::time::{Duration, Instant};

use corio_benches::process::{Table, cpu_time, main as table, peak_resident, per_task, resident};
use corio_benches::{Handle, Runtime};

const TASKS: u64 = 1_000_000;
const LONGEST: u64 = 2_000;

fn main() {
    table::<Sleepers>();
}

struct Sleepers;

impl Table for Sleepers {
    const NAME: &'static str = "sleepers";
    const TITLE: &'static str = "1,000,000 tasks that sleep for 1 to 2,000 ms";
    const COLUMNS: &'static [&'static str] = &[
        "runtime",
        "CPU ns per task",
        "peak bytes per task",
        "took s",
    ];

    fn row<R: Runtime>() -> Vec<String> {
        let mut runtime = R::new();
        let handle = runtime.handle();
        let start = Instant::now();
        let cpu_before = cpu_time();
        let memory_before = resident();
        runtime.block_on(sleepers(&handle));
        let cpu = cpu_time().zip(cpu_before);
        let cpu = cpu.map(|(after, before)| (after - before).as_nanos() as u64);
        let memory = peak_resident().zip(memory_before);
        let memory = memory.map(|(peak, before)| peak - before);
        vec![
            per_task(cpu, TASKS),
            per_task(memory, TASKS),
            format!("{:.2}", start.elapsed().as_secs_f64()),
        ]
    }
}

async fn sleepers<H: Handle>(handle: &H) {
    LEFT.set(TASKS);
    for i in 0..TASKS {
        let duration = Duration::from_millis(1 + i % LONGEST);
        H::detach(handle.spawn(async move {
            H::sleep(duration).await;
            LEFT.set(LEFT.get() - 1);
        }));
    }
    // So seldom that it does not count.
    while LEFT.get() > 0 {
        H::sleep(Duration::from_millis(10)).await;
    }
}

thread_local! {
    static LEFT: Cell<u64> = const { Cell::new(0) };
}
