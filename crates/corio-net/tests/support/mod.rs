//! What the tests of sockets share: a run with a limit, and pairs of connected streams.

#![allow(
    dead_code,
    unreachable_pub,
    reason = "each test file uses its part of it"
)]

use std::future::Future;
use std::io;
use std::time::Duration;

use corio_combinators::timeout;
use corio_net::{TcpListener, TcpStream};

/// What hangs is an error after this long. The tools that `cargo xtask sanitize` runs are slow.
pub const LIMIT: Duration = Duration::from_secs(if cfg!(corio_no_pool) { 300 } else { 20 });

/// Runs a test on a loop of its own.
#[track_caller]
pub fn run<T>(test: impl Future<Output = io::Result<T>>) -> T {
    match corio_runtime::run(timeout(LIMIT, test)) {
        Ok(Ok(value)) => value,
        Ok(Err(error)) => panic!("an operation failed: {error:?}"),
        Err(_) => panic!("the test hangs"),
    }
}

/// Two ends of one connection.
pub async fn tcp_pair() -> io::Result<(TcpStream, TcpStream)> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let client = TcpStream::connect(listener.local_addr()?).await?;
    let (server, peer) = listener.accept().await?;
    assert_eq!(peer, client.local_addr()?);
    Ok((client, server))
}

/// The debug line of the reactor of the running loop: how many sources it has, and how many wait for them.
pub fn reactor() -> String {
    format!("{:?}", corio_runtime::get_running_loop().reactor())
}

/// Bytes that tell where they are.
pub fn pattern(length: usize) -> Vec<u8> {
    (0..length).map(|at| (at % 251) as u8).collect()
}
