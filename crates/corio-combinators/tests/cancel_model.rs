//! Random trees of tasks, groups, time limits, catchers, owned waits and foreign combinators under random requests: whatever
//! they do, nothing is left behind, nothing is lost, and nothing waits for ever.

#[path = "support/program.rs"]
mod program;
mod support;

use std::rc::Rc;

use corio_core::time::Alarm;
use program::{FOREVER, Kinds, Ledger, Op, Requests, config, op, requests, run_op};
use proptest::prelude::*;
use support::{TestLoop, seconds};

/// Runs a program to its end, and checks what must hold for every one.
fn play(program: Op, requests: Requests) -> Rc<Ledger> {
    let test = TestLoop::new();
    let ledger: Rc<Ledger> = Rc::default();
    let main = test.scheduler.create_task(run_op(program, ledger.clone()));
    drop(ledger.note(main, false));
    for (quarters, number) in requests {
        let asked = ledger.clone();
        let request = test.scheduler.callback(move || asked.cancel(number.into()));
        let when = test.clock.now() + seconds(f64::from(quarters) / 4.0);
        test.clock.arm(when, Alarm::Call(request));
    }
    let mut turns = 0;
    while test.scheduler.task_count() > 0 && test.turn() {
        turns += 1;
        assert!(turns < 20_000, "it never comes to rest");
    }
    let waiting = test.scheduler.all_tasks();
    assert!(waiting.is_empty(), "waits for ever: {waiting:?}");
    while test.clock.armed() > 0 || test.scheduler.ready() > 0 {
        test.turn();
    }
    assert_eq!(corio_core::cancel::nodes_alive(), 0, "nodes left behind");
    ledger.each(|record| {
        let counted = record.task.cancelling();
        let asks = record.asks.get();
        let right = if record.owned {
            counted >= asks
        } else {
            counted == asks
        };
        assert!(
            right,
            "asked {asks} times, counted {counted}: {:?}",
            record.task
        );
    });
    assert!(ledger.mistakes.borrow().is_empty(), "{:?}", ledger.mistakes);
    // What foreign code has dropped cannot keep a failure, so that one is reported.
    let lost = "a child of a task group that was dropped has failed";
    let reports = test.reports.borrow();
    assert!(
        reports.iter().all(|report| report.starts_with(lost)),
        "{reports:?}"
    );
    drop(reports);
    ledger
}

/// What was asked has ended cancelled, and long before what it waited for.
fn asked_tasks_are_cancelled(ledger: &Ledger) {
    ledger.each(|record| {
        let Some(asked) = record.asked.get().filter(|_| !record.excused.get()) else {
            return;
        };
        let task = &record.task;
        assert!(task.cancelled(), "asked, and not cancelled: {task:?}");
        let took = record.ended.get().expect("it has ended") - asked;
        assert!(took < seconds(FOREVER / 2.0), "it took {took:?}: {task:?}");
    });
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn asked_tasks_end_cancelled_and_every_clean_up_runs_once(
        program in op(Kinds { swallow: false, foreign: false }),
        requests in requests(),
    ) {
        let ledger = play(program, requests);
        asked_tasks_are_cancelled(&ledger);
        for begun in ledger.finals() {
            prop_assert_eq!(begun.cleanups.get(), 1);
        }
    }

    #[test]
    fn no_request_is_turned_into_a_timeout_and_no_timeout_comes_early(
        program in op(Kinds { swallow: true, foreign: false }),
        requests in requests(),
    ) {
        let ledger = play(program, requests);
        let turned = ledger.turned.borrow();
        prop_assert!(turned.is_empty(), "{:?}", turned);
        for begun in ledger.finals() {
            prop_assert_eq!(begun.cleanups.get(), 1);
        }
    }

    #[test]
    fn foreign_code_that_drops_and_neglects_futures_loses_no_request(
        program in op(Kinds { swallow: false, foreign: true }),
        requests in requests(),
    ) {
        let ledger = play(program, requests);
        asked_tasks_are_cancelled(&ledger);
        for begun in ledger.finals() {
            prop_assert!(begun.cleanups.get() <= 1);
        }
    }

    #[test]
    fn swallowed_requests_and_failures_leave_nothing_behind(
        program in op(Kinds { swallow: true, foreign: true }),
        requests in requests(),
    ) {
        let ledger = play(program, requests);
        for begun in ledger.finals() {
            prop_assert!(begun.cleanups.get() <= 1);
        }
    }
}
