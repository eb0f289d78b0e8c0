//! However a body ends, its locals are dropped once and in order (R090).

use std::cell::RefCell;
use std::future::poll_fn;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::rc::Rc;
use std::task::Poll;

use corio_coroutine::{CloseError, Coroutine, CoroutineState, Generator, Interrupt, ResumeError};

type Log = Rc<RefCell<Vec<&'static str>>>;

struct Local(Log, &'static str);

impl Drop for Local {
    fn drop(&mut self) {
        self.0.borrow_mut().push(self.1);
    }
}

/// Yields twice, with one captured value and two locals.
fn three_locals(log: &Log) -> Generator<u32> {
    let captured = Local(log.clone(), "captured");
    let log = log.clone();
    Generator::new(async move |co| {
        let _captured = captured;
        let _first = Local(log.clone(), "first");
        co.yield_(1).await;
        let _second = Local(log.clone(), "second");
        co.yield_(2).await;
    })
}

fn suspended(log: &Log) -> Generator<u32> {
    let it = three_locals(log);
    it.next().unwrap();
    it.next().unwrap();
    assert!(log.borrow().is_empty());
    it
}

const IN_ORDER: [&str; 3] = ["second", "first", "captured"];

#[test]
fn dropped_while_suspended() {
    let log = Log::default();
    drop(suspended(&log));
    assert_eq!(*log.borrow(), IN_ORDER);
}

#[test]
fn closed_while_suspended() {
    let log = Log::default();
    let it = suspended(&log);
    assert_eq!(it.close().unwrap(), None);
    assert_eq!(*log.borrow(), IN_ORDER);
    drop(it);
    assert_eq!(log.borrow().len(), 3);
}

#[test]
fn thrown_into_while_suspended() {
    let log = Log::default();
    let it = suspended(&log);
    assert!(matches!(it.throw("e"), Err(ResumeError::Thrown(_))));
    assert_eq!(*log.borrow(), IN_ORDER);
    drop(it);
    assert_eq!(log.borrow().len(), 3);
}

#[test]
fn returned() {
    let log = Log::default();
    let it = suspended(&log);
    assert!(matches!(it.next(), Err(ResumeError::Returned(()))));
    assert_eq!(*log.borrow(), IN_ORDER);
}

#[test]
fn never_started() {
    for end in [
        |it: Generator<u32>| drop(it),
        |it: Generator<u32>| assert_eq!(it.close().unwrap(), None),
        |it: Generator<u32>| assert!(it.throw("e").is_err()),
    ] {
        let log = Log::default();
        end(three_locals(&log));
        assert_eq!(*log.borrow(), ["captured"]);
    }
}

#[test]
fn yielding_again_while_closing_drops_the_body_too() {
    let log = Log::default();
    let body_log = log.clone();
    let it = Generator::new(async move |co| {
        let _first = Local(body_log.clone(), "first");
        if let Err(Interrupt::Closed) = co.try_yield(Local(body_log.clone(), "value 1")).await {
            let _second = Local(body_log.clone(), "second");
            co.yield_(Local(body_log.clone(), "value 2")).await;
            unreachable!("dropped at the second yield");
        }
    });
    drop(it.next());
    assert!(matches!(it.close(), Err(CloseError::Yielded)));
    let mut dropped = log.take();
    assert_eq!(dropped.remove(0), "value 1");
    dropped.sort_unstable();
    assert_eq!(dropped, ["first", "second", "value 2"]);
    assert_eq!(it.state(), CoroutineState::Closed);
}

#[test]
fn delegated_locals_go_before_the_outer_ones() {
    let log = Log::default();
    let inner = suspended(&log);
    let body_log = log.clone();
    let outer: Generator<u32> = Generator::new(async move |co| {
        let _outer = Local(body_log, "outer");
        co.yield_(0).await;
        co.delegate(inner).await;
    });
    outer.next().unwrap();
    // The inner one stands at its second yield: the next resume ends it, and the outer one after it.
    assert!(matches!(outer.next(), Err(ResumeError::Returned(()))));
    assert_eq!(*log.borrow(), ["second", "first", "captured", "outer"]);
}

#[test]
fn panic_in_the_body_reaches_the_resumer_and_closes() {
    let log = Log::default();
    let body_log = log.clone();
    let it: Generator<u32> = Generator::new(async move |co| {
        let _first = Local(body_log.clone(), "first");
        let _second = Local(body_log, "second");
        co.yield_(1).await;
        panic!("out of paper");
    });
    it.next().unwrap();
    let panic = catch_unwind(AssertUnwindSafe(|| it.next())).unwrap_err();
    assert_eq!(*panic.downcast::<&str>().unwrap(), "out of paper");
    assert_eq!(*log.borrow(), ["second", "first"]);
    assert_eq!(it.state(), CoroutineState::Closed);
    assert!(matches!(it.next(), Err(ResumeError::Exhausted)));

    // The thread is as it was: other coroutines run.
    assert_eq!(suspended(&Log::default()).close().unwrap(), None);
}

#[test]
fn panic_of_a_destructor_leaves_a_closed_coroutine() {
    struct Panics;
    impl Drop for Panics {
        fn drop(&mut self) {
            panic!("in drop");
        }
    }
    let it: Generator<u32> = Generator::new(async |co| {
        let _panics = Panics;
        co.yield_(1).await;
    });
    it.next().unwrap();
    assert!(catch_unwind(AssertUnwindSafe(|| it.close())).is_err());
    assert_eq!(it.state(), CoroutineState::Closed);
    assert_eq!(it.close().unwrap(), None);
}

#[test]
fn what_was_sent_and_not_taken_is_dropped_with_the_resume() {
    let log = Log::default();
    let it = Coroutine::new(async |co| {
        co.yield_(1).await;
    });
    assert!(matches!(
        it.send(Local(log.clone(), "to a fresh one")),
        Err(ResumeError::NotAtYield)
    ));
    it.next().unwrap();
    assert!(it.send(Local(log.clone(), "taken")).unwrap_err().is_end());
    assert!(
        it.send(Local(log.clone(), "after the end"))
            .unwrap_err()
            .is_end()
    );
    assert_eq!(*log.borrow(), ["to a fresh one", "taken", "after the end"]);
}

#[test]
fn what_was_sent_to_a_yield_that_is_gone_is_dropped_at_the_end() {
    let log = Log::default();
    let it = Coroutine::new(async |co| {
        let mut abandoned = pin!(co.yield_(1));
        let mut resumed = false;
        poll_fn(|cx| {
            if std::mem::replace(&mut resumed, true) {
                return Poll::Ready(());
            }
            abandoned.as_mut().poll(cx).map(|_| ())
        })
        .await;
    });
    it.next().unwrap();
    assert!(
        it.send(Local(log.clone(), "not taken"))
            .unwrap_err()
            .is_end()
    );
    assert_eq!(*log.borrow(), ["not taken"]);
}
