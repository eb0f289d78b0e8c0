//! Programs that each wait in some of the futures of sockets, streams and servers, and end well if nobody disturbs them.

#![allow(unreachable_pub, reason = "test files use it")]

use std::future::Future;
use std::io::{self, IoSlice, IoSliceMut};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::pin::Pin;
use std::sync::mpsc;
use std::time::Duration;

use corio_net::compat::HyperTimer;
use corio_net::tls::TlsConnector;
use corio_net::{
    Lookup, Server, StreamReader, StreamWriter, TcpListener, TcpStream, UdpSocket, UnixListener,
    UnixStream, open_connection, start_server,
};
use corio_runtime::{create_task, yield_now};
use hyper::rt::Timer;

use crate::support::{Folder, LIMIT, tcp_pair};
use crate::support_tls::{Identity, NAME};

pub type Running = Pin<Box<dyn Future<Output = io::Result<()>>>>;
pub type Row = (&'static str, fn() -> Running);

/// More than a socket takes at once.
const MUCH: usize = 8 << 20;

/// What the case is about, and a program that waits in it at least once.
pub const CASES: &[Row] = &[
    ("Accept", || Box::pin(accept())),
    ("Bind Lookup", || Box::pin(look_up())),
    ("Connect", || Box::pin(connect())),
    ("ReadSome", || Box::pin(read_some())),
    ("ReadVectored", || Box::pin(read_vectored())),
    ("Peek", || Box::pin(peek())),
    ("readable", || Box::pin(readable())),
    ("writable", || Box::pin(writable())),
    ("WriteSome", || Box::pin(write_some())),
    ("ReadExact WriteAll", || Box::pin(whole())),
    ("WriteVectored", || Box::pin(write_vectored())),
    ("Recv SendOne UdpConnect", || Box::pin(datagrams())),
    ("RecvFrom SendTo", || Box::pin(datagrams_from())),
    ("UnixConnect", || Box::pin(connect_unix())),
    ("Opening Read", || {
        Box::pin(streams(async |reader| reader.read(9).await))
    }),
    ("ReadExactly", || {
        Box::pin(streams(async |reader| {
            reader.readexactly(9).await.map_err(Into::into)
        }))
    }),
    ("ReadLine", || {
        Box::pin(streams(async |reader| {
            reader.readline().await.map_err(Into::into)
        }))
    }),
    ("ReadUntil", || {
        Box::pin(streams(async |reader| {
            reader.readuntil(b"wo").await.map_err(Into::into)
        }))
    }),
    ("ReadToEnd", || {
        Box::pin(streams(async |reader| reader.read_to_end().await))
    }),
    ("NextLine", || {
        Box::pin(streams(async |reader| match reader.lines().next().await {
            Some(line) => line.map_err(Into::into),
            None => Ok(Vec::new()),
        }))
    }),
    ("a read that this side ends", || Box::pin(ended_here())),
    ("Drain ConnectionClosed", || Box::pin(drain())),
    ("Starting ServeForever", || Box::pin(serve_forever())),
    ("ServerClosed", || Box::pin(server_closed())),
    ("Shutdown", || Box::pin(shutdown())),
    ("OpeningTls TlsHandshake", || Box::pin(open_tls())),
    ("StartTls", || Box::pin(start_tls())),
    ("TimerSleep", || {
        Box::pin(async {
            HyperTimer.sleep(Duration::from_millis(1)).await;
            Ok(())
        })
    }),
];

async fn accept() -> io::Result<()> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let addr = listener.local_addr()?;
    create_task(async move {
        yield_now().await;
        // The listener may have gone.
        let _ = TcpStream::connect(addr).await;
    });
    listener.accept().await.map(drop)
}

/// A look-up that has its answer a little later.
fn later(addr: SocketAddr) -> Lookup {
    let (go, told) = mpsc::channel();
    create_task(async move {
        yield_now().await;
        // Nobody may have begun.
        let _ = go.send(());
    });
    Lookup::blocking(move || {
        told.recv().map_err(io::Error::other)?;
        Ok(vec![addr])
    })
}

const ANY: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 0);

async fn look_up() -> io::Result<()> {
    assert_eq!(later(ANY).await?, [ANY]);
    TcpListener::bind(later(ANY)).await.map(drop)
}

async fn connect() -> io::Result<()> {
    let listener = TcpListener::bind(ANY).await?;
    TcpStream::connect(later(listener.local_addr()?))
        .await
        .map(drop)
}

/// A connection whose other end says hello a little later.
async fn greeted() -> io::Result<TcpStream> {
    let (ours, theirs) = tcp_pair().await?;
    create_task(async move {
        yield_now().await;
        // Nobody may be there to read it.
        let _ = theirs.write(b"hello").await;
    });
    Ok(ours)
}

async fn read_some() -> io::Result<()> {
    let stream = greeted().await?;
    assert_eq!(stream.read(&mut [0; 8]).await?, 5);
    Ok(())
}

async fn read_vectored() -> io::Result<()> {
    let stream = greeted().await?;
    let (mut one, mut two) = ([0; 3], [0; 8]);
    let mut bufs = [IoSliceMut::new(&mut one), IoSliceMut::new(&mut two)];
    assert_eq!(stream.read_vectored(&mut bufs).await?, 5);
    Ok(())
}

async fn peek() -> io::Result<()> {
    let stream = greeted().await?;
    assert_eq!(stream.peek(&mut [0; 8]).await?, 5);
    Ok(())
}

async fn readable() -> io::Result<()> {
    let stream = greeted().await?;
    // Until an attempt has failed, a source counts as ready.
    assert!(stream.try_read(&mut [0; 8]).is_err());
    stream.readable().await.map(drop)
}

/// A connection whose other end reads to its end.
async fn drained() -> io::Result<TcpStream> {
    let (ours, theirs) = tcp_pair().await?;
    create_task(async move {
        let mut buffer = vec![0; 65_536];
        while matches!(theirs.read(&mut buffer).await, Ok(1..)) {}
    });
    Ok(ours)
}

async fn write_some() -> io::Result<()> {
    let stream = drained().await?;
    let bytes = vec![7; MUCH];
    let mut left = &bytes[..];
    while !left.is_empty() {
        left = &left[stream.write(left).await?..];
    }
    Ok(())
}

async fn writable() -> io::Result<()> {
    let stream = drained().await?;
    let bytes = vec![7; MUCH];
    while stream.try_write(&bytes).is_ok() {}
    stream.writable().await.map(drop)
}

async fn whole() -> io::Result<()> {
    let stream = greeted().await?;
    let mut buf = [0; 5];
    stream.read_exact(&mut buf).await?;
    let stream = drained().await?;
    stream.write_all(&vec![7; MUCH]).await
}

async fn write_vectored() -> io::Result<()> {
    let stream = drained().await?;
    let bytes = vec![7; MUCH];
    let mut left = &bytes[..];
    while !left.is_empty() {
        let (one, two) = left.split_at(left.len() / 2);
        let bufs = [IoSlice::new(one), IoSlice::new(two)];
        left = &left[stream.write_vectored(&bufs).await?..];
    }
    Ok(())
}

async fn datagrams() -> io::Result<()> {
    let ours = UdpSocket::bind("127.0.0.1:0").await?;
    let theirs = UdpSocket::bind("127.0.0.1:0").await?;
    ours.connect(theirs.local_addr()?).await?;
    theirs.connect(later(ours.local_addr()?)).await?;
    create_task(async move {
        yield_now().await;
        let _ = theirs.send(b"hello").await;
    });
    assert_eq!(ours.recv(&mut [0; 8]).await?, 5);
    Ok(())
}

async fn datagrams_from() -> io::Result<()> {
    let ours = UdpSocket::bind("127.0.0.1:0").await?;
    let theirs = UdpSocket::bind("127.0.0.1:0").await?;
    let addr = ours.local_addr()?;
    create_task(async move {
        yield_now().await;
        let _ = theirs.send_to(b"hello", addr).await;
    });
    assert_eq!(ours.recv_from(&mut [0; 8]).await?.0, 5);
    Ok(())
}

async fn connect_unix() -> io::Result<()> {
    let folder = Folder::new();
    let path = folder.path().join("socket");
    let listener = UnixListener::bind(&path)?;
    let connecting = create_task(async move { UnixStream::connect(&path).await.map(drop) });
    listener.accept().await?;
    connecting.await.map_err(io::Error::other)?
}

/// A server that says `words`, one after the other, and ends each connection.
async fn speaker() -> io::Result<Server> {
    let handler = async |_: StreamReader, writer: StreamWriter| {
        for word in ["hello ", "world\n"] {
            yield_now().await;
            writer.write(word.as_bytes());
            writer.drain().await?;
        }
        io::Result::Ok(())
    };
    start_server(handler, "127.0.0.1:0").await
}

/// Closes a server, whatever becomes of the program.
struct Closed(Server);

impl Drop for Closed {
    fn drop(&mut self) {
        self.0.abort_clients();
        self.0.close();
    }
}

async fn streams(
    read: impl AsyncFnOnce(&mut StreamReader) -> io::Result<Vec<u8>>,
) -> io::Result<()> {
    let server = Closed(speaker().await?);
    let (mut reader, _writer) = open_connection(server.0.local_addrs()[0]).await?;
    assert!(!read(&mut reader).await?.is_empty());
    Ok(())
}

async fn drain() -> io::Result<()> {
    let swallow = async |mut reader: StreamReader, _: StreamWriter| {
        while !reader.read(65_536).await?.is_empty() {}
        io::Result::Ok(())
    };
    let server = Closed(start_server(swallow, "127.0.0.1:0").await?);
    let (_reader, writer) = open_connection(server.0.local_addrs()[0]).await?;
    writer.write(&vec![7; MUCH]);
    writer.drain().await?;
    writer.close();
    writer.wait_closed().await
}

async fn serve_forever() -> io::Result<()> {
    let server = Closed(speaker().await?);
    let other = server.0.clone();
    create_task(async move {
        yield_now().await;
        other.close();
    });
    server.0.serve_forever().await.map_err(io::Error::other)
}

/// A server with a connection that waits for its peer, and the peer.
async fn occupied() -> io::Result<(Closed, StreamReader, StreamWriter)> {
    let idle = async |mut reader: StreamReader, _: StreamWriter| reader.read(1).await.map(drop);
    let server = Closed(start_server(idle, ANY).await?);
    let (reader, writer) = open_connection(server.0.local_addrs()[0]).await?;
    while server.0.connections() == 0 {
        yield_now().await;
    }
    Ok((server, reader, writer))
}

async fn ended_here() -> io::Result<()> {
    let (_server, mut reader, writer) = occupied().await?;
    create_task(async move {
        yield_now().await;
        writer.close();
    });
    assert!(reader.read(1).await?.is_empty());
    Ok(())
}

async fn server_closed() -> io::Result<()> {
    let (server, _reader, writer) = occupied().await?;
    server.0.close();
    writer.close();
    server.0.wait_closed().await;
    Ok(())
}

async fn shutdown() -> io::Result<()> {
    let (server, _reader, _writer) = occupied().await?;
    server.0.shutdown(LIMIT).await;
    Ok(())
}

async fn open_tls() -> io::Result<()> {
    let identity = Identity::new();
    let speak = async |_: StreamReader, writer: StreamWriter| {
        writer.write(b"hello");
        writer.drain().await
    };
    let server = start_server(speak, "127.0.0.1:0").tls(identity.server());
    let server = Closed(server.await?);
    let opening = open_connection(server.0.local_addrs()[0]).tls(identity.client());
    let (mut reader, _writer) = opening.await?;
    assert_eq!(
        reader.readexactly(5).await.map_err(io::Error::from)?,
        b"hello"
    );
    let plain = TcpStream::connect(server.0.local_addrs()[0]).await?;
    let name = NAME.try_into().map_err(io::Error::other)?;
    let connector = TlsConnector::from(identity.client());
    connector.connect(name, plain).await.map(drop)
}

async fn start_tls() -> io::Result<()> {
    let identity = Identity::new();
    let config = identity.server();
    let upgrade = async move |reader: StreamReader, writer: StreamWriter| {
        let streams = writer.start_tls_as_server(reader, config.clone()).await;
        streams.map(drop)
    };
    let server = Closed(start_server(upgrade, "127.0.0.1:0").await?);
    let (reader, writer) = open_connection(server.0.local_addrs()[0]).await?;
    let name = NAME.try_into().map_err(io::Error::other)?;
    writer
        .start_tls(reader, identity.client(), name)
        .await
        .map(drop)
}
