//! Every public future of the core, the combinators and the primitives, given up at its first, second, third .. suspension, by a
//! drop and by a cancellation: nothing that was handed over is lost, and the tables of the loop are empty again.

mod drops;
#[path = "support/futures.rs"]
mod futures;
mod support;

use std::cell::Cell;
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

use drops::{CASES, Case, Running};
use support::{TestLoop, create_task, here};

/// How a future is given up.
#[derive(Clone, Copy, Debug)]
enum How {
    Drop,
    Cancel,
}

/// Polls a future, and gives it up at a suspension.
struct GivesUp {
    work: Option<Running>,
    how: How,
    left: usize,
    gave_up: Rc<Cell<bool>>,
}

impl Future for GivesUp {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let this = &mut *self;
        if this.left == 0 && !this.gave_up.replace(true) {
            // Never polled.
            this.work = None;
        }
        let Some(work) = &mut this.work else {
            return Poll::Ready(());
        };
        if work.as_mut().poll(cx).is_ready() {
            return Poll::Ready(());
        }
        this.left = this.left.saturating_sub(1);
        if this.left > 0 || this.gave_up.replace(true) {
            return Poll::Pending;
        }
        match this.how {
            How::Drop => {
                this.work = None;
                Poll::Ready(())
            }
            How::Cancel => {
                here().scheduler.current_task().unwrap().cancel();
                Poll::Pending
            }
        }
    }
}

/// Gives a case up at one suspension. False: it had ended before.
fn give_up(name: &str, make: fn() -> Case, how: How, at: usize) -> bool {
    let test = TestLoop::new();
    let gave_up = Rc::new(Cell::new(false));
    let noted = gave_up.clone();
    let main = test.scheduler.create_task(async move {
        let (work, check) = make();
        let work = GivesUp {
            work: Some(work),
            how,
            left: at,
            gave_up: noted,
        };
        let task = create_task(work);
        let ended = (&task).await.is_ok();
        assert!(ended || matches!(how, How::Cancel));
        check.await;
    });
    while test.scheduler.task_count() > 0 && test.turn() {}
    let about = format!("{name}, given up by a {how:?} at suspension {at}");
    let left = test.scheduler.all_tasks();
    assert!(left.is_empty(), "{about}: waits for ever: {left:?}");
    main.into_result()
        .unwrap_or_else(|error| panic!("{about}: {error}"));
    test.settle();
    assert_eq!(test.clock.armed(), 0, "{about}: timers are left");
    let nodes = corio_core::cancel::nodes_alive();
    assert_eq!(nodes, 0, "{about}: nodes are left");
    let reports = test.reports.borrow();
    assert!(reports.is_empty(), "{about}: {reports:?}");
    gave_up.get()
}

#[test]
fn a_future_that_is_given_up_at_any_suspension_loses_nothing_and_leaves_nothing() {
    for (name, make) in CASES {
        for how in [How::Drop, How::Cancel] {
            let suspensions = (0..).take_while(|at| give_up(name, *make, how, *at));
            let count = suspensions.count();
            assert!(count > 1, "{name} has to suspend");
            assert!(count < 100, "{name} is too long");
        }
    }
}

/// Whoever adds a future adds a case.
#[test]
fn every_public_future_has_a_case() {
    let named = CASES.iter().flat_map(|(name, _)| name.split(' ')).collect();
    // Only within their crates.
    let hidden = ["Attempt", "Child", "Cleanup", "Limited", "Proxy"];
    for name in ["corio-core", "corio-combinators", "corio-sync"] {
        futures::assert_named(name, &named, &hidden);
    }
}
