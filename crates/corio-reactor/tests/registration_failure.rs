//! R035: a registration that the operating system refuses leaves nothing behind. One test in this file, because it
//! counts the descriptors of the whole process.
#![cfg(target_os = "linux")]

mod common;

use common::BACKENDS;
use corio_reactor::Reactor;
use std::fs::{self, File};
use std::os::unix::net::UnixStream;

fn descriptors() -> usize {
    fs::read_dir("/proc/self/fd")
        .expect("a list of descriptors")
        .count()
}

#[test]
fn refused_sources_and_dropped_reactors_leave_no_entry_and_no_descriptor() {
    let before_all = descriptors();
    for backend in BACKENDS {
        let reactor = Reactor::with_backend(backend).expect("a reactor");
        let notifier = reactor.notifier();
        let before = descriptors();
        for round in 0..100 {
            let file = File::open("/proc/self/exe").expect("a regular file");
            let error = reactor
                .register(&file)
                .expect_err("regular files cannot be watched");
            assert!(error.raw_os_error().is_some(), "{error:?}");
            assert!(reactor.is_empty());
            if round % 10 == 0 {
                let (ours, _peer) = UnixStream::pair().expect("a pair");
                let key = reactor
                    .register(&ours)
                    .expect("a good source after a bad one");
                assert_eq!(key.to_bits() as u32, 0, "the first place is still free");
                reactor.deregister(key, &ours).expect("deregistered");
            }
        }
        assert_eq!(descriptors(), before);
        for number in fs::read_dir("/proc/self/fdinfo").expect("facts about descriptors") {
            assert_closed_on_exec(&number.expect("an entry").path());
        }
        drop(reactor);
        // Still harmless, and the last thing to go.
        notifier.notify();
        drop(notifier);
        assert_eq!(descriptors(), before_all, "with {backend:?}");
    }
}

/// Children must not inherit what the reactor opened. The descriptors below 3 came from the parent.
fn assert_closed_on_exec(path: &std::path::Path) {
    let number: u32 = path
        .file_name()
        .and_then(|name| name.to_str()?.parse().ok())
        .expect("a number");
    let Ok(target) = fs::read_link(format!("/proc/self/fd/{number}")) else {
        return;
    };
    if number < 3 || !target.to_string_lossy().starts_with("anon_inode:") {
        return;
    }
    let facts = fs::read_to_string(path).expect("facts");
    let flags = facts
        .lines()
        .find_map(|line| line.strip_prefix("flags:"))
        .expect("flags");
    let flags = u32::from_str_radix(flags.trim(), 8).expect("an octal number");
    assert_ne!(flags & 0o2000000, 0, "{} is inherited", target.display());
}
