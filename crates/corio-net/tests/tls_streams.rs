//! TLS: both directions, who is refused, how long things may take, and how a connection ends.

#![cfg(feature = "tls")]

mod support;
#[path = "support/pipe.rs"]
mod support_pipe;
#[path = "support/tls.rs"]
mod support_tls;

use std::cell::{Cell, RefCell};
use std::io::{self, ErrorKind};
use std::net::SocketAddr;
use std::rc::Rc;
use std::time::Duration;

use corio_net::tls::rustls::{CertificateError, Error as TlsError, ProtocolVersion};
use corio_net::tls::{TlsAcceptor, TlsConnector, TlsStream};
use corio_net::{
    Server, StreamOptions, StreamReader, StreamWriter, TcpListener, TcpStream, open_connection,
    serve, start_server,
};
use corio_runtime::{Runner, create_task, get_running_loop, yield_now};
use futures_lite::future::poll_once;
use futures_lite::io::{AsyncReadExt, AsyncWriteExt};
use support::{LIMIT, pattern, run};
use support_pipe::{End, Stutter, pipe};
use support_tls::{Identity, NAME};

const MUCH: usize = 1_000_000;

/// Answers with what it gets, backwards.
async fn answer(mut reader: StreamReader, writer: StreamWriter) -> io::Result<()> {
    let length = reader.readexactly(8).await?;
    let length = u64::from_be_bytes(length.try_into().unwrap()) as usize;
    let mut bytes = reader.readexactly(length).await?;
    bytes.reverse();
    writer.write(&bytes);
    writer.close();
    writer.wait_closed().await
}

async fn served(identity: &Identity) -> io::Result<Server> {
    start_server(answer, "127.0.0.1:0")
        .tls(identity.server())
        .await
}

#[test]
fn bytes_go_both_ways_and_the_end_is_said() {
    run(async {
        let identity = Identity::new();
        let server = served(&identity).await?;
        let (mut reader, writer) = open_connection(server.local_addrs())
            .tls(identity.client())
            .await?;
        writer.write(&(MUCH as u64).to_be_bytes());
        writer.write(&pattern(MUCH));
        let mut answer = reader.read_to_end().await?;
        answer.reverse();
        assert!(answer == pattern(MUCH));
        writer.close();
        writer.wait_closed().await?;
        let report = server.shutdown(LIMIT).await;
        assert_eq!(report.forced, 0);
        Ok(())
    });
}

#[test]
fn a_writer_knows_its_addresses_what_was_agreed_on_and_that_it_cannot_end_alone() {
    run(async {
        let identity = Identity::new();
        let server = served(&identity).await?;
        let addr = server.local_addrs()[0];
        let (mut reader, writer) = open_connection(addr).tls(identity.client()).await?;
        assert_eq!(writer.peer_addr(), Some(addr));
        assert!(writer.local_addr().is_some());
        let agreed = writer.with_transport(|stream: &mut TlsStream| {
            let certificates = stream.tls().peer_certificates().map_or(0, <[_]>::len);
            (stream.tls().protocol_version(), certificates)
        });
        assert_eq!(agreed, Some((Some(ProtocolVersion::TLSv1_3), 1)));
        assert!(!writer.can_write_eof());
        writer.write_eof();
        writer.write(&3_u64.to_be_bytes());
        writer.write(b"abc");
        assert_eq!(reader.read_to_end().await?, b"cba");
        Ok(())
    });
}

/// How connecting to a server fails that would answer.
fn refusal(connect: impl AsyncFnOnce(&Identity, SocketAddr) -> io::Result<()>) -> io::Error {
    run(async {
        let identity = Identity::new();
        let begun = Rc::new(Cell::new(false));
        let note = begun.clone();
        let server = start_server(async move |_, _| note.set(true), "127.0.0.1:0")
            .tls(identity.server())
            .await?;
        let error = connect(&identity, server.local_addrs()[0])
            .await
            .unwrap_err();
        server.shutdown(LIMIT).await;
        assert!(!begun.get(), "the handler has begun");
        Ok(error)
    })
}

fn certificate_error(error: &io::Error) -> &CertificateError {
    assert_eq!(error.kind(), ErrorKind::InvalidData);
    let error = error.get_ref().and_then(|error| error.downcast_ref());
    let Some(TlsError::InvalidCertificate(error)) = error else {
        panic!("not about the certificate: {error:?}");
    };
    error
}

#[test]
fn a_server_of_another_name_is_refused() {
    let error = refusal(async |identity, addr| {
        let open = open_connection(addr).tls(identity.client());
        open.server_name("elsewhere.example").await.map(drop)
    });
    let error = certificate_error(&error);
    assert!(
        matches!(
            error,
            CertificateError::NotValidForNameContext { .. } | CertificateError::NotValidForName
        ),
        "{error:?}"
    );
}

#[test]
fn a_certificate_of_a_stranger_is_refused() {
    let error = refusal(async |_, addr| {
        let stranger = Identity::new();
        open_connection(addr).tls(stranger.client()).await.map(drop)
    });
    certificate_error(&error);
}

#[test]
fn a_name_that_is_none_is_told_before_anything_is_sent() {
    run(async {
        let client = Identity::new().client();
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let addr = listener.local_addr()?;
        let several = [addr, "[::1]:1".parse().unwrap()];
        let unknown = open_connection(several).tls(client.clone()).await;
        assert_eq!(unknown.unwrap_err().kind(), ErrorKind::InvalidInput);
        let invalid = open_connection(addr)
            .tls(client)
            .server_name("not a name")
            .await;
        assert_eq!(invalid.unwrap_err().kind(), ErrorKind::InvalidInput);
        Ok(())
    });
}

#[test]
fn the_name_of_the_host_is_the_one_to_be_proved() {
    run(async {
        let identity = Identity::new();
        let server = served(&identity).await?;
        let port = server.local_addrs()[0].port();
        let (mut reader, writer) = open_connection((NAME, port)).tls(identity.client()).await?;
        writer.write(&0_u64.to_be_bytes());
        assert_eq!(reader.read_to_end().await?, b"");
        Ok(())
    });
}

/// Runs a test whose hours pass at once.
fn run_virtual<T>(test: impl Future<Output = io::Result<T>>) -> T {
    let mut runner = Runner::builder().virtual_clock().build().unwrap();
    runner.run(test).unwrap().unwrap()
}

#[test]
fn a_handshake_without_an_answer_ends_after_a_minute() {
    run_virtual(async {
        let start = get_running_loop().time();
        let identity = Identity::new();
        let connector = TlsConnector::new(identity.client());
        let (silent, end) = pipe();
        let error = connector
            .connect(NAME.try_into().unwrap(), end)
            .await
            .unwrap_err();
        assert_eq!(error.kind(), ErrorKind::TimedOut);
        assert_eq!(get_running_loop().time() - start, Duration::from_secs(60));
        drop(silent);

        let acceptor =
            TlsAcceptor::new(identity.server()).handshake_timeout(Duration::from_secs(5));
        let (_silent, end) = pipe();
        let error = acceptor.accept(end).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::TimedOut);
        assert_eq!(get_running_loop().time() - start, Duration::from_secs(65));
        Ok(())
    });
}

/// Both ends of a connection in memory.
async fn tls_pair() -> io::Result<(TlsStream<End>, TlsStream<End>)> {
    let identity = Identity::new();
    let (here, there) = pipe();
    let accepted = create_task(TlsAcceptor::new(identity.server()).accept(there));
    let connector = TlsConnector::new(identity.client());
    let client = connector.connect(NAME.try_into().unwrap(), here).await?;
    Ok((client, accepted.await.unwrap()?))
}

#[test]
fn closing_waits_for_the_end_of_the_peer_and_gives_up_after_half_a_minute() {
    run_virtual(async {
        let (client, server) = tls_pair().await?;
        let (mut reader, writer) = StreamOptions::new().streams(client);
        let start = get_running_loop().time();
        writer.write(b"goodbye");
        writer.close();
        assert_eq!(reader.read_to_end().await?, b"");
        let error = writer.wait_closed().await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::TimedOut);
        assert_eq!(get_running_loop().time() - start, Duration::from_secs(30));
        drop(server);
        Ok(())
    });
}

#[test]
fn what_the_peer_still_sends_while_it_is_closing_is_thrown_away() {
    run_virtual(async {
        let (mut client, mut server) = tls_pair().await?;
        let closing = create_task(async move { client.close().await });
        yield_now().await;
        // It has said its end, and hears all of this.
        server.write_all(&pattern(MUCH)).await?;
        let mut heard = Vec::new();
        server.read_to_end(&mut heard).await?;
        assert!(heard.is_empty() && !closing.done());
        server.close().await?;
        closing.await.unwrap()
    });
}

#[test]
fn a_stream_below_that_stutters_carries_everything_and_the_end() {
    run_virtual(async {
        const LENGTH: usize = 20_000;
        let identity = Identity::new();
        let (here, there) = pipe();
        let acceptor = TlsAcceptor::new(identity.server());
        let server = create_task(async move {
            let stream = acceptor.accept(Stutter::new(there)).await?;
            let (reader, writer) = StreamOptions::new().streams(stream);
            answer(reader, writer).await
        });
        let connector = TlsConnector::new(identity.client());
        let stream = Stutter::new(here);
        let stream = connector.connect(NAME.try_into().unwrap(), stream).await?;
        let (mut reader, writer) = StreamOptions::new().streams(stream);
        writer.write(&(LENGTH as u64).to_be_bytes());
        writer.write(&pattern(LENGTH));
        let mut answer = reader.read_to_end().await?;
        answer.reverse();
        assert!(answer == pattern(LENGTH));
        writer.close();
        writer.wait_closed().await?;
        server.await.unwrap()
    });
}

/// A handshake that is given up at each of its steps leaves nothing of its stream behind.
#[test]
fn a_handshake_that_is_given_up_drops_its_stream() {
    run_virtual(async {
        let identity = Identity::new();
        for steps in 0..60 {
            let (here, mut there) = pipe();
            let acceptor = TlsAcceptor::new(identity.server());
            let connector = TlsConnector::new(identity.client());
            let mut peer = Box::pin(acceptor.accept(Stutter::new(&mut there)));
            let connect = connector.connect(NAME.try_into().unwrap(), Stutter::new(here));
            let mut connect = Box::pin(connect);
            for _ in 0..steps {
                assert!(poll_once(&mut connect).await.is_none());
                assert!(poll_once(&mut peer).await.is_none());
            }
            drop((connect, peer));
            // The end, and not a wait without one.
            let mut rest = Vec::new();
            there.read_to_end(&mut rest).await?;
        }
        Ok(())
    });
}

#[test]
fn a_connection_that_breaks_off_is_an_error_and_no_end() {
    run(async {
        let identity = Identity::new();
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let acceptor = TlsAcceptor::new(identity.server());
        let server = serve(listener, async move |stream: TcpStream, _| {
            let mut stream = acceptor.accept(stream).await?;
            stream.write_all(b"half of").await?;
            stream.flush().await
            // And dropped, without a word.
        });
        let (mut reader, _writer) = open_connection(server.local_addrs())
            .tls(identity.client())
            .await?;
        assert_eq!(reader.readexactly(7).await?, b"half of");
        let error = reader.read_to_end().await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::UnexpectedEof, "{error:?}");
        Ok(())
    });
}

#[test]
fn what_is_written_before_closing_arrives_although_nobody_reads_the_answers() {
    run(async {
        let identity = Identity::new();
        let (tell, got) = async_results();
        let server = start_server(
            async move |mut reader: StreamReader, writer: StreamWriter| {
                // Lies unread at the client when that closes.
                writer.write(&pattern(1000));
                tell(reader.read_to_end().await);
            },
            "127.0.0.1:0",
        );
        let server = server.tls(identity.server()).await?;
        for _ in 0..20 {
            let (_reader, writer) = open_connection(server.local_addrs())
                .tls(identity.client())
                .await?;
            writer.write(&pattern(MUCH / 4));
            writer.close();
            writer.wait_closed().await?;
        }
        server.close();
        server.wait_closed().await;
        let got = got.take();
        assert_eq!(got.len(), 20);
        for got in got {
            assert!(got.unwrap() == pattern(MUCH / 4));
        }
        Ok(())
    });
}

type Results = Rc<RefCell<Vec<Result<Vec<u8>, String>>>>;

fn async_results<E: std::fmt::Debug>() -> (impl Fn(Result<Vec<u8>, E>), Results) {
    let results = Results::default();
    let kept = results.clone();
    let tell = move |result: Result<_, E>| {
        let result = result.map_err(|error| format!("{error:?}"));
        kept.borrow_mut().push(result);
    };
    (tell, results)
}

#[test]
fn a_client_that_does_not_shake_hands_holds_up_nobody() {
    run(async {
        let identity = Identity::new();
        let server = served(&identity).await?;
        let silent = TcpStream::connect(server.local_addrs()).await?;
        let (mut reader, writer) = open_connection(server.local_addrs())
            .tls(identity.client())
            .await?;
        writer.write(&1_u64.to_be_bytes());
        writer.write(b"a");
        assert_eq!(reader.read_to_end().await?, b"a");
        writer.close();
        writer.wait_closed().await?;
        while server.connections() > 1 {
            // The server has not heard of the end yet.
            yield_now().await;
        }
        let report = server.shutdown(LIMIT).await;
        assert_eq!((report.connections, report.forced), (1, 0));
        drop(silent);
        Ok(())
    });
}

#[test]
fn who_does_not_speak_tls_is_told_so_and_reported_in_debug_mode_only() {
    for debug in [false, true] {
        let reports = run(async {
            let event_loop = get_running_loop();
            event_loop.set_debug(debug);
            let reports = Rc::new(RefCell::new(Vec::new()));
            let kept = reports.clone();
            event_loop
                .set_exception_handler(move |report| kept.borrow_mut().push(report.to_string()));
            let server = served(&Identity::new()).await?;
            let (mut reader, writer) = open_connection(server.local_addrs()).await?;
            writer.write(b"GET / HTTP/1.1\r\nhost: here\r\n\r\n");
            // An alert of TLS, and the end.
            let alert = reader.readexactly(1).await?;
            assert_eq!(alert, [21]);
            server.close();
            server.wait_closed().await;
            Ok(reports.take())
        });
        let about_it = |report: &&String| report.contains("handshake");
        assert_eq!(
            reports.iter().filter(about_it).count(),
            usize::from(debug),
            "{reports:?}"
        );
    }
}

#[cfg(feature = "hyper")]
#[test]
fn hyper_runs_over_tls() {
    use corio_net::compat::Hyper;
    use http_body_util::{BodyExt, Full};
    use hyper::body::{Bytes, Incoming};
    use hyper::service::service_fn;
    use hyper::{Request, Response, client, server};

    run(async {
        let identity = Identity::new();
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let acceptor = TlsAcceptor::new(identity.server());
        let server = serve(listener, async move |stream: TcpStream, _| {
            let stream = acceptor
                .accept(stream)
                .await
                .map_err(|error| error.to_string())?;
            let hello = |_: Request<Incoming>| async {
                io::Result::Ok(Response::new(Full::new(Bytes::from("hello"))))
            };
            let connection = server::conn::http1::Builder::new();
            let connection = connection.serve_connection(Hyper::new(stream), service_fn(hello));
            connection.await.map_err(|error| error.to_string())
        });
        let stream = TcpStream::connect(server.local_addrs()).await?;
        let connector = TlsConnector::new(identity.client());
        let stream = connector.connect(NAME.try_into().unwrap(), stream).await?;
        let (mut requests, driver) = client::conn::http1::handshake(Hyper::new(stream))
            .await
            .map_err(io::Error::other)?;
        let driver = create_task(driver);
        let request = Request::get("/")
            .header("host", "here")
            .body(Full::<Bytes>::default())
            .unwrap();
        let response = requests
            .send_request(request)
            .await
            .map_err(io::Error::other)?;
        let body = response
            .into_body()
            .collect()
            .await
            .map_err(io::Error::other)?;
        assert_eq!(body.to_bytes(), "hello");
        drop(requests);
        driver.await.unwrap().map_err(io::Error::other)?;
        server.close();
        server.wait_closed().await;
        Ok(())
    });
}
