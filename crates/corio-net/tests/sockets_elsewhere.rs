//! Sockets that are made, polled and dropped on different threads and loops.

mod support;

use std::future::Future;
use std::io::{self, ErrorKind, Read as _};
use std::pin::Pin;
use std::sync::{Arc, mpsc};
use std::task::{Context, Poll, Waker};
use std::thread;
use std::time::Duration;

use corio_combinators::timeout;
use corio_net::{TcpListener, TcpStream, UdpSocket};
use corio_runtime::{EventLoop, Runner, create_task, get_running_loop, yield_now};
use support::{LIMIT, reactor, run, tcp_pair};

/// The number of sources of the running loop.
fn sources() -> usize {
    get_running_loop().reactor().len()
}

#[test]
fn a_stream_joins_the_loop_that_polls_it_and_leaves_the_one_before() {
    run(async {
        let (a, b) = tcp_pair().await?;
        b.write(b"one").await?;
        let mut buf = [0; 8];
        assert_eq!(a.read(&mut buf).await?, 3);
        let before = sources();
        let a = thread::spawn(move || {
            run(async {
                assert_eq!(sources(), 0);
                a.write(b"from elsewhere").await?;
                assert_eq!(sources(), 1);
                Ok(a)
            })
        })
        .join()
        .unwrap();
        // What the other thread has sent is taken with the next turn.
        while sources() == before {
            yield_now().await;
        }
        assert_eq!(sources(), before - 1);
        assert_eq!(b.read(&mut [0; 32]).await?, 14);
        b.write(b"two").await?;
        assert_eq!(a.read(&mut buf).await?, 3);
        assert_eq!(sources(), before);
        Ok(())
    });
}

#[test]
fn a_stream_that_is_dropped_on_another_thread_leaves_its_loop() {
    run(async {
        let (a, b) = tcp_pair().await?;
        for stream in [&a, &b] {
            stream.write(b"x").await?;
        }
        let before = sources();
        thread::spawn(move || drop(a)).join().unwrap();
        while sources() == before {
            yield_now().await;
        }
        assert_eq!(sources(), before - 1);
        // Closed at once, by the thread that dropped it, with a byte in it that nobody has read.
        assert_eq!(b.read(&mut [0; 8]).await?, 1);
        let error = b.read(&mut [0; 8]).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::ConnectionReset);
        Ok(())
    });
}

#[test]
fn a_stream_outlives_its_loop_and_serves_the_next_one() {
    let (a, b) = run(async {
        let (a, b) = tcp_pair().await?;
        b.write(b"one").await?;
        assert_eq!(a.read(&mut [0; 8]).await?, 3);
        Ok((a, b))
    });
    run(async {
        b.write(b"two").await?;
        assert_eq!(a.read(&mut [0; 8]).await?, 3);
        Ok(())
    });
    drop(a);
    thread::spawn(move || drop(b)).join().unwrap();
}

#[test]
fn a_stream_may_be_dropped_while_its_loop_does_not_run_and_after_it_is_closed() {
    let event_loop = EventLoop::new().unwrap();
    let (a, b) = event_loop.run_until_complete(tcp_pair()).unwrap().unwrap();
    let before = event_loop.reactor().len();
    drop(a);
    assert_eq!(event_loop.reactor().len(), before - 1);
    event_loop.close();
    drop(b);
}

#[test]
fn a_stream_in_a_thread_local_ends_with_its_thread() {
    use std::cell::RefCell;
    thread_local! {
        static LATE: RefCell<Option<TcpStream>> = const { RefCell::new(None) };
    }
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        // Before the loop, so that it goes after what the loop has in thread-locals.
        LATE.with_borrow_mut(|late| *late = None);
        let (a, b) = run(tcp_pair());
        LATE.with_borrow_mut(|late| *late = Some(a));
        sender.send(b.into_std()).unwrap();
    })
    .join()
    .unwrap();
    let mut b = receiver.recv().unwrap();
    b.set_nonblocking(false).unwrap();
    assert_eq!(b.read(&mut [0; 8]).unwrap(), 0);
}

/// Two loops that take a socket from each other would get nothing done, so the one that waits is told.
#[test]
fn who_waits_for_a_socket_that_another_loop_takes_gets_an_error() {
    run(async {
        let socket = Arc::new(UdpSocket::bind("127.0.0.1:0").await?);
        let waiter = create_task({
            let socket = socket.clone();
            async move { socket.recv(&mut [0; 8]).await }
        });
        while !reactor().contains("waiting: 1") {
            yield_now().await;
        }
        let addr = socket.local_addr()?;
        let taken = socket.clone();
        thread::spawn(move || run(async move { taken.send_to(b"x", addr).await }))
            .join()
            .unwrap();
        let error = waiter.await.unwrap().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NotConnected);
        assert!(error.to_string().contains("another event loop"), "{error}");
        // It joins here again, and nothing is lost.
        assert_eq!(socket.recv(&mut [0; 8]).await?, 1);
        Ok(())
    });
}

#[test]
fn a_read_that_waits_may_itself_move_to_another_loop() {
    run(async {
        let (a, b) = tcp_pair().await?;
        let mut read = Box::pin(async move { a.read(&mut [0; 8]).await });
        assert!(futures_lite::future::poll_once(&mut read).await.is_none());
        let moved = thread::spawn(move || run(read));
        b.write(b"hello").await?;
        while !moved.is_finished() {
            yield_now().await;
        }
        assert_eq!(moved.join().unwrap(), 5);
        // What the other thread has sent is taken with the next turn.
        while !reactor().contains("waiting: 0") {
            yield_now().await;
        }
        Ok(())
    });
}

#[test]
fn what_is_polled_without_a_loop_says_what_to_write_instead() {
    let std = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
    let socket = UdpSocket::from_std(std).unwrap();
    let panic = std::panic::catch_unwind(|| {
        let mut buf = [0; 8];
        let mut recv = socket.recv(&mut buf);
        let _ = Pin::new(&mut recv).poll(&mut Context::from_waker(Waker::noop()));
    })
    .unwrap_err();
    let message = panic.downcast_ref::<String>().unwrap();
    assert!(
        message.contains("`UdpSocket::recv` needs a running event loop"),
        "{message}"
    );
}

#[test]
fn a_virtual_clock_stands_still_while_a_socket_is_registered() {
    let mut runner = Runner::builder().virtual_clock().build().unwrap();
    let (ask, asked) = mpsc::channel::<()>();
    let outcome = runner.run(async move {
        let (a, b) = tcp_pair().await?;
        let mut b = b.into_std();
        let writer = thread::spawn(move || {
            asked.recv().unwrap();
            io::Write::write_all(&mut b, b"late").map(|()| b)
        });
        let mut buf = [0; 8];
        let mut read = a.read(&mut buf);
        let wait = std::future::poll_fn(|cx| {
            let polled = Pin::new(&mut read).poll(cx);
            if polled.is_pending() {
                // From now on nothing but the socket can bring the loop on.
                let _ = ask.send(());
            }
            polled
        });
        let length = timeout(Duration::from_secs(3600), wait)
            .await
            .expect("no hour has passed")?;
        writer.join().unwrap()?;
        io::Result::Ok(length)
    });
    assert_eq!(outcome.unwrap().unwrap(), 4);
}

#[test]
fn accepted_connections_are_served_on_other_threads() {
    run(timeout_of_all(async {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let addr = listener.local_addr()?;
        let client = thread::spawn(move || {
            run(async move {
                let mut sum = 0;
                for number in 0..8_u8 {
                    let stream = TcpStream::connect(addr).await?;
                    stream.write(&[number]).await?;
                    let mut answer = [0];
                    assert_eq!(stream.read(&mut answer).await?, 1);
                    sum += u32::from(answer[0]);
                }
                Ok(sum)
            })
        });
        for _ in 0..8 {
            let (stream, _) = listener.accept().await?;
            thread::spawn(move || {
                run(async move {
                    let mut number = [0];
                    stream.read(&mut number).await?;
                    stream.write(&[number[0] + 1]).await.map(drop)
                })
            });
        }
        while !client.is_finished() {
            corio_runtime::sleep(Duration::from_millis(1)).await;
        }
        assert_eq!(client.join().unwrap(), (1..=8).sum());
        Ok(())
    }));
}

async fn timeout_of_all<T>(work: impl Future<Output = io::Result<T>>) -> io::Result<T> {
    timeout(LIMIT, work).await.expect("the test hangs")
}

#[test]
fn a_future_that_is_never_polled_needs_no_loop() {
    let socket = UdpSocket::from_std(std::net::UdpSocket::bind("127.0.0.1:0").unwrap()).unwrap();
    drop(socket.recv(&mut [0; 8]));
    drop(TcpStream::connect("nobody.invalid:1"));
    drop(TcpListener::bind("127.0.0.1:0"));
    let mut lookup = corio_net::resolve("::1", 7);
    let polled = Pin::new(&mut lookup).poll(&mut Context::from_waker(Waker::noop()));
    let Poll::Ready(Ok(addresses)) = polled else {
        panic!("digits need no look-up")
    };
    assert_eq!(addresses, ["[::1]:7".parse().unwrap()]);
}
