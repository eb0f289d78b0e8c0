//! No runtime: a loop over epoll, level-triggered, with a table of connections.
//!
//! What it does not do a program would have to do by hand: timers, tasks, more than one protocol. So it is the least that serving
//! can cost.

use std::io::{ErrorKind, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::fd::{AsFd, OwnedFd};

use rustix::buffer::spare_capacity;
use rustix::event::epoll::{self, CreateFlags, EventData, EventFlags};
use rustix::io::retry_on_intr;

/// What a page is answered with, unless somebody changes its length; it is as long as what hyper sends.
const PAGE: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-length: 13\r\n\
    date: Thu, 01 Jan 1970 00:00:00 GMT\r\n\r\nHello, world!";
/// Names the listener among the events; connections are named by their place in the table.
const LISTENER: u64 = u64::MAX;

pub(super) fn echo(listener: TcpListener, buffer: usize) {
    serve(&listener, buffer, |request| request);
}

/// A page for whatever comes: nothing is parsed.
pub(super) fn hello(listener: TcpListener) {
    serve(&listener, 4096, |_| PAGE);
}

fn serve(listener: &TcpListener, buffer: usize, answer: impl Fn(&[u8]) -> &[u8]) {
    let epoll = epoll::create(CreateFlags::CLOEXEC).expect("there is a descriptor");
    let named = EventData::new_u64(LISTENER);
    epoll::add(&epoll, listener, named, EventFlags::IN).expect("a listener can be watched");
    let mut server = Server {
        epoll,
        connections: Vec::new(),
        free: Vec::new(),
        buffer: vec![0; buffer],
    };
    let mut events = Vec::with_capacity(1024);
    loop {
        events.clear();
        retry_on_intr(|| epoll::wait(&server.epoll, spare_capacity(&mut events), None))
            .expect("an epoll can be waited for");
        for event in &events {
            match event.data.u64() {
                LISTENER => server.accept(listener),
                place => server.go_on(place as usize, event.flags, &answer),
            }
        }
    }
}

struct Server {
    epoll: OwnedFd,
    connections: Vec<Option<Connection>>,
    free: Vec<usize>,
    buffer: Vec<u8>,
}

struct Connection {
    stream: TcpStream,
    /// What there was no room for; while there is any, nothing is read.
    unsent: Vec<u8>,
}

impl Server {
    fn accept(&mut self, listener: &TcpListener) {
        use rustix::net::{SocketFlags, accept_with};

        while let Ok(socket) = accept_with(listener, SocketFlags::NONBLOCK | SocketFlags::CLOEXEC) {
            let place = self.free.pop().unwrap_or_else(|| {
                self.connections.push(None);
                self.connections.len() - 1
            });
            self.watch(&socket, place);
            self.connections[place] = Some(Connection {
                stream: socket.into(),
                unsent: Vec::new(),
            });
        }
    }

    fn watch(&self, socket: &impl AsFd, place: usize) {
        let named = EventData::new_u64(place as u64);
        epoll::add(&self.epoll, socket, named, EventFlags::IN).expect("a socket can be watched");
    }

    fn go_on(&mut self, place: usize, flags: EventFlags, answer: impl Fn(&[u8]) -> &[u8]) {
        let connection = self.connections[place].as_mut().expect("it is watched");
        let goes_on = if flags.contains(EventFlags::OUT) {
            connection.send_rest(&self.epoll, place)
        } else {
            connection.serve(&self.epoll, place, &mut self.buffer, answer)
        };
        if !goes_on {
            // Closing it ends the watch.
            self.connections[place] = None;
            self.free.push(place);
        }
    }
}

impl Connection {
    /// Reads once and answers. False: the connection has ended.
    fn serve(
        &mut self,
        epoll: &OwnedFd,
        place: usize,
        buffer: &mut [u8],
        answer: impl Fn(&[u8]) -> &[u8],
    ) -> bool {
        let length = match (&self.stream).read(buffer) {
            Ok(0) => return false,
            Ok(length) => length,
            Err(error) => return error.kind() == ErrorKind::WouldBlock,
        };
        let answer = answer(&buffer[..length]);
        let sent = match (&self.stream).write(answer) {
            Ok(sent) => sent,
            Err(error) if error.kind() == ErrorKind::WouldBlock => 0,
            Err(_) => return false,
        };
        if sent < answer.len() {
            self.unsent.extend_from_slice(&answer[sent..]);
            self.wait_for(epoll, place, EventFlags::OUT);
        }
        true
    }

    fn send_rest(&mut self, epoll: &OwnedFd, place: usize) -> bool {
        match (&self.stream).write(&self.unsent) {
            Ok(sent) => drop(self.unsent.drain(..sent)),
            Err(error) => return error.kind() == ErrorKind::WouldBlock,
        }
        if self.unsent.is_empty() {
            self.wait_for(epoll, place, EventFlags::IN);
        }
        true
    }

    fn wait_for(&self, epoll: &OwnedFd, place: usize, what: EventFlags) {
        let named = EventData::new_u64(place as u64);
        epoll::modify(epoll, &self.stream, named, what).expect("it is watched");
    }
}
