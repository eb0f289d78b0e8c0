//! Two ends of a connection in memory, for tests on a virtual clock.

#![allow(
    dead_code,
    unreachable_pub,
    reason = "each test file uses its part of it"
)]

use std::cell::RefCell;
use std::collections::VecDeque;
use std::io;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker, ready};

use futures_lite::{AsyncRead, AsyncWrite};

/// Bytes in one direction.
#[derive(Default, Debug)]
struct Way {
    bytes: VecDeque<u8>,
    ended: bool,
    reader: Option<Waker>,
}

#[derive(Debug)]
pub struct End {
    from: Rc<RefCell<Way>>,
    to: Rc<RefCell<Way>>,
}

pub fn pipe() -> (End, End) {
    let (there, back) = <(Rc<RefCell<Way>>, Rc<RefCell<Way>>)>::default();
    let first = End {
        from: there.clone(),
        to: back.clone(),
    };
    let second = End {
        from: back,
        to: there,
    };
    (first, second)
}

impl End {
    fn send(&self, bytes: &[u8], ends: bool) {
        let mut to = self.to.borrow_mut();
        to.bytes.extend(bytes);
        to.ended |= ends;
        let reader = to.reader.take();
        drop(to);
        if let Some(reader) = reader {
            reader.wake();
        }
    }
}

impl AsyncRead for End {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        let mut from = self.from.borrow_mut();
        if from.bytes.is_empty() && !from.ended {
            from.reader = Some(cx.waker().clone());
            return Poll::Pending;
        }
        let count = buf.len().min(from.bytes.len());
        for (place, byte) in buf.iter_mut().zip(from.bytes.drain(..count)) {
            *place = byte;
        }
        Poll::Ready(Ok(count))
    }
}

impl AsyncWrite for End {
    fn poll_write(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.send(buf, false);
        Poll::Ready(Ok(buf.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_close(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.send(&[], true);
        Poll::Ready(Ok(()))
    }
}

impl Drop for End {
    fn drop(&mut self) {
        self.send(&[], true);
    }
}

/// A stream that does a few bytes at a time, and nothing at all every other time.
#[derive(Debug)]
pub struct Stutter<S> {
    inner: S,
    tick: usize,
}

impl<S> Stutter<S> {
    pub fn new(inner: S) -> Stutter<S> {
        Stutter { inner, tick: 0 }
    }

    /// How much may be done now.
    fn portion(&mut self, cx: &mut Context<'_>) -> Poll<usize> {
        self.tick += 1;
        if self.tick % 2 == 0 {
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        Poll::Ready(1 + self.tick * 7 % 23)
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Stutter<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        let portion = ready!(self.portion(cx)).min(buf.len());
        Pin::new(&mut self.inner).poll_read(cx, &mut buf[..portion])
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Stutter<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        let portion = ready!(self.portion(cx)).min(buf.len());
        Pin::new(&mut self.inner).poll_write(cx, &buf[..portion])
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.portion(cx));
        Pin::new(&mut self.inner).poll_flush(cx)
    }

    fn poll_close(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.portion(cx));
        Pin::new(&mut self.inner).poll_close(cx)
    }
}
