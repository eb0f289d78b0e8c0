//! corio: sockets, and streams with buffers.

use std::io;
use std::net;
use std::time::Duration;

use corio_net::{StreamReader, StreamWriter, TcpListener, TcpStream, start_server};
use corio_runtime::{EventLoop, create_task};
use hyper::server::conn::http1;
use hyper::service::service_fn;

/// Longer than a peer on the same machine takes to answer.
const BUSY: Duration = Duration::from_micros(200);

pub(super) fn echo(listener: net::TcpListener, buffer: usize) {
    let _ = corio_runtime::run(accept(listener, buffer));
}

pub(super) fn echo_busy(listener: net::TcpListener, buffer: usize) {
    let event_loop = EventLoop::builder().busy_poll(BUSY).build();
    let event_loop = event_loop.expect("the system gives descriptors");
    let _ = event_loop.run_until_complete(accept(listener, buffer));
}

async fn accept(listener: net::TcpListener, buffer: usize) -> io::Result<()> {
    let listener = TcpListener::from_std(listener)?;
    loop {
        let (stream, _) = listener.accept().await?;
        create_task(echo_one(stream, buffer));
    }
}

async fn echo_one(stream: TcpStream, buffer: usize) -> io::Result<()> {
    let mut buffer = vec![0; buffer];
    loop {
        let length = stream.read(&mut buffer).await?;
        if length == 0 {
            return Ok(());
        }
        let mut sent = 0;
        while sent < length {
            sent += stream.write(&buffer[sent..length]).await?;
        }
    }
}

pub(super) fn echo_streams(listener: net::TcpListener, buffer: usize) {
    let _ = corio_runtime::run(async {
        let echo = async move |reader, writer| echo_stream(reader, writer, buffer).await;
        let server = start_server(echo, listener).await?;
        io::Result::Ok(server.serve_forever().await)
    });
}

async fn echo_stream(
    mut reader: StreamReader,
    writer: StreamWriter,
    most: usize,
) -> io::Result<()> {
    loop {
        let bytes = reader.read(most).await?;
        if bytes.is_empty() {
            return Ok(());
        }
        writer.write(&bytes);
        writer.drain().await?;
    }
}

pub(super) fn hello(listener: net::TcpListener) {
    let _ = corio_runtime::run(async {
        let listener = TcpListener::from_std(listener)?;
        loop {
            let (stream, _) = listener.accept().await?;
            create_task(http1::Builder::new().serve_connection(stream, service_fn(super::hello)));
        }
        #[allow(unreachable_code)]
        io::Result::Ok(())
    });
}
