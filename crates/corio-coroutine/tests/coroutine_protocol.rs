//! The generator protocol of Python, line by line as CPython 3.14 prints it (trace T90), with Rust's types in place of
//! Python's exceptions.

use std::cell::RefCell;
use std::fmt;
use std::rc::{Rc, Weak};

use corio_coroutine::{
    CloseError, Coroutine, CoroutineState, Generator, Interrupt, ResumeError, Thrown,
};

type Log = Rc<RefCell<Vec<String>>>;

macro_rules! say {
    ($log:expr, $($arg:tt)*) => {{
        let line = format!($($arg)*);
        $log.borrow_mut().push(line);
    }};
}

#[derive(Debug, PartialEq)]
struct ValueError(&'static str);

impl fmt::Display for ValueError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl std::error::Error for ValueError {}

struct Finally(Log, &'static str);

impl Drop for Finally {
    fn drop(&mut self) {
        say!(self.0, "{}", self.1);
    }
}

fn returns_rv() -> Generator<i32, &'static str> {
    Generator::new(async |co| {
        co.yield_(1).await;
        "rv"
    })
}

fn g(a: i32, log: Log) -> Coroutine<i32, i32> {
    Coroutine::new(async move |co| {
        say!(log, "body starts only at the first next");
        let x = co.yield_(a).await;
        say!(log, "sent in: {x:?}");
        let y = match co.try_yield(a + 1).await {
            Err(Interrupt::Thrown(error)) if error.is::<ValueError>() => {
                say!(log, "thrown in: {error:?}");
                "recovered"
            }
            _ => "not thrown",
        };
        say!(log, "y {y}");
        let _finally = Finally(log, "finally runs on close");
        co.yield_(a + 2).await;
        unreachable!("closed at the yield");
    })
}

#[test]
fn one_coroutine_from_creation_to_close() {
    let log = Log::default();
    let it = g(10, log.clone());
    say!(log, "created, nothing ran");
    assert!(matches!(it.send(5), Err(ResumeError::NotAtYield)));
    say!(log, "next -> {:?}", it.next().unwrap());
    say!(log, "send(7) -> {:?}", it.send(7).unwrap());
    say!(log, "throw -> {:?}", it.throw(ValueError("v")).unwrap());
    say!(log, "close -> {:?}", it.close().unwrap());
    say!(log, "close again -> {:?}", it.close().unwrap());
    assert!(matches!(it.next(), Err(ResumeError::Exhausted)));
    let expected = [
        "created, nothing ran",
        "body starts only at the first next",
        "next -> 10",
        "sent in: Some(7)",
        "send(7) -> 11",
        "thrown in: Thrown(ValueError(\"v\"))",
        "y recovered",
        "throw -> 12",
        "finally runs on close",
        "close -> None",
        "close again -> None",
    ];
    assert_eq!(*log.borrow(), expected);
}

#[test]
fn return_value_travels_in_the_error() {
    let it = returns_rv();
    assert_eq!(it.next().unwrap(), 1);
    assert_eq!(it.next().unwrap_err().returned(), Some("rv"));
    assert!(matches!(it.next(), Err(ResumeError::Exhausted)));
}

#[test]
fn plain_for_drops_the_return_value_unless_asked() {
    let it = returns_rv();
    let mut seen = Vec::new();
    for value in &it {
        seen.push(value);
    }
    assert_eq!(seen, [1]);
    assert_eq!(it.take_return(), Some("rv"));
    assert_eq!(it.take_return(), None);
    assert_eq!(it.take(1).next(), None);

    let mut owned = returns_rv().into_iter();
    assert_eq!(owned.by_ref().collect::<Vec<_>>(), [1]);
    assert_eq!(owned.into_inner().take_return(), Some("rv"));
}

#[test]
fn return_value_given_out_by_next_is_not_kept() {
    let it = returns_rv();
    it.next().unwrap();
    assert_eq!(it.next().unwrap_err().returned(), Some("rv"));
    assert_eq!(it.take_return(), None);
}

#[test]
fn delegate_evaluates_to_the_inner_return_value() {
    let outer = Generator::new(async |co| {
        let v = co.delegate(returns_rv()).await;
        assert_eq!(v, "rv");
        v
    });
    assert_eq!((&outer).collect::<Vec<_>>(), [1]);
    assert_eq!(outer.take_return(), Some("rv"));
}

#[test]
fn yield_while_closing_is_an_error() {
    let stubborn = Generator::new(async |co| {
        if let Err(Interrupt::Closed) = co.try_yield(1).await {
            co.yield_(2).await;
        }
    });
    stubborn.next().unwrap();
    assert!(matches!(stubborn.close(), Err(CloseError::Yielded)));
    assert_eq!(stubborn.state(), CoroutineState::Closed);
    assert_eq!(stubborn.close().unwrap(), None);
}

#[test]
fn reentry_is_an_error() {
    let it = Rc::new_cyclic(|me: &Weak<Generator<bool>>| {
        let me = me.clone();
        Generator::new(async move |co| {
            let refused = matches!(me.upgrade().unwrap().next(), Err(ResumeError::Running));
            co.yield_(refused).await;
        })
    });
    assert!(it.next().unwrap());
    assert!(it.next().unwrap_err().is_end());
}

#[test]
fn end_of_an_inner_coroutine_is_not_taken_for_the_end_of_the_outer() {
    // Python has to turn a StopIteration that escapes a body into a RuntimeError. Here it is a value like any other.
    let raises = Generator::new(async |co| {
        co.yield_(1).await;
        returns_rv().send(())
    });
    raises.next().unwrap();
    assert!(matches!(
        raises.next(),
        Err(ResumeError::Returned(Err(ResumeError::NotAtYield)))
    ));
}

#[test]
fn throw_into_a_fresh_one_comes_back_and_exhausts_it() {
    let it = returns_rv();
    match it.throw(ValueError("k")) {
        Err(ResumeError::Thrown(error)) => {
            assert_eq!(error.downcast::<ValueError>().unwrap(), ValueError("k"))
        }
        other => panic!("{other:?}"),
    }
    assert_eq!((&it).collect::<Vec<_>>(), []);
    assert_eq!(it.take_return(), None);
}

#[test]
fn close_of_a_fresh_one_runs_nothing() {
    let log = Log::default();
    let it = g(1, log.clone());
    assert_eq!(it.close().unwrap(), None);
    assert_eq!(it.state(), CoroutineState::Closed);
    assert!(log.borrow().is_empty());
}

#[test]
fn echo_yields_what_is_sent() {
    let echo = Coroutine::new(async |co| {
        let mut got = None;
        loop {
            got = co.yield_(got).await;
        }
    });
    let _: Result<_, ResumeError> = echo.next();
    let echoed: Vec<Option<i32>> = [1, 2, 3].map(|i| echo.send(i).unwrap()).into();
    assert_eq!(echoed, [Some(1), Some(2), Some(3)]);
}

#[test]
fn delegate_forwards_next_send_and_throw() {
    let log = Log::default();
    let inner_log = log.clone();
    let inner: Coroutine<&str, &str, &str> = Coroutine::new(async move |co| {
        loop {
            match co.try_yield("i").await {
                Ok(got) => say!(inner_log, "inner got {got:?}"),
                Err(Interrupt::Thrown(error)) => {
                    say!(inner_log, "inner caught {error}");
                    return "done";
                }
                Err(Interrupt::Closed) => return "closed",
            }
        }
    });
    let outer_log = log.clone();
    let deleg: Coroutine<&str, &str> = Coroutine::new(async move |co| {
        let result = co.delegate(inner).await;
        say!(outer_log, "delegate result {result}");
        co.yield_("after").await;
    });
    assert_eq!(deleg.next().unwrap(), "i");
    assert_eq!(deleg.send("through").unwrap(), "i");
    assert_eq!(deleg.throw(ValueError("key")).unwrap(), "after");
    assert_eq!(
        *log.borrow(),
        [
            "inner got Some(\"through\")",
            "inner caught key",
            "delegate result done"
        ]
    );
}

#[test]
fn states_are_created_running_suspended_closed() {
    let it = Rc::new_cyclic(|me: &Weak<Generator<CoroutineState>>| {
        let me = me.clone();
        Generator::new(async move |co| {
            let state = me.upgrade().unwrap().state();
            co.yield_(state).await;
        })
    });
    let created = it.state();
    let running = it.next().unwrap();
    let suspended = it.state();
    assert_eq!((&*it).count(), 0);
    let states = [created, running, suspended, it.state()];
    use CoroutineState::*;
    assert_eq!(states, [Created, Running, Suspended, Closed]);
}

#[test]
fn error_that_is_not_caught_comes_back_to_the_thrower() {
    let it = returns_rv();
    it.next().unwrap();
    assert!(
        matches!(it.throw(ValueError("v")), Err(ResumeError::Thrown(error)) if error.is::<ValueError>())
    );
    assert!(matches!(it.next(), Err(ResumeError::Exhausted)));
    // So does one thrown after the end.
    assert!(
        matches!(it.throw("late"), Err(ResumeError::Thrown(error)) if error.to_string() == "late")
    );
}

#[test]
fn question_mark_passes_an_interrupt_on_as_the_return_value() {
    let it = Generator::new(async |co| -> Result<(), Interrupt> {
        co.try_yield(1).await?;
        co.try_yield(2).await?;
        Ok(())
    });
    it.next().unwrap();
    assert_eq!(it.next().unwrap(), 2);
    let end = it.throw(ValueError("v")).unwrap_err().returned().unwrap();
    assert!(matches!(end, Err(Interrupt::Thrown(error)) if error.is::<ValueError>()));
}

#[test]
fn close_returns_what_the_body_returns() {
    let it = Generator::new(async |co| match co.try_yield(1).await {
        Err(Interrupt::Closed) => "closed",
        _ => "went on",
    });
    it.next().unwrap();
    assert_eq!(it.close().unwrap(), Some("closed"));
    assert_eq!(it.take_return(), None);
}

#[test]
fn raise_ends_the_body_as_an_uncaught_error_does() {
    let log = Log::default();
    let body_log = log.clone();
    let it: Generator<i32> = Generator::new(async move |co| {
        let _finally = Finally(body_log.clone(), "finally");
        let interrupt = co.try_yield(1).await.unwrap_err();
        say!(body_log, "cleaning up");
        co.raise(interrupt).await;
    });
    it.next().unwrap();
    assert!(
        matches!(it.throw(ValueError("v")), Err(ResumeError::Thrown(error)) if error.is::<ValueError>())
    );
    assert_eq!(*log.borrow(), ["cleaning up", "finally"]);
}

#[test]
fn raise_of_an_own_error_goes_to_whoever_resumed() {
    let it: Generator<i32> = Generator::new(async |co| co.raise(Thrown::new("empty")).await);
    assert!(matches!(it.next(), Err(ResumeError::Thrown(error)) if error.to_string() == "empty"));
    assert!(matches!(it.next(), Err(ResumeError::Exhausted)));
}

#[test]
fn raise_of_a_caught_close_is_a_quiet_end_and_of_another_error_is_not() {
    let quiet: Generator<i32> = Generator::new(async |co| {
        let interrupt = co.try_yield(1).await.unwrap_err();
        co.raise(interrupt).await;
    });
    quiet.next().unwrap();
    assert_eq!(quiet.close().unwrap(), None);

    let loud: Generator<i32> = Generator::new(async |co| {
        co.try_yield(1).await.unwrap_err();
        co.raise(Thrown::new("disk full")).await;
    });
    loud.next().unwrap();
    assert!(
        matches!(loud.close(), Err(CloseError::Thrown(error)) if error.to_string() == "disk full")
    );
    assert_eq!(loud.state(), CoroutineState::Closed);
}

#[test]
fn delegate_passes_an_error_of_the_inner_on_and_try_delegate_catches_it() {
    let passes: Generator<i32> = Generator::new(async |co| {
        co.delegate(returns_rv()).await;
        unreachable!("the error passes through here");
    });
    passes.next().unwrap();
    assert!(matches!(passes.throw("e"), Err(ResumeError::Thrown(_))));
    assert_eq!(passes.state(), CoroutineState::Closed);

    let catches = Generator::new(async |co| match co.try_delegate(returns_rv()).await {
        Err(Interrupt::Thrown(error)) => error.to_string(),
        other => panic!("{other:?}"),
    });
    catches.next().unwrap();
    assert_eq!(catches.throw("e").unwrap_err().returned().unwrap(), "e");
}

#[test]
fn close_goes_through_a_delegate_from_the_inside_out() {
    fn noting(log: &Log, line: &'static str) -> Generator<i32, i32> {
        let log = log.clone();
        Generator::new(async move |co| {
            if let Err(Interrupt::Closed) = co.try_yield(1).await {
                say!(log, "{line}");
            }
            7
        })
    }
    let log = Log::default();
    let inner = noting(&log, "inner");
    let outer_log = log.clone();
    let outer = Generator::new(async move |co| {
        // Even an inner coroutine that returns on close does not keep the outer one from being closed.
        if let Err(Interrupt::Closed) = co.try_delegate(inner).await {
            say!(outer_log, "outer");
        }
    });
    outer.next().unwrap();
    assert_eq!(outer.close().unwrap(), Some(()));
    assert_eq!(*log.borrow(), ["inner", "outer"]);

    let inner = noting(&log, "inner");
    let outer: Generator<i32, i32> = Generator::new(async move |co| co.delegate(inner).await);
    outer.next().unwrap();
    assert_eq!(outer.close().unwrap(), None);
}

#[test]
fn inner_that_yields_while_closing_is_an_error_for_the_closer_of_the_outer() {
    let stubborn = Generator::new(async |co| {
        let _ = co.try_yield(1).await;
        co.yield_(2).await;
    });
    let outer: Generator<i32> = Generator::new(async move |co| co.delegate(stubborn).await);
    outer.next().unwrap();
    assert!(matches!(outer.close(), Err(CloseError::Yielded)));
    assert_eq!(outer.state(), CoroutineState::Closed);
}

#[test]
fn delegate_takes_a_started_coroutine_where_it_stands() {
    let inner = Generator::new(async |co| {
        for i in 0..4 {
            co.yield_(i).await;
        }
    });
    inner.next().unwrap();
    let outer = Generator::new(async move |co| co.delegate(inner).await);
    assert_eq!(outer.into_iter().collect::<Vec<_>>(), [1, 2, 3]);
}

#[test]
fn delegates_nest() {
    fn depth(n: u32) -> Generator<u32, u32> {
        Generator::new(async move |co| {
            co.yield_(n).await;
            if n == 0 {
                0
            } else {
                co.delegate(depth(n - 1)).await + 1
            }
        })
    }
    let it = depth(3);
    assert_eq!((&it).collect::<Vec<_>>(), [3, 2, 1, 0]);
    assert_eq!(it.take_return(), Some(3));
}

#[test]
fn thrown_is_not_wrapped_twice_and_keeps_its_source() {
    let thrown = Thrown::new(Thrown::new(ValueError("v")));
    assert_eq!(thrown.downcast_ref::<ValueError>(), Some(&ValueError("v")));
    let thrown = thrown.downcast::<fmt::Error>().unwrap_err();
    assert_eq!(thrown.downcast::<ValueError>().unwrap(), ValueError("v"));
}
