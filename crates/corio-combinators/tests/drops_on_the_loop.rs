//! The futures of the event loop that wait for time, threads and I/O, given up at each of their suspensions, by a drop and by a
//! cancellation: the loop has no task, no node and no source left, and ends at once.

#![cfg(unix)]

#[path = "support/futures.rs"]
mod futures;
#[path = "support/gives_up.rs"]
mod gives_up;

use std::cell::Cell;
use std::future::Future;
use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::mpsc;
use std::time::Duration;

use corio_combinators::{move_on_after, timeout};
use corio_runtime::signal::{SignalKind, ctrl_c, signal};
use corio_runtime::{
    EventLoop, IoSource, create_task, get_running_loop, interval, sleep, sleep_until, to_thread,
    yield_now,
};
use gives_up::{GivesUp, How};

type Running = Pin<Box<dyn Future<Output = ()>>>;

const SECOND: Duration = Duration::from_secs(1);

corio_runtime::context! {
    static NAME: u32 = 0;
}

type Row = (&'static str, fn() -> Running);

/// The future that each case is about, and how it is made within a task.
const CASES: &[Row] = &[
    ("YieldNow", || Box::pin(yield_now())),
    ("Sleep", || Box::pin(sleep(SECOND))),
    ("Sleep until", || {
        Box::pin(sleep_until(get_running_loop().time() + SECOND))
    }),
    ("Tick", || {
        Box::pin(async {
            let mut ticks = interval(SECOND);
            for _ in 0..3 {
                ticks.tick().await;
            }
        })
    }),
    ("With", || {
        Box::pin(async {
            NAME.with(7, async {
                sleep(SECOND).await;
                assert_eq!(NAME.get(), 7);
            })
            .await;
            assert_eq!(NAME.get(), 0);
        })
    }),
    ("RemoteTask", || {
        Box::pin(async {
            let remote = get_running_loop().remote();
            let task = remote.create_task(yield_now);
            drop(remote);
            task.await.unwrap();
        })
    }),
    ("ToThread", || {
        Box::pin(async {
            let (go, told) = mpsc::channel();
            create_task(async move {
                yield_now().await;
                // Nobody may have begun.
                let _ = go.send(7);
            });
            assert_eq!(to_thread(move || told.recv().unwrap()).await.unwrap(), 7);
        })
    }),
    ("IoReady", || {
        Box::pin(async {
            let (source, writer) = pair();
            create_task(async move {
                yield_now().await;
                // Nobody may be there to read it.
                let _ = (&writer).write_all(b"x");
            });
            // Until an attempt has failed, a source counts as ready.
            let attempt = source.try_read_io(|mut stream| stream.read(&mut [0; 8]));
            assert!(attempt.is_err());
            source.readable().await.unwrap();
        })
    }),
    ("TryIo", || {
        Box::pin(async {
            let (source, writer) = pair();
            create_task(async move {
                yield_now().await;
                // Nobody may be there to read it.
                let _ = (&writer).write_all(b"x");
            });
            let read = source.read_io(|mut stream| stream.read(&mut [0; 8]));
            assert_eq!(read.await.unwrap(), 1);
        })
    }),
    // No signal comes: the process that is asked for one may have no handler any more.
    ("Recv", || {
        Box::pin(async {
            let mut signals = signal(SignalKind::user_defined2()).unwrap();
            for _ in 0..2 {
                let received = move_on_after(SECOND, signals.recv());
                assert!(received.await.is_none());
            }
        })
    }),
    ("CtrlC", || {
        Box::pin(async {
            let pressed = move_on_after(SECOND, ctrl_c());
            assert!(pressed.await.is_none());
        })
    }),
];

fn pair() -> (IoSource<UnixStream>, UnixStream) {
    let (reader, writer) = UnixStream::pair().unwrap();
    reader.set_nonblocking(true).unwrap();
    (IoSource::new(reader), writer)
}

/// Gives a future up at one suspension. False: it had ended before.
fn give_up(name: &str, make: fn() -> Running, how: How, at: usize) -> bool {
    let event_loop = EventLoop::builder().virtual_clock().build().unwrap();
    let gave_up = Rc::new(Cell::new(false));
    let noted = gave_up.clone();
    let main = async {
        let task = create_task(async move { GivesUp::new(make(), how, at, noted).await });
        let ended = (&task).await;
        assert!(ended.is_ok() || matches!(how, How::Cancel));
        assert_eq!(NAME.get(), 0, "the context is as it was");
        // What runs elsewhere comes back, and tasks of their own end.
        let about = format!("{name}, given up by a {how:?} at suspension {at}");
        let others = || get_running_loop().all_tasks().len() - 1;
        let rest = async {
            // What was sent to the loop is a task only when it has been taken.
            sleep(SECOND).await;
            while others() > 0 {
                sleep(SECOND).await;
            }
        };
        let rest = timeout(60 * SECOND, rest).await;
        assert!(rest.is_ok(), "{about}: tasks are left");
    };
    event_loop.run_until_complete(main).unwrap();
    assert_eq!(
        corio_core::cancel::nodes_alive(),
        0,
        "{name}: nodes are left"
    );
    let left = event_loop.all_tasks();
    assert!(left.is_empty(), "{name} at {at} by a {how:?}: {left:?}");
    // A loop that has listened for signals keeps its end of a pipe until it is closed.
    let own = usize::from(matches!(name, "Recv" | "CtrlC"));
    let reactor = event_loop.reactor();
    assert!(reactor.len() <= own, "{name}: sources are left");
    let report = event_loop.close();
    // A job that nobody waits for any more runs on, as it says, and may not have ended yet.
    let runs_on = name == "ToThread" && report.forced().is_empty();
    assert!(
        report.is_clean() || runs_on,
        "{name} leaves something behind: {report}"
    );
    assert!(reactor.is_empty(), "{name}: sources outlive the loop");
    gave_up.get()
}

#[test]
fn a_future_of_the_loop_that_is_given_up_at_any_suspension_leaves_nothing() {
    for (name, make) in CASES {
        for how in [How::Drop, How::Cancel] {
            let suspensions = (1..).take_while(|at| give_up(name, *make, how, *at));
            let count = suspensions.count();
            assert!(count > 0, "{name} has to suspend");
            assert!(count < 100, "{name} is too long");
        }
    }
}

/// Whoever adds a future adds a case.
#[test]
fn every_public_future_of_the_loop_has_a_case() {
    let named = CASES.iter().flat_map(|(name, _)| name.split(' ')).collect();
    futures::assert_named("corio-runtime", &named, &[]);
}
