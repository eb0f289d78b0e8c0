//! TCP streams: what is written is read, and every way in which a connection ends is seen.

mod support;

use std::cell::RefCell;
use std::future::{Future, poll_fn};
use std::io::{self, ErrorKind, IoSlice, IoSliceMut};
use std::net::Shutdown;
use std::pin::Pin;
use std::rc::Rc;
use std::task::Poll;
use std::time::Duration;

use corio_net::{TcpListener, TcpStream};
use corio_runtime::{create_task, yield_now};
use futures_lite::{AsyncRead, AsyncReadExt, AsyncWriteExt};
#[cfg(target_os = "linux")]
use socket2::SockRef;
use support::{pattern, reactor, run, tcp_pair};

async fn read_exactly(stream: &TcpStream, length: usize) -> io::Result<Vec<u8>> {
    let mut bytes = vec![0; length];
    let mut filled = 0;
    while filled < length {
        match stream.read(&mut bytes[filled..]).await? {
            0 => return Err(ErrorKind::UnexpectedEof.into()),
            more => filled += more,
        }
    }
    Ok(bytes)
}

#[test]
fn what_is_written_is_read_in_every_way() {
    run(async {
        let (a, b) = tcp_pair().await?;
        assert_eq!(a.write(b"one").await?, 3);
        let mut buf = [0; 8];
        assert_eq!(b.peek(&mut buf).await?, 3);
        assert_eq!(b.peek(&mut buf).await?, 3);
        assert_eq!(b.read(&mut buf).await?, 3);
        assert_eq!(&buf[..3], b"one");

        let written = a
            .write_vectored(&[IoSlice::new(b"tw"), IoSlice::new(b"o"), IoSlice::new(b"!")])
            .await?;
        assert_eq!(written, 4);
        let (mut left, mut right) = ([0; 3], [0; 8]);
        let mut bufs = [IoSliceMut::new(&mut left), IoSliceMut::new(&mut right)];
        assert_eq!(b.read_vectored(&mut bufs).await?, 4);
        assert_eq!((&left, &right[..1]), (b"two", &b"!"[..]));

        assert_eq!(b.try_write(b"three")?, 5);
        loop {
            a.readable().await?;
            match a.try_read(&mut buf) {
                Err(error) if error.kind() == ErrorKind::WouldBlock => {}
                result => break assert_eq!(result?, 5),
            }
        }
        assert_eq!(
            a.try_read(&mut buf).unwrap_err().kind(),
            ErrorKind::WouldBlock
        );
        b.writable().await?;

        AsyncWriteExt::write_all(&mut &a, b"four").await?;
        let mut four = [0; 4];
        AsyncReadExt::read_exact(&mut &b, &mut four).await?;
        assert_eq!(&four, b"four");
        Ok(())
    });
}

#[test]
fn a_whole_buffer_is_written_and_filled_or_the_end_is_an_error() {
    run(async {
        let (a, b) = tcp_pair().await?;
        let (read, write) = b.into_split();
        let bytes = pattern(1 << 22);
        let sent = create_task({
            let bytes = bytes.clone();
            async move {
                a.write_all(&bytes).await?;
                a.write_all(&[]).await?;
                io::Result::Ok(a)
            }
        });
        let mut got = vec![0; bytes.len()];
        for part in got.chunks_mut(99_991) {
            read.read_exact(part).await?;
        }
        assert!(got == bytes);
        read.read_exact(&mut []).await?;

        let mut a = sent.await.unwrap()?;
        let (half, _) = a.split();
        write.write_all(b"end").await?;
        drop(write);
        let error = half.read_exact(&mut [0; 4]).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::UnexpectedEof);
        drop(read);
        Ok(())
    });
}

#[test]
fn empty_buffers_are_ready_at_once_and_say_nothing_about_the_end() {
    run(async {
        let (a, _b) = tcp_pair().await?;
        assert_eq!(a.read(&mut []).await?, 0);
        assert_eq!(a.write(&[]).await?, 0);
        assert_eq!(a.read_vectored(&mut []).await?, 0);
        assert_eq!(a.write_vectored(&[IoSlice::new(&[])]).await?, 0);
        assert_eq!(AsyncReadExt::read(&mut &a, &mut []).await?, 0);
        Ok(())
    });
}

#[test]
fn many_bytes_go_both_ways_at_once_and_arrive_in_order() {
    const LENGTH: usize = 3 << 20;
    run(async {
        let (a, b) = tcp_pair().await?;
        let mut ends = Vec::new();
        for stream in [a, b] {
            let (read, write) = stream.into_split();
            ends.push(create_task(async move {
                let bytes = pattern(LENGTH);
                let mut rest = &bytes[..];
                while !rest.is_empty() {
                    rest = &rest[write.write(rest).await?..];
                }
                drop(write);
                io::Result::Ok(0)
            }));
            ends.push(create_task(async move {
                let mut seen = Vec::new();
                // Of odd length, so that full and short reads take turns.
                let mut buf = vec![0; 4099];
                loop {
                    match read.read(&mut buf).await? {
                        0 => break,
                        more => seen.extend_from_slice(&buf[..more]),
                    }
                }
                assert!(seen == pattern(LENGTH));
                Ok(seen.len())
            }));
        }
        let mut total = 0;
        for end in ends {
            total += end.await.unwrap()?;
        }
        assert_eq!(total, 2 * LENGTH);
        Ok(())
    });
}

#[test]
fn borrowed_halves_serve_two_branches_of_one_task() {
    run(async {
        let (mut a, b) = tcp_pair().await?;
        let bytes = pattern(1 << 20);
        let echo = create_task(async move {
            let mut buf = vec![0; 1 << 14];
            loop {
                match b.read(&mut buf).await? {
                    0 => return io::Result::Ok(()),
                    length => b.write_all(&buf[..length]).await?,
                }
            }
        });
        let (mut read, write) = a.split();
        let sent = async {
            write.write_all(&bytes).await?;
            write.shutdown()
        };
        let got = async {
            let mut got = Vec::new();
            read.read_to_end(&mut got).await?;
            io::Result::Ok(got)
        };
        let ((), got) = futures_lite::future::try_zip(sent, got).await?;
        assert!(got == bytes);
        echo.await.unwrap()
    });
}

#[test]
fn halves_are_reunited_only_with_their_own() {
    run(async {
        let (a, b) = tcp_pair().await?;
        let (read_a, write_a) = a.into_split();
        let (read_b, write_b) = b.into_split();
        let error = read_a.reunite(write_b).unwrap_err();
        let corio_net::ReuniteError(read_a, write_b) = error;
        let a = read_a.reunite(write_a).unwrap();
        let b = read_b.reunite(write_b).unwrap();
        a.write(b"still open").await?;
        assert_eq!(read_exactly(&b, 10).await?, b"still open");
        Ok(())
    });
}

#[test]
fn a_dropped_writing_half_is_the_end_and_a_forgotten_one_is_not() {
    run(async {
        let (a, b) = tcp_pair().await?;
        let (_read, write) = a.into_split();
        drop(write);
        assert_eq!(b.read(&mut [0; 8]).await?, 0);

        let (c, d) = tcp_pair().await?;
        let (read, write) = c.into_split();
        write.forget();
        assert_eq!(
            d.try_read(&mut [0; 8]).unwrap_err().kind(),
            ErrorKind::WouldBlock
        );
        drop(read);
        assert_eq!(d.read(&mut [0; 8]).await?, 0);
        Ok(())
    });
}

#[test]
fn one_direction_ends_and_the_other_goes_on() {
    run(async {
        let (a, b) = tcp_pair().await?;
        a.write(b"question").await?;
        a.shutdown(Shutdown::Write)?;
        a.shutdown(Shutdown::Write)?;
        assert_eq!(read_exactly(&b, 8).await?, b"question");
        for _ in 0..3 {
            assert_eq!(b.read(&mut [0; 8]).await?, 0);
        }
        b.write(b"answer").await?;
        assert_eq!(read_exactly(&a, 6).await?, b"answer");
        assert_eq!(
            a.write(b"more").await.unwrap_err().kind(),
            ErrorKind::BrokenPipe
        );
        Ok(())
    });
}

/// A short read clears the readiness; the end that came with the bytes has no event of its own.
#[test]
fn an_end_that_comes_together_with_bytes_is_seen_behind_them() {
    run(async {
        for round in 0..200 {
            let (a, b) = tcp_pair().await?;
            let mut buf = [0; 64];
            let reader = create_task(async move {
                let mut got = 0;
                loop {
                    match b.read(&mut buf).await? {
                        0 => return io::Result::Ok(got),
                        more => got += more,
                    }
                }
            });
            // Before it waits, while it waits, and after it has met an event that was only bytes.
            for _ in 0..round % 3 {
                yield_now().await;
            }
            let mut sent = a.write(b"hello").await?;
            if round % 2 == 0 {
                yield_now().await;
                sent += a.write(b"again").await?;
            }
            drop(a);
            assert_eq!(reader.await.unwrap()?, sent);
        }
        Ok(())
    });
}

/// A read ends in front of urgent data, and so is short although there is more.
#[cfg(target_os = "linux")]
#[test]
fn bytes_behind_urgent_data_are_not_forgotten() {
    run(async {
        let (a, b) = tcp_pair().await?;
        SockRef::from(&a).send(b"before")?;
        SockRef::from(&a).send_out_of_band(b"!")?;
        SockRef::from(&a).send(b"behind")?;
        assert_eq!(read_exactly(&b, 12).await?, b"beforebehind");

        let reader = create_task(async move { read_exactly(&b, 12).await });
        yield_now().await;
        SockRef::from(&a).send(b"before")?;
        SockRef::from(&a).send_out_of_band(b"!")?;
        SockRef::from(&a).send(b"behind")?;
        assert_eq!(reader.await.unwrap()?, b"beforebehind");
        Ok(())
    });
}

#[test]
fn a_reset_reaches_who_reads_and_who_will_write() {
    run(async {
        let (a, b) = tcp_pair().await?;
        let reader = create_task(async move {
            let error = b.read(&mut [0; 8]).await.unwrap_err();
            (error.kind(), b)
        });
        yield_now().await;
        a.set_linger(Some(Duration::ZERO))?;
        drop(a);
        let (kind, b) = reader.await.unwrap();
        assert_eq!(kind, ErrorKind::ConnectionReset);
        assert_eq!(
            b.write(b"more").await.unwrap_err().kind(),
            ErrorKind::BrokenPipe
        );
        Ok(())
    });
}

#[test]
fn a_writer_that_waits_for_room_hears_of_a_reset() {
    run(async {
        let (a, b) = tcp_pair().await?;
        let writer = create_task(async move {
            let bytes = pattern(1 << 16);
            loop {
                if let Err(error) = a.write(&bytes).await {
                    return error.kind();
                }
            }
        });
        // Until it waits: nothing else is ready then.
        while !reactor().contains("waiting: 1") {
            yield_now().await;
        }
        b.set_linger(Some(Duration::ZERO))?;
        drop(b);
        assert!(matches!(
            writer.await.unwrap(),
            ErrorKind::ConnectionReset | ErrorKind::BrokenPipe
        ));
        Ok(())
    });
}

#[test]
fn all_who_wait_to_read_are_woken_and_share_what_comes() {
    run(async {
        let (a, b) = tcp_pair().await?;
        let b = Rc::new(b);
        let readers: Vec<_> = (0..3)
            .map(|_| {
                let b = b.clone();
                create_task(async move { b.read(&mut [0; 1]).await })
            })
            .collect();
        yield_now().await;
        assert!(reactor().contains("waiting: 3"), "{}", reactor());
        a.write(b"abc").await?;
        for reader in readers {
            assert_eq!(reader.await.unwrap()?, 1);
        }
        Ok(())
    });
}

#[test]
fn a_reader_and_a_writer_wait_for_one_stream_without_waking_each_other() {
    run(async {
        let (a, b) = tcp_pair().await?;
        let a = Rc::new(a);
        let polls = Rc::new(RefCell::new(0));
        let reader = create_task({
            let (a, polls) = (a.clone(), polls.clone());
            async move {
                let mut buf = [0; 8];
                let mut read = a.read(&mut buf);
                poll_fn(|cx| {
                    *polls.borrow_mut() += 1;
                    Pin::new(&mut read).poll(cx)
                })
                .await
            }
        });
        let bytes = pattern(4 << 20);
        let writer = create_task({
            let (a, bytes) = (a.clone(), bytes.clone());
            async move { a.write_all(&bytes).await }
        });
        assert!(read_exactly(&b, bytes.len()).await? == bytes);
        writer.await.unwrap()?;
        assert_eq!(*polls.borrow(), 1);
        b.write(b"x").await?;
        assert_eq!(reader.await.unwrap()?, 1);
        assert_eq!(*polls.borrow(), 2);
        Ok(())
    });
}

#[test]
fn a_read_that_is_dropped_takes_no_byte_and_leaves_no_waker() {
    run(async {
        let (a, b) = tcp_pair().await?;
        let mut first = [0; 8];
        {
            let mut read = b.read(&mut first);
            assert!(futures_lite::future::poll_once(&mut read).await.is_none());
            assert!(reactor().contains("waiting: 1"), "{}", reactor());
            a.write(b"all of it").await?;
        }
        assert!(reactor().contains("waiting: 0"), "{}", reactor());
        assert_eq!(first, [0; 8]);
        assert_eq!(read_exactly(&b, 9).await?, b"all of it");
        Ok(())
    });
}

#[test]
fn a_write_that_is_dropped_has_written_nothing() {
    run(async {
        let (a, b) = tcp_pair().await?;
        let bytes = pattern(1 << 16);
        let mut sent = 0;
        // What a full socket has sent meanwhile makes room again, so it may take some tries until one has to wait.
        loop {
            match a.try_write(&bytes[sent % bytes.len()..]) {
                Err(error) if error.kind() == ErrorKind::WouldBlock => {
                    let mut write = a.write(b"never");
                    match futures_lite::future::poll_once(&mut write).await {
                        None => break,
                        Some(more) => sent += more?,
                    }
                }
                more => sent += more?,
            }
        }
        a.shutdown(Shutdown::Write)?;
        let mut got = Vec::new();
        (&b).read_to_end(&mut got).await?;
        assert_eq!(got.len(), sent);
        Ok(())
    });
}

/// The waker of a `poll_read` stays with the stream, which is dropped by somebody else.
#[test]
fn a_stream_that_is_dropped_wakes_who_waits_for_it() {
    run(async {
        let (_a, b) = tcp_pair().await?;
        let b = Rc::new(RefCell::new(Some(b)));
        let waiter = create_task({
            let b = b.clone();
            poll_fn(move |cx| match &mut *b.borrow_mut() {
                Some(b) => Pin::new(b).poll_read(cx, &mut [0; 8]).map(|_| "read"),
                None => Poll::Ready("gone"),
            })
        });
        yield_now().await;
        let stream = b.borrow_mut().take();
        drop(stream);
        assert_eq!(waiter.await.unwrap(), "gone");
        Ok(())
    });
}

#[test]
fn a_task_that_waits_says_for_what_and_where() {
    run(async {
        let (_a, b) = tcp_pair().await?;
        let line = line!() + 1;
        let reader = create_task(async move { b.read(&mut [0; 8]).await });
        yield_now().await;
        let waits_for = reader.any().waits_for().expect("it waits").to_string();
        assert_eq!(waits_for, format!("TcpStream::read at {}:{line}", file!()));
        reader.cancel();
        Ok(())
    });
}

#[test]
fn options_are_set_and_read_back() {
    run(async {
        let (a, b) = tcp_pair().await?;
        for stream in [&a, &b] {
            assert!(stream.nodelay()?, "Nagle's algorithm is off on both ends");
        }
        a.set_nodelay(false)?;
        assert!(!a.nodelay()?);
        assert!(!a.keepalive()?);
        a.set_keepalive(Some(Duration::from_secs(30)))?;
        assert!(a.keepalive()?);
        a.set_keepalive(None)?;
        assert!(!a.keepalive()?);
        a.set_linger(Some(Duration::from_secs(3)))?;
        assert_eq!(a.linger()?, Some(Duration::from_secs(3)));
        a.set_linger(None)?;
        assert_eq!(a.linger()?, None);
        a.set_ttl(9)?;
        assert_eq!(a.ttl()?, 9);
        assert!(a.take_error()?.is_none());
        assert_eq!(a.peer_addr()?, b.local_addr()?);
        Ok(())
    });
}

#[test]
fn streams_come_from_the_standard_library_and_go_back_without_a_loop() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let client = std::net::TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    let (server, _) = listener.accept().unwrap();
    let client = TcpStream::from(client);
    let server = TcpStream::from_std(server).unwrap();
    let (client, server) = run(async {
        client.write(b"hi").await?;
        assert_eq!(read_exactly(&server, 2).await?, b"hi");
        Ok((client, server))
    });
    let mut client = client.into_std();
    let mut server = std::net::TcpStream::from(server);
    io::Write::write_all(&mut client, b"back").unwrap();
    server.set_nonblocking(false).unwrap();
    let mut back = [0; 4];
    io::Read::read_exact(&mut server, &mut back).unwrap();
    assert_eq!(&back, b"back");
}

#[test]
fn a_listener_gives_connections_in_order_and_survives_those_that_went() {
    run(async {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let addr = listener.local_addr()?;
        let gone = TcpStream::connect(addr).await?;
        gone.set_linger(Some(Duration::ZERO))?;
        drop(gone);
        let mut clients = Vec::new();
        for number in 0..3_u8 {
            let client = TcpStream::connect(addr).await?;
            client.write(&[number]).await?;
            clients.push(client);
        }
        let mut incoming = listener.incoming();
        let mut seen = Vec::new();
        while seen.len() < 3 {
            let stream = futures_lite::StreamExt::next(&mut incoming)
                .await
                .unwrap()?;
            let mut number = [0];
            // The connection that was reset is there on some systems.
            if let Ok(1) = stream.read(&mut number).await {
                seen.push(number[0]);
            }
        }
        assert_eq!(seen, [0, 1, 2]);
        Ok(())
    });
}

#[test]
fn an_accept_that_is_dropped_loses_no_connection() {
    run(async {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        {
            let mut accept = listener.accept();
            assert!(futures_lite::future::poll_once(&mut accept).await.is_none());
        }
        let client = TcpStream::connect(listener.local_addr()?).await?;
        let (server, _) = listener.accept().await?;
        assert_eq!(server.peer_addr()?, client.local_addr()?);
        Ok(())
    });
}
