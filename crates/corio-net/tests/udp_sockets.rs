//! UDP sockets: messages keep their borders and say from whom they are.

mod support;

use std::io::{self, ErrorKind};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::rc::Rc;

use corio_net::{BindOptions, UdpSocket};
use corio_runtime::{create_task, yield_now};
use support::{reactor, run};

async fn socket() -> io::Result<(UdpSocket, SocketAddr)> {
    let socket = UdpSocket::bind("127.0.0.1:0").await?;
    let addr = socket.local_addr()?;
    Ok((socket, addr))
}

#[test]
fn messages_keep_their_borders_and_say_from_whom_they_are() {
    run(async {
        let ((a, at_a), (b, at_b)) = (socket().await?, socket().await?);
        a.send_to(b"one", at_b).await?;
        a.send_to(b"", at_b).await?;
        a.send_to(b"three", at_b).await?;
        let mut buf = [0; 16];
        assert_eq!(b.peek_from(&mut buf).await?, (3, at_a));
        assert_eq!(b.recv_from(&mut buf).await?, (3, at_a));
        assert_eq!(b.recv_from(&mut buf).await?, (0, at_a));
        // What does not fit is lost.
        assert_eq!(b.recv_from(&mut buf[..2]).await?, (2, at_a));
        assert_eq!(&buf[..2], b"th");
        let error = b.try_recv_from(&mut buf).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::WouldBlock);
        Ok(())
    });
}

#[test]
fn a_connected_socket_hears_its_peer_only() {
    run(async {
        let ((a, at_a), (b, at_b), (c, _)) = (socket().await?, socket().await?, socket().await?);
        assert_eq!(a.peer_addr().unwrap_err().kind(), ErrorKind::NotConnected);
        a.connect(at_b).await?;
        assert_eq!(a.peer_addr()?, at_b);
        b.connect([at_a]).await?;
        c.send_to(b"stranger", at_a).await?;
        b.send(b"friend").await?;
        let mut buf = [0; 16];
        assert_eq!(a.peek(&mut buf).await?, 6);
        assert_eq!(a.recv(&mut buf).await?, 6);
        assert_eq!(&buf[..6], b"friend");
        a.send(b"back").await?;
        assert_eq!(b.recv(&mut buf).await?, 4);
        Ok(())
    });
}

#[test]
fn an_echo_serves_many_from_one_socket() {
    run(async {
        let (server, addr) = socket().await?;
        let server = Rc::new(server);
        for _ in 0..3 {
            let server = server.clone();
            create_task(async move {
                let mut buf = [0; 16];
                loop {
                    let (length, from) = server.recv_from(&mut buf).await?;
                    server.send_to(&buf[..length], from).await?;
                }
                #[allow(unreachable_code)]
                io::Result::Ok(())
            });
        }
        let clients: Vec<_> = (0..20_u8)
            .map(|number| {
                create_task(async move {
                    let (client, _) = socket().await?;
                    client.connect(addr).await?;
                    client.send(&[number]).await?;
                    let mut buf = [0; 16];
                    assert_eq!(client.recv(&mut buf).await?, 1);
                    io::Result::Ok(buf[0])
                })
            })
            .collect();
        for (number, client) in clients.into_iter().enumerate() {
            assert_eq!(usize::from(client.await.unwrap()?), number);
        }
        Ok(())
    });
}

#[test]
fn a_receive_that_is_dropped_takes_no_message() {
    run(async {
        let ((a, _), (b, at_b)) = (socket().await?, socket().await?);
        {
            let mut buf = [0; 8];
            let mut recv = b.recv(&mut buf);
            assert!(futures_lite::future::poll_once(&mut recv).await.is_none());
            a.send_to(b"kept", at_b).await?;
        }
        assert!(reactor().contains("waiting: 0"), "{}", reactor());
        assert_eq!(b.recv(&mut [0; 8]).await?, 4);
        Ok(())
    });
}

#[cfg(target_os = "linux")]
#[test]
fn a_message_to_nobody_comes_back_as_an_error() {
    run(async {
        let (a, _) = socket().await?;
        // It hears one peer only, which is another one, and keeps its port from being somebody else's.
        let (deaf, nobody) = socket().await?;
        deaf.connect(nobody).await?;
        a.connect(nobody).await?;
        a.send(b"hello").await?;
        let error = a.recv(&mut [0; 8]).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::ConnectionRefused);
        assert!(a.take_error()?.is_none());
        Ok(())
    });
}

#[test]
fn a_message_that_is_too_long_is_an_error_and_not_cut() {
    run(async {
        let ((a, _), (b, at_b)) = (socket().await?, socket().await?);
        a.send_to(&[0; 100_000], at_b).await.unwrap_err();
        a.send_to(b"short", at_b).await?;
        assert_eq!(b.recv(&mut [0; 8]).await?, 5);
        Ok(())
    });
}

#[test]
fn options_are_set_and_read_back() {
    run(async {
        let (a, _) = socket().await?;
        assert!(!a.broadcast()?);
        a.set_broadcast(true)?;
        assert!(a.broadcast()?);
        a.set_ttl(7)?;
        assert_eq!(a.ttl()?, 7);
        a.set_multicast_ttl_v4(3)?;
        assert_eq!(a.multicast_ttl_v4()?, 3);
        a.set_multicast_loop_v4(false)?;
        assert!(!a.multicast_loop_v4()?);
        if let Ok(six) = UdpSocket::bind("[::1]:0").await {
            six.set_multicast_hops_v6(4)?;
            assert_eq!(six.multicast_hops_v6()?, 4);
            six.set_multicast_loop_v6(false)?;
            assert!(!six.multicast_loop_v6()?);
        }
        Ok(())
    });
}

/// Sends to a group by the loopback. `false` where the machine has no multicast.
async fn group_of(group: IpAddr, any: IpAddr) -> io::Result<bool> {
    let options = BindOptions::new().reuse_address(true);
    let Ok(member) = UdpSocket::bind_with((any, 0), &options).await else {
        return Ok(false);
    };
    let joined = match group {
        IpAddr::V4(group) => member.join_multicast_v4(group, Ipv4Addr::LOCALHOST),
        IpAddr::V6(group) => member.join_multicast_v6(group, 1),
    };
    if joined.is_err() {
        return Ok(false);
    }
    let sender = UdpSocket::bind((any, 0)).await?;
    let socket = socket2::SockRef::from(&sender);
    let by_loopback = match group {
        IpAddr::V4(_) => socket.set_multicast_if_v4(&Ipv4Addr::LOCALHOST),
        IpAddr::V6(_) => socket.set_multicast_if_v6(1),
    };
    let to = SocketAddr::new(group, member.local_addr()?.port());
    if by_loopback.is_err() || sender.send_to(b"all", to).await.is_err() {
        return Ok(false);
    }
    let mut buf = [0; 8];
    for _ in 0..1000 {
        match member.try_recv_from(&mut buf) {
            Ok((length, _)) => {
                assert_eq!(&buf[..length], b"all");
                match group {
                    IpAddr::V4(group) => member.leave_multicast_v4(group, Ipv4Addr::LOCALHOST)?,
                    IpAddr::V6(group) => member.leave_multicast_v6(group, 1)?,
                }
                return Ok(true);
            }
            Err(_) => yield_now().await,
        }
    }
    Ok(false)
}

#[test]
fn a_member_of_a_group_hears_what_is_sent_to_it() {
    run(async {
        let groups: [(IpAddr, IpAddr); 2] = [
            (
                Ipv4Addr::new(239, 255, 77, 1).into(),
                Ipv4Addr::UNSPECIFIED.into(),
            ),
            (
                Ipv6Addr::new(0xff01, 0, 0, 0, 0, 0, 0x77, 1).into(),
                Ipv6Addr::UNSPECIFIED.into(),
            ),
        ];
        for (group, any) in groups {
            if !group_of(group, any).await? {
                eprintln!("skipped: this machine does not carry multicast to {group}");
            }
        }
        let (a, _) = socket().await?;
        a.join_multicast_v4(Ipv4Addr::LOCALHOST, Ipv4Addr::LOCALHOST)
            .expect_err("not the address of a group");
        Ok(())
    });
}
