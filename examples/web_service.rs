//! A web service on hyper: HTTP/1 and HTTP/2 on one port, JSON, a job that blocks, and an orderly end on Ctrl-C.
//!
//! `web_service 127.0.0.1:8080` serves until Ctrl-C, and then lets requests finish for five seconds. Without an address it serves
//! on a free port, asks itself, and ends while an answer is still under way.

use std::convert::Infallible;
use std::error::Error;
use std::net::SocketAddr;
use std::pin::pin;
use std::time::Duration;

use corio::net::compat::{HyperExecutor, HyperTimer};
use corio::net::{ShutdownReport, TcpListener, TcpStream, serve};
use corio::{catch_cancel, create_task, gather, sleep, to_thread, yield_now};
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::{Bytes, Incoming};
use hyper::client::conn::{http1, http2};
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::server::conn::auto;
use serde_json::{Value, json};

type Failure = Box<dyn Error + Send + Sync>;

/// How long requests may take to finish when the service ends.
const GRACE: Duration = Duration::from_secs(5);

/// A client that opens a connection and says nothing is not waited for longer.
const PATIENCE: Duration = Duration::from_secs(10);

/// No request may send more.
const LONGEST_BODY: usize = 64 * 1024;

/// Serves until `stop` is ready, and then ends in good order.
async fn run(listener: TcpListener, stop: impl Future<Output = ()>) -> ShutdownReport {
    let server = serve(listener, connection);
    stop.await;
    server.shutdown(GRACE).await
}

/// One connection, in a task of its own. When that is asked to end, the connection takes no more requests and finishes those that
/// it has; what takes longer than the grace of the shutdown is ended by force.
async fn connection(stream: TcpStream, _: SocketAddr) -> Result<(), Failure> {
    let mut builder = auto::Builder::new(HyperExecutor);
    builder
        .http1()
        .timer(HyperTimer)
        .header_read_timeout(PATIENCE);
    builder.http2().timer(HyperTimer);
    let mut connection = pin!(builder.serve_connection(stream, service_fn(answer)));
    match catch_cancel(connection.as_mut()).await {
        Ok(outcome) => outcome,
        Err(_) => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    }
}

async fn answer(request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Infallible> {
    let path = request.uri().path().to_owned();
    let (status, answer) = match (request.method(), &path.split('/').collect::<Vec<_>>()[1..]) {
        (&Method::GET, [""]) => (StatusCode::OK, json!({ "service": "corio" })),
        (&Method::GET, ["primes", below]) => primes(below).await,
        (&Method::GET, ["slow"]) => {
            sleep(Duration::from_millis(300)).await;
            (StatusCode::OK, json!({ "slept": "300 ms" }))
        }
        (&Method::POST, ["sum"]) => sum(request.into_body()).await,
        _ => (StatusCode::NOT_FOUND, json!({ "not found": path })),
    };
    let response = Response::builder()
        .status(status)
        .header("content-type", "application/json")
        .body(Full::from(answer.to_string()))
        .expect("all parts are valid");
    Ok(response)
}

/// Computing would hold up every other request, so it is done on a thread.
async fn primes(below: &str) -> (StatusCode, Value) {
    match below.parse::<u32>() {
        Ok(below) if below <= 10_000_000 => match to_thread(move || count_primes(below)).await {
            Ok(primes) => (StatusCode::OK, json!({ "below": below, "primes": primes })),
            Err(error) => (
                StatusCode::INTERNAL_SERVER_ERROR,
                json!({ "error": error.to_string() }),
            ),
        },
        _ => (
            StatusCode::BAD_REQUEST,
            json!({ "error": "a number up to 10,000,000" }),
        ),
    }
}

fn count_primes(below: u32) -> usize {
    let below = below as usize;
    let mut composite = vec![false; below];
    let mut primes = 0;
    for number in 2..below {
        if !composite[number] {
            primes += 1;
            for multiple in (number * number..below).step_by(number) {
                composite[multiple] = true;
            }
        }
    }
    primes
}

/// The sum of a list of numbers.
async fn sum(body: Incoming) -> (StatusCode, Value) {
    let Ok(body) = Limited::new(body, LONGEST_BODY).collect().await else {
        let error = json!({ "error": "the body is too long, or did not arrive" });
        return (StatusCode::PAYLOAD_TOO_LARGE, error);
    };
    match serde_json::from_slice::<Vec<f64>>(&body.to_bytes()) {
        Ok(numbers) => (
            StatusCode::OK,
            json!({ "sum": numbers.iter().sum::<f64>() }),
        ),
        Err(error) => (
            StatusCode::BAD_REQUEST,
            json!({ "error": error.to_string() }),
        ),
    }
}

/// Asks the service, and begins to end it while the last answer is under way.
async fn demo() -> Result<(), Failure> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let addr = listener.local_addr()?;
    let (stop, stopped) = corio::sync::oneshot::channel::<()>();
    let service = create_task(run(listener, async move {
        stopped.await.ok();
    }));

    let (mut old, driver) = http1::handshake(TcpStream::connect(addr).await?).await?;
    create_task(driver);
    for request in [
        get("/"),
        get("/primes/1000000"),
        post("/sum", "[1, 2.5, 4]"),
        post("/sum", "[1, 2.5, "),
        get("/nowhere"),
    ] {
        println!("{}", shown(old.send_request(request).await?).await?);
    }

    let stream = TcpStream::connect(addr).await?;
    let (new, driver) = http2::handshake(HyperExecutor, stream).await?;
    create_task(driver);
    let ask = |path| {
        let mut new = new.clone();
        async move { shown(new.send_request(get(path)).await?).await }
    };
    // At once, on one connection.
    for answer in gather(["/primes/10", "/primes/100"].map(ask)).await? {
        println!("{}", answer?);
    }

    let slow = create_task(ask("/slow"));
    yield_now().await;
    // One connection keeps the order of requests: when this one is answered the slow one is under way.
    println!("{}", ask("/").await?);
    println!("stopping");
    stop.send(()).ok();
    println!("{}", slow.await??);
    let report = service.await?;
    println!(
        "connections ended: {}, by force: {}",
        report.connections, report.forced
    );
    Ok(())
}

fn get(path: &str) -> Request<Full<Bytes>> {
    request(Method::GET, path, "")
}

fn post(path: &str, body: &'static str) -> Request<Full<Bytes>> {
    request(Method::POST, path, body)
}

fn request(method: Method, path: &str, body: &'static str) -> Request<Full<Bytes>> {
    Request::builder()
        .method(method)
        .uri(format!("http://localhost{path}"))
        .header("host", "localhost")
        .body(Full::from(body))
        .expect("all parts are valid")
}

async fn shown(response: Response<Incoming>) -> Result<String, Failure> {
    let (version, status) = (response.version(), response.status().as_u16());
    let body = response.into_body().collect().await?.to_bytes();
    Ok(format!(
        "{version:?} {status} {}",
        String::from_utf8_lossy(&body)
    ))
}

#[corio::main]
async fn main() -> Result<(), Failure> {
    let Some(addr) = std::env::args().nth(1) else {
        return demo().await;
    };
    let listener = TcpListener::bind(addr).await?;
    println!("http://{}, Ctrl-C stops it", listener.local_addr()?);
    let report = run(listener, async {
        match corio::signal::ctrl_c().await {
            Ok(()) => println!("stopping"),
            Err(error) => eprintln!("cannot listen for Ctrl-C: {error}"),
        }
    });
    let report = report.await;
    println!(
        "connections ended: {}, by force: {}",
        report.connections, report.forced
    );
    Ok(())
}
