//! Accepting one after the other: whatever a listener believes about its queue, each connection is accepted, and soon.

mod support;

use std::cell::Cell;
use std::io;
use std::net::SocketAddr;
use std::rc::Rc;
#[cfg(target_os = "linux")]
use std::time::Duration;

#[cfg(target_os = "linux")]
use corio_net::start_server;
use corio_net::{TcpListener, TcpStream};
use corio_runtime::{create_task, yield_now};
#[cfg(target_os = "linux")]
use support::pattern;
use support::run;

/// Connects, and waits until it is greeted by whoever has accepted.
async fn visit(addr: SocketAddr) -> io::Result<()> {
    let client = TcpStream::connect(addr).await?;
    assert_eq!(client.read(&mut [0; 8]).await?, 1);
    Ok(())
}

async fn greet_all(listener: TcpListener, accepted: Rc<Cell<usize>>) -> io::Result<()> {
    loop {
        let (stream, _) = listener.accept().await?;
        accepted.set(accepted.get() + 1);
        stream.write(b"x").await?;
    }
}

fn std_listener() -> io::Result<(std::net::TcpListener, SocketAddr)> {
    let listener = std::net::TcpListener::bind("127.0.0.1:0")?;
    let addr = listener.local_addr()?;
    Ok((listener, addr))
}

#[test]
fn connections_are_accepted_whether_they_come_one_by_one_or_all_at_once() {
    run(async {
        let (listener, addr) = std_listener()?;
        let accepted = Rc::new(Cell::new(0));
        let greeting = create_task(greet_all(listener.into(), accepted.clone()));
        let mut total = 0;
        for crowd in [1, 1, 2, 1, 20, 1, 1, 3] {
            let visits: Vec<_> = (0..crowd).map(|_| create_task(visit(addr))).collect();
            for visit in visits {
                visit.await.expect("neither cancelled nor panicked")?;
            }
            total += crowd;
            assert_eq!(accepted.get(), total);
        }
        greeting.cancel();
        Ok(())
    });
}

#[test]
fn two_who_accept_from_duplicates_of_one_listener_lose_no_connection() {
    run(async {
        let (listener, addr) = std_listener()?;
        let accepted = Rc::new(Cell::new(0));
        let greeting = [listener.try_clone()?, listener]
            .map(|listener| create_task(greet_all(listener.into(), accepted.clone())));
        for _ in 0..20 {
            let visits = [visit(addr), visit(addr), visit(addr)].map(create_task);
            for visit in visits {
                visit.await.expect("neither cancelled nor panicked")?;
            }
        }
        assert_eq!(accepted.get(), 60);
        for task in greeting {
            task.cancel();
        }
        Ok(())
    });
}

#[test]
fn an_accept_after_a_success_waits_and_is_woken() {
    run(async {
        let mut listener = TcpListener::bind("127.0.0.1:0").await?;
        let addr = listener.local_addr()?;
        for _ in 0..4 {
            let first = TcpStream::connect(addr).await?;
            listener.accept().await?;
            let accept = create_task(wait_for_one(listener));
            yield_now().await;
            yield_now().await;
            assert!(!accept.done(), "there was nobody");
            let second = TcpStream::connect(addr).await?;
            listener = accept.await.expect("neither cancelled nor panicked")?;
            drop((first, second));
        }
        Ok(())
    });
}

async fn wait_for_one(listener: TcpListener) -> io::Result<TcpListener> {
    listener.accept().await?;
    Ok(listener)
}

/// Linux accepts such a connection; others pass over it.
#[cfg(target_os = "linux")]
#[test]
fn a_peer_that_has_gone_before_its_streams_are_made_is_known_all_the_same() {
    run(async {
        let (listener, addr) = std_listener()?;
        let client = TcpStream::connect(addr).await?;
        let expected = client.local_addr()?;
        client.write(&pattern(8)).await?;
        client.set_linger(Some(Duration::ZERO))?;
        drop(client);
        let seen = Rc::new(Cell::new(None));
        let of_handler = seen.clone();
        let handler = async move |_reader, writer: corio_net::StreamWriter| {
            of_handler.set(writer.peer_addr());
        };
        let _server = start_server(handler, listener).await?;
        while seen.get().is_none() {
            yield_now().await;
        }
        assert_eq!(seen.get(), Some(expected));
        Ok(())
    });
}
