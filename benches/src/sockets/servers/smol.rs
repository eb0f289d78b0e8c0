//! smol: `LocalExecutor` and async-io.

use std::future::Future;
use std::io;
use std::net::{TcpListener, TcpStream};

use async_executor::LocalExecutor;
use async_io::Async;
use corio_net::compat::Hyper;
use futures_lite::{AsyncReadExt, AsyncWriteExt};
use hyper::server::conn::http1;
use hyper::service::service_fn;

pub(super) fn echo(listener: TcpListener, buffer: usize) {
    accept(listener, |stream| echo_one(stream, buffer));
}

/// The adapter for hyper is corio's, which is for all streams with the traits of futures-io.
pub(super) fn hello(listener: TcpListener) {
    accept(listener, |stream| {
        http1::Builder::new().serve_connection(Hyper::new(stream), service_fn(super::hello))
    });
}

fn accept<F: Future + 'static>(listener: TcpListener, serve: impl Fn(Async<TcpStream>) -> F) {
    let executor = LocalExecutor::new();
    let accept = async {
        let listener = Async::new(listener)?;
        loop {
            let (stream, _) = listener.accept().await?;
            let serve = serve(stream);
            executor.spawn(async { drop(serve.await) }).detach();
        }
        #[allow(unreachable_code)]
        io::Result::Ok(())
    };
    let _ = async_io::block_on(executor.run(accept));
}

async fn echo_one(mut stream: Async<TcpStream>, buffer: usize) -> io::Result<()> {
    let mut buffer = vec![0; buffer];
    loop {
        let length = stream.read(&mut buffer).await?;
        if length == 0 {
            return Ok(());
        }
        stream.write_all(&buffer[..length]).await?;
    }
}
