//! Servers: every connection has its task, and a server ends in the order that was asked for.

mod support;

use std::cell::{Cell, RefCell};
use std::future::pending;
use std::io;
use std::rc::Rc;
use std::time::Duration;

use corio_combinators::{finally, gather, timeout};
use corio_core::AnyTask;
use corio_net::{
    ServeError, ServeOptions, Server, StreamReader, StreamWriter, TcpListener, TcpStream,
    open_connection, serve, start_server,
};
use corio_runtime::{all_tasks, create_task, get_running_loop, yield_now};
use support::{Reserved, run};

/// Long enough to show that something waits.
const MOMENT: Duration = Duration::from_millis(5);
const LONG: Duration = Duration::from_secs(3600);

async fn echo(mut reader: StreamReader, writer: StreamWriter) -> io::Result<()> {
    loop {
        let bytes = reader.read(1000).await?;
        if bytes.is_empty() {
            return Ok(());
        }
        writer.write(&bytes);
        writer.drain().await?;
    }
}

async fn echo_server() -> io::Result<Server> {
    start_server(echo, "127.0.0.1:0").await
}

/// A client that has been answered, so its connection is under way on both sides.
async fn client(server: &Server) -> io::Result<(StreamReader, StreamWriter)> {
    let (mut reader, writer) = open_connection(server.local_addrs()).await?;
    writer.write(b"hi");
    assert_eq!(reader.readexactly(2).await?, b"hi");
    Ok((reader, writer))
}

fn reports() -> Rc<RefCell<Vec<String>>> {
    let reports = Rc::new(RefCell::new(Vec::new()));
    let log = reports.clone();
    get_running_loop().set_exception_handler(move |report| {
        log.borrow_mut().push(report.to_string());
    });
    reports
}

/// An address that somebody had and has not any more. Tried again if another test was given it before it could be reserved.
async fn given_back(
    had: impl AsyncFn() -> io::Result<std::net::SocketAddr>,
) -> io::Result<Reserved> {
    let mut tries_left = 10;
    loop {
        tries_left -= 1;
        match Reserved::at(had().await?) {
            Err(error) if error.kind() == io::ErrorKind::AddrInUse && tries_left > 0 => {}
            reserved => return reserved,
        }
    }
}

async fn until(condition: impl Fn() -> bool) {
    while !condition() {
        corio_runtime::sleep(Duration::from_millis(1)).await;
    }
}

#[test]
fn many_clients_are_served_at_the_same_time() {
    run(async {
        let server = echo_server().await?;
        let clients = (0..50).map(|number: u32| {
            let addr = server.local_addrs();
            async move {
                let (mut reader, writer) = open_connection(addr).await?;
                for round in 0..10 {
                    let line = format!("{number}: {round}\n");
                    writer.write(line.as_bytes());
                    writer.drain().await?;
                    assert_eq!(reader.readline().await?, line.as_bytes());
                }
                writer.close();
                writer.wait_closed().await
            }
        });
        for result in gather(clients).await? {
            result?;
        }
        server.close();
        server.wait_closed().await;
        assert_eq!(server.connections(), 0);
        Ok(())
    });
}

#[test]
fn the_tasks_of_a_server_were_created_where_the_program_made_the_server() {
    run(async {
        let idle = async |mut reader: StreamReader, _writer: StreamWriter| reader.read(1).await;
        let line = line!() + 1;
        let server = start_server(idle, "127.0.0.1:0").await?;
        let client = open_connection(server.local_addrs()).await?;
        until(|| server.connections() == 1).await;
        let sites: Vec<_> = all_tasks().iter().skip(1).map(AnyTask::site).collect();
        assert_eq!(
            sites.len(),
            2,
            "the accepting task, and that of the connection"
        );
        for site in sites {
            assert_eq!((site.file(), site.line()), (file!(), line));
        }
        drop(client);
        Ok(())
    });
}

#[test]
fn the_tasks_of_a_server_are_shown_as_those_of_its_handler_and_of_the_server() {
    run(async {
        let server = echo_server().await?;
        let _client = client(&server).await?;
        let plain = TcpListener::bind("127.0.0.1:0").await?;
        let addr = plain.local_addr()?;
        let _plain = serve(plain, async |_: TcpStream, _| pending::<()>().await);
        let _other = TcpStream::connect(addr).await?;
        until(|| all_tasks().len() == 5).await;
        let shown = all_tasks().into_iter().skip(1);
        let shown: Vec<String> = shown.map(|task| format!("{task:?}")).collect();
        let here = "server_lifecycle";
        let test = "the_tasks_of_a_server_are_shown_as_those_of_its_handler_and_of_the_server";
        let expected = [
            "corio_net::server::handle::Server".to_owned(),
            format!("{here}::echo"),
            "corio_net::server::handle::Server".to_owned(),
            format!("{here}::{test}"),
        ];
        for (shown, expected) in shown.iter().zip(expected) {
            assert!(shown.contains(&format!(" coro={expected} at ")), "{shown}");
        }
        Ok(())
    });
}

#[test]
fn c141_what_fails_is_reported_and_what_is_cancelled_is_not() {
    run(async {
        let reports = reports();
        let handler = async |mut reader: StreamReader, writer: StreamWriter| match reader
            .readline()
            .await?
            .as_slice()
        {
            b"fail\n" => Err(io::Error::other("no such thing")),
            b"panic\n" => panic!("oh"),
            b"cancel\n" => {
                writer.close();
                corio_runtime::current_task().unwrap().cancel();
                std::future::pending().await
            }
            _ => Ok(()),
        };
        let server = start_server(handler, "127.0.0.1:0")
            .named("careless")
            .await?;
        for line in ["nothing\n", "cancel\n", "fail\n", "panic\n"] {
            let (mut reader, writer) = open_connection(server.local_addrs()).await?;
            writer.write(line.as_bytes());
            assert_eq!(reader.read(1).await?, b"", "the connection is closed");
        }
        until(|| server.connections() == 0).await;
        let reports = reports.borrow();
        assert_eq!(reports.len(), 2, "{reports:?}");
        assert!(
            reports[0].contains("no such thing") && reports[0].contains("careless: 127.0.0.1:")
        );
        assert!(reports[1].contains("oh") && reports[1].contains("careless: 127.0.0.1:"));
        assert!(server.is_serving());
        Ok(())
    });
}

#[test]
fn c142_wait_closed_waits_for_the_close_and_for_the_last_client() {
    run(async {
        let waits = async |server: &Server| timeout(MOMENT, server.wait_closed()).await.is_err();
        let server = echo_server().await?;
        let earlier = create_task(server.wait_closed());
        assert!(waits(&server).await, "open, idle");
        let (mut reader, writer) = client(&server).await?;
        assert_eq!(server.connections(), 1);
        assert!(waits(&server).await, "open, with a client");
        server.close();
        assert!(waits(&server).await, "closed, with a client");
        writer.write(b"still");
        assert_eq!(reader.readexactly(5).await?, b"still");
        assert!(!earlier.done());
        writer.close();
        server.wait_closed().await;
        earlier.await?;

        let server = echo_server().await?;
        server.close();
        server.wait_closed().await;
        Ok(())
    });
}

#[test]
fn a_closed_server_has_no_socket_and_refuses_clients() {
    run(async {
        let addr = given_back(async || {
            let server = echo_server().await?;
            let addrs = server.local_addrs();
            assert!(server.is_serving());
            server.close();
            server.close();
            assert!(!server.is_serving() && server.local_addrs().is_empty());
            assert_eq!(server.start_serving(), Err(ServeError::Closed));
            Ok(addrs[0])
        })
        .await?;
        let error = open_connection(addr.addr).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::ConnectionRefused);
        Ok(())
    });
}

#[test]
fn c145_a_cancelled_serve_forever_closes_waits_for_the_clean_up_and_is_cancelled() {
    run(async {
        let log = Rc::new(RefCell::new(Vec::new()));
        let handler = {
            let log = log.clone();
            async move |mut reader: StreamReader, writer: StreamWriter| {
                writer.write(b"hi");
                let work = async {
                    reader.read_to_end().await.ok();
                };
                finally(work, async || {
                    yield_now().await;
                    writer.write(b"bye");
                    log.borrow_mut().push("cleaned up");
                })
                .await;
            }
        };
        let server = start_server(handler, "127.0.0.1:0").await?;
        let serving = create_task({
            let (server, log) = (server.clone(), log.clone());
            async move {
                finally(server.serve_forever(), async || {
                    log.borrow_mut().push("ended");
                })
                .await
            }
        });
        let (mut reader, _writer) = open_connection(server.local_addrs()).await?;
        assert_eq!(reader.readexactly(2).await?, b"hi");
        assert_eq!(
            server.serve_forever().await,
            Err(ServeError::AlreadyServing)
        );
        serving.cancel();
        assert_eq!(reader.read_to_end().await?, b"bye");
        assert!((&serving).await.is_err() && serving.cancelled());
        assert_eq!(*log.borrow(), ["cleaned up", "ended"]);
        assert!(server.local_addrs().is_empty());
        assert_eq!(server.serve_forever().await, Err(ServeError::Closed));
        Ok(())
    });
}

#[test]
fn serve_forever_ends_when_the_server_is_closed_and_its_last_client_has_gone() {
    run(async {
        let server = start_server(echo, "127.0.0.1:0")
            .start_serving(false)
            .await?;
        assert!(!server.is_serving());
        let serving = create_task({
            let server = server.clone();
            async move { server.serve_forever().await }
        });
        let (_reader, writer) = client(&server).await?;
        assert!(server.is_serving());
        server.close();
        assert!(timeout(MOMENT, server.wait_closed()).await.is_err());
        assert!(!serving.done());
        drop(writer);
        assert_eq!(serving.await?, Ok(()));
        Ok(())
    });
}

#[test]
fn a_dropped_serve_forever_leaves_a_closed_server() {
    run(async {
        let server = echo_server().await?;
        let mut forever = Box::pin(server.serve_forever());
        futures_lite::future::poll_once(&mut forever).await;
        drop(forever);
        assert!(!server.is_serving());
        Ok(())
    });
}

#[test]
fn a_shutdown_lets_clean_up_end_and_forces_what_does_not() {
    run(async {
        let handler = async |mut reader: StreamReader, writer: StreamWriter| {
            let stubborn = reader.readline().await.ok() == Some(b"stubborn\n".to_vec());
            writer.write(b"ok");
            finally(std::future::pending::<()>(), async || {
                if stubborn {
                    std::future::pending::<()>().await;
                }
                yield_now().await;
                writer.write(b"goodbye");
            })
            .await;
        };
        let server = start_server(handler, "127.0.0.1:0").await?;
        let mut clients = Vec::new();
        for line in ["stubborn\n", "polite\n", "polite\n"] {
            let (mut reader, writer) = open_connection(server.local_addrs()).await?;
            writer.write(line.as_bytes());
            assert_eq!(reader.readexactly(2).await?, b"ok");
            clients.push((reader, writer));
        }
        let report = server.shutdown(Duration::from_millis(500)).await;
        assert_eq!((report.connections, report.forced), (3, 1));
        assert_eq!(server.connections(), 0);
        let mut last_words = Vec::new();
        for (mut reader, _writer) in clients {
            last_words.push(reader.read_to_end().await?);
        }
        assert_eq!(last_words, [&b""[..], b"goodbye", b"goodbye"]);
        // Again, there is nothing to do.
        let report = server.shutdown(LONG).await;
        assert_eq!((report.connections, report.forced), (0, 0));
        Ok(())
    });
}

/// A connection counts until everything is sent, and a peer that does not read cannot hold a shutdown up.
#[test]
fn a_shutdown_ends_a_connection_whose_peer_does_not_read() {
    run(async {
        let handler = async |_reader, writer: StreamWriter| writer.write(&vec![0; 8_000_000]);
        let server = start_server(handler, "127.0.0.1:0").await?;
        let (mut reader, _writer) = open_connection(server.local_addrs()).await?;
        reader.readexactly(1).await?;
        assert_eq!(server.connections(), 1);
        let report = server.shutdown(MOMENT).await;
        assert_eq!((report.connections, report.forced), (1, 1));
        Ok(())
    });
}

#[test]
fn close_clients_asks_and_the_server_goes_on() {
    run(async {
        let cleaned = Rc::new(Cell::new(0));
        let handler = {
            let cleaned = cleaned.clone();
            async move |mut reader: StreamReader, writer: StreamWriter| {
                writer.write(b"hi");
                finally(reader.read_to_end(), async || {
                    cleaned.set(cleaned.get() + 1)
                })
                .await
            }
        };
        let server = start_server(handler, "127.0.0.1:0").await?;
        let (mut reader, _writer) = open_connection(server.local_addrs()).await?;
        reader.readexactly(2).await?;
        server.close_clients();
        assert_eq!(reader.read(1).await?, b"");
        assert_eq!(cleaned.get(), 1);
        assert!(server.is_serving());
        let (mut reader, writer) = open_connection(server.local_addrs()).await?;
        assert_eq!(reader.readexactly(2).await?, b"hi");
        drop(writer);
        until(|| server.connections() == 0).await;
        assert_eq!(cleaned.get(), 2);
        Ok(())
    });
}

#[test]
fn close_clients_forces_those_that_it_asked_when_the_grace_is_over() {
    run(async {
        let handler = async |_reader: StreamReader, writer: StreamWriter| {
            writer.write(b"hi");
            finally(std::future::pending::<()>(), std::future::pending::<()>).await
        };
        let server = start_server(handler, "127.0.0.1:0").grace(MOMENT).await?;
        let (mut first, _writer) = open_connection(server.local_addrs()).await?;
        first.readexactly(2).await?;
        server.close_clients();
        let (mut second, _writer) = open_connection(server.local_addrs()).await?;
        second.readexactly(2).await?;
        assert_eq!(first.read(1).await?, b"");
        until(|| server.connections() == 1).await;
        assert!(timeout(4 * MOMENT, second.read(1)).await.is_err());
        server.abort_clients();
        assert_eq!(second.read(1).await?, b"");
        until(|| server.connections() == 0).await;
        assert!(server.is_serving());
        Ok(())
    });
}

#[test]
fn abort_clients_asks_nobody_and_sends_nothing_more() {
    run(async {
        let asked = Rc::new(Cell::new(false));
        let handler = {
            let asked = asked.clone();
            async move |_reader: StreamReader, writer: StreamWriter| {
                writer.write(&vec![0; 8_000_000]);
                finally(std::future::pending::<()>(), async || asked.set(true)).await;
            }
        };
        let server = start_server(handler, "127.0.0.1:0").await?;
        let (mut reader, _writer) = open_connection(server.local_addrs()).await?;
        reader.readexactly(1).await?;
        server.abort_clients();
        until(|| server.connections() == 0).await;
        assert!(!asked.get());
        // The end may come as a reset, since bytes were thrown away.
        if let Ok(rest) = reader.read_to_end().await {
            assert!(rest.len() < 8_000_000);
        }
        Ok(())
    });
}

/// Two clients of a server that accepts nobody. What Linux gives is one place more in the queue than asked for, and it passes over who
/// comes then, who tries again after a second.
#[cfg(target_os = "linux")]
async fn two_clients(server: &Server) -> io::Result<[TcpStream; 2]> {
    let addr = server.local_addrs()[0];
    Ok([
        TcpStream::connect(addr).await?,
        TcpStream::connect(addr).await?,
    ])
}

#[test]
#[cfg(target_os = "linux")]
fn a_listener_that_is_there_already_gets_the_backlog_that_is_asked_for() {
    run(async {
        let start = || {
            let listener = std::net::TcpListener::bind("127.0.0.1:0")?;
            io::Result::Ok(start_server(echo, listener).start_serving(false))
        };
        let server = start()?.await?;
        let _clients = two_clients(&server).await?;
        TcpStream::connect(server.local_addrs()).await?;

        let server = start()?.backlog(1).await?;
        let _clients = two_clients(&server).await?;
        let third = TcpStream::connect(server.local_addrs());
        assert!(timeout(20 * MOMENT, third).await.is_err(), "it finds room");
        Ok(())
    });
}

#[test]
fn a_server_that_does_not_start_serves_nobody_until_it_is_told_to() {
    run(async {
        let server = start_server(echo, "127.0.0.1:0")
            .start_serving(false)
            .await?;
        let (mut reader, writer) = open_connection(server.local_addrs()).await?;
        writer.write(b"hello");
        assert!(timeout(MOMENT, reader.read(1)).await.is_err());
        assert_eq!(server.connections(), 0);
        server.start_serving()?;
        server.start_serving()?;
        assert_eq!(reader.readexactly(5).await?, b"hello");

        // Forgotten before it has begun, it gives its address back.
        let addr = given_back(async || {
            let idle = start_server(echo, "127.0.0.1:0").start_serving(false);
            Ok(idle.await?.local_addrs()[0])
        })
        .await?;
        assert!(open_connection(addr.addr).await.is_err());
        Ok(())
    });
}

#[test]
fn every_address_is_listened_at_with_one_port_and_each_only_once() {
    run(async {
        let any: std::net::SocketAddr = "127.0.0.1:0".parse().unwrap();
        let other = "127.0.0.2:0".parse().unwrap();
        // Not every system has the whole of 127.0.0.0/8.
        let server = match start_server(echo, [any, any, other]).await {
            Err(error) if error.kind() == io::ErrorKind::AddrNotAvailable => return Ok(()),
            server => server?,
        };
        let addrs = server.local_addrs();
        if addrs.len() == 2 {
            assert_eq!(addrs[0].port(), addrs[1].port());
            assert_ne!(addrs[0].ip(), addrs[1].ip());
        }
        for addr in addrs {
            let (mut reader, writer) = open_connection(addr).await?;
            writer.write(b"x");
            assert_eq!(reader.readexactly(1).await?, b"x");
        }
        let taken = server.local_addrs();
        let error = start_server(echo, taken).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::AddrInUse);
        Ok(())
    });
}

#[test]
fn a_listener_that_is_there_already_is_taken() {
    run(async {
        let listener = std::net::TcpListener::bind("127.0.0.1:0")?;
        let addr = listener.local_addr()?;
        let server = start_server(echo, listener).limit(100).await?;
        assert_eq!(server.local_addrs(), [addr]);
        client(&server).await?;
        let server = start_server(echo, TcpListener::bind("127.0.0.1:0").await?).await?;
        client(&server).await?;
        Ok(())
    });
}

#[test]
fn several_servers_share_a_port_if_all_ask_for_it() {
    run(async {
        let first = match start_server(echo, "127.0.0.1:0").reuse_port(true).await {
            Err(error) if error.kind() == io::ErrorKind::Unsupported => return Ok(()),
            first => first?,
        };
        let second = start_server(echo, first.local_addrs())
            .reuse_port(true)
            .backlog(5)
            .await?;
        for _ in 0..20 {
            client(&first).await?;
        }
        assert_eq!(first.local_addrs(), second.local_addrs());
        Ok(())
    });
}

#[test]
fn the_connections_of_serve_are_sockets_as_they_are() {
    run(async {
        let reports = reports();
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let options = ServeOptions::new().named("plain").grace(LONG);
        let server = options.serve(listener, async |stream: TcpStream, peer| {
            assert_eq!(stream.peer_addr()?, peer);
            stream.write(b"hello").await?;
            let mut buffer = [0; 8];
            match stream.read(&mut buffer).await? {
                0 => Ok(()),
                _ => Err(io::Error::other("nobody asked")),
            }
        });
        let client = TcpStream::connect(server.local_addrs()).await?;
        let mut buffer = [0; 8];
        assert_eq!(client.read(&mut buffer).await?, 5);
        let me = format!("plain: {}", client.local_addr()?);
        assert!(all_tasks().iter().any(|task| task.name() == me));
        client.write(b"something").await?;
        until(|| server.connections() == 0).await;
        assert!(reports.borrow()[0].contains("nobody asked"));
        let _client = TcpStream::connect(server.local_addrs()).await?;
        until(|| server.connections() == 1).await;
        let report = server.shutdown(LONG).await;
        assert_eq!((report.connections, report.forced), (1, 0));
        Ok(())
    });
}

#[test]
fn a_server_without_a_handle_goes_on_and_ends_with_its_loop() {
    let ended = Rc::new(Cell::new(false));
    let of_handler = ended.clone();
    run(async {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let addr = listener.local_addr()?;
        drop(serve(listener, async move |stream: TcpStream, _| {
            stream.write(b"x").await.unwrap();
            finally(std::future::pending::<()>(), async || of_handler.set(true)).await;
        }));
        let client = TcpStream::connect(addr).await?;
        assert_eq!(client.read(&mut [0; 8]).await?, 1);
        Ok(())
    });
    assert!(ended.get());
}

#[test]
fn a_server_whose_accepting_task_is_cancelled_is_closed_rather_than_deaf() {
    run(async {
        let server = start_server(echo, "127.0.0.1:0").named("a").await?;
        let accepting = all_tasks()
            .into_iter()
            .find(|task| task.name() == "a: accepting")
            .unwrap();
        yield_now().await;
        accepting.cancel();
        server.wait_closed().await;
        assert!(!server.is_serving());
        Ok(())
    });
}

/// A server whose handlers run `handle` and keep their writers for later, and what they kept.
async fn keeping_server(
    handle: impl AsyncFn(StreamReader, &StreamWriter) + 'static,
) -> io::Result<(Server, Rc<RefCell<Vec<StreamWriter>>>)> {
    let kept = Rc::new(RefCell::new(Vec::new()));
    let keep = kept.clone();
    let handler = async move |reader: StreamReader, writer: StreamWriter| {
        handle(reader, &writer).await;
        keep.borrow_mut().push(writer);
    };
    Ok((start_server(handler, "127.0.0.1:0").await?, kept))
}

async fn reset(client: TcpStream) -> io::Result<()> {
    client.set_linger(Some(Duration::ZERO))?;
    drop(client);
    Ok(())
}

#[test]
fn a_connection_that_was_lost_while_it_was_read_holds_up_no_end_although_its_writer_is_kept() {
    run(async {
        let (server, kept) = keeping_server(async |mut reader, _| {
            let error = reader.read(10).await.expect_err("it is reset");
            assert_eq!(error.kind(), io::ErrorKind::ConnectionReset);
        })
        .await?;
        let client = TcpStream::connect(server.local_addrs()[0]).await?;
        until(|| server.connections() == 1).await;
        reset(client).await?;
        until(|| kept.borrow().len() == 1).await;
        server.close();
        server.wait_closed().await;
        assert_eq!(server.connections(), 0);
        Ok(())
    });
}

#[test]
fn a_connection_that_was_lost_while_it_was_written_holds_up_no_end_although_its_writer_is_kept() {
    run(async {
        let (server, kept) = keeping_server(async |_reader, writer| {
            let error = loop {
                writer.write(&[1; 100_000]);
                if let Err(error) = writer.drain().await {
                    break error;
                }
            };
            assert!(matches!(
                error.kind(),
                io::ErrorKind::ConnectionReset | io::ErrorKind::BrokenPipe
            ));
        })
        .await?;
        let client = TcpStream::connect(server.local_addrs()[0]).await?;
        until(|| server.connections() == 1).await;
        reset(client).await?;
        until(|| kept.borrow().len() == 1).await;
        server.close();
        server.wait_closed().await;
        Ok(())
    });
}

#[test]
fn half_a_connection_is_not_lost_and_its_writer_goes_on_writing() {
    run(async {
        let (server, kept) = keeping_server(async |_reader, _writer| ()).await?;
        let client = TcpStream::connect(server.local_addrs()[0]).await?;
        client.shutdown(std::net::Shutdown::Write)?;
        until(|| kept.borrow().len() == 1).await;
        server.close();
        let gone = timeout(MOMENT, server.wait_closed()).await;
        assert!(gone.is_err(), "half of the connection is there");
        kept.borrow()[0].write(b"bye");
        drop(kept.take());
        server.wait_closed().await;
        let mut bytes = [0; 10];
        assert_eq!(client.read(&mut bytes).await?, 3);
        assert_eq!(client.read(&mut bytes).await?, 0);
        Ok(())
    });
}

#[test]
fn a_connection_that_is_lost_when_nobody_reads_any_more_holds_up_no_end_although_its_writer_is_kept()
 {
    run(async {
        let (server, kept) = keeping_server(async |_reader, _writer| ()).await?;
        let client = TcpStream::connect(server.local_addrs()[0]).await?;
        until(|| kept.borrow().len() == 1).await;
        server.close();
        let gone = timeout(MOMENT, server.wait_closed()).await;
        assert!(gone.is_err(), "the connection is there");
        assert_eq!(client.write(b"to nobody").await?, 9);
        let gone = timeout(MOMENT, server.wait_closed()).await;
        assert!(gone.is_err(), "the connection is there");
        reset(client).await?;
        server.wait_closed().await;
        Ok(())
    });
}
