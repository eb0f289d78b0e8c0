//! A chat: everybody hears what anybody says, and who is too slow to hear it is dropped.
//!
//! With an address it serves until Ctrl-C, for `nc 127.0.0.1 8000` and the like; without one three guests of its own talk.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::io;
use std::rc::Rc;
use std::time::Duration;

use corio::net::{Server, StreamReader, StreamWriter, open_connection, start_server};

/// The guests by their nicknames.
#[derive(Clone, Default)]
struct Room {
    guests: Rc<RefCell<BTreeMap<String, Rc<StreamWriter>>>>,
}

/// Who has this much to read has stopped reading.
const PATIENCE: usize = 1024 * 1024;

impl Room {
    fn enter(&self, name: &str, writer: &Rc<StreamWriter>) -> bool {
        let mut guests = self.guests.borrow_mut();
        let free = !guests.contains_key(name);
        if free {
            guests.insert(name.to_owned(), writer.clone());
        }
        free
    }

    fn say(&self, line: &str) {
        for guest in self.guests.borrow().values() {
            guest.write(format!("{line}\n").as_bytes());
            if guest.write_buffer_size() > PATIENCE {
                // Its reader comes to its end, and with it the guest leaves.
                guest.abort();
            }
        }
    }
}

/// Leaves the room, whatever has ended the visit: the end of the connection, an error, a cancellation.
struct Visit<'a> {
    room: &'a Room,
    name: String,
}

impl Drop for Visit<'_> {
    fn drop(&mut self) {
        self.room.guests.borrow_mut().remove(&self.name);
        self.room.say(&format!("* {} has left", self.name));
    }
}

async fn welcome(room: &Room, mut reader: StreamReader, writer: StreamWriter) -> io::Result<()> {
    let writer = Rc::new(writer);
    writer.write(b"* your nickname?\n");
    let name = text(&reader.readline().await?);
    if name.is_empty() || !room.enter(&name, &writer) {
        writer.write(b"* that is taken\n");
        return Ok(());
    }
    let visit = Visit { room, name };
    room.say(&format!("* {} is here", visit.name));
    let mut lines = reader.lines();
    while let Some(line) = lines.next().await {
        room.say(&format!("<{}> {}", visit.name, text(&line?)));
    }
    Ok(())
}

async fn open(addr: &str) -> io::Result<Server> {
    let room = Room::default();
    let guest = async move |reader, writer| welcome(&room, reader, writer).await;
    start_server(guest, addr).limit(1000).named("chat").await
}

fn text(line: &[u8]) -> String {
    String::from_utf8_lossy(line).trim().to_owned()
}

/// A guest of the demonstration.
struct Guest {
    reader: StreamReader,
    writer: StreamWriter,
}

impl Guest {
    async fn arrive(server: &Server, name: &str) -> io::Result<Guest> {
        let (reader, writer) = open_connection(server.local_addrs()).await?;
        let mut guest = Guest { reader, writer };
        guest.hear().await?;
        guest.say(name);
        Ok(guest)
    }

    fn say(&self, line: &str) {
        self.writer.write(format!("{line}\n").as_bytes());
    }

    async fn hear(&mut self) -> io::Result<String> {
        Ok(text(&self.reader.readline().await?))
    }
}

async fn run() -> io::Result<()> {
    let server = open("127.0.0.1:0").await?;
    let mut ann = Guest::arrive(&server, "ann").await?;
    println!("ann hears: {}", ann.hear().await?);
    let mut bob = Guest::arrive(&server, "bob").await?;
    println!("ann hears: {}", ann.hear().await?);
    println!("bob hears: {}", bob.hear().await?);
    let mut impostor = Guest::arrive(&server, "bob").await?;
    println!("another bob hears: {}", impostor.hear().await?);
    ann.say("hello, bob");
    println!("ann hears: {}", ann.hear().await?);
    println!("bob hears: {}", bob.hear().await?);
    drop(ann);
    println!("bob hears: {}", bob.hear().await?);
    let report = server.shutdown(Duration::from_secs(1)).await;
    println!("guests at the end: {}", report.connections);
    println!("bob hears the end: {}", bob.hear().await?.is_empty());
    Ok(())
}

#[corio::main]
async fn main() -> io::Result<()> {
    match std::env::args().nth(1) {
        Some(addr) => Ok(open(&addr).await?.serve_forever().await?),
        None => run().await,
    }
}
