//! `IoSource`: how often an operation is tried, who is told when a source goes, and what is left behind.

#![cfg(unix)]

mod support;
#[cfg(target_os = "linux")]
#[path = "support/watched.rs"]
mod watched;

use std::cell::{Cell, RefCell};
use std::future::{Future, poll_fn};
use std::io::{self, ErrorKind, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::unix::net::UnixStream;
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::thread;
use std::time::Duration;

use corio_combinators::timeout;
use corio_reactor::{Backend, Direction};
use corio_runtime::{self as corio, IoSource, Runner, create_task, get_running_loop, yield_now};
#[cfg(target_os = "linux")]
use watched::is_watched;

/// Runs a test; one that hangs fails.
#[track_caller]
fn run<T>(test: impl Future<Output = io::Result<T>>) -> T {
    // Debug mode, if the environment wants it, would tell of slow steps.
    let builder = Runner::builder().debug(false);
    corio::run_built(builder, timeout(Duration::from_secs(120), test))
        .expect("the test hangs")
        .expect("an operation failed")
}

fn pair() -> io::Result<(IoSource<UnixStream>, UnixStream)> {
    let (ours, peer) = UnixStream::pair()?;
    ours.set_nonblocking(true)?;
    Ok((IoSource::new(ours), peer))
}

fn tcp_pair() -> io::Result<(IoSource<TcpStream>, TcpStream)> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let peer = TcpStream::connect(listener.local_addr()?)?;
    let (ours, _) = listener.accept()?;
    ours.set_nonblocking(true)?;
    peer.set_nodelay(true)?;
    Ok((IoSource::new(ours), peer))
}

fn reactor() -> String {
    format!("{:?}", get_running_loop().reactor())
}

/// Lets the loop run until the reactor has this in its description.
async fn until_reactor(says: &str) {
    while !reactor().contains(says) {
        yield_now().await;
    }
}

fn poll_once<F: Future + Unpin>(future: &mut F) -> Poll<F::Output> {
    Pin::new(future).poll(&mut Context::from_waker(Waker::noop()))
}

/// The steady state of a request: one read, one write, one wait that is shared.
#[test]
fn a_request_costs_one_read_and_one_write() {
    run(async {
        let (ours, mut peer) = tcp_pair()?;
        let tried = Rc::new(Cell::new((0, 0)));
        let server = create_task({
            let tried = tried.clone();
            async move {
                let mut buf = [0; 64];
                loop {
                    let read = poll_fn(|cx| {
                        ours.poll_bytes(Direction::Read, cx, 64, |mut stream| {
                            tried.set((tried.get().0 + 1, tried.get().1));
                            stream.read(&mut buf)
                        })
                    });
                    let length = match read.await? {
                        0 => return io::Result::Ok(()),
                        length => length,
                    };
                    let write = poll_fn(|cx| {
                        ours.poll_bytes(Direction::Write, cx, length, |mut stream| {
                            tried.set((tried.get().0, tried.get().1 + 1));
                            stream.write(&buf[..length])
                        })
                    });
                    assert_eq!(write.await?, length);
                }
            }
        });
        until_reactor("waiting: 1").await;
        let fastest = get_running_loop().reactor().backend() == Backend::Fastest;
        let before = tried.get();
        for _ in 0..10 {
            peer.write_all(b"request")?;
            let mut answer = [0; 7];
            peer.set_nonblocking(true)?;
            while peer.read(&mut answer).is_err() {
                yield_now().await;
            }
            peer.set_nonblocking(false)?;
            until_reactor("waiting: 1").await;
        }
        let (reads, writes) = tried.get();
        assert_eq!(writes - before.1, 10);
        assert_eq!(reads - before.0, if fastest { 10 } else { 20 });
        drop(peer);
        server.await.unwrap()
    });
}

#[test]
fn an_operation_is_not_tried_while_it_is_known_to_block() {
    run(async {
        let (ours, mut peer) = pair()?;
        let tried = Cell::new(0);
        let mut read = ours.read_io(|mut stream| {
            tried.set(tried.get() + 1);
            stream.read(&mut [0; 8])
        });
        for _ in 0..5 {
            assert!(poll_once(&mut read).is_pending());
        }
        assert_eq!(tried.get(), 1);
        peer.write_all(b"x")?;
        assert_eq!(read.await?, 1);
        assert_eq!(tried.get(), 2);
        Ok(())
    });
}

#[test]
fn what_the_operation_says_comes_through_and_interruptions_do_not() {
    run(async {
        let (ours, _peer) = pair()?;
        let mut answers = vec![
            Ok(7),
            Err(ErrorKind::Interrupted),
            Err(ErrorKind::Interrupted),
        ];
        let next = move |_: &UnixStream| answers.pop().unwrap().map_err(io::Error::from);
        assert_eq!(ours.write_io(next).await?, 7);
        let refuse = |_: &UnixStream| io::Result::<()>::Err(ErrorKind::InvalidData.into());
        assert_eq!(
            ours.read_io(refuse).await.unwrap_err().kind(),
            ErrorKind::InvalidData
        );
        assert!(reactor().contains("waiting: 0"), "{}", reactor());
        Ok(())
    });
}

#[test]
fn readable_waits_after_an_attempt_that_would_have_blocked() {
    run(async {
        let (ours, mut peer) = pair()?;
        let mut buf = [0; 8];
        // Unknown counts as ready.
        ours.readable().await?;
        let nothing = ours.try_read_io(|mut stream| stream.read(&mut buf));
        assert_eq!(nothing.unwrap_err().kind(), ErrorKind::WouldBlock);
        let mut readable = ours.readable();
        assert!(poll_once(&mut readable).is_pending());
        peer.write_all(b"x")?;
        readable.await?;
        assert_eq!(ours.try_read_io(|mut stream| stream.read(&mut buf))?, 1);
        ours.writable().await?;
        assert_eq!(ours.try_write_io(|mut stream| stream.write(b"y"))?, 1);
        Ok(())
    });
}

#[test]
fn what_the_system_cannot_watch_is_an_error_and_leaves_nothing() {
    run(async {
        let before = get_running_loop().reactor().len();
        let file = IoSource::new(std::fs::File::open(std::env::current_exe()?)?);
        let read = file.read_io(|_| Ok(()));
        if cfg!(target_os = "linux") {
            assert_eq!(read.await.unwrap_err().kind(), ErrorKind::PermissionDenied);
        }
        drop(file);
        assert_eq!(get_running_loop().reactor().len(), before);
        Ok(())
    });
}

#[test]
fn a_source_joins_with_its_first_operation_and_leaves_when_it_goes() {
    run(async {
        let before = get_running_loop().reactor().len();
        let (ours, mut peer) = pair()?;
        let (idle, _peer) = pair()?;
        assert_eq!(get_running_loop().reactor().len(), before);
        ours.write_io(|mut stream| stream.write(b"hi")).await?;
        assert_eq!(get_running_loop().reactor().len(), before + 1);
        let mut back = ours.into_inner();
        assert_eq!(get_running_loop().reactor().len(), before);
        drop(idle);
        back.write_all(b"!")?;
        let mut got = [0; 3];
        peer.read_exact(&mut got)?;
        assert_eq!(&got, b"hi!");
        // The same descriptor may join again, also borrowed.
        IoSource::new(&back).writable().await?;
        IoSource::new(&back).writable().await?;
        assert_eq!(get_running_loop().reactor().len(), before);
        Ok(())
    });
}

#[test]
fn a_wait_that_is_dropped_on_another_thread_takes_its_waker_back() {
    run(async {
        let (ours, mut peer) = pair()?;
        let ours = Arc::new(ours);
        {
            let held = ours.clone();
            let mut wait = Box::pin(async move { held.readable_after_an_attempt().await });
            poll_fn(|cx| {
                assert!(wait.as_mut().poll(cx).is_pending());
                Poll::Ready(())
            })
            .await;
            assert!(reactor().contains("waiting: 1"), "{}", reactor());
            thread::spawn(move || drop(wait)).join().unwrap();
        }
        until_reactor("waiting: 0").await;
        peer.write_all(b"x")?;
        assert_eq!(
            ours.read_io(|mut stream| stream.read(&mut [0; 8])).await?,
            1
        );
        Ok(())
    });
}

/// What the test above waits in.
trait AfterAnAttempt {
    fn readable_after_an_attempt(&self) -> impl Future<Output = io::Result<usize>> + Send;
}

impl AfterAnAttempt for IoSource<UnixStream> {
    async fn readable_after_an_attempt(&self) -> io::Result<usize> {
        self.read_io(|mut stream| stream.read(&mut [0; 8])).await
    }
}

#[test]
fn a_waker_that_panics_when_a_source_is_ready_is_reported_and_the_others_are_woken() {
    struct Panics;
    impl Wake for Panics {
        fn wake(self: Arc<Self>) {
            support::raise("in a waker");
        }
    }
    run(async {
        let (ours, mut peer) = pair()?;
        let event_loop = get_running_loop();
        let reports = support::collect_reports(&event_loop);
        let receive = |mut stream: &UnixStream| stream.read(&mut [0; 8]);
        let foreign = Waker::from(Arc::new(Panics));
        let polled = ours.poll_read_io(&mut Context::from_waker(&foreign), receive);
        assert!(polled.is_pending());
        let other = create_task(async move { poll_fn(|cx| ours.poll_read_io(cx, receive)).await });
        until_reactor("waiting: 2").await;
        peer.write_all(b"word")?;
        assert_eq!(other.await.unwrap()?, 4);
        event_loop.reset_exception_handler();
        assert_eq!(reports.take(), ["exception in a foreign waker: in a waker"]);
        Ok(())
    });
}

#[test]
fn a_waker_that_panics_when_a_source_goes_is_reported_and_the_others_are_woken() {
    struct Panics;
    impl Wake for Panics {
        fn wake(self: Arc<Self>) {
            panic!("a foreign waker");
        }
    }
    run(async {
        let (ours, _peer) = pair()?;
        let reports = Rc::new(RefCell::new(Vec::new()));
        let event_loop = get_running_loop();
        event_loop.set_exception_handler({
            let reports = reports.clone();
            move |report| reports.borrow_mut().push(report.message().to_owned())
        });
        let ours = Rc::new(RefCell::new(Some(ours)));
        let never = |mut stream: &UnixStream| stream.read(&mut [0; 8]);
        let foreign = Waker::from(Arc::new(Panics));
        let polled = ours
            .borrow()
            .as_ref()
            .unwrap()
            .poll_read_io(&mut Context::from_waker(&foreign), never);
        assert!(polled.is_pending());
        let other = create_task({
            let ours = ours.clone();
            poll_fn(move |cx| match &*ours.borrow() {
                Some(ours) => ours.poll_read_io(cx, never).map(|_| ()),
                None => Poll::Ready(()),
            })
        });
        until_reactor("waiting: 2").await;
        let source = ours.borrow_mut().take();
        drop(source);
        other.await.unwrap();
        event_loop.reset_exception_handler();
        assert_eq!(
            *reports.borrow(),
            ["a waker panicked when its source went away"]
        );
        Ok(())
    });
}

#[test]
fn a_source_is_what_its_handle_is() {
    fn goes_anywhere<T: Send + Sync + Unpin>() {}
    fn survives_panics<T: std::panic::UnwindSafe + std::panic::RefUnwindSafe>() {}
    goes_anywhere::<IoSource<UnixStream>>();
    goes_anywhere::<corio::IoWaiter>();
    goes_anywhere::<corio::IoReady<'_, UnixStream>>();
    survives_panics::<IoSource<UnixStream>>();
    let (ours, _peer) = pair().unwrap();
    assert!(format!("{ours:?}").contains("of_loop: None"));
    let never = pin!(ours.readable());
    drop(format!("{never:?}"));
}

#[test]
#[cfg(target_os = "linux")]
fn a_source_without_duplicates_leaves_the_end_of_its_watch_to_the_close() {
    run(async {
        let (ours, peer) = tcp_pair()?;
        let ours = IoSource::unshared(ours.into_inner());
        // A breach of what was promised, by which it can be seen that nobody ended the watch.
        let duplicate = ours.get_ref().try_clone()?;
        ours.write_io(|mut stream| stream.write(b"x")).await?;
        assert!(is_watched(&duplicate)?);
        drop(ours);
        assert!(is_watched(&duplicate)?);
        assert!(reactor().contains("sources: 0"), "{}", reactor());
        // What the duplicate receives wakes nobody.
        (&peer).write_all(b"y")?;
        let received = loop {
            match (&duplicate).read(&mut [0; 8]) {
                Err(error) if error.kind() == ErrorKind::WouldBlock => yield_now().await,
                received => break received?,
            }
        };
        assert_eq!(received, 1);
        Ok(())
    });
}

#[test]
#[cfg(target_os = "linux")]
fn a_source_that_may_have_duplicates_ends_its_watch_before_it_is_closed() {
    run(async {
        type Pair = (IoSource<TcpStream>, TcpStream);
        let made: [fn(TcpStream) -> io::Result<Pair>; 4] = [
            |stream| {
                let duplicate = stream.try_clone()?;
                Ok((IoSource::new(stream), duplicate))
            },
            |stream| {
                let source = IoSource::unshared(stream);
                let duplicate = source.lend().try_clone()?;
                Ok((source, duplicate))
            },
            |stream| {
                let mut source = IoSource::unshared(stream);
                let duplicate = source.get_mut().try_clone()?;
                Ok((source, duplicate))
            },
            |stream| {
                let source = IoSource::unshared(stream);
                let duplicate = source.into_inner();
                Ok((IoSource::new(duplicate.try_clone()?), duplicate))
            },
        ];
        for make in made {
            let (ours, _peer) = tcp_pair()?;
            let (ours, duplicate) = make(ours.into_inner())?;
            ours.write_io(|mut stream| stream.write(b"x")).await?;
            assert!(is_watched(&duplicate)?);
            drop(ours);
            assert!(!is_watched(&duplicate)?);
        }
        let (ours, _peer) = tcp_pair()?;
        let ours = IoSource::unshared(ours.into_inner());
        ours.write_io(|mut stream| stream.write(b"x")).await?;
        let given_back = ours.into_inner();
        assert!(
            !is_watched(&given_back)?,
            "what is given back is not closed"
        );
        Ok(())
    });
}

/// Writes its farewell when it is dropped, wherever that is.
struct Farewell {
    ours: IoSource<UnixStream>,
    said: Rc<Cell<Option<bool>>>,
}

impl Drop for Farewell {
    fn drop(&mut self) {
        let mut cx = Context::from_waker(Waker::noop());
        let written = self.ours.poll_write_io(&mut cx, |mut s| s.write(b"bye"));
        self.said.set(Some(matches!(written, Poll::Ready(Ok(3)))));
    }
}

/// A loop that closes is entered and not run, and its own reactor counts.
#[test]
fn a_destructor_that_runs_while_the_loop_is_closed_may_still_use_a_source() {
    for joined_before in [false, true] {
        let event_loop = corio::EventLoop::new().unwrap();
        let said = Rc::new(Cell::new(None));
        let (ours, mut peer) = pair().unwrap();
        let farewell = Farewell {
            ours,
            said: said.clone(),
        };
        let begun = async {
            drop(create_task(async move {
                if joined_before {
                    let read =
                        poll_fn(|cx| farewell.ours.poll_read_io(cx, |mut s| s.read(&mut [0])));
                    let _ = read.await;
                }
                std::future::pending::<()>().await;
                drop(farewell);
            }));
            yield_now().await;
        };
        event_loop.run_until_complete(begun).unwrap();
        assert_eq!(event_loop.close().forced().len(), 1);
        assert_eq!(said.get(), Some(true));
        let mut heard = Vec::new();
        peer.read_to_end(&mut heard).unwrap();
        assert_eq!(heard, b"bye");
    }
}
