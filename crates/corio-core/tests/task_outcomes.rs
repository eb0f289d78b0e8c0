//! Every way in which a task can end, times every way in which its handle can be used: what is dropped, what is told, and what
//! is reported, against a table.

mod support;

use std::cell::Cell;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, Waker};

use corio_core::cancel::nodes_alive;
use corio_core::{AnyTask, OwnedWait, Task, TaskError, TaskState};
use support::{Bed, Count, poll_with, raise};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Panics {
    Nowhere,
    InPoll,
    InDrop,
    InBoth,
}

/// When the handle goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Drops {
    AtOnce,
    AfterFirstPoll,
    AfterDone,
    AfterRead,
}

/// When somebody asks the task to cancel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Cancels {
    Never,
    AtOnce,
    AfterFirstPoll,
    AfterDone,
    AfterRead,
}

#[derive(Clone, Copy, Debug)]
struct Case {
    panics: Panics,
    output_panics: bool,
    handle_polled: bool,
    drops: Drops,
    cancels: Cancels,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    Value,
    Cancelled,
    Panicked(&'static str),
}

/// What is to come of a case.
#[derive(Debug, PartialEq, Eq)]
struct Expected {
    end: End,
    polls: u32,
    outputs: u32,
    wakes: usize,
    reports: Vec<String>,
}

/// The state table.
fn expected(case: Case) -> Expected {
    // A wait by value that is dropped after its first poll asks its task to cancel.
    let owner_leaves = |when| case.handle_polled && case.drops == when;
    let before_first = case.cancels == Cancels::AtOnce || owner_leaves(Drops::AtOnce);
    let before_second =
        case.cancels == Cancels::AfterFirstPoll || owner_leaves(Drops::AfterFirstPoll);
    let drop_panics = matches!(case.panics, Panics::InDrop | Panics::InBoth);
    let (end, polls, outputs) = match (before_first, before_second, case.panics) {
        (true, _, _) if drop_panics => (End::Panicked("future dropped"), 0, 0),
        (true, _, _) => (End::Cancelled, 0, 0),
        (_, true, _) if drop_panics => (End::Panicked("future dropped"), 1, 0),
        (_, true, _) => (End::Cancelled, 1, 0),
        (_, _, Panics::Nowhere) => (End::Value, 2, 1),
        (_, _, Panics::InDrop) => (End::Panicked("future dropped"), 2, 1),
        (_, _, Panics::InPoll | Panics::InBoth) => (End::Panicked("polled"), 2, 0),
    };
    let read = case.drops == Drops::AfterRead;
    let moved_out = read && case.handle_polled;
    let mut reports = Vec::new();
    match end {
        End::Panicked(message) if !read => {
            reports.push(format!("exception was never retrieved: {message}"));
        }
        End::Value if case.output_panics && !moved_out => {
            reports.push("exception in a destructor: output dropped".to_owned());
        }
        _ => {}
    }
    // A task that is asked at once has ended in the first turn.
    let last_wait = if polls == 0 {
        Drops::AfterFirstPoll
    } else {
        Drops::AfterDone
    };
    let still_waits = case.handle_polled && case.drops >= last_wait;
    Expected {
        end,
        polls,
        outputs,
        wakes: usize::from(still_waits),
        reports,
    }
}

/// What the parts of one task have counted.
#[derive(Default)]
struct Counts {
    polls: Cell<u32>,
    futures_dropped: Cell<u32>,
    outputs: Cell<u32>,
    outputs_dropped: Cell<u32>,
}

fn count(cell: &Cell<u32>) {
    cell.set(cell.get() + 1);
}

struct Output {
    counts: Rc<Counts>,
    panics: bool,
}

impl Drop for Output {
    fn drop(&mut self) {
        count(&self.counts.outputs_dropped);
        if self.panics {
            raise("output dropped");
        }
    }
}

/// Pending, then ready, with a panic where the case wants one.
struct Work {
    counts: Rc<Counts>,
    case: Case,
}

impl Future for Work {
    type Output = Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Output> {
        count(&self.counts.polls);
        if self.counts.polls.get() == 1 {
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        if matches!(self.case.panics, Panics::InPoll | Panics::InBoth) {
            raise("polled");
        }
        count(&self.counts.outputs);
        Poll::Ready(Output {
            counts: self.counts.clone(),
            panics: self.case.output_panics,
        })
    }
}

impl Drop for Work {
    fn drop(&mut self) {
        count(&self.counts.futures_dropped);
        if matches!(self.case.panics, Panics::InDrop | Panics::InBoth) {
            raise("future dropped");
        }
    }
}

/// The handle, or the wait that it became.
enum Held {
    Handle(Task<Output>),
    Wait(OwnedWait<Output>),
}

fn check_read(result: Result<(), TaskError>, end: End, case: Case) {
    match (result, end) {
        (Ok(()), End::Value) | (Err(TaskError::Cancelled(_)), End::Cancelled) => {}
        (Err(TaskError::Panicked(panic)), End::Panicked(message)) => {
            assert_eq!(panic.message(), message, "{case:?}");
        }
        (other, _) => panic!("{case:?}: read {other:?} instead of {end:?}"),
    }
}

impl Held {
    fn read(self, end: End, case: Case, waker: &Waker) {
        match self {
            Held::Handle(task) => {
                check_read(task.result().map(drop), end, case);
                drop(task);
            }
            Held::Wait(mut wait) => match poll_with(&mut wait, waker) {
                Poll::Pending => panic!("{case:?}: the wait did not hear of the end"),
                Poll::Ready(result) => {
                    let dropped =
                        catch_unwind(AssertUnwindSafe(|| check_read(result.map(drop), end, case)));
                    let must = end == End::Value && case.output_panics;
                    assert_eq!(dropped.is_err(), must, "{case:?}");
                }
            },
        }
    }
}

fn check_state(any: &AnyTask, end: End, case: Case) {
    let state = match end {
        End::Cancelled => TaskState::Cancelled,
        _ => TaskState::Done,
    };
    assert_eq!(any.state(), state, "{case:?}");
    match (any.peek_error(), end) {
        (None, End::Value) | (Some(TaskError::Cancelled(_)), End::Cancelled) => {}
        (Some(TaskError::Panicked(panic)), End::Panicked(message)) => {
            assert_eq!(panic.message(), message, "{case:?}");
        }
        (other, _) => panic!("{case:?}: ended with {other:?} instead of {end:?}"),
    }
}

fn play(case: Case) {
    let expected = expected(case);
    let bed = Bed::new();
    let counts = Rc::new(Counts::default());
    let (wakes, waker) = Count::new();
    let task = bed.scheduler.create_task(Work {
        counts: counts.clone(),
        case,
    });
    let any = task.any();
    let mut held = Some(if case.handle_polled {
        let mut wait = task.into_future();
        assert!(poll_with(&mut wait, &waker).is_pending(), "{case:?}");
        Held::Wait(wait)
    } else {
        Held::Handle(task)
    });

    let cancel_at = |when, asked| {
        if case.cancels == when {
            assert_eq!(any.cancel(), asked, "{case:?}");
        }
    };
    cancel_at(Cancels::AtOnce, true);
    if case.drops == Drops::AtOnce {
        drop(held.take());
    }
    bed.turn();
    let over = expected.polls == 0;
    assert_eq!(any.done(), over, "{case:?}");
    cancel_at(Cancels::AfterFirstPoll, !over);
    if case.drops == Drops::AfterFirstPoll {
        drop(held.take());
    }
    bed.settle();
    check_state(&any, expected.end, case);
    cancel_at(Cancels::AfterDone, false);
    if case.drops == Drops::AfterDone {
        drop(held.take());
    }
    if let Some(held) = held.take() {
        held.read(expected.end, case, &waker);
    }
    cancel_at(Cancels::AfterRead, false);
    check_state(&any, expected.end, case);
    drop(any);
    bed.settle();

    let found = Expected {
        end: expected.end,
        polls: counts.polls.get(),
        outputs: counts.outputs.get(),
        wakes: wakes.get(),
        reports: bed.take_reports(),
    };
    assert_eq!(found, expected, "{case:?}");
    assert_eq!(counts.futures_dropped.get(), 1, "{case:?}");
    assert_eq!(counts.outputs_dropped.get(), expected.outputs, "{case:?}");
    assert_eq!(Rc::strong_count(&counts), 1, "{case:?}: something is left");
    assert_eq!(bed.scheduler.task_count(), 0, "{case:?}");
    assert_eq!(nodes_alive(), 0, "{case:?}: a node is left");
}

/// 4 places of a panic × 2 outputs × 2 kinds of handle × 4 ends of the handle × 5 requests to cancel.
#[test]
fn the_whole_product_of_ends_and_handles_matches_the_table() {
    let mut played = 0;
    for panics in [
        Panics::Nowhere,
        Panics::InPoll,
        Panics::InDrop,
        Panics::InBoth,
    ] {
        for output_panics in [false, true] {
            for handle_polled in [false, true] {
                for drops in [
                    Drops::AtOnce,
                    Drops::AfterFirstPoll,
                    Drops::AfterDone,
                    Drops::AfterRead,
                ] {
                    for cancels in [
                        Cancels::Never,
                        Cancels::AtOnce,
                        Cancels::AfterFirstPoll,
                        Cancels::AfterDone,
                        Cancels::AfterRead,
                    ] {
                        play(Case {
                            panics,
                            output_panics,
                            handle_polled,
                            drops,
                            cancels,
                        });
                        played += 1;
                    }
                }
            }
        }
    }
    assert_eq!(played, 320);
}

/// A payload that counts its end, and panics there if it is told to.
struct Payload(Arc<AtomicUsize>, bool);

impl Drop for Payload {
    fn drop(&mut self) {
        self.0.fetch_add(1, Ordering::SeqCst);
        if self.1 {
            raise("payload dropped");
        }
    }
}

fn raise_payload(dropped: &Arc<AtomicUsize>, panics: bool) -> ! {
    std::panic::resume_unwind(Box::new(Payload(dropped.clone(), panics)))
}

/// The first of two panics is the outcome; the second is dropped, whatever its payload does then.
#[test]
fn the_second_of_two_panics_is_dropped_once_even_if_that_panics() {
    struct Twice(Arc<AtomicUsize>, bool, bool);
    impl Future for Twice {
        type Output = support::OnDrop<Box<dyn FnOnce()>>;
        fn poll(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Self::Output> {
            if self.2 {
                raise("polled");
            }
            let (dropped, panics) = (self.0.clone(), self.1);
            Poll::Ready(support::OnDrop::new(Box::new(move || {
                raise_payload(&dropped, panics)
            })))
        }
    }
    impl Drop for Twice {
        fn drop(&mut self) {
            if self.2 {
                raise_payload(&self.0, self.1);
            }
            raise("dropped");
        }
    }
    for payload_panics in [false, true] {
        for in_poll in [false, true] {
            let bed = Bed::new();
            let dropped = Arc::new(AtomicUsize::new(0));
            let task = bed
                .scheduler
                .create_task(Twice(dropped.clone(), payload_panics, in_poll));
            bed.settle();
            let Err(TaskError::Panicked(panic)) = task.result() else {
                panic!("another outcome")
            };
            assert_eq!(panic.message(), if in_poll { "polled" } else { "dropped" });
            assert_eq!(dropped.load(Ordering::SeqCst), 1);
        }
    }
}
