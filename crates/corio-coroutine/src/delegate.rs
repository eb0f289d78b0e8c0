//! Delegation: one coroutine goes through another, as `yield from` does.

use std::fmt;
use std::mem;
use std::pin::Pin;
use std::task::{Context, Poll};

use crate::channel::Signal;
use crate::machine::Step;
use crate::yielder::{Raise, TryYield};
use crate::{Coroutine, Interrupt, Yielder};

/// The future of [`Yielder::delegate`].
#[must_use = "the inner coroutine does not run unless this is awaited"]
pub struct Delegate<'co, Y, S, R, B: ?Sized> {
    inner: TryDelegate<'co, Y, S, R, B>,
    raise: Option<Raise<'co, Y, S>>,
}

impl<'co, Y, S, R, B: ?Sized> Delegate<'co, Y, S, R, B> {
    pub(crate) fn new(co: &'co Yielder<Y, S>, inner: Coroutine<Y, S, R, B>) -> Self {
        Delegate {
            inner: TryDelegate::new(co, inner),
            raise: None,
        }
    }
}

impl<Y, S, R, B: Future<Output = R> + ?Sized> Future for Delegate<'_, Y, S, R, B> {
    type Output = R;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<R> {
        let this = &mut *self;
        if this.raise.is_none() {
            match Pin::new(&mut this.inner).poll(cx) {
                Poll::Ready(Ok(value)) => return Poll::Ready(value),
                Poll::Ready(Err(interrupt)) => this.raise = Some(this.inner.co.raise(interrupt)),
                Poll::Pending => return Poll::Pending,
            }
        }
        match &mut this.raise {
            Some(raise) => Pin::new(raise).poll(cx).map(|never| never),
            None => Poll::Pending,
        }
    }
}

/// The future of [`Yielder::try_delegate`].
#[must_use = "the inner coroutine does not run unless this is awaited"]
pub struct TryDelegate<'co, Y, S, R, B: ?Sized> {
    co: &'co Yielder<Y, S>,
    inner: Coroutine<Y, S, R, B>,
    stage: Stage<'co, Y, S>,
    closing: bool,
}

enum Stage<'co, Y, S> {
    /// The inner coroutine is to be resumed with this.
    Inner(Signal<S>),
    /// What it yielded is handed on.
    Outer(TryYield<'co, Y, S>),
}

impl<'co, Y, S, R, B: ?Sized> TryDelegate<'co, Y, S, R, B> {
    pub(crate) fn new(co: &'co Yielder<Y, S>, inner: Coroutine<Y, S, R, B>) -> Self {
        TryDelegate {
            co,
            inner,
            stage: Stage::Inner(Signal::Next),
            closing: false,
        }
    }
}

impl<Y, S, R, B: Future<Output = R> + ?Sized> Future for TryDelegate<'_, Y, S, R, B> {
    type Output = Result<R, Interrupt>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = &mut *self;
        loop {
            this.stage = match &mut this.stage {
                Stage::Outer(outer) => match Pin::new(outer).poll(cx) {
                    Poll::Ready(answer) => Stage::Inner(this.forward(answer)),
                    Poll::Pending => return Poll::Pending,
                },
                Stage::Inner(signal) => match this
                    .inner
                    .machine()
                    .poll_resume(cx, mem::replace(signal, Signal::Next))
                {
                    Poll::Ready(Step::Yielded(value)) => Stage::Outer(this.co.try_yield(value)),
                    Poll::Ready(end) => return Poll::Ready(this.finish(end)),
                    Poll::Pending => return Poll::Pending,
                },
            }
        }
    }
}

impl<Y, S, R, B: ?Sized> TryDelegate<'_, Y, S, R, B> {
    fn forward(&mut self, answer: Result<Option<S>, Interrupt>) -> Signal<S> {
        match answer {
            Ok(None) => Signal::Next,
            Ok(Some(sent)) => Signal::Send(sent),
            Err(Interrupt::Thrown(thrown)) => Signal::Throw(thrown),
            Err(Interrupt::Closed) => {
                self.closing = true;
                Signal::Close
            }
        }
    }

    fn finish(&self, end: Step<Y, R>) -> Result<R, Interrupt> {
        match end {
            // A close goes on outwards whatever the inner coroutine made of it.
            Step::Returned(_) if self.closing => Err(Interrupt::Closed),
            Step::Returned(value) => Ok(value),
            Step::Raised(interrupt) => Err(interrupt),
            _ => panic!("delegated to a coroutine that had ended before"),
        }
    }
}

impl<Y, S, R, B: ?Sized> Unpin for Delegate<'_, Y, S, R, B> {}
impl<Y, S, R, B: ?Sized> Unpin for TryDelegate<'_, Y, S, R, B> {}

impl<Y, S, R, B: ?Sized> fmt::Debug for Delegate<'_, Y, S, R, B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Delegate")
            .field("inner", &self.inner.inner)
            .finish()
    }
}

impl<Y, S, R, B: ?Sized> fmt::Debug for TryDelegate<'_, Y, S, R, B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TryDelegate")
            .field("inner", &self.inner)
            .finish()
    }
}
