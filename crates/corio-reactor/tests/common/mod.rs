//! What the tests share: every promise is checked on every way to wait.
#![allow(dead_code)]

use corio_reactor::{Backend, Reactor};
use std::io::{self, Read, Write};
use std::net::{TcpListener, TcpStream};
#[cfg(unix)]
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Wake, Waker};
use std::time::Duration;

pub(crate) const BACKENDS: [Backend; 3] = [Backend::Fastest, Backend::Portable, Backend::OneShot];

/// Long enough never to be reached unless the test fails; it only keeps a failure from hanging.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

pub(crate) fn on_every_backend(mut test: impl FnMut(&Reactor)) {
    for backend in BACKENDS {
        println!("with {backend:?}");
        test(&Reactor::with_backend(backend).expect("a reactor"));
    }
}

/// Waits until `done`, and fails if nothing happens for a very long time.
pub(crate) fn wait_until(reactor: &Reactor, mut done: impl FnMut() -> bool) {
    for _ in 0..1000 {
        if done() {
            return;
        }
        reactor.wait(Some(PATIENCE), || true).expect("a wait");
    }
    panic!("what was waited for did not happen");
}

/// Collects what has already happened, without sleeping.
pub(crate) fn look(reactor: &Reactor) -> usize {
    reactor
        .wait(Some(Duration::ZERO), || {
            unreachable!("asked although it must not sleep")
        })
        .expect("a look")
}

/// Counts how often it is woken.
#[derive(Default)]
pub(crate) struct Probe(AtomicUsize);

impl Probe {
    pub(crate) fn new() -> (Arc<Probe>, Waker) {
        let probe = Arc::new(Probe::default());
        (probe.clone(), probe.into())
    }

    pub(crate) fn wakes(&self) -> usize {
        self.0.load(Ordering::SeqCst)
    }
}

impl Wake for Probe {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

/// Two connected sockets: the first non-blocking, for the reactor, the second blocking, for the test.
pub(crate) fn tcp_pair() -> (TcpStream, TcpStream) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let peer =
        TcpStream::connect(listener.local_addr().expect("an address")).expect("a connection");
    let (ours, _) = listener.accept().expect("the connection");
    ours.set_nonblocking(true).expect("non-blocking mode");
    ours.set_nodelay(true).expect("no delay");
    peer.set_nodelay(true).expect("no delay");
    (ours, peer)
}

/// Two connected streams of which the first can take no more: what one side has written waits at the other, so nothing
/// moves until the second reads.
#[cfg(unix)]
pub(crate) fn full_pair() -> (UnixStream, UnixStream, usize) {
    let (ours, peer) = UnixStream::pair().expect("a pair");
    ours.set_nonblocking(true).expect("non-blocking mode");
    let length = fill(&ours);
    (ours, peer, length)
}

/// Writes until the stream takes no more. Returns how much it took.
pub(crate) fn fill(mut stream: impl Write) -> usize {
    let chunk = vec![7; 64 * 1024];
    let mut written = 0;
    loop {
        match stream.write(&chunk) {
            Ok(n) => written += n,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return written,
            Err(error) => panic!("cannot fill: {error}"),
        }
    }
}

/// Reads exactly this much, and throws it away.
pub(crate) fn drain(mut stream: impl Read, length: usize) {
    let mut buffer = vec![0; 64 * 1024];
    let mut left = length;
    while left > 0 {
        let part = left.min(buffer.len());
        left -= stream
            .read(&mut buffer[..part])
            .expect("the rest of what was sent");
    }
}
