//! Programs that everybody has, at the other end: curl, ab, wrk and nginx. What is not installed is skipped, with a word about it.

#![cfg(all(unix, feature = "hyper"))]

mod support;

use std::fs;
use std::io;
use std::path::PathBuf;
use std::process::{Child, Command, Output, Stdio};

use corio_net::{TcpListener, TcpStream, UnixStream, open_unix_connection};
use corio_runtime::{create_task, sleep, to_thread};
use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::service::service_fn;
use hyper::{Request, Response};
use support::{Folder, pattern, run};

/// Big enough for many reads and writes on either side.
const BODY: usize = 1_000_000;

#[test]
fn curl_sends_and_fetches_over_one_connection_and_over_several() {
    run(async {
        let Some(addr) = serve_for("curl").await? else {
            return Ok(());
        };
        let folder = Folder::new();
        let body = file(&folder, "body", &pattern(BODY));
        let url = format!("http://{addr}/");
        // Two requests of one program share a connection; the body waits for "100 Continue".
        let output = program(
            "curl",
            &[
                "-sS",
                "--max-time",
                "60",
                "--fail",
                "--data-binary",
                &format!("@{body}"),
                &url,
                &url,
            ],
        )
        .await?;
        assert_eq!(output.stdout, [backwards(BODY), backwards(BODY)].concat());

        let parallel = program(
            "curl",
            &[
                "-sS",
                "--max-time",
                "60",
                "--fail",
                "--parallel",
                &url,
                &url,
                &url,
                &url,
            ],
        )
        .await?;
        assert!(parallel.status.success());
        Ok(())
    });
}

#[test]
fn ab_keeps_connections_and_makes_new_ones_and_no_request_fails() {
    run(async {
        let Some(addr) = serve_for("ab").await? else {
            return Ok(());
        };
        let url = format!("http://{addr}/");
        for kept in [&["-k"][..], &[]] {
            let arguments = [kept, &["-q", "-n", "1000", "-c", "20", &url]].concat();
            let output = program("ab", &arguments).await?;
            let report = String::from_utf8_lossy(&output.stdout);
            assert_eq!(field(&report, "Complete requests:"), "1000", "{report}");
            assert_eq!(field(&report, "Failed requests:"), "0", "{report}");
            assert!(!report.contains("Non-2xx"), "{report}");
        }
        Ok(())
    });
}

#[test]
fn wrk_asks_as_fast_as_it_can_and_no_request_fails() {
    run(async {
        let Some(addr) = serve_for("wrk").await? else {
            return Ok(());
        };
        let url = format!("http://{addr}/");
        // A machine that does not get on for two seconds would be an error to it otherwise.
        let patient = ["-t", "1", "-c", "50", "-d", "1s", "--timeout", "60s", &url];
        let output = program("wrk", &patient).await?;
        let report = String::from_utf8_lossy(&output.stdout);
        assert!(report.contains("requests in"), "{report}");
        assert!(
            !report.contains("Socket errors") && !report.contains("Non-2xx"),
            "{report}"
        );
        Ok(())
    });
}

#[test]
fn nginx_serves_a_client_of_hyper_and_one_that_is_written_by_hand() {
    run(async {
        if !is_there("nginx") {
            return Ok(());
        }
        let nginx = Nginx::start("root .;").await?;
        file(&nginx.folder, "page", &pattern(BODY));

        let (mut requests, connection) =
            hyper::client::conn::http1::handshake(nginx.connect().await?)
                .await
                .map_err(io::Error::other)?;
        create_task(connection);
        for _ in 0..3 {
            let request = Request::get("/page").header("host", "here");
            let request = request.body(Full::<Bytes>::default()).unwrap();
            let response = requests.send_request(request).await.unwrap();
            assert_eq!(response.status(), 200);
            let body = response.into_body().collect().await.unwrap().to_bytes();
            assert_eq!(body, pattern(BODY));
        }

        let (mut reader, writer) = open_unix_connection(&nginx.socket).await?;
        writer.write(b"GET /page HTTP/1.1\r\nhost: here\r\nconnection: close\r\n\r\n");
        writer.drain().await?;
        let status = reader.readline().await?;
        assert_eq!(status, b"HTTP/1.1 200 OK\r\n");
        while reader.readline().await? != b"\r\n" {}
        assert_eq!(reader.read_to_end().await?, pattern(BODY));
        Ok(())
    });
}

#[test]
fn nginx_in_front_of_a_server_passes_requests_on() {
    run(async {
        let (true, Some(addr)) = (is_there("nginx"), serve_for("curl").await?) else {
            return Ok(());
        };
        let pass = format!("client_max_body_size 0; location / {{ proxy_pass http://{addr}; }}");
        let nginx = Nginx::start(&pass).await?;
        let body = file(&nginx.folder, "body", &pattern(BODY));
        let output = program(
            "curl",
            &[
                "-sS",
                "--max-time",
                "60",
                "--fail",
                "--unix-socket",
                &nginx.socket.to_string_lossy(),
                "--data-binary",
                &format!("@{body}"),
                "http://here/",
            ],
        )
        .await?;
        assert_eq!(output.stdout, backwards(BODY));
        Ok(())
    });
}

/// Starts a server of hyper for a program, unless it is missing.
async fn serve_for(name: &str) -> io::Result<Option<std::net::SocketAddr>> {
    if !is_there(name) {
        return Ok(None);
    }
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let addr = listener.local_addr()?;
    create_task(async move {
        loop {
            // The peers end their connections as they like.
            let (stream, _): (TcpStream, _) = listener.accept().await?;
            create_task(async move {
                let serve = hyper::server::conn::http1::Builder::new();
                let _ = serve.serve_connection(stream, service_fn(answer)).await;
            });
        }
        #[allow(unreachable_code)]
        io::Result::Ok(())
    });
    Ok(Some(addr))
}

/// Answers with the body of the request, backwards.
async fn answer(request: Request<Incoming>) -> hyper::Result<Response<Full<Bytes>>> {
    let mut body = request.into_body().collect().await?.to_bytes().to_vec();
    body.reverse();
    Ok(Response::new(Full::from(body)))
}

fn backwards(length: usize) -> Vec<u8> {
    let mut body = pattern(length);
    body.reverse();
    body
}

fn is_there(name: &str) -> bool {
    let version = if name == "curl" { "--version" } else { "-v" };
    let mut ask = Command::new(name);
    let found = ask
        .arg(version)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok();
    if !found {
        println!("skipped: there is no {name}");
    }
    found
}

/// Runs a program to its end on another thread.
async fn program(name: &str, arguments: &[&str]) -> io::Result<Output> {
    let mut command = Command::new(name);
    command.args(arguments).stdin(Stdio::null());
    let output = to_thread(move || command.output());
    let output = output.await.map_err(io::Error::other)??;
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(
        output.status.success(),
        "{name} {arguments:?}: {} {said}",
        output.status
    );
    Ok(output)
}

/// What stands behind a name in a report.
fn field<'a>(report: &'a str, name: &str) -> &'a str {
    let line = report.lines().find_map(|line| line.strip_prefix(name));
    line.map_or("nothing", str::trim)
}

/// An nginx that serves at a Unix socket in a folder of its own.
struct Nginx {
    child: Child,
    socket: PathBuf,
    folder: Folder,
}

impl Nginx {
    /// Starts it with these lines for its server, and waits until it answers.
    async fn start(server: &str) -> io::Result<Nginx> {
        let folder = Folder::new();
        let socket = folder.path().join("socket");
        let path = folder.path().display();
        let configuration = format!(
            "daemon off; master_process off; pid {path}/pid; error_log {path}/errors;
            events {{ }}
            http {{
                access_log off;
                client_body_temp_path {path}/bodies; proxy_temp_path {path}/proxied;
                fastcgi_temp_path {path}/f; uwsgi_temp_path {path}/u; scgi_temp_path {path}/s;
                server {{ listen unix:{path}/socket; {} }}
            }}",
            server.replace("root .", &format!("root {path}"))
        );
        let file = file(&folder, "configuration", configuration.as_bytes());
        let child = Command::new("nginx")
            .args(["-e", &format!("{path}/errors"), "-c", &file])
            .stdin(Stdio::null())
            .stderr(Stdio::null())
            .spawn()?;
        let nginx = Nginx {
            child,
            socket,
            folder,
        };
        // The limit of the test is the limit of this.
        while nginx.connect().await.is_err() {
            sleep(std::time::Duration::from_millis(5)).await;
        }
        Ok(nginx)
    }

    async fn connect(&self) -> io::Result<UnixStream> {
        UnixStream::connect(&self.socket).await
    }
}

impl Drop for Nginx {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Writes a file, and gives its path.
fn file(folder: &Folder, name: &str, bytes: &[u8]) -> String {
    let path = folder.path().join(name);
    fs::write(&path, bytes).unwrap();
    path.to_str().expect("a path of letters").to_owned()
}
