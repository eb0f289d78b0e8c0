//! Ctrl-C, pressed by the tour itself.

use std::time::Duration;

/// The process gets a SIGINT after this long. `false` where there is no such thing.
#[cfg(unix)]
pub(crate) fn after(delay: Duration) -> bool {
    use std::thread;

    use rustix::process::{Signal, getpid, kill_process};

    thread::spawn(move || {
        thread::sleep(delay);
        kill_process(getpid(), Signal::INT).expect("a process may interrupt itself");
    });
    true
}

#[cfg(not(unix))]
pub(crate) fn after(_: Duration) -> bool {
    false
}
