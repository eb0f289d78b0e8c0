//! A loop that looks for I/O for a while before it sleeps does all that one does that sleeps at once.

#![cfg(unix)]

use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::thread;
use std::time::{Duration, Instant};

use corio_runtime::{EventLoop, IoSource, create_task, get_running_loop, sleep};

/// So long that no test gets to the end of it.
const LONG: Duration = Duration::from_secs(3600);
/// So short that every wait gets there.
const SHORT: Duration = Duration::from_nanos(1);

fn busy(time: Duration) -> EventLoop {
    EventLoop::builder().busy_poll(time).build().unwrap()
}

#[test]
fn readiness_is_seen_while_the_loop_looks_and_after_it_has_slept() {
    for time in [LONG, SHORT] {
        let (near, mut far) = UnixStream::pair().unwrap();
        near.set_nonblocking(true).unwrap();
        let near = IoSource::new(near);
        let echo = thread::spawn(move || {
            let mut byte = [0];
            for _ in 0..100 {
                far.read_exact(&mut byte).unwrap();
                far.write_all(&[byte[0] + 1]).unwrap();
            }
        });
        let answers = async {
            for number in 0..100 {
                let mut byte = [number];
                near.write_io(|mut near| near.write(&byte)).await.unwrap();
                near.read_io(|mut near| near.read(&mut byte)).await.unwrap();
                assert_eq!(byte, [number + 1]);
            }
        };
        busy(time).run_until_complete(answers).unwrap();
        echo.join().unwrap();
    }
}

#[test]
fn timers_ring_in_their_order_and_never_early() {
    for time in [LONG, SHORT] {
        let order = busy(time)
            .run_until_complete(async {
                let begin = Instant::now();
                let slept = |millis| {
                    create_task(async move {
                        sleep(Duration::from_millis(millis)).await;
                        (millis, begin.elapsed() >= Duration::from_millis(millis))
                    })
                };
                let (late, early) = (slept(4), slept(2));
                let early = early.await.unwrap();
                assert!(!late.done() || begin.elapsed() >= Duration::from_millis(4));
                (early, late.await.unwrap())
            })
            .unwrap();
        assert_eq!(order, ((2, true), (4, true)));
    }
}

#[test]
fn what_another_thread_sends_is_done() {
    for time in [LONG, SHORT] {
        let event_loop = busy(time);
        let remote = event_loop.remote();
        let sender = thread::spawn(move || {
            remote
                .call_soon(|| get_running_loop().stop())
                .expect("the loop is open");
        });
        event_loop.run_forever().unwrap();
        sender.join().unwrap();
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_loop_that_is_busy_does_not_give_up_its_core() {
    const SLEEPS: u64 = 20;

    /// How often the thread has given up its core because it waits.
    fn given_up() -> u64 {
        let status = std::fs::read_to_string("/proc/thread-self/status").unwrap();
        let count = status
            .lines()
            .find_map(|line| line.strip_prefix("voluntary_ctxt_switches:"));
        count.unwrap().trim().parse().unwrap()
    }

    let given_up_by = |event_loop: EventLoop| {
        let before = given_up();
        event_loop
            .run_until_complete(async {
                for _ in 0..SLEEPS {
                    sleep(Duration::from_millis(1)).await;
                }
            })
            .unwrap();
        given_up() - before
    };
    // Under valgrind the threads of the process take turns at each call of the system.
    if std::env::var("LD_PRELOAD").is_ok_and(|list| list.contains("vgpreload")) {
        return;
    }
    // A thread that is held up may find its time come without a sleep, now and then.
    assert!(given_up_by(EventLoop::new().unwrap()) >= SLEEPS / 2);
    // Other threads of the process may hold it up now and then, but not each time.
    assert!(given_up_by(busy(LONG)) < SLEEPS / 2);
}
