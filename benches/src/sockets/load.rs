//! The program that asks: one thread over epoll, one request under way per connection.
//!
//! It makes its connections, asks for a while so that everything is warm, says `ready`, and waits for a line. Then it asks for as long
//! as it was told, waits for the answers that are out, and prints what it counted. It checks every answer.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{Ipv4Addr, SocketAddrV4, TcpStream};
use std::os::fd::OwnedFd;
use std::time::{Duration, Instant};

use rustix::buffer::spare_capacity;
use rustix::event::epoll::{self, CreateFlags, EventData, EventFlags};
use rustix::io::retry_on_intr;

use super::cores::{Core, settle};
use super::plan::{Kind, Load};

const WARM_UP: Duration = Duration::from_millis(150);
const GET: &[u8] = b"GET / HTTP/1.1\r\nhost: benchmark\r\n\r\n";
/// Connections that ended leave their addresses unusable for a while: this many times as many are to be had.
const ADDRESSES: u8 = 64;

/// What was counted.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Counted {
    /// How many requests were answered.
    pub requests: u64,
    /// From the first request to the last answer.
    pub seconds: f64,
    /// Half of the answers came within this, in microseconds.
    pub p50: f64,
    /// Of a hundred answers, all but one.
    pub p99: f64,
}

/// The life of the process that asks.
pub fn run(load: Load, port: u16, seconds: f64) {
    settle(Core::Load);
    let mut client = Client::new(load, port);
    client.ask_for(WARM_UP);
    client.took.clear();
    println!("ready");
    let mut line = String::new();
    io::stdin()
        .read_line(&mut line)
        .expect("the benchmark says go");
    let start = Instant::now();
    client.ask_for(Duration::from_secs_f64(seconds));
    println!("{}", client.counted(start.elapsed()).line());
}

impl Counted {
    fn line(&self) -> String {
        let Counted {
            requests,
            seconds,
            p50,
            p99,
        } = self;
        format!("{requests} {seconds} {p50} {p99}")
    }

    /// From the line that the process has printed.
    pub fn of_line(line: &str) -> Option<Counted> {
        let mut words = line.split_whitespace();
        Some(Counted {
            requests: words.next()?.parse().ok()?,
            seconds: words.next()?.parse().ok()?,
            p50: words.next()?.parse().ok()?,
            p99: words.next()?.parse().ok()?,
        })
    }
}

struct Client {
    load: Load,
    port: u16,
    epoll: OwnedFd,
    request: Vec<u8>,
    /// As long as an answer, for checking it.
    expected: Expected,
    connections: Vec<Connection>,
    buffer: Vec<u8>,
    /// How long each answer took, in nanoseconds.
    took: Vec<u32>,
    connected: u64,
}

enum Expected {
    /// The request itself.
    Echo,
    /// A page of this length, once it is known.
    Page(Option<usize>),
}

struct Connection {
    stream: TcpStream,
    sent: usize,
    received: usize,
    asked: Instant,
    waits_for_room: bool,
}

impl Client {
    fn new(load: Load, port: u16) -> Client {
        let (request, expected) = match load.kind {
            Kind::Echo | Kind::Churn => {
                let request = (0..load.bytes).map(|at| (at % 251) as u8).collect();
                (request, Expected::Echo)
            }
            Kind::Hello => (GET.to_vec(), Expected::Page(None)),
        };
        let mut client = Client {
            load,
            port,
            epoll: epoll::create(CreateFlags::CLOEXEC).expect("there is a descriptor"),
            request,
            expected,
            connections: Vec::new(),
            buffer: vec![0; 64 * 1024],
            took: Vec::with_capacity(1 << 20),
            connected: 0,
        };
        for place in 0..load.connections {
            let connection = client.connect(place);
            client.connections.push(connection);
        }
        client
    }

    fn connect(&mut self, place: usize) -> Connection {
        self.connected += 1;
        let host = (self.connected % u64::from(ADDRESSES)) as u8;
        let addr = SocketAddrV4::new(Ipv4Addr::new(127, 0, 0, host + 1), self.port);
        let asked = Instant::now();
        let stream = TcpStream::connect(addr).expect("the server listens");
        stream.set_nonblocking(true).expect("a socket can be so");
        stream.set_nodelay(true).expect("a connection can be so");
        let named = EventData::new_u64(place as u64);
        epoll::add(&self.epoll, &stream, named, EventFlags::IN).expect("it can be watched");
        Connection {
            stream,
            sent: 0,
            received: 0,
            asked,
            waits_for_room: false,
        }
    }

    /// Asks over all connections for a while, until no answer is out.
    fn ask_for(&mut self, time: Duration) {
        let end = Instant::now() + time;
        for place in 0..self.connections.len() {
            self.ask(place, Instant::now());
        }
        let mut out = self.connections.len();
        let mut events = Vec::with_capacity(1024);
        while out > 0 {
            events.clear();
            retry_on_intr(|| epoll::wait(&self.epoll, spare_capacity(&mut events), None))
                .expect("an epoll can be waited for");
            for event in &events {
                let place = event.data.u64() as usize;
                let flags = event.flags;
                if flags.contains(EventFlags::OUT) {
                    self.send(place);
                }
                if flags.contains(EventFlags::IN) && self.receive(place) {
                    let now = Instant::now();
                    let took = now - self.connections[place].asked;
                    self.took
                        .push(took.as_nanos().try_into().unwrap_or(u32::MAX));
                    if self.load.kind == Kind::Churn {
                        self.connections[place] = self.connect(place);
                    }
                    if now < end {
                        self.ask(place, now);
                    } else {
                        out -= 1;
                    }
                }
            }
        }
    }

    fn ask(&mut self, place: usize, now: Instant) {
        let connection = &mut self.connections[place];
        connection.sent = 0;
        connection.received = 0;
        if self.load.kind != Kind::Churn {
            connection.asked = now;
        }
        self.send(place);
    }

    fn send(&mut self, place: usize) {
        let connection = &mut self.connections[place];
        match (&connection.stream).write(&self.request[connection.sent..]) {
            Ok(sent) => connection.sent += sent,
            Err(error) if error.kind() == ErrorKind::WouldBlock => {}
            Err(error) => panic!("a request: {error}"),
        }
        let waits = connection.sent < self.request.len();
        if waits != connection.waits_for_room {
            connection.waits_for_room = waits;
            let out = if waits {
                EventFlags::OUT
            } else {
                EventFlags::empty()
            };
            let named = EventData::new_u64(place as u64);
            epoll::modify(&self.epoll, &connection.stream, named, EventFlags::IN | out)
                .expect("it is watched");
        }
    }

    /// Reads once. True: the answer is complete.
    fn receive(&mut self, place: usize) -> bool {
        let connection = &mut self.connections[place];
        let length = match (&connection.stream).read(&mut self.buffer) {
            Ok(0) => panic!("the server has closed a connection"),
            Ok(length) => length,
            Err(error) if error.kind() == ErrorKind::WouldBlock => return false,
            Err(error) => panic!("an answer: {error}"),
        };
        let received = &self.buffer[..length];
        let before = connection.received;
        connection.received += length;
        match &mut self.expected {
            Expected::Echo => {
                let expected = self.request.get(before..connection.received);
                assert_eq!(Some(received), expected, "not what was sent");
                connection.received == self.request.len()
            }
            Expected::Page(known) => {
                assert!(before > 0 || received.starts_with(b"HTTP/1.1 200 "));
                let expected = *known.get_or_insert_with(|| length_of_page(received));
                assert!(connection.received <= expected, "more than a page");
                connection.received == expected
            }
        }
    }

    fn counted(&mut self, time: Duration) -> Counted {
        self.took.sort_unstable();
        let took = |per_cent: usize| {
            let last = self.took.len().saturating_sub(1);
            let nanos = self.took.get(last * per_cent / 100);
            nanos.map_or(0.0, |&nanos| f64::from(nanos) / 1e3)
        };
        Counted {
            requests: self.took.len() as u64,
            seconds: time.as_secs_f64(),
            p50: took(50),
            p99: took(99),
        }
    }
}

/// How long a page is with its head: all answers of a server are alike. The head comes in one piece.
fn length_of_page(page: &[u8]) -> usize {
    let page = String::from_utf8_lossy(page);
    let (head, _) = page.split_once("\r\n\r\n").expect("a whole head");
    let length = head.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        let named = name.eq_ignore_ascii_case("content-length");
        named.then(|| value.trim().parse::<usize>().ok())?
    });
    head.len() + 4 + length.expect("the length of the body is told")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_length_of_a_page_is_that_of_head_and_body() {
        let page = b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc";
        assert_eq!(length_of_page(page), page.len());
    }

    #[test]
    fn what_was_counted_comes_over_as_a_line() {
        let counted = Counted {
            requests: 12,
            seconds: 0.5,
            p50: 1.25,
            p99: 3.0,
        };
        assert_eq!(Counted::of_line(&counted.line()), Some(counted));
        assert_eq!(Counted::of_line("12 0.5"), None);
    }
}
