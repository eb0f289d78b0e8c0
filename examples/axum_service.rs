//! An axum router, served by corio: state, extractors, JSON, and a limit in time around all of it. No tokio runtime is running.
//!
//! `axum_service 127.0.0.1:8080` serves until Ctrl-C. Without an address it serves on a free port, asks itself, and ends.
//!
//! axum wants handlers whose futures are `Send`. Sleeping, blocking jobs and sockets are that; what is not belongs around the
//! router, as the limit does here.

use std::collections::BTreeMap;
use std::error::Error;
use std::net::SocketAddr;
use std::pin::{Pin, pin};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::{Request, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use corio::net::compat::HyperTimer;
use corio::net::{TcpListener, TcpStream, serve};
use corio::{catch_cancel, create_task, sleep, timeout, to_thread};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper::server::conn::http1;
use hyper::service::Service;
use hyper_util::service::TowerToHyperService;
use serde_json::{Value, json};

type Failure = Box<dyn Error + Send + Sync>;

/// How long an answer may take.
const LIMIT: Duration = Duration::from_secs(1);

/// How long requests may take to finish when the service ends.
const GRACE: Duration = Duration::from_secs(5);

/// What the handlers share. axum may move them between threads, so it is behind a lock, which nobody has to wait for here.
#[derive(Clone, Default)]
struct Notes(Arc<Mutex<BTreeMap<u64, Value>>>);

impl Notes {
    fn with<R>(&self, work: impl FnOnce(&mut BTreeMap<u64, Value>) -> R) -> R {
        work(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

fn router() -> Router {
    Router::new()
        .route("/notes", get(list).post(add))
        .route("/notes/{number}", get(show).delete(remove))
        .route("/sorted", get(sorted))
        .route("/forever", get(forever))
        .with_state(Notes::default())
}

async fn list(State(notes): State<Notes>) -> Json<Value> {
    notes.with(|notes| Json(json!(notes)))
}

async fn add(State(notes): State<Notes>, Json(note): Json<Value>) -> impl IntoResponse {
    let number = notes.with(|notes| {
        let number = notes.last_key_value().map_or(1, |(last, _)| last + 1);
        notes.insert(number, note);
        number
    });
    (StatusCode::CREATED, Json(json!({ "number": number })))
}

async fn show(
    State(notes): State<Notes>,
    Path(number): Path<u64>,
) -> Result<Json<Value>, StatusCode> {
    let note = notes.with(|notes| notes.get(&number).cloned());
    note.map(Json).ok_or(StatusCode::NOT_FOUND)
}

async fn remove(State(notes): State<Notes>, Path(number): Path<u64>) -> StatusCode {
    match notes.with(|notes| notes.remove(&number)) {
        Some(_) => StatusCode::NO_CONTENT,
        None => StatusCode::NOT_FOUND,
    }
}

/// What may take long is done on a thread.
async fn sorted(State(notes): State<Notes>) -> Result<Json<Value>, StatusCode> {
    let job = to_thread(move || {
        let mut texts: Vec<String> =
            notes.with(|notes| notes.values().map(Value::to_string).collect());
        texts.sort();
        texts
    });
    let texts = job.await.map_err(|_| StatusCode::INTERNAL_SERVER_ERROR)?;
    Ok(Json(json!(texts)))
}

async fn forever() {
    sleep(Duration::MAX).await;
}

/// A layer around a service: an answer that takes longer than the limit is given up, with all that it waits for.
#[derive(Clone)]
struct Limited<S> {
    inner: S,
    limit: Duration,
}

impl<S> Service<Request<Incoming>> for Limited<S>
where
    S: Service<Request<Incoming>, Response = Response, Future: 'static>,
{
    type Response = Response;
    type Error = S::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Response, S::Error>>>>;

    fn call(&self, request: Request<Incoming>) -> Self::Future {
        let answer = timeout(self.limit, self.inner.call(request));
        Box::pin(async move {
            answer.await.unwrap_or_else(|_| {
                let late = Json(json!({ "error": "it took too long" }));
                Ok((StatusCode::GATEWAY_TIMEOUT, late).into_response())
            })
        })
    }
}

/// Serves a router until `stop` is ready, and then lets requests finish.
async fn run(listener: TcpListener, router: Router, stop: impl Future<Output = ()>) {
    let service = Limited {
        inner: TowerToHyperService::new(router),
        limit: LIMIT,
    };
    let server = serve(listener, async move |stream: TcpStream, _: SocketAddr| {
        let mut builder = http1::Builder::new();
        builder.timer(HyperTimer);
        let mut connection = pin!(builder.serve_connection(stream, service.clone()));
        match catch_cancel(connection.as_mut()).await {
            Ok(outcome) => outcome,
            Err(_) => {
                connection.as_mut().graceful_shutdown();
                connection.await
            }
        }
    });
    stop.await;
    let report = server.shutdown(GRACE).await;
    println!(
        "connections ended: {}, by force: {}",
        report.connections, report.forced
    );
}

/// Asks the service, and ends it.
async fn demo() -> Result<(), Failure> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let addr = listener.local_addr()?;
    let (stop, stopped) = corio::sync::oneshot::channel::<()>();
    let service = create_task(run(listener, router(), async move {
        stopped.await.ok();
    }));

    let (mut client, driver) = handshake(TcpStream::connect(addr).await?).await?;
    create_task(driver);
    ask(&mut client, "POST", "/notes", r#"{"buy": "tea"}"#).await?;
    ask(&mut client, "POST", "/notes", r#"{"buy": "jam"}"#).await?;
    ask(&mut client, "POST", "/notes", "tea").await?;
    ask(&mut client, "GET", "/notes", "").await?;
    ask(&mut client, "GET", "/sorted", "").await?;
    ask(&mut client, "DELETE", "/notes/1", "").await?;
    ask(&mut client, "GET", "/notes/1", "").await?;
    ask(&mut client, "GET", "/notes/2", "").await?;
    ask(&mut client, "GET", "/forever", "").await?;

    stop.send(()).ok();
    Ok(service.await?)
}

async fn ask(
    client: &mut SendRequest<Body>,
    method: &str,
    path: &str,
    body: &'static str,
) -> Result<(), Failure> {
    let mut request = Request::builder()
        .method(method)
        .uri(path)
        .header("host", "localhost");
    if !body.is_empty() {
        request = request.header("content-type", "application/json");
    }
    let response = client.send_request(request.body(Body::from(body))?).await?;
    let status = response.status().as_u16();
    let body = response.into_body().collect().await?.to_bytes();
    let text = String::from_utf8_lossy(&body);
    println!("{}", format!("{method} {path}: {status} {text}").trim_end());
    Ok(())
}

#[corio::main]
async fn main() -> Result<(), Failure> {
    let Some(addr) = std::env::args().nth(1) else {
        return demo().await;
    };
    let listener = TcpListener::bind(addr).await?;
    println!("http://{}/notes, Ctrl-C stops it", listener.local_addr()?);
    let stop = async {
        match corio::signal::ctrl_c().await {
            Ok(()) => println!("stopping"),
            Err(error) => eprintln!("cannot listen for Ctrl-C: {error}"),
        }
    };
    run(listener, router(), stop).await;
    Ok(())
}
