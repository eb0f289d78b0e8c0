//! A web server on all cores: one loop for each, one port for all, messages between the loops, and an end in order.
//!
//! Each worker listens at the same port by itself (`SO_REUSEPORT`), and the system deals connections out among them. What they
//! share is on the loop of the first: the others send it what they have done, and ask it.
//!
//! `multicore_http 127.0.0.1:8080` serves until Ctrl-C. Without an address it serves on a free port, asks itself some hundred
//! times, and ends. Where a port cannot be shared in this way there is one worker.

use std::cell::Cell;
use std::error::Error;
use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::rc::Rc;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use corio::net::compat::HyperTimer;
use corio::net::{BindOptions, ServeOptions, TcpListener, TcpStream};
use corio::workers::{RunningWorkers, Worker, Workers, WorkersReport};
use corio::{LoopClosed, Remote, catch_cancel, create_task, gather};
use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response, client, header};

type Failure = Box<dyn Error + Send + Sync>;

/// How long requests may take to finish at the end.
const GRACE: Duration = Duration::from_secs(5);

thread_local! {
    /// How many requests all workers have answered. Only that on the thread of the first worker counts.
    static ANSWERED: Cell<u64> = const { Cell::new(0) };
}

/// Starts a worker for each core.
fn start(addr: &str) -> Result<(RunningWorkers<u64>, SocketAddr), Failure> {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let count = if cfg!(unix) { cores } else { 1 };
    let listeners = corio::run(listen(addr, count))?;
    let addr = listeners[0].local_addr()?;
    let listeners = Mutex::new(listeners);
    let workers = Workers::new(count)
        .grace(2 * GRACE)
        .start(async move |worker| {
            let listener = listeners
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .pop();
            work(worker, listener.expect("there is one for each worker")).await
        })?;
    Ok((workers, addr))
}

/// All listen before the first works, so that no connection finds a port that is only half there.
async fn listen(addr: &str, count: usize) -> io::Result<Vec<TcpListener>> {
    let options = BindOptions::new().reuse_port(count > 1);
    let first = TcpListener::bind_with(addr, &options).await?;
    let addr = first.local_addr()?;
    let mut listeners = vec![first];
    while listeners.len() < count {
        listeners.push(TcpListener::bind_with(addr, &options).await?);
    }
    Ok(listeners)
}

/// The main task of a worker: serves until the workers are shut down, and gives how many requests it has answered.
async fn work(worker: Worker, listener: TcpListener) -> u64 {
    let counter = worker.remotes()[0].clone();
    let answered = Rc::new(Cell::new(0));
    let options = ServeOptions::new().grace(GRACE);
    let mine = answered.clone();
    let server = options.serve(listener, async move |stream: TcpStream, _| {
        connection(stream, &counter, &mine).await
    });
    // Cancelled by the shutdown, it has ended its connections when it is back.
    catch_cancel(server.serve_forever()).await.ok();
    answered.get()
}

/// One connection, in a task of its own.
async fn connection(
    stream: TcpStream,
    counter: &Remote,
    answered: &Cell<u64>,
) -> hyper::Result<()> {
    let service = service_fn(|request| answer(request, counter, answered));
    let mut builder = http1::Builder::new();
    builder.timer(HyperTimer);
    let mut connection = pin!(builder.serve_connection(stream, service));
    match catch_cancel(connection.as_mut()).await {
        Ok(outcome) => outcome,
        Err(_) => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    }
}

async fn answer(
    request: Request<Incoming>,
    counter: &Remote,
    answered: &Cell<u64>,
) -> Result<Response<Full<Bytes>>, LoopClosed> {
    if request.uri().path() == "/count" {
        let count = counter.create_task(async || ANSWERED.get()).await;
        let count = count.map_err(|_| LoopClosed)?;
        return Ok(Response::new(Full::from(count.to_string())));
    }
    // Before the answer, so that whoever has one finds it counted.
    counter.call_soon(|| ANSWERED.set(ANSWERED.get() + 1))?;
    answered.set(answered.get() + 1);
    Ok(Response::new(Full::from("hello")))
}

const CLIENTS: usize = 40;
const REQUESTS: usize = 10;

/// Several clients with several requests each, and then one that asks for the count.
async fn ask_all(addr: SocketAddr) -> Result<(), Failure> {
    let clients = (0..CLIENTS).map(|_| ask(addr, "/", REQUESTS));
    let mut hellos = 0;
    for answers in gather(clients).await? {
        hellos += answers?.iter().filter(|answer| *answer == "hello").count();
    }
    println!("{hellos} of {} requests were answered", CLIENTS * REQUESTS);
    let counts = ask(addr, "/count", 1).await?;
    println!(
        "counted on all loops: {}",
        String::from_utf8_lossy(&counts[0])
    );
    Ok(())
}

/// What one client hears on one connection.
async fn ask(addr: SocketAddr, path: &str, times: usize) -> Result<Vec<Bytes>, Failure> {
    let stream = TcpStream::connect(addr).await?;
    let (mut requests, driver) = client::conn::http1::handshake(stream).await?;
    create_task(driver);
    let mut answers = Vec::new();
    for _ in 0..times {
        let request = Request::get(path).header(header::HOST, "localhost");
        let response = requests.send_request(request.body(Full::<Bytes>::default())?);
        answers.push(response.await?.into_body().collect().await?.to_bytes());
    }
    Ok(answers)
}

fn demo() -> Result<(), Failure> {
    let (workers, addr) = start("127.0.0.1:0")?;
    corio::run(ask_all(addr))?;
    finish(workers.shutdown())?;
    Ok(())
}

fn finish(report: WorkersReport<u64>) -> Result<(), Failure> {
    let orderly = report.is_clean();
    let answered: u64 = report.into_values()?.iter().sum();
    println!("answered by all workers: {answered}");
    println!("every worker ended in order: {orderly}");
    Ok(())
}

fn main() -> Result<(), Failure> {
    let Some(addr) = std::env::args().nth(1) else {
        return demo();
    };
    let (workers, addr) = start(&addr)?;
    println!(
        "http://{addr} on {} loops, Ctrl-C stops them",
        workers.remotes().len()
    );
    finish(workers.wait())
}
