//! R039: waits that are interrupted. A process that is stopped and continued is interrupted without any signal
//! handler, which is why this can be tested without one. One test in this file, since it stops the whole process.
#![cfg(target_os = "linux")]

mod common;

use common::{BACKENDS, PATIENCE};
use corio_reactor::Reactor;
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

const ROUNDS: u32 = 60;

/// Stops and continues this process many times, then tells that it is over.
fn storm(then: impl FnOnce() + Send + 'static) -> thread::JoinHandle<()> {
    let script = format!(
        "i=0; while [ $i -lt {ROUNDS} ]; do kill -STOP $0; kill -CONT $0; sleep 0.001; i=$((i+1)); done"
    );
    let mut child = Command::new("sh")
        .args(["-c", &script, &std::process::id().to_string()])
        .spawn()
        .expect("a shell");
    thread::spawn(move || {
        assert!(child.wait().expect("its end").success());
        then();
    })
}

#[test]
fn interrupted_waits_neither_fail_nor_forget_their_deadline() {
    for backend in BACKENDS {
        let reactor = Reactor::with_backend(backend).expect("a reactor");
        let notifier = reactor.notifier();
        let (over, is_over) = std::sync::mpsc::channel();
        let storm = storm(move || {
            over.send(()).expect("somebody listens");
            notifier.notify();
        });
        // All three kinds of wait meet the storm: for ever, a distant deadline, a near one.
        let timeouts = [None, Some(PATIENCE), Some(Duration::from_millis(5))];
        let mut returns = 0_usize;
        while is_over.try_recv().is_err() {
            let timeout = timeouts[returns % timeouts.len()];
            assert_eq!(
                reactor
                    .wait(timeout, || true)
                    .expect("an interruption is no error"),
                0
            );
            returns += 1;
        }
        storm.join().expect("no panic");

        let deadline = Instant::now() + Duration::from_millis(20);
        while Instant::now() < deadline {
            let left = deadline.saturating_duration_since(Instant::now());
            reactor.wait(Some(left), || true).expect("a wait");
        }
    }
}
