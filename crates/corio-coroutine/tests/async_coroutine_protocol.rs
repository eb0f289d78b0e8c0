//! Async generators: trace T92, and what a resume that is dropped half way leaves behind.

use std::cell::{Cell, RefCell};
use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, Wake, Waker};

use corio_coroutine::{
    AsyncCoroutine, AsyncGenerator, CloseError, Coroutine, CoroutineState, Generator, Interrupt,
    ResumeError, Thrown,
};
use futures_core::Stream;
use futures_core::stream::FusedStream;

type Log = Rc<RefCell<Vec<String>>>;

macro_rules! say {
    ($log:expr, $($arg:tt)*) => {{
        let line = format!($($arg)*);
        $log.borrow_mut().push(line);
    }};
}

/// Polls again only when woken, and fails instead of sleeping when it was not.
fn block_on<F: Future>(future: F) -> F::Output {
    let wakes = Arc::new(Wakes(AtomicUsize::new(1)));
    let waker = Waker::from(wakes.clone());
    let mut future = pin!(future);
    loop {
        assert!(
            wakes.0.swap(0, Ordering::Relaxed) > 0,
            "would sleep for ever"
        );
        if let Poll::Ready(value) = future.as_mut().poll(&mut Context::from_waker(&waker)) {
            return value;
        }
    }
}

struct Wakes(AtomicUsize);

impl Wake for Wakes {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

/// Wakes its task and is ready at the second poll.
async fn one_turn() {
    let mut polled = false;
    poll_fn(|cx| {
        if std::mem::replace(&mut polled, true) {
            return Poll::Ready(());
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    })
    .await
}

async fn stream_next<S: Stream + Unpin>(stream: &mut S) -> Option<S::Item> {
    poll_fn(|cx| Pin::new(&mut *stream).poll_next(cx)).await
}

/// The generator of the trace: three values, and a clean-up that awaits.
fn ag(log: &Log) -> AsyncCoroutine<i32, &'static str> {
    let log = log.clone();
    AsyncCoroutine::new(async move |co| {
        let work = async {
            for i in 0..3 {
                let received = co.try_yield(i).await?;
                say!(log, "agen received {received:?}");
            }
            Ok::<_, Interrupt>(())
        };
        let end = work.await;
        one_turn().await;
        say!(log, "agen finally (awaits)");
        if let Err(interrupt) = end {
            co.raise(interrupt).await;
        }
    })
}

#[test]
fn anext_asend_aclose_as_in_the_trace() {
    let log = Log::default();
    block_on(async {
        let mut g = ag(&log);
        say!(log, "anext {}", g.next().await.unwrap());
        say!(log, "asend {}", g.send("s").await.unwrap());
        assert_eq!(g.close().await.unwrap(), None);
        say!(log, "aclose done");
        assert!(matches!(g.next().await, Err(ResumeError::Exhausted)));
        assert_eq!(g.close().await.unwrap(), None);
    });
    let expected = [
        "anext 0",
        "agen received Some(\"s\")",
        "asend 1",
        "agen finally (awaits)",
        "aclose done",
    ];
    assert_eq!(*log.borrow(), expected);
}

#[test]
fn leaving_a_loop_early_does_not_close() {
    let log = Log::default();
    block_on(async {
        let mut g = ag(&log);
        while let Some(x) = stream_next(&mut g).await {
            say!(log, "loop {x}");
            if x == 0 {
                break;
            }
        }
        assert_eq!(g.state(), CoroutineState::Suspended);
        say!(log, "break does not close the generator here");
        g.close().await.unwrap();
    });
    assert_eq!(
        *log.borrow(),
        [
            "loop 0",
            "break does not close the generator here",
            "agen finally (awaits)"
        ]
    );
}

#[test]
fn athrow_comes_back_out_after_the_clean_up() {
    let log = Log::default();
    block_on(async {
        let mut g = ag(&log);
        g.next().await.unwrap();
        match g.throw("t").await {
            Err(ResumeError::Thrown(error)) if error.to_string() == "t" => {
                say!(log, "athrow came back out")
            }
            other => panic!("{other:?}"),
        }
        assert_eq!(g.state(), CoroutineState::Closed);
    });
    assert_eq!(
        *log.borrow(),
        ["agen finally (awaits)", "athrow came back out"]
    );
}

#[test]
fn stream_ends_keeps_the_return_value_and_stays_ended() {
    block_on(async {
        let mut g = AsyncGenerator::new(async |co| {
            for i in 0..3 {
                one_turn().await;
                co.yield_(i).await;
            }
            "done"
        });
        let mut seen = Vec::new();
        assert!(!g.is_terminated());
        while let Some(x) = stream_next(&mut g).await {
            seen.push(x);
        }
        assert_eq!(seen, [0, 1, 2]);
        assert!(g.is_terminated());
        assert_eq!(g.take_return(), Some("done"));
        assert_eq!(stream_next(&mut g).await, None);
    });
}

#[test]
fn waker_of_the_resumer_reaches_what_the_body_awaits() {
    let wakes = Arc::new(Wakes(AtomicUsize::new(0)));
    let waker = Waker::from(wakes.clone());
    let mut g = AsyncGenerator::new(async |co| {
        one_turn().await;
        co.yield_(1).await;
    });
    let mut next = g.next();
    assert!(
        Pin::new(&mut next)
            .poll(&mut Context::from_waker(&waker))
            .is_pending()
    );
    assert_eq!(wakes.0.load(Ordering::Relaxed), 1);
    assert!(matches!(
        Pin::new(&mut next).poll(&mut Context::from_waker(&waker)),
        Poll::Ready(Ok(1))
    ));
    // A yield wakes nobody.
    assert_eq!(wakes.0.load(Ordering::Relaxed), 1);
}

struct Local(Log, &'static str);

impl Drop for Local {
    fn drop(&mut self) {
        say!(self.0, "{}", self.1);
    }
}

#[test]
fn dropped_midway_drops_the_locals_in_order_and_runs_nothing() {
    for at_a_yield in [true, false] {
        let log = Log::default();
        let body_log = log.clone();
        let mut g = AsyncGenerator::new(async move |co| {
            let _first = Local(body_log.clone(), "first");
            let _second = Local(body_log.clone(), "second");
            if at_a_yield {
                let _ = co.try_yield(1).await;
            } else {
                std::future::pending::<()>().await;
            }
            say!(body_log, "ran on");
        });
        let polled = Pin::new(&mut g.next()).poll(&mut Context::from_waker(Waker::noop()));
        assert_eq!(polled.is_ready(), at_a_yield);
        drop(g);
        assert_eq!(*log.borrow(), ["second", "first"]);
    }
}

fn poll_and_drop<F: Future + Unpin>(mut future: F) {
    assert!(
        Pin::new(&mut future)
            .poll(&mut Context::from_waker(Waker::noop()))
            .is_pending()
    );
}

/// Yields 1, awaits a turn, yields what was sent.
fn slow() -> AsyncCoroutine<i32, i32> {
    AsyncCoroutine::new(async |co| {
        let sent = co.yield_(1).await;
        one_turn().await;
        co.yield_(sent.unwrap_or(-1)).await;
    })
}

#[test]
fn resume_dropped_half_way_goes_on_with_the_next_one() {
    block_on(async {
        let mut g = slow();
        g.next().await.unwrap();
        poll_and_drop(g.send(7));
        assert_eq!(g.state(), CoroutineState::Suspended);
        assert!(matches!(g.send(8).await, Err(ResumeError::NotAtYield)));
        assert_eq!(g.next().await.unwrap(), 7);
        assert!(matches!(g.next().await, Err(ResumeError::Returned(()))));
    });
}

#[test]
fn resume_dropped_before_its_first_poll_did_nothing() {
    block_on(async {
        let mut g = slow();
        g.next().await.unwrap();
        drop(g.send(7));
        drop(g.throw("e"));
        drop(g.close());
        assert_eq!(g.next().await.unwrap(), -1);
    });
}

#[test]
fn close_or_throw_after_a_dropped_resume_drops_the_body() {
    block_on(async {
        let mut g = slow();
        g.next().await.unwrap();
        poll_and_drop(g.next());
        assert_eq!(g.close().await.unwrap(), None);
        assert_eq!(g.state(), CoroutineState::Closed);

        let mut g = slow();
        g.next().await.unwrap();
        poll_and_drop(g.next());
        assert!(matches!(g.throw("e").await, Err(ResumeError::Thrown(_))));
        assert_eq!(g.state(), CoroutineState::Closed);
    });
}

#[test]
fn close_dropped_half_way_stops_the_clean_up_there() {
    let log = Log::default();
    block_on(async {
        let mut g = ag(&log);
        g.next().await.unwrap();
        poll_and_drop(g.close());
        assert!(matches!(g.next().await, Err(ResumeError::Exhausted)));
        assert_eq!(*log.borrow(), ["agen finally (awaits)"]);

        let mut g = ag(&log);
        g.next().await.unwrap();
        poll_and_drop(g.close());
        assert_eq!(g.close().await.unwrap(), None);
        assert_eq!(log.borrow().len(), 1);
    });
}

#[test]
fn yield_while_closing_is_an_error_and_closes() {
    block_on(async {
        let mut g = AsyncGenerator::new(async |co| {
            let _ = co.try_yield(1).await;
            one_turn().await;
            co.yield_(2).await;
        });
        g.next().await.unwrap();
        assert!(matches!(g.close().await, Err(CloseError::Yielded)));
        assert_eq!(g.state(), CoroutineState::Closed);
    });
}

#[test]
fn close_returns_what_the_body_returns() {
    block_on(async {
        let mut g = AsyncGenerator::new(async |co| {
            let mut count = 0;
            while co.try_yield(count).await.is_ok() {
                count += 1;
            }
            one_turn().await;
            count
        });
        g.next().await.unwrap();
        g.next().await.unwrap();
        assert_eq!(g.close().await.unwrap(), Some(1));
    });
}

#[test]
fn delegate_to_a_coroutine_lets_its_awaits_through() {
    block_on(async {
        let inner: Coroutine<i32, i32, &str> = Coroutine::new(async |co| {
            one_turn().await;
            let sent = co.yield_(1).await;
            one_turn().await;
            co.yield_(sent.unwrap()).await;
            "inner"
        });
        let mut outer = AsyncCoroutine::new(async move |co| co.delegate(inner).await);
        assert_eq!(outer.next().await.unwrap(), 1);
        assert_eq!(outer.send(5).await.unwrap(), 5);
        assert_eq!(outer.next().await.unwrap_err().returned(), Some("inner"));
    });
}

#[test]
#[should_panic(expected = "paper jam")]
fn error_raised_into_a_plain_stream_panics() {
    block_on(async {
        let mut g: AsyncGenerator<i32> =
            AsyncGenerator::new(async |co| co.raise(Thrown::new("paper jam")).await);
        stream_next(&mut g).await;
    });
}

#[test]
fn two_async_coroutines_take_turns_on_one_thread() {
    let log = Log::default();
    let count = |name: &'static str| {
        let log = log.clone();
        async move {
            let mut g: AsyncGenerator<u32> = AsyncGenerator::new(async |co| {
                for i in 0..2 {
                    one_turn().await;
                    co.yield_(i).await;
                }
            });
            while let Ok(i) = g.next().await {
                say!(log, "{name}{i}");
            }
        }
    };
    let (mut a, mut b) = (pin!(count("a")), pin!(count("b")));
    let done = (Cell::new(false), Cell::new(false));
    block_on(poll_fn(|cx| {
        done.0.set(done.0.get() || a.as_mut().poll(cx).is_ready());
        done.1.set(done.1.get() || b.as_mut().poll(cx).is_ready());
        if done.0.get() && done.1.get() {
            Poll::Ready(())
        } else {
            Poll::Pending
        }
    }));
    assert_eq!(*log.borrow(), ["a0", "b0", "a1", "b1"]);
}

#[test]
fn values_that_borrow_are_yielded_by_scoped_bodies() {
    let text = String::from("one two three");
    block_on(async {
        let mut words: AsyncCoroutine<&str, (), (), dyn Future<Output = ()> + '_> =
            AsyncCoroutine::new(async |co| {
                for word in text.split(' ') {
                    co.yield_(word).await;
                }
            });
        assert_eq!(stream_next(&mut words).await, Some("one"));
        assert_eq!(stream_next(&mut words).await, Some("two"));
    });
    let lengths: Generator<usize> = Generator::new(async move |co| {
        for word in text.split(' ') {
            co.yield_(word.len()).await;
        }
    });
    assert_eq!(lengths.sum::<usize>(), 11);
}
