//! hyper: its traits on streams, and what it needs of a runtime.

use std::cell::Cell;
use std::future::Future;
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use corio_runtime::{create_task, sleep, sleep_until, try_get_running_loop};
use futures_io::{AsyncRead, AsyncWrite};
use hyper::rt::{Executor, Read, ReadBufCursor, Sleep, Timer, Write};

/// A stream with the traits of futures-io, for hyper: `Hyper::new(tls_stream)`. The streams of this crate need it not.
#[derive(Clone, Copy, Debug, Default)]
pub struct Hyper<T> {
    inner: T,
}

impl<T> Hyper<T> {
    /// Wraps a stream.
    pub fn new(inner: T) -> Hyper<T> {
        Hyper { inner }
    }

    /// The stream.
    pub fn get_ref(&self) -> &T {
        &self.inner
    }

    /// The stream.
    pub fn get_mut(&mut self) -> &mut T {
        &mut self.inner
    }

    /// The stream, without the wrapper.
    pub fn into_inner(self) -> T {
        self.inner
    }
}

/// How much is read at a time.
const CHUNK: usize = 16 * 1024;

thread_local! {
    /// What is read goes through it, since the memory that hyper lends cannot be given to a reading trait without `unsafe`. One for
    /// all streams of a thread: on the stack it would have to be filled with zeros for every attempt, which costs more than the
    /// rest of a small request.
    static SPARE: Cell<Option<Box<[u8; CHUNK]>>> = const { Cell::new(None) };
}

/// Reads into the memory that hyper lends.
fn poll_read(
    mut cursor: ReadBufCursor<'_>,
    read: impl FnOnce(&mut [u8]) -> Poll<io::Result<usize>>,
) -> Poll<io::Result<()>> {
    // Absent at the end of a thread, and while a stream reads that is made of another one.
    let spare = SPARE.try_with(Cell::take).unwrap_or_default();
    let mut chunk = spare.unwrap_or_else(new_chunk);
    let wanted = cursor.remaining().min(CHUNK);
    let result = read(&mut chunk[..wanted]).map_ok(|length| cursor.put_slice(&chunk[..length]));
    let _ = SPARE.try_with(|spare| spare.set(Some(chunk)));
    result
}

#[cold]
fn new_chunk() -> Box<[u8; CHUNK]> {
    let chunk = vec![0; CHUNK].into_boxed_slice();
    chunk.try_into().expect("it was made of this length")
}

impl<T: AsyncRead + Unpin> Read for Hyper<T> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        cursor: ReadBufCursor<'_>,
    ) -> Poll<io::Result<()>> {
        let inner = Pin::new(&mut self.inner);
        poll_read(cursor, |buf| inner.poll_read(cx, buf))
    }
}

impl<T: AsyncWrite + Unpin> Write for Hyper<T> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.inner).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_close(cx)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.inner).poll_write_vectored(cx, bufs)
    }
}

macro_rules! own_streams {
    ($($stream:ty),+) => {$(
        impl Read for $stream {
            fn poll_read(
                self: Pin<&mut Self>,
                cx: &mut Context<'_>,
                cursor: ReadBufCursor<'_>,
            ) -> Poll<io::Result<()>> {
                poll_read(cursor, |buf| AsyncRead::poll_read(self, cx, buf))
            }
        }

        impl Write for $stream {
            fn poll_write(
                self: Pin<&mut Self>,
                cx: &mut Context<'_>,
                buf: &[u8],
            ) -> Poll<io::Result<usize>> {
                AsyncWrite::poll_write(self, cx, buf)
            }

            fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
                AsyncWrite::poll_flush(self, cx)
            }

            fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
                AsyncWrite::poll_close(self, cx)
            }

            fn poll_write_vectored(
                self: Pin<&mut Self>,
                cx: &mut Context<'_>,
                bufs: &[IoSlice<'_>],
            ) -> Poll<io::Result<usize>> {
                AsyncWrite::poll_write_vectored(self, cx, bufs)
            }

            fn is_write_vectored(&self) -> bool {
                true
            }
        }
    )+};
}

own_streams!(crate::TcpStream);
#[cfg(unix)]
own_streams!(crate::UnixStream);

/// Makes tasks of the futures that hyper wants to run beside, on the loop that runs on the calling thread. They need not be
/// `Send`.
///
/// # Panics
///
/// Where no loop is running.
#[derive(Clone, Copy, Debug, Default)]
pub struct HyperExecutor;

impl<F> Executor<F> for HyperExecutor
where
    F: Future<Output: 'static> + 'static,
{
    #[track_caller]
    fn execute(&self, future: F) {
        create_task(future);
    }
}

/// Time for hyper: by the clock of the loop that runs on the calling thread, and by the system's where none does.
///
/// ```
/// # use corio_runtime as corio;
/// use corio_net::{TcpListener, TcpStream, compat::HyperTimer};
/// use http_body_util::Full;
/// use hyper::{Request, Response, body::{Bytes, Incoming}, server::conn::http1, service::service_fn};
/// use std::{convert::Infallible, io};
///
/// async fn hello(_: Request<Incoming>) -> Result<Response<Full<Bytes>>, Infallible> {
///     Ok(Response::new(Full::from("hello")))
/// }
///
/// async fn serve(listener: TcpListener) -> io::Result<()> {
///     loop {
///         let (stream, _) = listener.accept().await?;
///         let serve = http1::Builder::new().timer(HyperTimer).serve_connection(stream, service_fn(hello));
///         corio::create_task(serve);
///     }
/// }
///
/// corio::run(async {
///     let listener = TcpListener::bind("127.0.0.1:0").await?;
///     let addr = listener.local_addr()?;
///     corio::create_task(serve(listener));
///     let client = TcpStream::connect(addr).await?;
///     client.write(b"GET / HTTP/1.1\r\nhost: here\r\n\r\n").await?;
///     let mut answer = [0; 15];
///     client.read(&mut answer).await?;
///     assert_eq!(&answer, b"HTTP/1.1 200 OK");
///     io::Result::Ok(())
/// })?;
/// # io::Result::Ok(())
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct HyperTimer;

impl Timer for HyperTimer {
    fn sleep(&self, duration: Duration) -> Pin<Box<dyn Sleep>> {
        Box::pin(TimerSleep(sleep(duration)))
    }

    fn sleep_until(&self, deadline: Instant) -> Pin<Box<dyn Sleep>> {
        Box::pin(TimerSleep(sleep_until(deadline)))
    }

    fn now(&self) -> Instant {
        try_get_running_loop().map_or_else(Instant::now, |event_loop| event_loop.time())
    }

    fn reset(&self, sleep: &mut Pin<Box<dyn Sleep>>, new_deadline: Instant) {
        match sleep.as_mut().downcast_mut_pin::<TimerSleep>() {
            Some(sleep) => sleep.get_mut().0.reset(new_deadline),
            None => *sleep = self.sleep_until(new_deadline),
        }
    }
}

/// A sleep of the runtime as hyper wants to have it.
#[derive(Debug)]
struct TimerSleep(corio_runtime::Sleep);

impl Future for TimerSleep {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        Pin::new(&mut self.0).poll(cx)
    }
}

impl Sleep for TimerSleep {}
