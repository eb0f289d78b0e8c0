//! hyper over our streams, without any other runtime.

#![cfg(feature = "hyper")]

mod support;

use std::cell::Cell;
use std::convert::Infallible;
use std::io;
use std::pin::Pin;
use std::rc::Rc;
use std::time::Duration;

use corio_net::compat::{Hyper, HyperExecutor, HyperTimer};
use corio_net::{TcpListener, TcpStream};
use corio_runtime::{Runner, create_task};
use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::rt::{Executor, Read, Timer, Write};
use hyper::service::service_fn;
use hyper::{Request, Response};
use support::{pattern, run, tcp_pair};

const BODY: usize = 100_000;

/// Answers with the body of the request, backwards.
async fn answer(request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Infallible> {
    let mut body = request
        .into_body()
        .collect()
        .await
        .unwrap()
        .to_bytes()
        .to_vec();
    body.reverse();
    Ok(Response::new(Full::from(body)))
}

async fn serve(stream: impl Read + Write + Unpin + 'static) -> hyper::Result<()> {
    hyper::server::conn::http1::Builder::new()
        .timer(HyperTimer)
        .header_read_timeout(Duration::from_secs(10))
        .serve_connection(stream, service_fn(answer))
        .await
}

async fn ask(stream: impl Read + Write + Unpin + 'static, times: usize) {
    let (mut requests, connection) = hyper::client::conn::http1::handshake(stream).await.unwrap();
    let connection = create_task(connection);
    for _ in 0..times {
        let request = Request::post("/")
            .header("host", "here")
            .body(Full::new(Bytes::from(pattern(BODY))))
            .unwrap();
        let response = requests.send_request(request).await.unwrap();
        let mut body = response
            .into_body()
            .collect()
            .await
            .unwrap()
            .to_bytes()
            .to_vec();
        body.reverse();
        assert!(body == pattern(BODY));
    }
    drop(requests);
    connection.await.unwrap().unwrap();
}

#[test]
fn a_client_and_a_server_of_hyper_talk_over_our_streams() {
    run(async {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let addr = listener.local_addr()?;
        let server = create_task(async move {
            let (stream, _) = listener.accept().await?;
            serve(stream).await.map_err(io::Error::other)
        });
        ask(TcpStream::connect(addr).await?, 3).await;
        server.await.unwrap()
    });
}

#[test]
fn any_stream_of_futures_io_serves_hyper_in_a_wrapper() {
    run(async {
        let (client, server) = tcp_pair().await?;
        let server = create_task(serve(Hyper::new(futures_lite::io::BufReader::new(server))));
        ask(Hyper::new(client), 1).await;
        server.await.unwrap().map_err(io::Error::other)
    });
}

#[cfg(unix)]
#[test]
fn unix_streams_serve_hyper_too() {
    run(async {
        let (client, server) = corio_net::UnixStream::pair()?;
        let server = create_task(serve(server));
        ask(client, 1).await;
        server.await.unwrap().map_err(io::Error::other)
    });
}

#[test]
fn the_executor_takes_what_is_not_send_and_the_timer_follows_the_loop() {
    let mut runner = Runner::builder().virtual_clock().build().unwrap();
    let event_loop = runner.event_loop();
    let start = event_loop.time();
    let hours = |hours: u64| Duration::from_secs(3600 * hours);
    runner
        .run(async move {
            let done = Rc::new(Cell::new(false));
            HyperExecutor.execute({
                let done = done.clone();
                async move {
                    HyperTimer.sleep(hours(1)).await;
                    done.set(true);
                }
            });
            HyperTimer.sleep_until(start + hours(2)).await;
            assert!(done.get());
            assert_eq!(HyperTimer.now(), start + hours(2));
            let mut sleep = HyperTimer.sleep(hours(1));
            HyperTimer.reset(&mut sleep, start + hours(5));
            sleep.await;
            assert_eq!(HyperTimer.now(), start + hours(5));
        })
        .unwrap();
}

#[test]
fn what_hyper_demands_of_a_sleep_is_met() {
    fn goes_anywhere<T: Send + Sync + Unpin>(_: &T) {}
    let sleep: Pin<Box<dyn hyper::rt::Sleep>> = HyperTimer.sleep(Duration::ZERO);
    goes_anywhere(&sleep);
    goes_anywhere(&HyperExecutor);
}
