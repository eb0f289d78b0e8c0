//! Every public future of the core, the combinators and the primitives, given up at its first, second, third .. suspension, by a
//! drop and by a cancellation: nothing that was handed over is lost, and the tables of the loop are empty again.

mod drops;
#[path = "support/futures.rs"]
mod futures;
#[path = "support/gives_up.rs"]
mod gives_up;
mod support;

use std::cell::Cell;
use std::rc::Rc;

use drops::{CASES, Case};
use gives_up::{GivesUp, How};
use support::{TestLoop, create_task};

/// Gives a case up at one suspension. False: it had ended before.
fn give_up(name: &str, make: fn() -> Case, how: How, at: usize) -> bool {
    let test = TestLoop::new();
    let gave_up = Rc::new(Cell::new(false));
    let noted = gave_up.clone();
    let main = test.scheduler.create_task(async move {
        let (work, check) = make();
        let task = create_task(GivesUp::new(work, how, at, noted));
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
