//! One million coroutines asleep at once, on one thread: what they cost in memory, in processor time, and in lateness.
//!
//! Each of them has a moment of its own within two seconds to wake up at. The number of coroutines is the optional argument.

use std::cell::Cell;
use std::rc::Rc;
use std::time::{Duration, Instant};

use indicatif::{HumanCount, ProgressBar, ProgressStyle};

/// The moments to wake up at are spread over this time.
const NIGHT: Duration = Duration::from_millis(2000);

/// What the sleepers share: plain cells, since there is one thread.
struct Dormitory {
    asleep: Cell<usize>,
    awake: Cell<usize>,
    dawn: Cell<Instant>,
    latest: Cell<Duration>,
}

async fn sleeper(dormitory: Rc<Dormitory>, number: u64) {
    let alarm = dormitory.dawn.get() + moment(number);
    dormitory.asleep.set(dormitory.asleep.get() + 1);
    corio::sleep_until(alarm).await;
    dormitory.asleep.set(dormitory.asleep.get() - 1);
    dormitory.awake.set(dormitory.awake.get() + 1);
    let late = alarm.elapsed();
    dormitory.latest.set(dormitory.latest.get().max(late));
}

/// A whole number of milliseconds from 1 to 2,000: scattered, and the same in every run.
fn moment(number: u64) -> Duration {
    let scattered = number.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 32;
    Duration::from_millis(1 + scattered % NIGHT.as_millis() as u64)
}

pub(crate) async fn run(count: usize) {
    let before = usage::now();
    let start = Instant::now();
    let dormitory = Rc::new(Dormitory {
        asleep: Cell::new(0),
        awake: Cell::new(0),
        dawn: Cell::new(start),
        latest: Cell::new(Duration::ZERO),
    });
    for number in 0..count as u64 {
        // Nobody needs the handle: the loop owns the task.
        corio::create_task(sleeper(dormitory.clone(), number));
    }
    // They lie down as soon as this task waits. Nobody is to wake up before the last one sleeps.
    let created = start.elapsed();
    dormitory.dawn.set(Instant::now() + 2 * created);

    let style = ProgressStyle::with_template("{bar:50} {human_pos} awake").expect("a template");
    let bar = ProgressBar::new(count as u64).with_style(style);
    let mut most = 0;
    let mut memory = None;
    while dormitory.awake.get() < count {
        corio::sleep(Duration::from_millis(20)).await;
        bar.set_position(dormitory.awake.get() as u64);
        if dormitory.asleep.get() > most {
            most = dormitory.asleep.get();
            memory = usage::now().memory;
        }
    }
    bar.finish_and_clear();

    let now = usage::now();
    let each = memory.zip(before.memory).map(|(all, none)| {
        let bytes = all.saturating_sub(none) / most.max(1) as u64;
        format!("{bytes} bytes")
    });
    let cpu = now.cpu.zip(before.cpu).map(|(end, begin)| {
        let seconds = (end - begin).as_secs_f64();
        format!("{seconds:.2} s")
    });
    println!("Coroutines: {}", HumanCount(count as u64));
    println!("Asleep at once: {}", HumanCount(most as u64));
    println!("Memory of each: {}", known(each));
    println!("CPU time: {}", known(cpu));
    println!(
        "Latest wake-up: {} ms after its moment",
        dormitory.latest.get().as_millis()
    );
    println!("TIME: {:.1}", start.elapsed().as_secs_f64());
}

fn known(measured: Option<String>) -> String {
    measured.unwrap_or_else(|| "not known here".into())
}

/// What the process uses, as far as the system says it.
mod usage {
    use std::time::Duration;

    pub(crate) struct Usage {
        /// Bytes of memory that are in use now.
        pub(crate) memory: Option<u64>,
        /// Processor time since the process began.
        pub(crate) cpu: Option<Duration>,
    }

    pub(crate) fn now() -> Usage {
        Usage {
            memory: memory(),
            cpu: cpu(),
        }
    }

    fn memory() -> Option<u64> {
        // There on Linux, and nowhere else.
        let status = std::fs::read_to_string("/proc/self/status").ok()?;
        let line = status
            .lines()
            .find_map(|line| line.strip_prefix("VmRSS:"))?;
        let kilobytes: u64 = line.trim().strip_suffix(" kB")?.parse().ok()?;
        Some(kilobytes * 1024)
    }

    #[cfg(unix)]
    fn cpu() -> Option<Duration> {
        use rustix::time::{ClockId, clock_gettime};
        clock_gettime(ClockId::ProcessCPUTime).try_into().ok()
    }

    #[cfg(not(unix))]
    fn cpu() -> Option<Duration> {
        None
    }
}

#[corio::main]
async fn main() {
    let count = match std::env::args().nth(1) {
        Some(count) => count.parse().expect("the number of coroutines"),
        None => 1_000_000,
    };
    run(count).await;
}
