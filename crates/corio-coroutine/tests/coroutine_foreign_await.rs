//! A body that awaits something unready, resumed by hand: a defined error and one poll a resume (R091).

use std::cell::{Cell, RefCell};
use std::future::{pending, poll_fn, ready};
use std::rc::Rc;
use std::task::Poll;

use corio_coroutine::{CloseError, Coroutine, CoroutineState, Generator, Interrupt, ResumeError};

/// A future that is ready once the gate is open, and counts how often it was asked.
#[derive(Clone, Default)]
struct Gate(Rc<(Cell<bool>, Cell<u32>)>);

impl Gate {
    fn open(&self) {
        self.0.0.set(true);
    }

    fn polls(&self) -> u32 {
        self.0.1.get()
    }

    async fn wait(&self) {
        poll_fn(|_| {
            self.0.1.set(self.polls() + 1);
            if self.0.0.get() {
                Poll::Ready(())
            } else {
                Poll::Pending
            }
        })
        .await
    }
}

fn gated(gate: &Gate) -> Coroutine<u32, u32> {
    let gate = gate.clone();
    Coroutine::new(async move |co| {
        let sent = co.yield_(1).await;
        gate.wait().await;
        co.yield_(sent.unwrap_or(0) + 1).await;
    })
}

#[test]
fn ready_futures_are_awaited_as_usual() {
    let it = Generator::new(async |co| {
        let value = ready(5).await;
        co.yield_(value).await;
    });
    assert_eq!(it.into_iter().collect::<Vec<_>>(), [5]);
}

#[test]
fn unready_future_is_an_error_and_polled_once_a_resume() {
    let gate = Gate::default();
    let it = gated(&gate);
    it.next().unwrap();
    assert!(matches!(it.send(5), Err(ResumeError::Blocked)));
    assert_eq!(gate.polls(), 1);
    assert_eq!(it.state(), CoroutineState::Suspended);
    assert!(matches!(it.next(), Err(ResumeError::Blocked)));
    assert_eq!(gate.polls(), 2);

    // What was sent before is still with the body.
    gate.open();
    assert_eq!(it.next().unwrap(), 6);
    assert!(it.next().unwrap_err().is_end());
}

#[test]
fn send_while_blocked_is_refused_without_a_poll() {
    let gate = Gate::default();
    let it = gated(&gate);
    it.next().unwrap();
    assert!(matches!(it.next(), Err(ResumeError::Blocked)));
    assert!(matches!(it.send(9), Err(ResumeError::NotAtYield)));
    assert_eq!(gate.polls(), 1);
    gate.open();
    assert_eq!(it.next().unwrap(), 1);
}

#[test]
fn throw_and_close_while_blocked_drop_the_body() {
    let gate = Gate::default();
    let thrown = gated(&gate);
    thrown.next().unwrap();
    assert!(matches!(thrown.next(), Err(ResumeError::Blocked)));
    assert!(matches!(thrown.throw("e"), Err(ResumeError::Thrown(_))));
    assert_eq!(thrown.state(), CoroutineState::Closed);

    let closed = gated(&gate);
    closed.next().unwrap();
    assert!(matches!(closed.next(), Err(ResumeError::Blocked)));
    assert_eq!(closed.close().unwrap(), None);
    assert_eq!(closed.state(), CoroutineState::Closed);
    assert_eq!(Rc::strong_count(&gate.0), 1);
}

#[test]
fn unready_future_while_closing_is_an_error_and_closes() {
    let it: Generator<u32> = Generator::new(async |co| {
        if let Err(Interrupt::Closed) = co.try_yield(1).await {
            pending::<()>().await;
        }
    });
    it.next().unwrap();
    assert!(matches!(it.close(), Err(CloseError::Blocked)));
    assert_eq!(it.state(), CoroutineState::Closed);
}

#[test]
#[should_panic(expected = "not ready")]
fn iteration_has_no_place_for_it_and_panics() {
    let it: Generator<u32> = Generator::new(async |_co| pending().await);
    let _ = it.into_iter().next();
}

#[test]
fn unready_future_of_a_delegate_blocks_the_outer_one() {
    let gate = Gate::default();
    let inner = gated(&gate);
    let outer = Coroutine::new(async move |co| co.delegate(inner).await);
    assert_eq!(outer.next().unwrap(), 1);
    assert!(matches!(outer.send(5), Err(ResumeError::Blocked)));
    assert!(matches!(outer.send(6), Err(ResumeError::NotAtYield)));
    gate.open();
    assert_eq!(outer.next().unwrap(), 6);
}

#[test]
fn answer_waits_for_a_yield_that_is_polled_late() {
    // The body wraps its yield in a future that does not poll it on the first resume.
    let seen = Rc::new(RefCell::new(None));
    let slot = seen.clone();
    let it: Coroutine<u32, u32> = Coroutine::new(async move |co| {
        let mut inner = std::pin::pin!(co.yield_(1));
        let mut polls = 0;
        let sent = poll_fn(|cx| {
            polls += 1;
            if polls == 2 {
                Poll::Pending
            } else {
                inner.as_mut().poll(cx)
            }
        })
        .await;
        *slot.borrow_mut() = sent;
    });
    it.next().unwrap();
    assert!(matches!(it.send(5), Err(ResumeError::Blocked)));
    assert!(it.next().unwrap_err().is_end());
    assert_eq!(*seen.borrow(), Some(5));
}
