//! A server that gives back what it gets: a task for each client, a reader and a writer in it.
//!
//! With an address it serves until Ctrl-C, for `nc 127.0.0.1 8000` and the like; without one it has clients of its own.

use std::io;

use corio::gather;
use corio::net::{StreamReader, StreamWriter, open_connection, start_server};

async fn echo(mut reader: StreamReader, writer: StreamWriter) -> io::Result<()> {
    loop {
        let bytes = reader.read(64 * 1024).await?;
        if bytes.is_empty() {
            return Ok(());
        }
        writer.write(&bytes);
        // Waits for a client that sends faster than it reads.
        writer.drain().await?;
    }
}

async fn serve(addr: &str) -> io::Result<()> {
    let server = start_server(echo, addr).await?;
    println!("listening at {:?}", server.local_addrs());
    Ok(server.serve_forever().await?)
}

async fn run() -> io::Result<()> {
    let server = start_server(echo, "127.0.0.1:0").await?;
    let addrs = server.local_addrs();
    let clients = ["ann", "bob", "cid"].map(|name| {
        let addrs = addrs.clone();
        async move {
            let (mut reader, writer) = open_connection(addrs).await?;
            writer.write(format!("I am {name}\n").as_bytes());
            let line = reader.readline().await?;
            writer.close();
            writer.wait_closed().await?;
            io::Result::Ok(String::from_utf8_lossy(&line).trim_end().to_owned())
        }
    });
    for answer in gather(clients).await? {
        println!("the server said: {}", answer?);
    }
    server.close();
    server.wait_closed().await;
    println!("connections left: {}", server.connections());
    Ok(())
}

#[corio::main]
async fn main() -> io::Result<()> {
    match std::env::args().nth(1) {
        Some(addr) => serve(&addr).await,
        None => run().await,
    }
}
