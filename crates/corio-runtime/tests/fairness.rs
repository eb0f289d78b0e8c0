//! Nobody starves: with tasks that are always ready, timers, sockets, other threads and other tasks come to their turns within a
//! bound that is stated.

mod support;

use std::cell::Cell;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use corio_combinators::{as_completed, gather, wait};
use corio_core::Task;
use corio_runtime::{EventLoop, create_task, get_running_loop, yield_now};

/// Steps between two looks at timers, sockets and the clock, at most, as the crate's front page says.
const MOST_STEPS: u64 = 1_024;
/// The batch that is running, and the one that the wake is queued for, with the few tasks of these tests.
const BATCHES: u64 = 32;

/// Two tasks that hand a turn to and fro for ever.
fn ping_pong() -> [Task<()>; 2] {
    [(); 2].map(|()| {
        create_task(async {
            loop {
                yield_now().await;
            }
        })
    })
}

/// Steps that the loop makes until the flag is set.
async fn steps_until(flag: &Cell<bool>) -> u64 {
    let event_loop = get_running_loop();
    let first = event_loop.scheduler().steps();
    while !flag.get() {
        yield_now().await;
        let steps = event_loop.scheduler().steps() - first;
        assert!(steps < 1_000_000, "it never comes");
    }
    event_loop.scheduler().steps() - first
}

fn run(program: impl Future<Output = ()>) {
    EventLoop::new()
        .unwrap()
        .run_until_complete(program)
        .unwrap();
}

/// R061
#[test]
fn a_timer_that_is_due_rings_within_the_bound() {
    run(async {
        let noise = ping_pong();
        // After many short steps the loop looks as rarely as it ever does.
        for _ in 0..20_000 {
            yield_now().await;
        }
        for _ in 0..20 {
            let rung = Rc::new(Cell::new(false));
            let ring = rung.clone();
            let start = std::time::Instant::now();
            get_running_loop().call_later(Duration::from_nanos(1), move || ring.set(true));
            while start.elapsed() < Duration::from_nanos(2) {}
            let steps = steps_until(&rung).await;
            assert!(steps <= MOST_STEPS + BATCHES, "{steps} steps");
        }
        for task in noise {
            task.abort();
        }
    });
}

#[test]
fn a_call_that_is_due_at_once_comes_in_the_next_turn() {
    run(async {
        let noise = ping_pong();
        for _ in 0..20_000 {
            yield_now().await;
        }
        let rung = Rc::new(Cell::new(false));
        let ring = rung.clone();
        get_running_loop().call_later(Duration::ZERO, move || ring.set(true));
        let steps = steps_until(&rung).await;
        assert!(steps <= BATCHES, "{steps} steps");
        let rung = Rc::new(Cell::new(false));
        let ring = rung.clone();
        let now = get_running_loop().time();
        get_running_loop().call_at(now, move || ring.set(true));
        let steps = steps_until(&rung).await;
        assert!(steps <= BATCHES, "{steps} steps");
        for task in noise {
            task.abort();
        }
    });
}

/// R061
#[cfg(unix)]
#[test]
fn a_socket_that_is_readable_is_seen_within_the_bound() {
    use corio_reactor::Direction;
    use std::io::{Read, Write};
    use std::os::unix::net::UnixStream;
    run(async {
        let noise = ping_pong();
        let (here, mut there) = UnixStream::pair().unwrap();
        here.set_nonblocking(true).unwrap();
        let reactor = get_running_loop().reactor().clone();
        let key = reactor.register(&here).unwrap();
        for _ in 0..20_000 {
            yield_now().await;
        }
        for _ in 0..20 {
            let seen = Rc::new(Cell::new(false));
            let reader = create_task({
                let (seen, reactor) = (seen.clone(), reactor.clone());
                let mut here = here.try_clone().unwrap();
                async move {
                    loop {
                        let ticket = reactor.ready(key, Direction::Read).await.unwrap();
                        if here.read(&mut [0; 8]).is_ok() {
                            return seen.set(true);
                        }
                        reactor.clear_ready(key, Direction::Read, ticket);
                    }
                }
            });
            yield_now().await;
            yield_now().await;
            there.write_all(b"x").unwrap();
            let steps = steps_until(&seen).await;
            assert!(steps <= MOST_STEPS + BATCHES, "{steps} steps");
            reader.await.unwrap();
        }
        for task in noise {
            task.abort();
        }
        reactor.deregister(key, &here).unwrap();
    });
}

/// R061
#[test]
fn a_message_from_another_thread_is_heard_within_the_bound() {
    run(async {
        let noise = ping_pong();
        let remote = get_running_loop().remote();
        for _ in 0..20_000 {
            yield_now().await;
        }
        let sent = Arc::new(AtomicBool::new(false));
        let heard = Arc::new(AtomicBool::new(false));
        let helper = std::thread::spawn({
            let (sent, heard) = (sent.clone(), heard.clone());
            move || {
                remote
                    .call_soon(move || heard.store(true, Ordering::SeqCst))
                    .unwrap();
                sent.store(true, Ordering::SeqCst);
            }
        });
        while !sent.load(Ordering::SeqCst) {
            yield_now().await;
        }
        let first = get_running_loop().scheduler().steps();
        while !heard.load(Ordering::SeqCst) {
            yield_now().await;
        }
        let steps = get_running_loop().scheduler().steps() - first;
        assert!(steps <= MOST_STEPS + BATCHES, "{steps} steps");
        helper.join().unwrap();
        for task in noise {
            task.abort();
        }
    });
}

#[test]
fn a_task_that_is_woken_comes_within_one_batch() {
    run(async {
        let noise: Vec<_> = (0..500).flat_map(|_| ping_pong()).collect();
        yield_now().await;
        for _ in 0..10 {
            let ran = Rc::new(Cell::new(false));
            let flag = ran.clone();
            let first = get_running_loop().scheduler().steps();
            let task = create_task(async move { flag.set(true) });
            task.await.unwrap();
            let steps = get_running_loop().scheduler().steps() - first;
            assert!(ran.get());
            assert!(
                steps <= 3 * 1_002,
                "{steps} steps for two batches of a thousand"
            );
        }
        for task in noise {
            task.abort();
        }
    });
}

/// R063
#[test]
fn many_members_that_are_ready_cost_one_step_each_and_let_others_in() {
    const MEMBERS: u64 = 100_000;
    run(async {
        let other = Rc::new(Cell::new(0u64));
        let witness = create_task({
            let other = other.clone();
            async move {
                loop {
                    other.set(other.get() + 1);
                    yield_now().await;
                }
            }
        });
        let steps = || get_running_loop().scheduler().steps();
        let first = steps();
        let values = gather((0..MEMBERS).map(|member| async move { member }))
            .await
            .unwrap();
        assert_eq!(values.iter().sum::<u64>(), MEMBERS * (MEMBERS - 1) / 2);
        assert!(steps() - first <= MEMBERS + 16, "{} steps", steps() - first);
        assert!(other.get() >= 2);

        let first = steps();
        let tasks: Vec<_> = (0..MEMBERS)
            .map(|member| create_task(async move { member }))
            .collect();
        let mut members = as_completed(tasks);
        let mut sum = 0;
        while let Some(task) = members.next().await {
            sum += task.into_result().unwrap();
        }
        assert_eq!(sum, MEMBERS * (MEMBERS - 1) / 2);
        assert!(steps() - first <= 4 * MEMBERS, "{} steps", steps() - first);
        witness.abort();
    });
}

/// R063
#[test]
fn many_members_that_wake_themselves_cost_what_they_do_and_no_more() {
    const MEMBERS: u64 = 10_000;
    run(async {
        let steps = || get_running_loop().scheduler().steps();
        let first = steps();
        let tasks: Vec<_> = (0..MEMBERS)
            .map(|_| {
                create_task(async {
                    for _ in 0..9 {
                        yield_now().await;
                    }
                })
            })
            .collect();
        let (done, pending) = wait(&tasks).await;
        assert_eq!((done.len() as u64, pending.len()), (MEMBERS, 0));
        assert!(
            steps() - first <= 10 * MEMBERS + 16,
            "{} steps",
            steps() - first
        );
    });
}

/// C114: a sleep of any length is one timer and two steps, however often the loop wakes for it.
#[test]
fn very_short_sleeps_do_not_keep_the_loop_busy() {
    let event_loop = EventLoop::new().unwrap();
    let first = event_loop.scheduler().steps();
    event_loop
        .run_until_complete(async {
            for exponent in 2..=9 {
                corio_runtime::sleep(Duration::from_secs_f64(10f64.powi(-exponent))).await;
            }
        })
        .unwrap();
    let steps = event_loop.scheduler().steps() - first;
    assert!(steps <= 20, "{steps} steps");
}
