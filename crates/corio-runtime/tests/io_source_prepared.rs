//! `IoSource::prepared`: what a handle is good for whose preparation has failed.

#![cfg(unix)]

use std::cell::Cell;
use std::future::{Future, poll_fn};
use std::io::{self, ErrorKind, Write};
use std::os::unix::net::UnixStream;

use corio_runtime::{self as corio, IoSource, get_running_loop};

#[track_caller]
fn run<T>(test: impl Future<Output = io::Result<T>>) -> T {
    corio::run(test).expect("an operation failed")
}

fn reactor() -> String {
    format!("{:?}", get_running_loop().reactor())
}

#[test]
fn nothing_is_tried_on_a_handle_that_could_not_be_prepared() {
    let (ours, mut peer) = UnixStream::pair().unwrap();
    peer.write_all(b"it would not even block").unwrap();
    let tried = Cell::new(0);
    let op = |_: &UnixStream| {
        tried.set(tried.get() + 1);
        Ok(())
    };
    let source = IoSource::prepared(ours, Err(ErrorKind::PermissionDenied.into()));
    run(async {
        for _ in 0..2 {
            let results = [
                source.read_io(op).await,
                source.write_io(op).await,
                source.try_read_io(op),
                source.try_write_io(op),
                source.readable().await,
                source.writable().await,
                poll_fn(|cx| source.poll_read_io(cx, op)).await,
            ];
            for result in results {
                assert_eq!(result.unwrap_err().kind(), ErrorKind::PermissionDenied);
            }
        }
        assert!(!reactor().contains("sources: 1"), "{}", reactor());
        Ok(())
    });
    assert_eq!(tried.get(), 0);
    let prepared = IoSource::prepared(source.into_inner(), Ok(()));
    run(async { prepared.read_io(op).await });
    assert_eq!(tried.get(), 1);
}
