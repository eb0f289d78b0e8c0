//! Pipes tell of their end by an error or a hang-up alone, without being readable or writable.
#![cfg(target_os = "linux")]

mod common;

use common::{Probe, look, on_every_backend, wait_until};
use corio_reactor::{Direction, Reactor, SourceKey};
use rustix::fd::OwnedFd;
use rustix::io::{Errno, read, write};
use rustix::pipe::{PipeFlags, pipe_with};
use std::io;
use std::task::{Context, Poll, Waker};

fn pipe() -> (OwnedFd, OwnedFd) {
    pipe_with(PipeFlags::NONBLOCK | PipeFlags::CLOEXEC).expect("a pipe")
}

fn wait_for(reactor: &Reactor, key: SourceKey, direction: Direction, waker: &Waker) {
    let mut cx = Context::from_waker(waker);
    look(reactor);
    while let Poll::Ready(ticket) = reactor.poll_ready(key, direction, &mut cx) {
        reactor.clear_ready(key, direction, ticket.expect("a live source"));
    }
}

fn fill(end: &OwnedFd) {
    while write(end, &[0; 4096]).is_ok() {}
}

/// R044
#[test]
fn the_reader_learns_that_the_writer_is_gone() {
    on_every_backend(|reactor| {
        let (reading, writing) = pipe();
        let key = reactor.register(&reading).expect("registered");
        let (probe, waker) = Probe::new();
        wait_for(reactor, key, Direction::Read, &waker);
        drop(writing);
        wait_until(reactor, || probe.wakes() > 0);
        let mut cx = Context::from_waker(&waker);
        let mut end = || Ok(read(&reading, &mut [0; 8])?);
        let end = reactor.try_io(key, Direction::Read, &mut end, &mut cx);
        assert!(matches!(end, Poll::Ready(Ok(0))), "{end:?}");
    });
}

/// R044: a full pipe is not writable, not even when writing has become pointless.
#[test]
fn the_writer_of_a_full_pipe_learns_that_the_reader_is_gone() {
    on_every_backend(|reactor| {
        let (reading, writing) = pipe();
        let key = reactor.register(&writing).expect("registered");
        fill(&writing);
        let (probe, waker) = Probe::new();
        wait_for(reactor, key, Direction::Write, &waker);
        drop(reading);
        wait_until(reactor, || probe.wakes() > 0);
        let mut cx = Context::from_waker(&waker);
        let mut attempt = || Ok(write(&writing, b"x")?);
        let broken = reactor.try_io(key, Direction::Write, &mut attempt, &mut cx);
        let Poll::Ready(Err(error)) = broken else {
            panic!("{broken:?}")
        };
        assert_eq!(error.kind(), io::ErrorKind::BrokenPipe);
    });
}

#[test]
fn a_full_pipe_becomes_writable_when_it_is_read() {
    on_every_backend(|reactor| {
        let (reading, writing) = pipe();
        let key = reactor.register(&writing).expect("registered");
        fill(&writing);
        let (probe, waker) = Probe::new();
        wait_for(reactor, key, Direction::Write, &waker);
        loop {
            match read(&reading, &mut [0; 4096]) {
                Ok(_) => {}
                Err(Errno::AGAIN) => break,
                Err(error) => panic!("{error}"),
            }
        }
        wait_until(reactor, || probe.wakes() > 0);
        let mut cx = Context::from_waker(&waker);
        let mut attempt = || Ok(write(&writing, b"x")?);
        let written = reactor.try_io(key, Direction::Write, &mut attempt, &mut cx);
        assert!(matches!(written, Poll::Ready(Ok(1))), "{written:?}");
    });
}
