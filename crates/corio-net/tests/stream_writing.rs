//! `StreamWriter`: writing never waits, everything is sent all the same, and `drain` keeps the memory bounded.

mod support;

use std::cell::{Cell, RefCell};
use std::io;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use corio_combinators::{finally, gather, timeout};
use corio_net::{StreamOptions, StreamReader, StreamWriter, TcpStream};
use corio_runtime::{Runner, all_tasks, create_task, sleep, yield_now};
use futures_lite::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use socket2::SockRef;
use support::{pattern, run, tcp_pair};

const MUCH: usize = 8_000_000;
/// What the sockets of a connection take in all is less than this, on any system: they are told to.
const MORE_THAN_SOCKETS_TAKE: usize = 2_000_000;

fn streams(stream: TcpStream) -> (StreamReader, StreamWriter) {
    StreamOptions::new().streams(stream)
}

/// A writer, and the other end, which nobody reads.
async fn writer_and_peer() -> io::Result<(StreamReader, StreamWriter, TcpStream)> {
    let (here, there) = tcp_pair().await?;
    for end in [&here, &there] {
        let socket = SockRef::from(end);
        socket.set_send_buffer_size(MORE_THAN_SOCKETS_TAKE / 10)?;
        socket.set_recv_buffer_size(MORE_THAN_SOCKETS_TAKE / 10)?;
    }
    let (reader, writer) = streams(here);
    Ok((reader, writer, there))
}

async fn read_all(mut stream: TcpStream) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes).await?;
    Ok(bytes)
}

#[test]
fn a_small_write_is_sent_at_once_without_a_task() {
    run(async {
        let (_reader, writer, peer) = writer_and_peer().await?;
        let tasks = all_tasks().len();
        writer.write(b"one ");
        writer.writelines([&b"two "[..], b"", b"three"]);
        writer.writelines(Vec::<&[u8]>::new());
        writer.write(b"");
        assert_eq!(writer.write_buffer_size(), 0);
        assert_eq!(all_tasks().len(), tasks);
        let mut buffer = [0; 32];
        let mut length = 0;
        while length < 13 {
            length += peer.read(&mut buffer[length..]).await?;
        }
        assert_eq!(&buffer[..length], b"one two three");
        Ok(())
    });
}

#[test]
fn what_was_written_is_sent_though_nobody_drains() {
    run(async {
        let (_reader, writer, peer) = writer_and_peer().await?;
        let data = pattern(MUCH);
        writer.write(&data);
        assert!(writer.write_buffer_size() > 0);
        writer.write(b"the end");
        writer.close();
        assert!(writer.is_closing());
        let received = read_all(peer).await?;
        assert!(received[..MUCH] == data && &received[MUCH..] == b"the end");
        writer.wait_closed().await
    });
}

#[test]
fn a_writer_that_is_dropped_has_sent_everything_in_the_end() {
    run(async {
        let (reader, writer, peer) = writer_and_peer().await?;
        let data = pattern(MUCH);
        writer.write(&data);
        drop((reader, writer));
        assert!(read_all(peer).await? == data);
        Ok(())
    });
}

#[test]
fn all_who_drain_wait_above_the_high_mark_and_go_on_at_the_low_one() {
    run(async {
        let (_reader, writer, mut peer) = writer_and_peer().await?;
        assert_eq!(writer.write_buffer_limits(), (16 * 1024, 64 * 1024));
        writer.drain().await?;
        writer.write(&[7; MORE_THAN_SOCKETS_TAKE]);
        assert!(writer.write_buffer_size() > 64 * 1024);
        let writer = Rc::new(writer);
        let drained = Rc::new(Cell::new(0));
        let drainers: Vec<_> = (0..3)
            .map(|_| {
                let (writer, drained) = (writer.clone(), drained.clone());
                create_task(async move {
                    writer.drain().await?;
                    assert!(writer.write_buffer_size() <= 16 * 1024);
                    drained.set(drained.get() + 1);
                    io::Result::Ok(())
                })
            })
            .collect();
        // One that gives up is not in the way of the others.
        assert!(
            timeout(Duration::from_millis(1), writer.drain())
                .await
                .is_err()
        );
        assert_eq!(drained.get(), 0);
        let mut buffer = vec![0; 64 * 1024];
        while drained.get() < 3 {
            assert!(AsyncReadExt::read(&mut peer, &mut buffer).await? > 0);
            yield_now().await;
        }
        for result in gather(drainers).await? {
            result?;
        }
        Ok(())
    });
}

#[test]
fn the_marks_can_be_moved() {
    run(async {
        let (_reader, writer, _peer) = writer_and_peer().await?;
        writer.set_write_buffer_limits(Some(1000), None);
        assert_eq!(writer.write_buffer_limits(), (250, 1000));
        writer.set_write_buffer_limits(None, Some(1000));
        assert_eq!(writer.write_buffer_limits(), (1000, 4000));
        writer.set_write_buffer_limits(Some(0), None);
        writer.drain().await?;
        writer.write(&[7; MORE_THAN_SOCKETS_TAKE]);
        let waiting = timeout(Duration::from_millis(1), writer.drain());
        assert!(waiting.await.is_err());
        // Higher marks let go who waits.
        let size = writer.write_buffer_size();
        let writer = Rc::new(writer);
        let draining = create_task({
            let writer = writer.clone();
            async move { writer.drain().await }
        });
        yield_now().await;
        writer.set_write_buffer_limits(Some(size), Some(size));
        draining.await??;
        Ok(())
    });
}

#[test]
#[should_panic(expected = "the low-water mark is above the high-water mark")]
fn marks_the_wrong_way_round_are_a_mistake() {
    run(async {
        let (_reader, writer, _peer) = writer_and_peer().await?;
        writer.set_write_buffer_limits(Some(1), Some(2));
        Ok(())
    });
}

/// R099: a reader that is slow holds the writer up, and the buffer stays as small as was said.
#[test]
fn r099_the_buffer_stays_below_the_mark_and_one_write_however_slow_the_reader_is() {
    run(async {
        let (_reader, writer, mut peer) = writer_and_peer().await?;
        let done = Rc::new(Cell::new(false));
        let largest = Rc::new(Cell::new(0));
        let sending = create_task({
            let (done, largest) = (done.clone(), largest.clone());
            async move {
                for _ in 0..1000 {
                    writer.write(&[1; 10_000]);
                    largest.set(largest.get().max(writer.write_buffer_size()));
                    writer.drain().await?;
                }
                done.set(true);
                io::Result::Ok(())
            }
        });
        let mut received = 0;
        let mut buffer = vec![0; 50_000];
        loop {
            match AsyncReadExt::read(&mut peer, &mut buffer).await? {
                0 => break,
                length => received += length,
            }
            yield_now().await;
        }
        sending.await??;
        assert_eq!(received, 10_000_000);
        assert!(largest.get() > 0, "the reader was too fast for this test");
        assert!(largest.get() <= 64 * 1024 + 10_000, "{}", largest.get());
        Ok(())
    });
}

#[test]
fn c140_a_loop_of_write_and_drain_ends_when_the_peer_is_gone() {
    run(async {
        let (_reader, writer, peer) = writer_and_peer().await?;
        drop(peer);
        let error = loop {
            writer.write(b"foo\n");
            if let Err(error) = writer.drain().await {
                break error;
            }
            yield_now().await;
        };
        let kinds = [io::ErrorKind::ConnectionReset, io::ErrorKind::BrokenPipe];
        assert!(kinds.contains(&error.kind()), "{error:?}");
        // What is written from now on is dropped, and the error stays.
        writer.write(&[0; 100_000]);
        assert_eq!(writer.write_buffer_size(), 0);
        assert_eq!(writer.drain().await.unwrap_err().kind(), error.kind());
        writer.close();
        assert_eq!(writer.wait_closed().await.unwrap_err().kind(), error.kind());
        Ok(())
    });
}

/// An answer that refuses comes before what was asked for is sent.
#[test]
#[cfg(target_os = "linux")]
fn what_had_arrived_can_be_read_after_writing_has_failed() {
    run(async {
        let (mut reader, writer, peer) = writer_and_peer().await?;
        peer.write(b"too large").await?;
        drop(peer);
        while writer.drain().await.is_ok() {
            writer.write(b"more and more");
            yield_now().await;
        }
        assert_eq!(reader.readexactly(9).await?, b"too large");
        Ok(())
    });
}

#[test]
fn drain_on_a_connection_that_is_closed_yields_and_fails_with_a_reset() {
    run(async {
        let (mut reader, writer, _peer) = writer_and_peer().await?;
        writer.close();
        let turns = Rc::new(Cell::new(0));
        create_task({
            let turns = turns.clone();
            async move { turns.set(turns.get() + 1) }
        });
        let error = writer.drain().await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::ConnectionReset);
        assert_eq!(turns.get(), 1, "others have had a turn");
        assert_eq!(reader.read(1).await?, b"");
        writer.wait_closed().await
    });
}

#[test]
fn drain_on_a_connection_that_is_closing_yields_and_waits() {
    run(async {
        let (_reader, writer, peer) = writer_and_peer().await?;
        writer.write(&vec![0; MUCH]);
        writer.close();
        let draining = timeout(Duration::from_millis(2), writer.drain());
        assert!(draining.await.is_err());
        assert_eq!(read_all(peer).await?.len(), MUCH);
        Ok(())
    });
}

#[test]
fn the_end_of_what_is_written_comes_behind_it_and_reading_goes_on() {
    run(async {
        let (mut reader, writer, mut peer) = writer_and_peer().await?;
        assert!(writer.can_write_eof());
        let data = pattern(MUCH);
        writer.write(&data);
        writer.write_eof();
        writer.write_eof();
        let mut received = Vec::new();
        peer.read_to_end(&mut received).await?;
        assert!(received == data);
        peer.write_all(b"thanks").await?;
        assert_eq!(reader.readexactly(6).await?, b"thanks");
        writer.drain().await?;
        writer.write(b"too late");
        let error = writer.drain().await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::BrokenPipe);
        Ok(())
    });
}

#[test]
fn an_abort_drops_what_was_not_sent() {
    run(async {
        let (mut reader, writer, peer) = writer_and_peer().await?;
        writer.write(&vec![0; MUCH]);
        writer.abort();
        assert_eq!(writer.write_buffer_size(), 0);
        writer.wait_closed().await?;
        assert_eq!(reader.read(1).await?, b"");
        assert!(read_all(peer).await?.len() < MUCH);
        Ok(())
    });
}

#[test]
fn the_traits_of_futures_io_wait_where_drain_does() {
    run(async {
        let (_reader, mut writer, peer) = writer_and_peer().await?;
        let data = pattern(MUCH);
        let sent = data.clone();
        let sending = create_task(async move {
            writer.write_all(&sent).await?;
            let size = writer.write_buffer_size();
            AsyncWriteExt::flush(&mut writer).await?;
            assert_eq!(writer.write_buffer_size(), 0);
            AsyncWriteExt::close(&mut writer).await?;
            let after = writer.write_all(b"more").await.unwrap_err();
            assert_eq!(after.kind(), io::ErrorKind::ConnectionReset);
            io::Result::Ok(size)
        });
        assert!(read_all(peer).await? == data);
        assert!(sending.await?? <= 128 * 1024);
        Ok(())
    });
}

#[test]
fn addresses_and_the_socket_itself_can_be_asked_for() {
    run(async {
        let (_reader, writer, peer) = writer_and_peer().await?;
        assert_eq!(writer.peer_addr(), Some(peer.local_addr()?));
        assert_eq!(writer.local_addr(), Some(peer.peer_addr()?));
        let nodelay = writer.with_transport(|stream: &mut TcpStream| stream.nodelay());
        assert!(nodelay.unwrap()?);
        assert!(writer.with_transport(|_: &mut String| ()).is_none());
        writer.close();
        assert!(writer.with_transport(|_: &mut TcpStream| ()).is_none());
        Ok(())
    });
}

/// The end of a run asks every task to end. Who cleans up can still say goodbye, and is heard.
#[test]
fn a_goodbye_at_the_end_of_a_run_is_sent() {
    let mut runner = Runner::new().unwrap();
    let (peer, sent) = runner
        .run(async {
            let (_reader, writer, peer) = writer_and_peer().await?;
            let sent = vec![1; MUCH];
            let bytes = sent.clone();
            create_task(async move {
                writer.write(&bytes);
                let writer = &writer;
                finally(std::future::pending::<()>(), async || {
                    writer.write(b"goodbye");
                    writer.close();
                    writer.wait_closed().await.unwrap();
                })
                .await;
            });
            yield_now().await;
            io::Result::Ok((peer, sent))
        })
        .unwrap()
        .unwrap();
    let peer = peer.into_std();
    peer.set_nonblocking(false).unwrap();
    let reading = std::thread::spawn(move || {
        let mut received = Vec::new();
        io::Read::read_to_end(&mut &peer, &mut received).map(|_| received)
    });
    assert!(runner.close().is_clean());
    let received = reading.join().unwrap().unwrap();
    assert_eq!(received.len(), sent.len() + 7);
    assert!(received.ends_with(b"goodbye"));
}

/// What nobody holds a writer of does not hold the end of a run up.
#[test]
fn the_end_of_a_run_does_not_wait_for_a_peer_that_does_not_read() {
    let mut runner = Runner::new().unwrap();
    let _peer = runner
        .run(async {
            let (_reader, writer, peer) = writer_and_peer().await?;
            writer.write(&vec![0; MUCH]);
            drop(writer);
            let (_reader, writer, other) = writer_and_peer().await?;
            writer.write(&vec![0; MUCH]);
            create_task(async move {
                let _writer = writer;
                std::future::pending::<()>().await
            });
            yield_now().await;
            io::Result::Ok((peer, other))
        })
        .unwrap()
        .unwrap();
    assert!(runner.close().is_clean());
}

#[test]
fn streams_outlive_their_loop_without_harm() {
    let mut runner = Runner::new().unwrap();
    let (mut reader, writer, peer) = runner.run(writer_and_peer()).unwrap().unwrap();
    // Between two runs what is written waits for the next one.
    writer.write(b"between");
    assert_eq!(writer.write_buffer_size(), 7);
    let mut buffer = [0; 16];
    let length = runner.run(peer.read(&mut buffer)).unwrap().unwrap();
    assert_eq!(&buffer[..length], b"between");
    writer.write(b"lost");
    runner.close();
    writer.write(b"lost too");
    writer.close();
    let error = runner_less(writer.wait_closed()).unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::ConnectionAborted);
    assert_eq!(runner_less(reader.read(1)).unwrap(), b"");
}

/// The outcome of a future that does not wait.
fn runner_less<F: Future>(future: F) -> F::Output {
    match std::pin::pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(output) => output,
        Poll::Pending => panic!("it waits"),
    }
}

/// Takes a few bytes at a time, every other time, has to be flushed, and says goodbye when it is closed, as TLS does.
#[derive(Default)]
struct Reluctant {
    log: Rc<RefCell<Vec<u8>>>,
    willing: bool,
    unflushed: bool,
    fails: Rc<Cell<bool>>,
}

impl Reluctant {
    fn is_willing(&mut self, cx: &mut Context<'_>) -> bool {
        self.willing = !self.willing;
        if !self.willing {
            cx.waker().wake_by_ref();
        }
        self.willing
    }
}

impl AsyncRead for Reluctant {
    fn poll_read(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
        _: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        Poll::Pending
    }
}

impl AsyncWrite for Reluctant {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        if self.fails.get() {
            return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
        }
        if !self.is_willing(cx) {
            return Poll::Pending;
        }
        let count = bytes.len().min(3);
        self.log.borrow_mut().extend(&bytes[..count]);
        self.unflushed = true;
        Poll::Ready(Ok(count))
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if !self.is_willing(cx) {
            return Poll::Pending;
        }
        if std::mem::take(&mut self.unflushed) {
            self.log.borrow_mut().push(b'|');
        }
        Poll::Ready(Ok(()))
    }

    fn poll_close(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if !self.is_willing(cx) {
            return Poll::Pending;
        }
        self.log.borrow_mut().push(b'.');
        Poll::Ready(Ok(()))
    }
}

impl Drop for Reluctant {
    fn drop(&mut self) {
        self.log.borrow_mut().push(b'!');
    }
}

#[test]
fn a_foreign_transport_is_flushed_and_closed_before_it_is_dropped() {
    run(async {
        let log = Rc::new(RefCell::new(Vec::new()));
        let mut transport = Reluctant::default();
        transport.log = log.clone();
        let (mut reader, mut writer) = StreamOptions::new().streams(transport);
        assert!(!writer.can_write_eof());
        writer.write_eof();
        writer.write(b"0123456789");
        AsyncWriteExt::flush(&mut writer).await?;
        assert_eq!(&log.borrow()[..], b"0123456789|");
        writer.write(b"abc");
        let reading = create_task(async move { reader.read(1).await });
        yield_now().await;
        writer.close();
        assert_eq!(reading.await??, b"", "the reader hears of the end");
        writer.wait_closed().await?;
        assert_eq!(&log.borrow()[..], b"0123456789|abc|.!");
        Ok(())
    });
}

#[test]
fn a_transport_that_fails_in_the_background_fails_every_drain_and_leaves_no_task() {
    run(async {
        let fails = Rc::new(Cell::new(false));
        let mut transport = Reluctant::default();
        transport.fails = fails.clone();
        let (_reader, writer) = StreamOptions::new().streams(transport);
        let tasks = all_tasks().len();
        writer.write(&[0; 100_000]);
        assert_eq!(all_tasks().len(), tasks + 1);
        let writer = Rc::new(writer);
        let draining = create_task({
            let writer = writer.clone();
            async move { writer.drain().await }
        });
        yield_now().await;
        fails.set(true);
        let error = draining.await?.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
        let error = writer.drain().await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
        while all_tasks().len() > tasks {
            sleep(Duration::from_millis(1)).await;
        }
        Ok(())
    });
}

/// A transport that writes to, closes and aborts the very writer that polls it, after so many polls.
struct Knot {
    writer: Rc<RefCell<Option<Rc<StreamWriter>>>>,
    patience: usize,
}

impl AsyncRead for Knot {
    fn poll_read(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
        _: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        Poll::Pending
    }
}

impl AsyncWrite for Knot {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let writer = self.writer.borrow().clone();
        if let Some(writer) = writer {
            writer.write(b"from inside");
            if self.patience == 0 {
                writer.close();
                writer.abort();
                return Poll::Ready(Ok(bytes.len()));
            }
            self.patience -= 1;
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_close(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

#[test]
fn a_transport_may_use_and_abort_the_writer_that_polls_it() {
    for patience in 0..4 {
        run(async {
            let knot = Rc::new(RefCell::new(None));
            let transport = Knot {
                writer: knot.clone(),
                patience,
            };
            let (mut reader, writer) = StreamOptions::new().streams(transport);
            let writer = Rc::new(writer);
            *knot.borrow_mut() = Some(writer.clone());
            writer.write(b"outside");
            writer.wait_closed().await?;
            assert_eq!(writer.write_buffer_size(), 0);
            assert_eq!(reader.read(1).await?, b"");
            assert!(knot.take().is_some());
            Ok(())
        });
    }
}
