//! `Yielder`: the handle by which a body hands values out.

use std::fmt;
use std::mem;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

use crate::channel::{Channel, Signal};
use crate::{Coroutine, Delegate, Interrupt, TryDelegate};

/// The handle through which a body yields; usually called `co`.
///
/// It belongs to the one body it was given to. All its futures are awaited there, one after the other.
///
/// # Panics
///
/// A handle can be carried out of its body, but not used there: polling one of its futures in another coroutine's body,
/// in a plain task or after the coroutine's end panics. So does awaiting two yields of one coroutine at the same time.
/// Nothing is handed out in either case, to nobody.
pub struct Yielder<Y, S = ()> {
    channel: Rc<Channel<Y, S>>,
}

impl<Y, S> Yielder<Y, S> {
    pub(crate) fn new(channel: Rc<Channel<Y, S>>) -> Self {
        Yielder { channel }
    }

    /// Hands `value` to whoever resumed the coroutine, and waits there until it is resumed again.
    ///
    /// Evaluates to what was sent: `None` after `next`, `Some(v)` after `send(v)`. After `throw` or `close` it does not
    /// return: the body ends here, its locals are dropped, and an error goes on to the one who threw it. A body that
    /// wants to see these uses [`try_yield`](Yielder::try_yield).
    ///
    /// # Cancel safety
    ///
    /// Dropped before the body suspends, the value is taken back and nobody sees it. Dropped later (by a `select` around
    /// it, say), whatever the next resume brought for it is dropped unseen.
    ///
    /// ```
    /// use corio_coroutine::Coroutine;
    ///
    /// let adder = Coroutine::new(async |co| {
    ///     let mut sum = 0;
    ///     loop {
    ///         sum += co.yield_(sum).await.unwrap_or(0);
    ///     }
    /// });
    /// assert_eq!(adder.next().unwrap(), 0);
    /// assert_eq!(adder.send(5).unwrap(), 5);
    /// assert_eq!(adder.send(7).unwrap(), 12);
    /// assert_eq!(adder.next().unwrap(), 12);
    /// ```
    #[doc(alias = "yield")]
    pub fn yield_(&self, value: Y) -> Yield<'_, Y, S> {
        Yield {
            inner: self.try_yield(value),
        }
    }

    /// As [`yield_`](Yielder::yield_), but a `throw` or a `close` is an error that the body can catch.
    ///
    /// After [`Interrupt::Thrown`] the body goes on as it likes; what it yields next is what `throw` returns. After
    /// [`Interrupt::Closed`] it may still work, await and return, but a further yield ends it. `?` passes either on as
    /// the body's return value; [`raise`](Yielder::raise) passes it on as if it had not been caught.
    ///
    /// # Errors
    ///
    /// The [`Interrupt`] that the coroutine was resumed with.
    ///
    /// # Cancel safety
    ///
    /// As [`yield_`](Yielder::yield_).
    ///
    /// ```
    /// use corio_coroutine::{Generator, Interrupt};
    ///
    /// let patient = Generator::new(async |co| {
    ///     match co.try_yield("working").await {
    ///         Err(Interrupt::Thrown(error)) => println!("never mind: {error}"),
    ///         Err(Interrupt::Closed) => return,
    ///         Ok(_) => {}
    ///     }
    ///     co.yield_("recovered").await;
    /// });
    /// assert_eq!(patient.next().unwrap(), "working");
    /// assert_eq!(patient.throw("paper jam").unwrap(), "recovered");
    /// ```
    pub fn try_yield(&self, value: Y) -> TryYield<'_, Y, S> {
        TryYield {
            channel: &self.channel,
            stage: Stage::Fresh(value),
        }
    }

    /// Ends the body with an error, or with a close, that it does not want to handle (any more).
    ///
    /// The body is dropped here and whoever resumed the coroutine gets the error. Its use is clean-up: catch the
    /// interrupt, do what must be done, raise it again.
    ///
    /// # Cancel safety
    ///
    /// Never completes. Dropped before the body suspends, it did nothing.
    ///
    /// ```
    /// use corio_coroutine::{Generator, ResumeError};
    ///
    /// let tidy = Generator::new(async |co| {
    ///     if let Err(interrupt) = co.try_yield(1).await {
    ///         println!("tidying up");
    ///         co.raise(interrupt).await;
    ///     }
    /// });
    /// tidy.next().unwrap();
    /// assert!(matches!(tidy.throw("no"), Err(ResumeError::Thrown(_))));
    /// ```
    pub fn raise(&self, interrupt: impl Into<Interrupt>) -> Raise<'_, Y, S> {
        Raise {
            channel: &self.channel,
            interrupt: Some(interrupt.into()),
        }
    }

    /// Lets `inner` yield in this coroutine's place until it ends, and evaluates to what it returned.
    ///
    /// Every `next`, `send`, `throw` and `close` of this coroutine goes to `inner` meanwhile. An error that `inner` lets
    /// out ends this body too, as one thrown at a [`yield_`](Yielder::yield_) does.
    ///
    /// # Panics
    ///
    /// If `inner` has ended before.
    ///
    /// # Cancel safety
    ///
    /// Dropping it drops `inner` where it stands.
    ///
    /// ```
    /// use corio_coroutine::Generator;
    ///
    /// fn count(n: u32) -> Generator<u32, &'static str> {
    ///     Generator::new(async move |co| {
    ///         for i in 0..n {
    ///             co.yield_(i).await;
    ///         }
    ///         "counted"
    ///     })
    /// }
    ///
    /// let twice = Generator::new(async |co| {
    ///     assert_eq!(co.delegate(count(2)).await, "counted");
    ///     co.delegate(count(3)).await;
    /// });
    /// assert_eq!(twice.into_iter().collect::<Vec<_>>(), [0, 1, 0, 1, 2]);
    /// ```
    #[doc(alias = "yield from")]
    pub fn delegate<R, B: Future<Output = R> + ?Sized>(
        &self,
        inner: Coroutine<Y, S, R, B>,
    ) -> Delegate<'_, Y, S, R, B> {
        Delegate::new(self, inner)
    }

    /// As [`delegate`](Yielder::delegate), but what `inner` lets out is an error that the body can catch.
    ///
    /// # Errors
    ///
    /// The error that `inner` let out, or [`Interrupt::Closed`] if this coroutine is being closed.
    ///
    /// # Panics
    ///
    /// If `inner` has ended before.
    ///
    /// # Cancel safety
    ///
    /// Dropping it drops `inner` where it stands.
    pub fn try_delegate<R, B: Future<Output = R> + ?Sized>(
        &self,
        inner: Coroutine<Y, S, R, B>,
    ) -> TryDelegate<'_, Y, S, R, B> {
        TryDelegate::new(self, inner)
    }
}

impl<Y, S> fmt::Debug for Yielder<Y, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Yielder").finish_non_exhaustive()
    }
}

/// The future of [`Yielder::yield_`].
#[must_use = "a yield does nothing unless it is awaited"]
pub struct Yield<'co, Y, S> {
    inner: TryYield<'co, Y, S>,
}

impl<Y, S> Future for Yield<'_, Y, S> {
    type Output = Option<S>;

    #[inline]
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<S>> {
        match Pin::new(&mut self.inner).poll(cx) {
            Poll::Ready(Ok(sent)) => Poll::Ready(sent),
            Poll::Ready(Err(interrupt)) => {
                self.inner.channel.raise(interrupt);
                Poll::Pending
            }
            Poll::Pending => Poll::Pending,
        }
    }
}

/// The future of [`Yielder::try_yield`].
#[must_use = "a yield does nothing unless it is awaited"]
pub struct TryYield<'co, Y, S> {
    channel: &'co Channel<Y, S>,
    stage: Stage<Y>,
}

enum Stage<Y> {
    /// Not polled yet.
    Fresh(Y),
    /// Handed out under this ticket.
    Waiting(u64),
    Done,
}

impl<Y, S> Future for TryYield<'_, Y, S> {
    type Output = Result<Option<S>, Interrupt>;

    #[inline]
    fn poll(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Self::Output> {
        let this = &mut *self;
        if let Stage::Waiting(ticket) = this.stage {
            let answer = match this.channel.answer(ticket) {
                Signal::Empty => return Poll::Pending,
                Signal::Next => Ok(None),
                Signal::Send(sent) => Ok(Some(sent)),
                Signal::Throw(thrown) => Err(Interrupt::Thrown(thrown)),
                Signal::Close => Err(Interrupt::Closed),
            };
            this.stage = Stage::Done;
            return Poll::Ready(answer);
        }
        if let Stage::Fresh(value) = mem::replace(&mut this.stage, Stage::Done) {
            this.stage = Stage::Waiting(this.channel.hand_out(value));
        }
        Poll::Pending
    }
}

impl<Y, S> Drop for TryYield<'_, Y, S> {
    fn drop(&mut self) {
        if let Stage::Waiting(ticket) = self.stage {
            self.channel.retract(ticket);
        }
    }
}

/// The future of [`Yielder::raise`]. It never completes.
#[must_use = "nothing is raised unless this is awaited"]
pub struct Raise<'co, Y, S> {
    channel: &'co Channel<Y, S>,
    interrupt: Option<Interrupt>,
}

impl<Y, S> Future for Raise<'_, Y, S> {
    type Output = Never;

    fn poll(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Never> {
        if let Some(interrupt) = self.interrupt.take() {
            self.channel.raise(interrupt);
        }
        Poll::Pending
    }
}

// No future here ever pins the value it carries.
impl<Y, S> Unpin for Yield<'_, Y, S> {}
impl<Y, S> Unpin for TryYield<'_, Y, S> {}
impl<Y, S> Unpin for Raise<'_, Y, S> {}

macro_rules! debug_by_name {
    ($($name:ident),*) => {$(
        impl<Y, S> fmt::Debug for $name<'_, Y, S> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.debug_struct(stringify!($name)).finish_non_exhaustive()
            }
        }
    )*};
}

debug_by_name!(Yield, TryYield, Raise);

/// `!`, which has no stable name as a type argument but can be reached as the output of `fn() -> !`.
type Never = <fn() -> ! as Returns>::Output;

#[doc(hidden)]
pub trait Returns {
    type Output;
}

impl<T> Returns for fn() -> T {
    type Output = T;
}
