//! `Coroutine`: the handle by which a generator-style coroutine is driven.

use std::error::Error;
use std::fmt;
use std::task::{Context, Poll, Waker};

use crate::channel::Signal;
use crate::machine::{Machine, Step};
use crate::{CloseError, CoroutineState, Interrupt, ResumeError, Thrown, Yielder};

/// A function that can stop in the middle, hand a value out, and be resumed there, by hand and without a loop.
///
/// `Y` is what it yields, `S` what can be sent to it, `R` what it returns. `B` is the body's erased type; leave it out
/// unless the body borrows (see [`ScopedCoroutine`]).
///
/// All methods take `&self`, so that a coroutine can be shared (`Rc<Coroutine<..>>`) by those who take turns with it. It
/// is neither `Send` nor `Sync`.
///
/// A body runs only inside `next`, `send`, `throw` and `close`. A panic in it goes to the one who called, and the
/// coroutine is closed. Dropping a coroutine drops its locals, in the order in which a return would; the body is not
/// told: only [`close`](Coroutine::close) lets it catch its end. Creating one allocates twice, a resume never does.
///
/// # Naming the sent type
///
/// The compiler learns `S` from a `send`, or from the type you write. Where nothing is ever sent it has nothing to go by:
/// say [`Generator::new`](crate::Generator) there, which is the same type with `S = ()`.
///
/// ```
/// use corio_coroutine::Coroutine;
///
/// fn ticket_machine() -> Coroutine<u32, &'static str> {
///     Coroutine::new(async |co| {
///         for number in 1.. {
///             let name = co.yield_(number).await;
///             println!("{number} goes to {}", name.unwrap_or("nobody"));
///         }
///     })
/// }
///
/// let machine = ticket_machine();
/// assert_eq!(machine.next().unwrap(), 1);
/// assert_eq!(machine.send("Ada").unwrap(), 2);
/// ```
///
/// It never crosses threads, whatever the body holds:
///
/// ```compile_fail,E0277
/// let shared = std::rc::Rc::new(1);
/// let coroutine = corio_coroutine::Generator::new(async move |co| co.yield_(*shared).await);
/// std::thread::spawn(move || coroutine.next());
/// ```
#[doc(alias = "generator")]
#[must_use = "the body does not run unless the coroutine is resumed"]
pub struct Coroutine<Y, S = (), R = (), B: ?Sized = dyn Future<Output = R>> {
    machine: Machine<Y, S, R, B>,
}

/// A [`Coroutine`] to which nothing is sent.
///
/// ```
/// use corio_coroutine::Generator;
///
/// let letters = Generator::new(async |co| {
///     co.yield_('a').await;
///     co.yield_('b').await;
/// });
/// assert_eq!(letters.into_iter().collect::<String>(), "ab");
/// ```
pub type Generator<Y, R = ()> = Coroutine<Y, (), R>;

/// A [`Coroutine`] whose body borrows what lives for `'env`.
///
/// ```
/// use corio_coroutine::ScopedCoroutine;
///
/// fn words(text: &str) -> ScopedCoroutine<'_, &str> {
///     ScopedCoroutine::new(async move |co| {
///         for word in text.split(' ') {
///             co.yield_(word).await;
///         }
///     })
/// }
///
/// let text = String::from("one two");
/// assert_eq!(words(&text).into_iter().collect::<Vec<_>>(), ["one", "two"]);
/// ```
pub type ScopedCoroutine<'env, Y, S = (), R = ()> =
    Coroutine<Y, S, R, dyn Future<Output = R> + 'env>;

impl<'env, Y, S, R> Coroutine<Y, S, R, dyn Future<Output = R> + 'env> {
    /// Makes a coroutine of a body: an async closure that is given the handle to yield through.
    ///
    /// Nothing of the body runs before the first [`next`](Coroutine::next).
    pub fn new<F, Fut>(body: F) -> Self
    where
        F: FnOnce(Yielder<Y, S>) -> Fut,
        Fut: Future<Output = R> + 'env,
    {
        Coroutine {
            machine: Machine::new(body),
        }
    }
}

impl<Y, S, R, B: Future<Output = R> + ?Sized> Coroutine<Y, S, R, B> {
    /// Runs the body to its next yield and returns what it yields. The first call starts it.
    ///
    /// The yield at which the body waits evaluates to `None`.
    ///
    /// # Errors
    ///
    /// [`Returned`](ResumeError::Returned) with the body's value when it ends, [`Exhausted`](ResumeError::Exhausted) ever
    /// after, [`Thrown`](ResumeError::Thrown) if the body raised an error, [`Running`](ResumeError::Running) from inside
    /// the body, [`Blocked`](ResumeError::Blocked) if it awaits something that is not ready: it was polled once, and
    /// the next call polls it again.
    #[doc(alias = "resume")]
    pub fn next(&self) -> Result<Y, ResumeError<R>> {
        self.resume(Signal::Next)
    }

    /// Resumes the body with a value: the yield at which it waits evaluates to `Some(value)`.
    ///
    /// # Errors
    ///
    /// [`NotAtYield`](ResumeError::NotAtYield) if the body has not started or awaits something that is not ready. Else
    /// as [`next`](Coroutine::next). The value is dropped where no yield took it.
    pub fn send(&self, value: S) -> Result<Y, ResumeError<R>> {
        self.resume(Signal::Send(value))
    }

    /// Makes the yield at which the body waits fail, and returns what the body yields next if it catches that.
    ///
    /// Takes any error, or a text. A coroutine that has not started, or that waits at something else than a yield, has no
    /// place to catch it and is closed.
    ///
    /// # Errors
    ///
    /// [`Thrown`](ResumeError::Thrown) with the same error if the body does not catch it, or has ended before. Else as
    /// [`next`](Coroutine::next).
    pub fn throw(
        &self,
        error: impl Into<Box<dyn Error + Send + Sync>>,
    ) -> Result<Y, ResumeError<R>> {
        self.resume(Signal::Throw(Thrown::new(error)))
    }

    /// Ends the coroutine: tells the yield at which the body waits, and drops the body unless it returns by itself.
    ///
    /// Returns what the body returned if it caught the close and returned. The body of a coroutine that has not
    /// started is dropped without running; closing a second time does nothing.
    ///
    /// # Errors
    ///
    /// The body yielded again, let an error out, or awaited something that was not ready. The coroutine is closed after
    /// each of these, but not after [`Running`](CloseError::Running).
    ///
    /// ```
    /// use corio_coroutine::Generator;
    ///
    /// let log = Generator::new(async |co| {
    ///     let mut lines = 0;
    ///     while co.try_yield(lines).await.is_ok() {
    ///         lines += 1;
    ///     }
    ///     lines
    /// });
    /// log.next().unwrap();
    /// log.next().unwrap();
    /// assert_eq!(log.close().unwrap(), Some(1));
    /// assert_eq!(log.close().unwrap(), None);
    /// ```
    pub fn close(&self) -> Result<Option<R>, CloseError> {
        let end = match self.machine.poll_resume(&mut no_waker(), Signal::Close) {
            Poll::Ready(step) => close_result(step),
            Poll::Pending => Err(CloseError::Blocked),
        };
        // Nothing to drop unless the body is still waiting, at a yield or elsewhere.
        self.machine.abort();
        end
    }

    /// Takes what the body returned at the end of an iteration, which itself has no place for it.
    ///
    /// `None` before the end, after the value was taken, and if `next`, `send` or `throw` gave it out.
    ///
    /// ```
    /// use corio_coroutine::Generator;
    ///
    /// let sum = Generator::new(async |co| {
    ///     co.yield_(1).await;
    ///     co.yield_(2).await;
    ///     "done"
    /// });
    /// assert_eq!((&sum).sum::<i32>(), 3);
    /// assert_eq!(sum.take_return(), Some("done"));
    /// ```
    pub fn take_return(&self) -> Option<R> {
        self.machine.take_return()
    }

    /// Where the coroutine stands.
    pub fn state(&self) -> CoroutineState {
        self.machine.state()
    }

    pub(crate) fn machine(&self) -> &Machine<Y, S, R, B> {
        &self.machine
    }

    /// The next value of an iteration, which cannot say why there is none.
    pub(crate) fn next_value(&self) -> Option<Y> {
        match self.next() {
            Ok(value) => Some(value),
            Err(ResumeError::Returned(value)) => {
                self.machine.keep_return(value);
                None
            }
            Err(ResumeError::Exhausted) => None,
            Err(error) => panic!("iterating over a coroutine: {error}"),
        }
    }

    fn resume(&self, signal: Signal<S>) -> Result<Y, ResumeError<R>> {
        match self.machine.poll_resume(&mut no_waker(), signal) {
            Poll::Ready(step) => resume_result(step),
            Poll::Pending => Err(ResumeError::Blocked),
        }
    }
}

impl<Y, S, R, B: ?Sized> fmt::Debug for Coroutine<Y, S, R, B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Coroutine")
            .field("state", &self.machine.state())
            .finish()
    }
}

/// Nobody waits with a coroutine that is resumed by hand.
fn no_waker() -> Context<'static> {
    Context::from_waker(Waker::noop())
}

pub(crate) fn resume_result<Y, R>(step: Step<Y, R>) -> Result<Y, ResumeError<R>> {
    Err(match step {
        Step::Yielded(value) => return Ok(value),
        Step::Returned(value) => ResumeError::Returned(value),
        Step::Raised(Interrupt::Thrown(thrown)) => ResumeError::Thrown(thrown),
        Step::Raised(Interrupt::Closed) | Step::Exhausted => ResumeError::Exhausted,
        Step::NotAtYield => ResumeError::NotAtYield,
        Step::Running => ResumeError::Running,
    })
}

pub(crate) fn close_result<Y, R>(step: Step<Y, R>) -> Result<Option<R>, CloseError> {
    match step {
        Step::Returned(value) => Ok(Some(value)),
        Step::Yielded(_) => Err(CloseError::Yielded),
        Step::Raised(Interrupt::Thrown(thrown)) => Err(CloseError::Thrown(thrown)),
        Step::Running => Err(CloseError::Running),
        Step::Raised(Interrupt::Closed) | Step::Exhausted | Step::NotAtYield => Ok(None),
    }
}
