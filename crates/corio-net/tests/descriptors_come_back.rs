//! No descriptor is left behind. It has a process of its own, since it counts all of them.

#![cfg(target_os = "linux")]

mod support;

use std::io;
use std::thread;
use std::time::Duration;

use corio_net::{TcpConnector, TcpListener, TcpStream, UdpSocket, UnixStream};
use support::{Reserved, run, tcp_pair};

fn open_descriptors() -> usize {
    std::fs::read_dir("/proc/self/fd").unwrap().count()
}

async fn use_them() -> io::Result<()> {
    let (a, b) = tcp_pair().await?;
    thread::spawn(move || drop(a)).join().unwrap();
    assert_eq!(b.read(&mut [0; 8]).await?, 0);
    let (read, write) = b.into_split();
    drop(read);
    drop(write);

    let (c, d) = UnixStream::pair()?;
    c.write(b"x").await?;
    let d = thread::spawn(move || {
        run(async move {
            assert_eq!(d.read(&mut [0; 8]).await?, 1);
            Ok(d)
        })
    })
    .join()
    .unwrap();
    drop((c, d));

    let socket = UdpSocket::bind("127.0.0.1:0").await?;
    let _ = futures_lite::future::poll_once(socket.recv(&mut [0; 8])).await;
    drop(socket.into_std());

    // Attempts that lose, and one that is given up.
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let nobody = Reserved::new();
    let gone = nobody.addr;
    let live = listener.local_addr()?;
    let connector = TcpConnector::new().happy_eyeballs_delay(Some(Duration::ZERO));
    connector.connect([gone, live, live]).await?;
    let _ = futures_lite::future::poll_once(TcpStream::connect([live, live])).await;
    TcpStream::connect([gone, gone]).await.unwrap_err();
    Ok(())
}

#[test]
fn every_descriptor_comes_back() {
    run(use_them());
    let before = open_descriptors();
    for _ in 0..5 {
        run(use_them());
    }
    assert_eq!(open_descriptors(), before);
}
