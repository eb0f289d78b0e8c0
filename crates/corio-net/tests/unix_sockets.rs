//! Sockets of the Unix domain: by path, by abstract name, in pairs.

#![cfg(unix)]

mod support;

use std::io::{self, ErrorKind};
#[cfg(target_os = "linux")]
use std::os::unix::net::SocketAddr;
use std::path::PathBuf;
use std::rc::Rc;

use corio_net::{UnixDatagram, UnixListener, UnixStream};
use corio_runtime::{create_task, yield_now};
use futures_lite::AsyncReadExt;
use support::{Folder, pattern, run};
#[cfg(target_os = "linux")]
use support::{own_name, reactor};

/// A path that goes with the test.
struct TempPath(
    PathBuf,
    #[allow(dead_code, reason = "it is dropped")] Folder,
);

impl TempPath {
    fn new(name: &str) -> TempPath {
        let folder = Folder::new();
        TempPath(folder.path().join(name), folder)
    }
}

async fn talk(client: &UnixStream, server: &UnixStream) -> io::Result<()> {
    let mut buf = [0; 16];
    assert_eq!(client.write(b"question").await?, 8);
    assert_eq!(server.read(&mut buf).await?, 8);
    assert_eq!(server.write(b"answer").await?, 6);
    assert_eq!(client.read(&mut buf).await?, 6);
    assert_eq!(&buf[..6], b"answer");
    Ok(())
}

#[test]
fn streams_meet_at_a_path_and_the_file_stays() {
    let path = TempPath::new("path");
    run(async {
        let missing = UnixStream::connect(&path.0).await.unwrap_err();
        assert_eq!(missing.kind(), ErrorKind::NotFound);
        let listener = UnixListener::bind(&path.0)?;
        assert_eq!(listener.local_addr()?.as_pathname(), Some(&*path.0));
        let client = UnixStream::connect(&path.0).await?;
        let (server, _) = listener.accept().await?;
        assert_eq!(client.peer_addr()?.as_pathname(), Some(&*path.0));
        talk(&client, &server).await?;

        let again = UnixListener::bind(&path.0).unwrap_err();
        assert_eq!(again.kind(), ErrorKind::AddrInUse);
        drop(listener);
        assert!(path.0.exists());
        let refused = UnixStream::connect(&path.0).await.unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::ConnectionRefused);
        Ok(())
    });
}

#[cfg(target_os = "linux")]
#[test]
fn streams_and_messages_meet_at_an_abstract_name() {
    use std::os::linux::net::SocketAddrExt;
    let name = || SocketAddr::from_abstract_name(own_name()).unwrap();
    run(async {
        let addr = name();
        let listener = UnixListener::bind_addr(&addr)?;
        let client = UnixStream::connect_addr(&addr).await?;
        let (server, _) = listener.accept().await?;
        let bound = listener.local_addr()?;
        assert_eq!(bound.as_abstract_name(), addr.as_abstract_name());
        talk(&client, &server).await?;

        let addr = name();
        let receiver = UnixDatagram::bind_addr(&addr)?;
        let sender = UnixDatagram::unbound()?;
        sender.send_to_addr(b"one", &addr).await?;
        sender.connect_addr(&addr)?;
        sender.send(b"two").await?;
        let mut buf = [0; 8];
        assert_eq!(receiver.recv(&mut buf).await?, 3);
        let (length, from) = receiver.recv_from(&mut buf).await?;
        assert!(length == 3 && from.is_unnamed());
        Ok(())
    });
}

#[test]
fn impossible_paths_are_errors_of_the_operation() {
    run(async {
        for path in [
            "a".repeat(300),
            "zero\0inside".to_owned(),
            "\0abstract?".to_owned(),
        ] {
            let error = UnixStream::connect(&path).await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::InvalidInput);
            let error = UnixListener::bind(&path).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::InvalidInput);
            let socket = UnixDatagram::unbound()?;
            let error = socket.send_to(b"x", &path).await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::InvalidInput);
        }
        Ok(())
    });
}

#[test]
fn a_pair_carries_many_bytes_and_the_end() {
    run(async {
        let (a, b) = UnixStream::pair()?;
        let bytes = pattern(1 << 20);
        let (read, write) = a.into_split();
        let sent = create_task({
            let bytes = bytes.clone();
            async move { write.write_all(&bytes).await }
        });
        let mut got = Vec::new();
        (&b).read_to_end(&mut got).await?;
        assert!(got == bytes);
        sent.await.unwrap()?;
        drop(b);
        assert_eq!(read.read(&mut [0; 8]).await?, 0);
        Ok(())
    });
}

/// A connection that finds the backlog full is refused for the moment, without a report when there is room.
#[test]
fn a_full_backlog_is_waited_for() {
    let path = TempPath::new("full");
    run(async {
        let socket = socket2::Socket::new(socket2::Domain::UNIX, socket2::Type::STREAM, None)?;
        socket.bind(&socket2::SockAddr::unix(&path.0)?)?;
        socket.listen(0)?;
        let listener = UnixListener::from_std(socket.into())?;
        let connects: Vec<_> = (0..8)
            .map(|_| create_task(UnixStream::connect(&path.0)))
            .collect();
        let mut streams = Vec::new();
        for _ in 0..8 {
            streams.push(listener.accept().await?);
        }
        for connect in connects {
            connect.await.unwrap()?;
        }
        Ok(())
    });
}

#[test]
fn messages_wait_for_a_receiver_without_room() {
    let path = TempPath::new("datagrams");
    run(async {
        let receiver = UnixDatagram::bind(&path.0)?;
        let path = &path.0;
        const COUNT: usize = 60;
        for connected in [false, true] {
            let sender = UnixDatagram::unbound()?;
            if connected {
                sender.connect(path)?;
            }
            let path = path.clone();
            let sending = create_task(async move {
                for number in 0..COUNT {
                    let message = number.to_le_bytes();
                    let sent = match connected {
                        true => sender.send(&message).await?,
                        false => sender.send_to(&message, &path).await?,
                    };
                    assert_eq!(sent, message.len());
                }
                io::Result::Ok(())
            });
            // It fills the receiver first.
            for _ in 0..10 {
                yield_now().await;
            }
            for number in 0..COUNT {
                let mut message = [0; 8];
                assert_eq!(receiver.recv(&mut message).await?, 8);
                assert_eq!(usize::from_le_bytes(message), number);
            }
            sending.await.unwrap()?;
        }
        Ok(())
    });
}

#[test]
fn a_pair_of_message_sockets_keeps_borders_and_ends() {
    run(async {
        let (a, b) = UnixDatagram::pair()?;
        a.send(b"one").await?;
        a.send(b"").await?;
        a.send(b"three").await?;
        let mut buf = [0; 8];
        assert_eq!(b.recv(&mut buf).await?, 3);
        assert_eq!(b.recv(&mut buf).await?, 0);
        assert_eq!(b.recv(&mut buf).await?, 5);
        let gone = b.local_addr()?;
        assert!(gone.is_unnamed());
        drop(b);
        let error = a.send(b"x").await.unwrap_err();
        assert!(matches!(
            error.kind(),
            ErrorKind::ConnectionRefused | ErrorKind::ConnectionReset | ErrorKind::BrokenPipe
        ));
        Ok(())
    });
}

/// Bytes stand behind a descriptor that was passed along, where a read stops.
#[cfg(target_os = "linux")]
#[test]
fn bytes_behind_a_passed_descriptor_are_not_forgotten() {
    use rustix::net::{SendAncillaryBuffer, SendAncillaryMessage, SendFlags, sendmsg};
    use std::io::IoSlice;
    use std::mem::MaybeUninit;
    use std::os::fd::AsFd;

    fn send_descriptor(stream: &UnixStream) {
        let fds = [stream.as_fd()];
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
        let mut ancillary = SendAncillaryBuffer::new(&mut space);
        assert!(ancillary.push(SendAncillaryMessage::ScmRights(&fds)));
        let sent = sendmsg(
            stream,
            &[IoSlice::new(b"with")],
            &mut ancillary,
            SendFlags::empty(),
        );
        assert_eq!(sent.unwrap(), 4);
    }

    run(async {
        let (a, b) = UnixStream::pair()?;
        let reader = create_task(async move {
            let mut got = Vec::new();
            let mut buf = [0; 64];
            while got.len() < 9 {
                match b.read(&mut buf).await? {
                    0 => break,
                    more => got.extend_from_slice(&buf[..more]),
                }
            }
            io::Result::Ok(got)
        });
        while !reactor().contains("waiting: 1") {
            yield_now().await;
        }
        send_descriptor(&a);
        a.write(b"after").await?;
        assert_eq!(reader.await.unwrap()?, b"withafter");
        Ok(())
    });
}

#[test]
fn several_tasks_share_a_receiver() {
    run(async {
        let (a, b) = UnixDatagram::pair()?;
        let b = Rc::new(b);
        let receivers: Vec<_> = (0..3)
            .map(|_| {
                let b = b.clone();
                create_task(async move { b.recv(&mut [0; 8]).await })
            })
            .collect();
        yield_now().await;
        for message in [b"a", b"b", b"c"] {
            a.send(message).await?;
        }
        for receiver in receivers {
            assert_eq!(receiver.await.unwrap()?, 1);
        }
        Ok(())
    });
}
