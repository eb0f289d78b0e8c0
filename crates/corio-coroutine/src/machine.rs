//! The engine under [`Coroutine`](crate::Coroutine) and [`AsyncCoroutine`](crate::AsyncCoroutine): resumes the body once
//! and says what came of it.

use std::cell::Cell;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

use crate::channel::{Channel, Phase, Signal};
use crate::{CoroutineState, Interrupt, Yielder};

/// The body and its channel.
pub(crate) struct Machine<Y, S, R, B: ?Sized> {
    channel: Rc<Channel<Y, S>>,
    /// Taken out while the body is polled or dropped, so that no borrow is held then and a resume from inside is noticed.
    body: Cell<Option<Pin<Box<B>>>>,
    returned: Cell<Option<R>>,
}

/// What one resume came to.
pub(crate) enum Step<Y, R> {
    Yielded(Y),
    Returned(R),
    /// An interrupt left the body, or found no yield to go to; the body is gone.
    Raised(Interrupt),
    Exhausted,
    NotAtYield,
    Running,
}

impl<'env, Y, S, R> Machine<Y, S, R, dyn Future<Output = R> + 'env> {
    pub(crate) fn new<F, Fut>(body: F) -> Self
    where
        F: FnOnce(Yielder<Y, S>) -> Fut,
        Fut: Future<Output = R> + 'env,
    {
        let channel = Rc::new(Channel::new());
        let body: Pin<Box<dyn Future<Output = R> + 'env>> =
            Box::pin(body(Yielder::new(channel.clone())));
        Machine {
            channel,
            body: Cell::new(Some(body)),
            returned: Cell::new(None),
        }
    }
}

impl<Y, S, R, B: ?Sized> Machine<Y, S, R, B> {
    pub(crate) fn state(&self) -> CoroutineState {
        let body = self.body.take();
        let running = body.is_none();
        self.body.set(body);
        match self.channel.phase() {
            Phase::Closed => CoroutineState::Closed,
            _ if running => CoroutineState::Running,
            Phase::Created => CoroutineState::Created,
            _ => CoroutineState::Suspended,
        }
    }

    /// Keeps what the body returned for [`take_return`](Machine::take_return).
    pub(crate) fn keep_return(&self, value: R) {
        self.returned.set(Some(value));
    }

    pub(crate) fn take_return(&self) -> Option<R> {
        self.returned.take()
    }

    /// Drops the body where it stands, unless it is on the stack.
    pub(crate) fn abort(&self) {
        if let Some(body) = self.body.take() {
            self.drop_body(body);
        }
    }

    fn drop_body(&self, body: Pin<Box<B>>) {
        let _closing = Closing {
            channel: &self.channel,
        };
        drop(body);
    }
}

impl<Y, S, R, B: Future<Output = R> + ?Sized> Machine<Y, S, R, B> {
    /// Resumes the body. `Pending` means that it waits for something that is no yield; resume it with `Next` then.
    pub(crate) fn poll_resume(&self, cx: &mut Context<'_>, signal: Signal<S>) -> Poll<Step<Y, R>> {
        let Some(body) = self.body.take() else {
            return Poll::Ready(self.refuse(signal));
        };
        match (self.channel.phase(), signal) {
            (Phase::Yielded, signal) => self.channel.deliver(signal),
            (_, Signal::Empty | Signal::Next) => {}
            (_, signal) => return Poll::Ready(self.refuse_value(body, signal)),
        }
        self.poll_body(cx, body)
    }

    #[inline]
    fn poll_body(&self, cx: &mut Context<'_>, mut body: Pin<Box<B>>) -> Poll<Step<Y, R>> {
        let channel = &*self.channel;
        channel.set_phase(Phase::Running);
        let closing = Closing { channel };
        let entered = channel.enter();
        let polled = body.as_mut().poll(cx);
        drop(entered);

        if let Poll::Ready(value) = polled {
            drop(body);
            return Poll::Ready(Step::Returned(value));
        }
        match channel.phase() {
            Phase::Raised => {
                let interrupt = channel.take_interrupt();
                drop(body);
                return Poll::Ready(Step::Raised(interrupt));
            }
            Phase::Yielded => {}
            _ => channel.set_phase(Phase::Awaiting),
        }
        std::mem::forget(closing);
        self.body.set(Some(body));
        match channel.take_value() {
            Some(value) => Poll::Ready(Step::Yielded(value)),
            None => Poll::Pending,
        }
    }

    /// No yield waits for what the resume brings.
    #[cold]
    fn refuse_value(&self, body: Pin<Box<B>>, signal: Signal<S>) -> Step<Y, R> {
        let interrupt = match signal {
            Signal::Throw(thrown) => Interrupt::Thrown(thrown),
            Signal::Close => Interrupt::Closed,
            Signal::Send(_) | Signal::Empty | Signal::Next => {
                self.body.set(Some(body));
                return Step::NotAtYield;
            }
        };
        self.drop_body(body);
        Step::Raised(interrupt)
    }

    /// The body is not there to be resumed.
    #[cold]
    fn refuse(&self, signal: Signal<S>) -> Step<Y, R> {
        match signal {
            _ if self.channel.phase() != Phase::Closed => Step::Running,
            Signal::Throw(thrown) => Step::Raised(Interrupt::Thrown(thrown)),
            _ => Step::Exhausted,
        }
    }
}

/// Closes the coroutine when dropped, be it by a panic of the body.
struct Closing<'a, Y, S> {
    channel: &'a Channel<Y, S>,
}

impl<Y, S> Drop for Closing<'_, Y, S> {
    fn drop(&mut self) {
        self.channel.set_phase(Phase::Closed);
        self.channel.deliver(Signal::Empty);
    }
}
