//! Many connections at a time for a while: slow readers, resets, half-closes and cancellations. No byte is lost, memory stays within
//! bounds, all descriptors come back, and a loop with idle connections sleeps.
//!
//! Short unless told otherwise: `CORIO_SOAK_SECONDS=60 CORIO_SOAK_CONNECTIONS=5000` is the long form. Both ends are in this one
//! process, so a connection takes two descriptors, and there are no more connections than the limit allows.

#![cfg(target_os = "linux")]

use std::cell::Cell;
use std::fs;
use std::hash::{DefaultHasher, Hasher};
use std::io;
use std::net::{Ipv4Addr, Shutdown, SocketAddr};
use std::rc::Rc;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use corio_combinators::{gather, timeout};
use corio_net::{
    Server, StreamReader, StreamWriter, TcpConnector, TcpStream, open_connection, start_server,
};
use corio_runtime::{create_task, run, sleep, yield_now};
use futures_lite::future::try_zip;
use rustix::process::{Resource, Rlimit};

/// Marks of the writers under test, in bytes.
const HIGH: usize = 16 * 1024;
const LOW: usize = 4 * 1024;
/// What one `write` adds at most.
const PIECE: usize = 8 * 1024;
/// What the buffers of one connection, its tasks and the allocator's waste may come to, on both ends together.
const BYTES_PER_CONNECTION: u64 = 256 * 1024;

#[test]
fn connections_in_all_moods_lose_nothing_and_leave_nothing_behind() {
    let _alone = one_at_a_time();
    let connections = allow_descriptors(from_environment("CORIO_SOAK_CONNECTIONS", 500));
    let time = Duration::from_secs(from_environment("CORIO_SOAK_SECONDS", 3) as u64);
    // What the process keeps for good, such as the pipe of signals, is there after a first run.
    run(soak(10, Duration::from_millis(10))).unwrap();
    let descriptors = open_descriptors();
    let memory = status("VmRSS:");

    let counts = run(soak(connections, time)).unwrap();

    let grown = status("VmHWM:").saturating_sub(memory);
    println!("{connections} connections, {time:?}: {counts:?}");
    println!("at most {grown} bytes more memory");
    // The tools that `cargo xtask sanitize` runs keep what was freed for a while.
    assert!(
        cfg!(corio_no_pool) || grown <= connections as u64 * BYTES_PER_CONNECTION + (16 << 20),
        "{connections} connections took {grown} bytes"
    );
    assert_eq!(open_descriptors(), descriptors);
    let Counts {
        echoed,
        half_closed,
        reset,
        cancelled,
        ..
    } = counts;
    assert!(echoed.get() > 0 && half_closed.get() > 0 && reset.get() > 0 && cancelled.get() > 0);
}

/// How often what has happened, and how many bytes came back.
#[derive(Debug, Default)]
struct Counts {
    echoed: Cell<u64>,
    half_closed: Cell<u64>,
    reset: Cell<u64>,
    cancelled: Cell<u64>,
    bytes: Cell<u64>,
    /// How often the thread has slept in the silence at the end.
    sleeps: Cell<u64>,
}

fn add(to: &Cell<u64>, count: u64) {
    to.set(to.get() + count);
}

async fn soak(connections: usize, time: Duration) -> io::Result<Counts> {
    let counts = Rc::new(Counts::default());
    let server = start_server(echo, (Ipv4Addr::LOCALHOST, 0))
        .backlog(4096)
        .await?;
    let addr = server.local_addrs()[0];
    let end = Instant::now() + time;
    let clients = (0..connections).map(|number| client(number, addr, end, counts.clone()));
    let results = gather(clients).await.expect("no client panics");
    results.into_iter().collect::<io::Result<()>>()?;

    let idle = idle_connections(&server, connections.min(200)).await?;
    // Ends of earlier connections may still be on their way.
    while server.connections() > idle.len() {
        sleep(Duration::from_millis(1)).await;
    }
    counts.sleeps.set(sleeps_in_silence().await);
    drop(idle);
    server.close();
    server.wait_closed().await;
    Ok(Rc::try_unwrap(counts).expect("all clients have ended"))
}

/// Peers that reset their connection do what they are here for.
async fn echo(reader: StreamReader, writer: StreamWriter) -> io::Result<()> {
    match echo_to_the_end(reader, writer).await {
        Err(error) if is_reset(&error) => Ok(()),
        result => result,
    }
}

fn is_reset(error: &io::Error) -> bool {
    use io::ErrorKind::{BrokenPipe, ConnectionReset};
    matches!(error.kind(), BrokenPipe | ConnectionReset)
}

async fn echo_to_the_end(mut reader: StreamReader, writer: StreamWriter) -> io::Result<()> {
    writer.set_write_buffer_limits(Some(HIGH), Some(LOW));
    loop {
        let bytes = reader.read(PIECE).await?;
        if bytes.is_empty() {
            return Ok(());
        }
        writer.write(&bytes);
        assert!(writer.write_buffer_size() <= HIGH + PIECE);
        writer.drain().await?;
        assert!(writer.write_buffer_size() <= HIGH);
    }
}

/// One connection after the other, in moods by the dice.
async fn client(
    number: usize,
    addr: SocketAddr,
    end: Instant,
    counts: Rc<Counts>,
) -> io::Result<()> {
    let dice = Rc::new(Dice(Cell::new(number as u64 + 1)));
    loop {
        let length = 1 + dice.below(200_000);
        match dice.below(4) {
            0 => {
                let (came, sum) = echoed(addr, length, &dice, false).await?;
                assert_eq!((came, sum), (length, checksum_of_pattern(length)));
                add(&counts.echoed, 1);
                add(&counts.bytes, came as u64);
            }
            1 => {
                let (came, sum) = echoed(addr, length, &dice, true).await?;
                assert_eq!((came, sum), (length, checksum_of_pattern(length)));
                add(&counts.half_closed, 1);
                add(&counts.bytes, came as u64);
            }
            2 => {
                reset(addr, length, &dice).await?;
                add(&counts.reset, 1);
            }
            _ => {
                let dice = dice.clone();
                let limit = Duration::from_micros(dice.below(5_000) as u64);
                let task = create_task(async move { echoed(addr, length, &dice, true).await });
                sleep(limit).await;
                task.cancel();
                match task.await {
                    Ok(result) => {
                        assert_eq!(result?, (length, checksum_of_pattern(length)));
                    }
                    Err(error) => assert!(error.is_cancelled(), "{error}"),
                }
                add(&counts.cancelled, 1);
            }
        }
        // Behind the first one, so that there are some of each kind however late it is.
        if Instant::now() >= end {
            return Ok(());
        }
    }
}

/// Sends that many bytes and reads them back at the same time, now and then slowly. Says how many came, and their checksum.
async fn echoed(
    addr: SocketAddr,
    length: usize,
    dice: &Dice,
    half_close: bool,
) -> io::Result<(usize, u64)> {
    let (mut reader, writer) = open_connection(addr).await?;
    writer.set_write_buffer_limits(Some(HIGH), Some(LOW));
    let slow = dice.below(8) == 0;
    let receive = async {
        let mut came = 0;
        let mut sum = DefaultHasher::new();
        while came < length || half_close {
            let bytes = reader.read(1 + dice.below(PIECE)).await?;
            if bytes.is_empty() {
                break;
            }
            came += bytes.len();
            sum.write(&bytes);
            if slow && dice.below(4) == 0 {
                sleep(Duration::from_millis(1)).await;
            }
        }
        Ok((came, sum.finish()))
    };
    let (_, came) = try_zip(send(&writer, length, dice, half_close), receive).await?;
    writer.close();
    writer.wait_closed().await?;
    Ok(came)
}

async fn send(
    writer: &StreamWriter,
    length: usize,
    dice: &Dice,
    half_close: bool,
) -> io::Result<()> {
    let mut sent = 0;
    while sent < length {
        let piece = (1 + dice.below(PIECE)).min(length - sent);
        let bytes: Vec<u8> = (sent..sent + piece).map(byte_at).collect();
        writer.write(&bytes);
        writer.drain().await?;
        sent += piece;
    }
    if half_close {
        writer.write_eof();
    }
    Ok(())
}

/// Sends something, and ends the connection without a word, with bytes on their way in both directions.
async fn reset(addr: SocketAddr, length: usize, dice: &Dice) -> io::Result<()> {
    let stream = TcpStream::connect(addr).await?;
    stream.set_linger(Some(Duration::ZERO))?;
    stream.write(&vec![1; length.min(PIECE)]).await?;
    match dice.below(3) {
        0 => stream.shutdown(Shutdown::Write)?,
        1 => drop(stream.read(&mut [0; 16]).await?),
        _ => yield_now().await,
    }
    Ok(())
}

/// Connections that the server has accepted, and on which nothing happens.
async fn idle_connections(server: &Server, count: usize) -> io::Result<Vec<TcpStream>> {
    let mut idle = Vec::new();
    for _ in 0..count {
        let stream = TcpStream::connect(server.local_addrs()).await?;
        let mut byte = [0];
        stream.write(b"x").await?;
        assert_eq!(stream.read(&mut byte).await?, 1);
        idle.push(stream);
    }
    Ok(idle)
}

/// How often the thread falls asleep in a second in which nothing happens: a loop that turns in circles does so never, however busy
/// the machine is, and one that is woken again and again does so often.
async fn sleeps_in_silence() -> u64 {
    let mut sleeps = 0;
    // One that is held up for the whole second may find it over before it sleeps.
    for _ in 0..5 {
        let before = times_asleep();
        sleep(Duration::from_secs(1)).await;
        sleeps = times_asleep() - before;
        // What the tools of `cargo xtask sanitize` do says nothing.
        if cfg!(corio_no_pool) || (1..=20).contains(&sleeps) {
            return sleeps;
        }
    }
    panic!("in an idle second the thread slept {sleeps} times");
}

/// R099, for as many connections as there are descriptors for: peers that read nothing hold their writers up, and none keeps more
/// than its high-water mark and one piece.
#[test]
fn many_peers_that_do_not_read_hold_their_writers_up_within_the_marks() {
    let _alone = one_at_a_time();
    let connections = allow_descriptors(from_environment("CORIO_SOAK_CONNECTIONS", 200));
    let most = run(async move {
        let held = Rc::new(Held::default());
        let writing = held.clone();
        // Accepted sockets have the options of the listener. Otherwise megabytes of each connection go to the system.
        let listener = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        rustix::net::sockopt::set_socket_send_buffer_size(&listener, 16 * 1024)?;
        rustix::net::listen(&listener, 4096)?;
        let server = start_server(
            async move |_reader: StreamReader, writer: StreamWriter| match write_without_end(
                &writer, &writing,
            )
            .await
            {
                Err(error) if is_reset(&error) => Ok(()),
                result => result,
            },
            listener,
        )
        .await?;
        let mut peers = Vec::new();
        for _ in 0..connections {
            let connector = TcpConnector::new().receive_buffer_size(32 * 1024);
            peers.push(connector.connect(server.local_addrs()).await?);
        }
        while held.up.get() < connections {
            sleep(Duration::from_millis(1)).await;
        }
        // One goes on when its peer reads what it and the system have kept.
        held.watched.set(Some(peers[0].local_addr()?));
        let mut buffer = vec![0; PIECE];
        let goes_on = async {
            while held.pieces.get() == 0 {
                assert!(peers[0].read(&mut buffer).await? > 0);
            }
            io::Result::Ok(())
        };
        timeout(Duration::from_secs(120), goes_on)
            .await
            .expect("a writer goes on once there is room")?;
        drop(peers);
        server.close();
        server.wait_closed().await;
        io::Result::Ok(held.most.get())
    })
    .unwrap();
    assert!(most > HIGH, "the mark was never reached: {most}");
    assert!(most <= HIGH + PIECE, "{most} bytes in a buffer");
}

/// What writers tell that are held up.
#[derive(Debug, Default)]
struct Held {
    /// How many have been held up.
    up: Cell<usize>,
    /// The peer of one of them, and how many pieces that one has written since it is watched.
    watched: Cell<Option<SocketAddr>>,
    pieces: Cell<u64>,
    /// The most bytes that the buffer of one had.
    most: Cell<usize>,
}

async fn write_without_end(writer: &StreamWriter, held: &Held) -> io::Result<()> {
    writer.set_write_buffer_limits(Some(HIGH), Some(LOW));
    let peer = writer.peer_addr();
    let mut was_held_up = false;
    loop {
        writer.write(&[7; PIECE]);
        let kept = writer.write_buffer_size();
        held.most.set(held.most.get().max(kept));
        if peer == held.watched.get() {
            add(&held.pieces, 1);
        }
        if kept > HIGH && !was_held_up {
            was_held_up = true;
            held.up.set(held.up.get() + 1);
        }
        writer.drain().await?;
    }
}

/// A generator of numbers that are as good as random, the same in every run.
struct Dice(Cell<u64>);

impl Dice {
    fn below(&self, bound: usize) -> usize {
        let next = self
            .0
            .get()
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        self.0.set(next);
        (next >> 33) as usize % bound
    }
}

/// What is sent tells where it is.
fn byte_at(at: usize) -> u8 {
    (at % 251) as u8
}

fn checksum_of_pattern(length: usize) -> u64 {
    let mut sum = DefaultHasher::new();
    for at in 0..length {
        sum.write_u8(byte_at(at));
    }
    sum.finish()
}

/// The tests count what belongs to the whole process.
fn one_at_a_time() -> MutexGuard<'static, ()> {
    static ONE: Mutex<()> = Mutex::new(());
    ONE.lock().unwrap_or_else(PoisonError::into_inner)
}

fn from_environment(name: &str, otherwise: usize) -> usize {
    std::env::var(name).map_or(otherwise, |value| value.parse().expect("a number"))
}

/// Raises the limit of descriptors as far as it goes, and says how many of the connections it is enough for.
fn allow_descriptors(connections: usize) -> usize {
    const OTHERS: u64 = 100;
    let limit = rustix::process::getrlimit(Resource::Nofile);
    let raised = Rlimit {
        current: limit.maximum,
        maximum: limit.maximum,
    };
    let _ = rustix::process::setrlimit(Resource::Nofile, raised);
    let limit = rustix::process::getrlimit(Resource::Nofile).current;
    let enough = limit.map_or(u64::MAX, |limit| limit.saturating_sub(OTHERS) / 2);
    connections.min(usize::try_from(enough).unwrap_or(usize::MAX))
}

fn open_descriptors() -> usize {
    fs::read_dir("/proc/self/fd").unwrap().count()
}

/// A field of the system's account of this process, in bytes.
fn status(field: &str) -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix(field));
    let kilobytes = line.unwrap().split_whitespace().next().unwrap();
    kilobytes.parse::<u64>().unwrap() * 1024
}

/// How often this thread has given up its core because it waits.
fn times_asleep() -> u64 {
    let status = fs::read_to_string("/proc/thread-self/status").unwrap();
    let count = status
        .lines()
        .find_map(|line| line.strip_prefix("voluntary_ctxt_switches:"));
    count.unwrap().trim().parse().unwrap()
}
