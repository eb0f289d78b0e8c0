//! A handle works in its own body only; elsewhere it panics, and no value reaches the wrong caller (R087).

use std::cell::RefCell;
use std::future::poll_fn;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

use corio_coroutine::{Coroutine, CoroutineState, Generator, ResumeError, Yielder};

type Slot<T> = Rc<RefCell<Option<T>>>;

fn message(panic: Box<dyn std::any::Any + Send>) -> String {
    match panic.downcast::<String>() {
        Ok(text) => *text,
        Err(panic) => panic.downcast::<&str>().unwrap().to_string(),
    }
}

/// A coroutine that puts its handle into the slot, and yields through it where it lies.
fn leaky(slot: &Slot<Rc<Yielder<u32>>>) -> Generator<u32> {
    let slot = slot.clone();
    Generator::new(async move |co| {
        let co = Rc::new(co);
        *slot.borrow_mut() = Some(co.clone());
        for i in 0.. {
            co.yield_(i).await;
        }
    })
}

fn poll_once<F: Future>(future: F) -> Poll<F::Output> {
    pin!(future).poll(&mut Context::from_waker(Waker::noop()))
}

const OUTSIDE: &str = "used outside the body it was given to";

#[test]
fn outside_of_any_coroutine() {
    let slot = Slot::default();
    let it = leaky(&slot);
    assert_eq!(it.next().unwrap(), 0);
    let co = slot.take().unwrap();
    let panic = catch_unwind(AssertUnwindSafe(|| poll_once(co.yield_(99)))).unwrap_err();
    assert!(message(panic).contains(OUTSIDE));
    let panic = catch_unwind(AssertUnwindSafe(|| {
        poll_once(co.raise(corio_coroutine::Interrupt::Closed))
    }))
    .unwrap_err();
    assert!(message(panic).contains(OUTSIDE));
    assert_eq!(it.next().unwrap(), 1);
}

#[test]
fn in_the_body_of_another_coroutine() {
    let slot = Slot::default();
    let it = leaky(&slot);
    assert_eq!(it.next().unwrap(), 0);
    let co = slot.take().unwrap();
    let thief: Generator<u32> = Generator::new(async move |_own| {
        co.yield_(99).await;
    });
    let panic = catch_unwind(AssertUnwindSafe(|| thief.next())).unwrap_err();
    assert!(message(panic).contains(OUTSIDE));
    assert_eq!(thief.state(), CoroutineState::Closed);
    assert_eq!(it.next().unwrap(), 1);
}

#[test]
fn in_the_body_of_a_coroutine_that_its_own_body_resumes() {
    // The owner of the handle is running, but it is not the innermost one.
    let outer: Generator<u32> = Generator::new(async |co| {
        let co = Rc::new(co);
        let theirs = co.clone();
        let inner: Generator<u32> = Generator::new(async move |_own| {
            theirs.yield_(99).await;
        });
        let panic = catch_unwind(AssertUnwindSafe(|| inner.next())).unwrap_err();
        assert!(message(panic).contains(OUTSIDE));
        co.yield_(1).await;
    });
    assert_eq!(outer.next().unwrap(), 1);
    assert!(outer.next().unwrap_err().is_end());
}

#[test]
fn after_the_end_of_its_coroutine() {
    let slot = Slot::default();
    let it = leaky(&slot);
    it.next().unwrap();
    drop(it);
    let co = slot.take().unwrap();
    let panic = catch_unwind(AssertUnwindSafe(|| poll_once(co.yield_(99)))).unwrap_err();
    assert!(message(panic).contains(OUTSIDE));
}

#[test]
fn in_a_destructor_of_its_own_body() {
    struct YieldsWhenDropped(Rc<Yielder<u32>>, Rc<RefCell<String>>);
    impl Drop for YieldsWhenDropped {
        fn drop(&mut self) {
            let panic =
                catch_unwind(AssertUnwindSafe(|| poll_once(self.0.yield_(99)))).unwrap_err();
            *self.1.borrow_mut() = message(panic);
        }
    }
    let said = Rc::new(RefCell::new(String::new()));
    let said_in_drop = said.clone();
    let it: Generator<u32> = Generator::new(async move |co| {
        let co = Rc::new(co);
        let _guard = YieldsWhenDropped(co.clone(), said_in_drop);
        co.yield_(1).await;
    });
    it.next().unwrap();
    assert!(matches!(it.throw("e"), Err(ResumeError::Thrown(_))));
    assert!(said.borrow().contains(OUTSIDE));
}

#[test]
fn handles_of_nested_coroutines_are_kept_apart() {
    let outer = Generator::new(async |co| {
        let inner = Generator::new(async |co| {
            for i in 0..3 {
                co.yield_(i).await;
            }
        });
        for i in inner {
            co.yield_(i * 10).await;
        }
    });
    assert_eq!(outer.into_iter().collect::<Vec<_>>(), [0, 10, 20]);
}

#[test]
fn a_yield_future_that_has_left_its_body() {
    type Escaped = Pin<Box<dyn Future<Output = Option<u32>>>>;
    let slot: Slot<Escaped> = Slot::default();
    let theirs = slot.clone();
    let it: Coroutine<u32, u32> = Coroutine::new(async move |co| {
        let co: &'static Yielder<u32, u32> = Box::leak(Box::new(co));
        let mut escaping: Escaped = Box::pin(co.yield_(1));
        poll_fn(|cx| {
            assert!(escaping.as_mut().poll(cx).is_pending());
            Poll::Ready(())
        })
        .await;
        *theirs.borrow_mut() = Some(escaping);
        std::future::pending::<()>().await;
    });
    assert_eq!(it.next().unwrap(), 1);
    let mut escaped = slot.take().unwrap();
    let mut cx = Context::from_waker(Waker::noop());
    let panic = catch_unwind(AssertUnwindSafe(|| escaped.as_mut().poll(&mut cx))).unwrap_err();
    assert!(message(panic).contains(OUTSIDE));
    // Dropped out there, it is just no longer waiting.
    drop(escaped);
    assert_eq!(it.state(), CoroutineState::Suspended);
    assert!(matches!(it.send(5), Err(ResumeError::NotAtYield)));
    assert!(matches!(it.next(), Err(ResumeError::Blocked)));
}

/// Polls both, the left one first, until both are ready.
async fn both(left: impl Future, right: impl Future) {
    let (mut left, mut right) = (pin!(left), pin!(right));
    let (mut left_done, mut right_done) = (false, false);
    poll_fn(|cx| {
        left_done = left_done || left.as_mut().poll(cx).is_ready();
        right_done = right_done || right.as_mut().poll(cx).is_ready();
        if left_done && right_done {
            Poll::Ready(())
        } else {
            Poll::Pending
        }
    })
    .await
}

#[test]
fn two_yields_at_once() {
    let it: Generator<u32> = Generator::new(async |co| both(co.yield_(1), co.yield_(2)).await);
    let panic = catch_unwind(AssertUnwindSafe(|| it.next())).unwrap_err();
    assert!(message(panic).contains("at the same time"));
    assert_eq!(it.state(), CoroutineState::Closed);
}

#[test]
fn a_yield_that_is_overtaken_by_another() {
    let it: Generator<u32> = Generator::new(async |co| {
        let mut early = pin!(co.yield_(1));
        let mut resumed = false;
        poll_fn(|cx| {
            if resumed {
                return Poll::Ready(());
            }
            resumed = true;
            early.as_mut().poll(cx).map(|_| ())
        })
        .await;
        co.yield_(2).await;
        early.await;
    });
    assert_eq!(it.next().unwrap(), 1);
    assert_eq!(it.next().unwrap(), 2);
    let panic = catch_unwind(AssertUnwindSafe(|| it.next())).unwrap_err();
    assert!(message(panic).contains("at the same time"));
}

#[test]
fn a_yield_dropped_before_the_body_suspends_was_never_made() {
    async fn polled_and_dropped(co: &Yielder<u32>) {
        let mut early = pin!(co.yield_(1));
        poll_fn(|cx| {
            assert!(early.as_mut().poll(cx).is_pending());
            Poll::Ready(())
        })
        .await;
    }
    let goes_on: Generator<u32> = Generator::new(async |co| {
        polled_and_dropped(&co).await;
        co.yield_(2).await;
    });
    assert_eq!(goes_on.next().unwrap(), 2);
    assert!(goes_on.next().unwrap_err().is_end());

    let waits: Generator<u32> = Generator::new(async |co| {
        polled_and_dropped(&co).await;
        std::future::pending().await
    });
    assert!(matches!(waits.next(), Err(ResumeError::Blocked)));
}

#[test]
fn an_old_yield_that_is_dropped_takes_back_no_newer_one() {
    let it: Generator<u32> = Generator::new(async |co| {
        let mut early = Some(Box::pin(co.yield_(1)));
        let mut late = pin!(co.yield_(2));
        let mut resumed = false;
        poll_fn(|cx| {
            if !std::mem::replace(&mut resumed, true) {
                return early.as_mut().unwrap().as_mut().poll(cx).map(|_| ());
            }
            let polled = late.as_mut().poll(cx).map(|_| ());
            early = None;
            polled
        })
        .await;
    });
    assert_eq!(it.next().unwrap(), 1);
    assert_eq!(it.next().unwrap(), 2);
}

#[test]
fn an_answer_is_never_taken_for_that_of_another_yield() {
    // The first yield is dropped after it was resumed with 5 and before it saw that; the second must not see it.
    let it: Coroutine<u32, u32> = Coroutine::new(async |co| {
        {
            let mut early = pin!(co.yield_(1));
            let mut polls = 0;
            poll_fn(|cx| {
                polls += 1;
                if polls == 1 {
                    early.as_mut().poll(cx).map(|_| ())
                } else {
                    Poll::Ready(())
                }
            })
            .await;
        }
        let sent = co.yield_(2).await;
        assert_eq!(sent, None);
    });
    assert_eq!(it.next().unwrap(), 1);
    assert_eq!(it.send(5).unwrap(), 2);
    assert!(matches!(it.next(), Err(ResumeError::Returned(()))));
}

#[test]
#[should_panic(expected = "had ended before")]
fn delegating_to_an_ended_coroutine() {
    let ended: Generator<u32> = Generator::new(async |_co| {});
    ended.close().unwrap();
    let outer: Generator<u32> = Generator::new(async move |co| co.delegate(ended).await);
    let _ = outer.next();
}
