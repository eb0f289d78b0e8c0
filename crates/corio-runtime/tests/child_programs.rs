//! What a program that is started while a loop runs inherits from it: nothing.

#![cfg(target_os = "linux")]

use std::os::unix::net::UnixStream;
use std::process::Command;
use std::time::Duration;

use corio_runtime::signal::SignalKind;
use corio_runtime::{get_running_loop, run, sleep, to_thread};

/// The descriptors of a program, as it finds them.
fn inherited() -> String {
    let listed = Command::new("ls").arg("/proc/self/fd").output().unwrap();
    assert!(listed.status.success(), "{listed:?}");
    String::from_utf8(listed.stdout).unwrap()
}

/// One test in this file: a test beside it could open descriptors between the two looks.
#[test]
fn a_program_inherits_no_descriptor_of_a_loop() {
    let before = inherited();
    let own = || std::fs::read_dir("/proc/self/fd").unwrap().count();
    let own_before = own();
    let meanwhile = run(async {
        let event_loop = get_running_loop();
        let (ours, _peer) = UnixStream::pair().unwrap();
        event_loop.add_reader(&ours, || ()).unwrap();
        event_loop
            .add_signal_handler(SignalKind::hangup(), || ())
            .unwrap();
        sleep(Duration::from_millis(1)).await;
        assert!(own() >= own_before + 4, "the loop has some of its own");
        let meanwhile = to_thread(inherited).await.unwrap();
        assert!(event_loop.remove_reader(&ours));
        meanwhile
    });
    assert_eq!(meanwhile, before);
}
