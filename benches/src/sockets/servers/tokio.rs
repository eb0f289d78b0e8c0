//! tokio on one thread, without and with a `LocalSet`.

use std::io;
use std::net;

use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::{Builder, Runtime};
use tokio::task::{LocalSet, spawn_local};

fn runtime() -> Runtime {
    let runtime = Builder::new_current_thread().enable_io().build();
    runtime.expect("the system gives descriptors")
}

pub(super) fn echo(listener: net::TcpListener, buffer: usize) {
    let _ = runtime().block_on(accept(listener, |stream| {
        tokio::spawn(echo_one(stream, buffer));
    }));
}

pub(super) fn echo_local(listener: net::TcpListener, buffer: usize) {
    let accept = accept(listener, |stream| {
        spawn_local(echo_one(stream, buffer));
    });
    let _ = LocalSet::new().block_on(&runtime(), accept);
}

pub(super) fn hello(listener: net::TcpListener) {
    let _ = runtime().block_on(accept(listener, |stream| {
        let serve = http1::Builder::new();
        tokio::spawn(serve.serve_connection(TokioIo::new(stream), service_fn(super::hello)));
    }));
}

pub(super) fn hello_local(listener: net::TcpListener) {
    let accept = accept(listener, |stream| {
        let serve = http1::Builder::new();
        spawn_local(serve.serve_connection(TokioIo::new(stream), service_fn(super::hello)));
    });
    let _ = LocalSet::new().block_on(&runtime(), accept);
}

async fn accept(listener: net::TcpListener, spawn: impl Fn(TcpStream)) -> io::Result<()> {
    let listener = TcpListener::from_std(listener)?;
    loop {
        spawn(listener.accept().await?.0);
    }
}

async fn echo_one(mut stream: TcpStream, buffer: usize) -> io::Result<()> {
    let mut buffer = vec![0; buffer];
    loop {
        let length = stream.read(&mut buffer).await?;
        if length == 0 {
            return Ok(());
        }
        stream.write_all(&buffer[..length]).await?;
    }
}
