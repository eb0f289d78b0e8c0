//! `AsyncCoroutine`: a coroutine whose body may await other futures.

use std::error::Error;
use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use futures_core::stream::{FusedStream, Stream};

use crate::channel::Signal;
use crate::coroutine::{close_result, resume_result};
use crate::machine::{Machine, Step};
use crate::{CloseError, CoroutineState, Interrupt, ResumeError, Thrown, Yielder};

/// A coroutine whose body may also await anything else: resuming it is a future, and it is a [`Stream`].
///
/// The parameters are those of [`Coroutine`](crate::Coroutine), and so are the body's possibilities. It needs no
/// particular loop: whoever polls its futures is woken by what the body awaits.
///
/// A resume borrows it exclusively, so it cannot be resumed while it runs. A resume that is dropped half way leaves the
/// body where it waits; the next one goes on from there.
///
/// Dropping it drops the body's locals where they stand, at once and in order, and runs none of the body: clean-up that
/// has to await needs [`close`](AsyncCoroutine::close). Leaving a loop over the stream early does not close it either.
///
/// ```
/// use corio_coroutine::{AsyncGenerator, Interrupt};
/// # use std::{future::ready, pin::pin, task::{Context, Poll, Waker}};
/// # fn block_on<F: Future>(f: F) -> F::Output {
/// #     match pin!(f).poll(&mut Context::from_waker(Waker::noop())) { Poll::Ready(v) => v, Poll::Pending => panic!() }
/// # }
///
/// fn lines() -> AsyncGenerator<&'static str> {
///     AsyncGenerator::new(async |co| {
///         for line in ["one", "two"] {
///             # let read = || ready(());
///             read().await;
///             if let Err(Interrupt::Closed) = co.try_yield(line).await {
///                 # let hang_up = || ready(());
///                 hang_up().await;
///                 return;
///             }
///         }
///     })
/// }
///
/// # block_on(async {
/// let mut lines = lines();
/// assert_eq!(lines.next().await.unwrap(), "one");
/// lines.close().await.unwrap();
/// # });
/// ```
#[doc(alias = "async_generator")]
#[must_use = "the body does not run unless the coroutine is resumed"]
pub struct AsyncCoroutine<Y, S = (), R = (), B: ?Sized = dyn Future<Output = R>> {
    machine: Machine<Y, S, R, B>,
}

/// An [`AsyncCoroutine`] to which nothing is sent.
pub type AsyncGenerator<Y, R = ()> = AsyncCoroutine<Y, (), R>;

impl<'env, Y, S, R> AsyncCoroutine<Y, S, R, dyn Future<Output = R> + 'env> {
    /// Makes a coroutine of a body: an async closure that is given the handle to yield through.
    ///
    /// Nothing of the body runs before the first resume is polled.
    pub fn new<F, Fut>(body: F) -> Self
    where
        F: FnOnce(Yielder<Y, S>) -> Fut,
        Fut: Future<Output = R> + 'env,
    {
        AsyncCoroutine {
            machine: Machine::new(body),
        }
    }
}

impl<Y, S, R, B: Future<Output = R> + ?Sized> AsyncCoroutine<Y, S, R, B> {
    /// Runs the body to its next yield and evaluates to what it yields. The first call starts it.
    ///
    /// # Errors
    ///
    /// As [`Coroutine::next`](crate::Coroutine::next), except that it is never `Blocked`: it waits.
    ///
    /// # Cancel safety
    ///
    /// Safe: what the body does meanwhile goes on in the next resume, and a value that it yields later is that one's.
    #[doc(alias = "anext")]
    #[allow(clippy::should_implement_trait)]
    pub fn next(&mut self) -> Resume<'_, Y, S, R, B> {
        self.resume(Signal::Next)
    }

    /// Resumes the body with a value: the yield at which it waits evaluates to `Some(value)`.
    ///
    /// # Errors
    ///
    /// [`NotAtYield`](ResumeError::NotAtYield) if the body has not started, or is still in the middle of a resume that
    /// was dropped. Else as [`next`](AsyncCoroutine::next).
    ///
    /// # Cancel safety
    ///
    /// Dropped before its first poll, nothing was sent. Dropped later, the value has arrived and the body goes on with
    /// the next resume.
    #[doc(alias = "asend")]
    pub fn send(&mut self, value: S) -> Resume<'_, Y, S, R, B> {
        self.resume(Signal::Send(value))
    }

    /// Makes the yield at which the body waits fail, and evaluates to what the body yields next if it catches that.
    ///
    /// A body that has not started, or is still in the middle of a resume that was dropped, has no place to catch it and
    /// is dropped.
    ///
    /// # Errors
    ///
    /// [`Thrown`](ResumeError::Thrown) with the same error if the body does not catch it, or has ended before. Else as
    /// [`next`](AsyncCoroutine::next).
    ///
    /// # Cancel safety
    ///
    /// As [`send`](AsyncCoroutine::send).
    #[doc(alias = "athrow")]
    pub fn throw(
        &mut self,
        error: impl Into<Box<dyn Error + Send + Sync>>,
    ) -> Resume<'_, Y, S, R, B> {
        self.resume(Signal::Throw(Thrown::new(error)))
    }

    /// Ends the coroutine as [`Coroutine::close`](crate::Coroutine::close) does, waiting for what the body awaits while
    /// it cleans up.
    ///
    /// A body that is still in the middle of a resume that was dropped is not at a yield: it is dropped there.
    ///
    /// # Errors
    ///
    /// The body yielded again, or let an error out. The coroutine is closed all the same.
    ///
    /// # Cancel safety
    ///
    /// Dropped half way, the clean-up stops where it is: a further `next` goes on with it, a further `close` drops it.
    #[doc(alias = "aclose")]
    pub fn close(&mut self) -> Close<'_, Y, S, R, B> {
        Close {
            machine: &self.machine,
            signal: Signal::Close,
        }
    }

    /// Takes what the body returned at the end of the stream, which itself has no place for it.
    ///
    /// `None` before the end, after the value was taken, and if `next`, `send` or `throw` gave it out.
    pub fn take_return(&mut self) -> Option<R> {
        self.machine.take_return()
    }

    /// Where the coroutine stands. It counts as suspended in the middle of a resume that was dropped.
    pub fn state(&self) -> CoroutineState {
        self.machine.state()
    }

    fn resume(&mut self, signal: Signal<S>) -> Resume<'_, Y, S, R, B> {
        Resume {
            machine: &self.machine,
            signal,
        }
    }
}

/// Each item is a [`next`](AsyncCoroutine::next); what the body returns is kept for
/// [`take_return`](AsyncCoroutine::take_return).
///
/// # Panics
///
/// If the body raises an error, which a stream of plain values has no place for.
impl<Y, S, R, B: Future<Output = R> + ?Sized> Stream for AsyncCoroutine<Y, S, R, B> {
    type Item = Y;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Y>> {
        Poll::Ready(match ready!(self.machine.poll_resume(cx, Signal::Next)) {
            Step::Yielded(value) => Some(value),
            Step::Returned(value) => {
                self.machine.keep_return(value);
                None
            }
            Step::Raised(Interrupt::Thrown(thrown)) => {
                panic!("an error left the body of a stream: {thrown}")
            }
            _ => None,
        })
    }
}

impl<Y, S, R, B: Future<Output = R> + ?Sized> FusedStream for AsyncCoroutine<Y, S, R, B> {
    fn is_terminated(&self) -> bool {
        self.state() == CoroutineState::Closed
    }
}

impl<Y, S, R, B: ?Sized> fmt::Debug for AsyncCoroutine<Y, S, R, B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AsyncCoroutine")
            .field("state", &self.machine.state())
            .finish()
    }
}

/// The future of [`AsyncCoroutine::next`], [`send`](AsyncCoroutine::send) and [`throw`](AsyncCoroutine::throw).
#[must_use = "a resume does nothing unless it is awaited"]
pub struct Resume<'a, Y, S, R, B: ?Sized> {
    machine: &'a Machine<Y, S, R, B>,
    signal: Signal<S>,
}

impl<Y, S, R, B: Future<Output = R> + ?Sized> Future for Resume<'_, Y, S, R, B> {
    type Output = Result<Y, ResumeError<R>>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let signal = std::mem::replace(&mut self.signal, Signal::Next);
        self.machine.poll_resume(cx, signal).map(resume_result)
    }
}

/// The future of [`AsyncCoroutine::close`].
#[must_use = "the body is not told unless the close is awaited"]
pub struct Close<'a, Y, S, R, B: ?Sized> {
    machine: &'a Machine<Y, S, R, B>,
    signal: Signal<S>,
}

impl<Y, S, R, B: Future<Output = R> + ?Sized> Future for Close<'_, Y, S, R, B> {
    type Output = Result<Option<R>, CloseError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let signal = std::mem::replace(&mut self.signal, Signal::Next);
        let step = ready!(self.machine.poll_resume(cx, signal));
        self.machine.abort();
        Poll::Ready(close_result(step))
    }
}

// None of these pins what it holds: the body has its own box.
impl<Y, S, R, B: ?Sized> Unpin for AsyncCoroutine<Y, S, R, B> {}
impl<Y, S, R, B: ?Sized> Unpin for Resume<'_, Y, S, R, B> {}
impl<Y, S, R, B: ?Sized> Unpin for Close<'_, Y, S, R, B> {}

impl<Y, S, R, B: ?Sized> fmt::Debug for Resume<'_, Y, S, R, B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Resume")
            .field("state", &self.machine.state())
            .finish()
    }
}

impl<Y, S, R, B: ?Sized> fmt::Debug for Close<'_, Y, S, R, B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Close")
            .field("state", &self.machine.state())
            .finish()
    }
}
