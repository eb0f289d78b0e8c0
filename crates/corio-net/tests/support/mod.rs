//! What the tests of sockets share: a run with a limit, pairs of connected streams, and places that nobody else has.

#![allow(
    dead_code,
    unreachable_pub,
    reason = "each test file uses its part of it"
)]

use std::fs;
use std::future::Future;
use std::hash::{BuildHasher, RandomState};
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::Duration;

use corio_combinators::timeout;
use corio_net::{TcpListener, TcpStream};
use corio_runtime::{Runner, RunnerBuilder, run_built};
use socket2::{Domain, Socket, Type};

/// What hangs is an error after this long. Machines are busy, and the tools that `cargo xtask sanitize` runs are slow.
pub const LIMIT: Duration = Duration::from_secs(if cfg!(corio_no_pool) { 300 } else { 120 });

/// Runs a test on a loop of its own.
#[track_caller]
pub fn run<T>(test: impl Future<Output = io::Result<T>>) -> T {
    match run_built(not_in_debug_mode(), timeout(LIMIT, test)) {
        Ok(Ok(value)) => value,
        Ok(Err(error)) => panic!("an operation failed: {error:?}"),
        Err(_) => panic!("the test hangs"),
    }
}

/// Whatever the environment says: debug mode tells of slow steps and takes memory.
fn not_in_debug_mode() -> RunnerBuilder {
    Runner::builder().debug(false)
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

/// An address of TCP that nobody listens at, and that nobody else gets meanwhile: a port that was given back may be anybody's next one.
pub struct Reserved {
    pub addr: SocketAddr,
    _socket: Socket,
}

impl Reserved {
    pub fn new() -> Reserved {
        Reserved::at((Ipv4Addr::LOCALHOST, 0).into()).expect("a port")
    }

    /// Whoever asks for it as well may have the address, unless somebody listens there.
    pub fn at(addr: SocketAddr) -> io::Result<Reserved> {
        let socket = Socket::new(Domain::for_address(addr), Type::STREAM, None)?;
        socket.set_reuse_address(true)?;
        socket.bind(&addr.into())?;
        let addr = socket.local_addr()?.as_socket().expect("an address of IP");
        Ok(Reserved {
            addr,
            _socket: socket,
        })
    }
}

/// A name that no other test has, of this run or of another one beside it.
pub fn own_name() -> String {
    format!("corio-{:016x}", RandomState::new().hash_one(()))
}

/// A folder for the time of a test.
pub struct Folder(PathBuf);

impl Folder {
    pub fn new() -> Folder {
        // The path of a socket has a hundred bytes, and a few.
        let temp = Some(std::env::temp_dir()).filter(|temp| temp.as_os_str().len() < 60);
        let path = temp.unwrap_or_else(|| "/tmp".into()).join(own_name());
        fs::create_dir(&path).expect("a new folder");
        Folder(path)
    }

    pub fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}
