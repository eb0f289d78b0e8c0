//! Sockets of the standard library: they come in by `From`, in whichever mode they are, and go back the same way.

#![cfg(unix)]

mod support;

use std::future::Future;
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::net as unix;
use std::{fmt, net};

use corio_net::{TcpListener, TcpStream, UdpSocket, UnixDatagram, UnixListener, UnixStream};
use corio_runtime::{create_task, yield_now};
use rustix::fs::{OFlags, fcntl_getfl};
#[cfg(target_os = "linux")]
use support::own_name;
use support::{Folder, run};

/// Waits for `receives` in a task of its own, sends when that has tried and waits, and so shows that the loop was not held up.
async fn waits<T: fmt::Debug + 'static>(
    receives: impl Future<Output = io::Result<T>> + 'static,
    send: impl FnOnce() -> io::Result<()>,
) -> io::Result<T> {
    let receiving = create_task(receives);
    yield_now().await;
    yield_now().await;
    assert!(!receiving.done(), "there was nothing to receive");
    send()?;
    receiving.await.expect("neither cancelled nor panicked")
}

fn tcp_pair() -> io::Result<(net::TcpStream, net::TcpStream)> {
    let listener = net::TcpListener::bind("127.0.0.1:0")?;
    let client = net::TcpStream::connect(listener.local_addr()?)?;
    Ok((client, listener.accept()?.0))
}

#[test]
fn streams_that_block_come_in_and_wait_without_blocking() {
    let (ours, peer) = tcp_pair().unwrap();
    let ours = TcpStream::from(ours);
    let (our_unix, unix_peer) = unix::UnixStream::pair().unwrap();
    let our_unix: UnixStream = our_unix.into();
    run(async move {
        let mut buffer = [0; 8];
        let read = async move { ours.read(&mut buffer).await };
        let send = || io::Write::write_all(&mut &peer, b"tcp");
        assert_eq!(waits(read, send).await?, 3);
        let read = async move { our_unix.read(&mut buffer).await };
        let send = || io::Write::write_all(&mut &unix_peer, b"unix");
        assert_eq!(waits(read, send).await?, 4);
        Ok(())
    });
}

#[test]
fn listeners_that_block_come_in_and_wait_without_blocking() {
    let folder = Folder::new();
    let path = folder.path().join("socket");
    let listener = net::TcpListener::bind("127.0.0.1:0").unwrap();
    let addr = listener.local_addr().unwrap();
    let listener = TcpListener::from(listener);
    let unix_listener = UnixListener::from(unix::UnixListener::bind(&path).unwrap());
    run(async {
        let accept = async move { listener.accept().await };
        let mut client = None;
        let (stream, peer) = waits(accept, || {
            client = Some(net::TcpStream::connect(addr)?);
            Ok(())
        })
        .await?;
        assert!(stream.nodelay()?);
        assert_eq!(peer, client.expect("connected").local_addr()?);
        let accept = async move { unix_listener.accept().await };
        waits(accept, || unix::UnixStream::connect(&path).map(drop)).await?;
        Ok(())
    });
}

#[test]
fn datagram_sockets_that_block_come_in_and_wait_without_blocking() {
    let ours = net::UdpSocket::bind("127.0.0.1:0").unwrap();
    let addr = ours.local_addr().unwrap();
    let ours = UdpSocket::from(ours);
    let (our_unix, unix_peer) = unix::UnixDatagram::pair().unwrap();
    let our_unix = UnixDatagram::from(our_unix);
    run(async move {
        let mut buffer = [0; 8];
        let receive = async move { ours.recv(&mut buffer).await };
        let send = || {
            let peer = net::UdpSocket::bind("127.0.0.1:0")?;
            peer.send_to(b"udp", addr).map(drop)
        };
        assert_eq!(waits(receive, send).await?, 3);
        let receive = async move { our_unix.recv(&mut buffer).await };
        let send = || unix_peer.send(b"unix").map(drop);
        assert_eq!(waits(receive, send).await?, 4);
        Ok(())
    });
}

/// There and back, in each way that there is.
fn goes_round<Ours, Std>(std: Std)
where
    Ours: From<Std> + From<OwnedFd> + Into<Std> + Into<OwnedFd>,
    Std: From<OwnedFd> + Into<OwnedFd>,
{
    let std: Std = Ours::from(std).into();
    let fd: OwnedFd = Ours::from(std).into();
    let flags = fcntl_getfl(&fd).unwrap();
    assert!(flags.contains(OFlags::NONBLOCK));
    let fd: OwnedFd = Ours::from(fd).into();
    drop(Std::from(fd));
}

#[test]
fn every_socket_comes_in_and_goes_back_without_a_loop() {
    let (a, b) = tcp_pair().unwrap();
    goes_round::<TcpStream, _>(a);
    goes_round::<TcpStream, _>(b);
    goes_round::<TcpListener, _>(net::TcpListener::bind("127.0.0.1:0").unwrap());
    goes_round::<UdpSocket, _>(net::UdpSocket::bind("127.0.0.1:0").unwrap());
    goes_round::<UnixStream, _>(unix::UnixStream::pair().unwrap().0);
    goes_round::<UnixDatagram, _>(unix::UnixDatagram::unbound().unwrap());
    let folder = Folder::new();
    let path = folder.path().join("socket");
    goes_round::<UnixListener, _>(unix::UnixListener::bind(&path).unwrap());
}

/// A listener of the Unix domain in the clothes of one of TCP: it would accept, but cannot be prepared, for it has no option of TCP.
#[cfg(target_os = "linux")]
#[test]
fn a_listener_that_cannot_be_prepared_says_so_at_each_accept_and_accepts_nothing() {
    use std::os::linux::net::SocketAddrExt;

    let addr = unix::SocketAddr::from_abstract_name(own_name()).unwrap();
    let listener = unix::UnixListener::bind_addr(&addr).unwrap();
    let _client = unix::UnixStream::connect_addr(&addr).unwrap();
    let listener = net::TcpListener::from(OwnedFd::from(listener));
    let at_once = TcpListener::from_std(listener.try_clone().unwrap()).unwrap_err();
    assert_eq!(at_once.kind(), io::ErrorKind::Unsupported);
    let listener = TcpListener::from(listener);
    run(async {
        for _ in 0..2 {
            let error = listener.accept().await.unwrap_err();
            assert_eq!(error.raw_os_error(), at_once.raw_os_error());
        }
        Ok(())
    });
    let back = unix::UnixListener::from(OwnedFd::from(listener));
    back.set_nonblocking(true).unwrap();
    back.accept()
        .expect("the connection is still there for the taking");
}

/// A descriptor that only names a file refuses to be switched.
#[cfg(target_os = "linux")]
#[test]
fn every_socket_whose_mode_cannot_be_switched_says_so_at_its_first_operation() {
    use std::os::unix::fs::OpenOptionsExt;

    let fd = || {
        let mut options = std::fs::OpenOptions::new();
        let only_a_name = OFlags::PATH.bits() as i32;
        let file = options.read(true).custom_flags(only_a_name).open("/");
        OwnedFd::from(file.unwrap())
    };
    fn failed<T: fmt::Debug>(result: io::Result<T>) {
        let expected = rustix::io::Errno::BADF.raw_os_error();
        assert_eq!(result.unwrap_err().raw_os_error(), Some(expected));
    }
    failed(TcpStream::from_std(fd().into()));
    failed(TcpListener::from_std(fd().into()));
    failed(UdpSocket::from_std(fd().into()));
    failed(UnixStream::from_std(fd().into()));
    failed(UnixListener::from_std(fd().into()));
    failed(UnixDatagram::from_std(fd().into()));
    run(async {
        let mut buffer = [0; 8];
        failed(TcpStream::from(fd()).read(&mut buffer).await);
        failed(TcpStream::from(fd()).try_write(b"x"));
        failed(TcpStream::from(fd()).readable().await);
        failed(TcpListener::from(fd()).accept().await);
        failed(UdpSocket::from(fd()).recv(&mut buffer).await);
        failed(UnixStream::from(fd()).write(b"x").await);
        failed(UnixListener::from(fd()).accept().await);
        failed(UnixDatagram::from(fd()).send(b"x").await);
        Ok(())
    });
}
