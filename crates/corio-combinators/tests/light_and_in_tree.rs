//! Waits and limits that need no node do what they would do in the tree: random programs, each run as it is and with everything in
//! the tree from the start, and what such programs have found.
//!
//! Compared is what is seen at which time, in which order, and how each task ends. Turns are not: the contract does not count them,
//! and a limit without a node may wake its task once in vain.

mod in_tree;
mod support;

use std::cell::Cell;
use std::future::{IntoFuture, pending};
use std::rc::Rc;

use corio_combinators::{CancelScope, catch_cancel, finally, timeout};
use corio_core::cancel::nodes_alive;
use corio_core::time::Alarm;
use in_tree::op::{Event, Events, Op, events, op};
use in_tree::run::run_op;
use in_tree::world::World;
use proptest::prelude::*;
use proptest::test_runner::RngSeed;
use support::{
    TestLoop, both, call_later, create_task, here, poll_once, run, seconds, sleep, yield_now,
};

/// When every event is set and every promise fulfilled.
const LATE: f64 = 50.0;

/// What is seen of a program: each line has the time.
fn play(program: &Op, events: &Events, in_tree: bool, apart: bool) -> Vec<String> {
    let test = TestLoop::new();
    let world = World::new(in_tree, apart);
    drop(world.spawn(0, run_op((0, program.clone()), &world)));
    let happen = |when: f64, event: Event| {
        let world = world.clone();
        let call = test.scheduler.callback(move || world.happen(event));
        test.clock
            .arm(test.clock.now() + seconds(when), Alarm::Call(call));
    };
    for (quarters, event) in events {
        happen(f64::from(*quarters) / 4.0, *event);
    }
    for number in 0..2 {
        happen(LATE, Event::Set(number));
        happen(LATE, Event::Fulfil(number));
    }
    let mut turns = 0;
    while test.turn() {
        world.look();
        turns += 1;
        assert!(turns < 20_000, "it never comes to rest");
    }
    let waiting: Vec<String> = test
        .scheduler
        .all_tasks()
        .iter()
        .map(|t| t.name())
        .collect();
    world.end();
    let without_turn = |line: String| line.split_once(' ').expect("a turn").1.to_owned();
    let mut lines: Vec<String> = test.lines().into_iter().map(without_turn).collect();
    test.scheduler.close();
    assert_eq!(test.clock.armed(), 0, "timers that nobody took back");
    assert_eq!(nodes_alive(), 0, "nodes left behind");
    lines.extend(world.ends());
    lines.push(format!("wait for ever: {waiting:?}"));
    lines
}

fn compare(program: &Op, events: &Events, apart: bool) -> Result<(), TestCaseError> {
    let light = play(program, events, false, apart);
    let in_tree = play(program, events, true, apart);
    if light != in_tree {
        return Err(TestCaseError::fail(format!(
            "as it is:\n{}\n\nin the tree:\n{}",
            light.join("\n"),
            in_tree.join("\n")
        )));
    }
    Ok(())
}

/// The same programs each time; `PROPTEST_CASES` asks for more, and for others.
fn config() -> ProptestConfig {
    let more = std::env::var("PROPTEST_CASES").ok();
    let rng_seed = match more {
        Some(_) => RngSeed::Random,
        None => RngSeed::Fixed(2),
    };
    ProptestConfig {
        cases: more.and_then(|more| more.parse().ok()).unwrap_or(8000),
        rng_seed,
        max_shrink_iters: 50_000,
        failure_persistence: None,
        ..ProptestConfig::default()
    }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn what_is_light_does_what_it_would_do_in_the_tree(program in op(), events in events(), apart in any::<bool>()) {
        compare(&program, &events, apart)?;
    }
}

fn cancel_self() {
    let me = here().scheduler.current_task();
    assert!(me.expect("a running task").cancel());
}

#[test]
fn a_limit_keeps_its_place_among_the_timers_of_its_time_when_it_joins() {
    run(async {
        let task = create_task(async {
            let beside = async {
                yield_now().await;
                catch_cancel(yield_now()).await.unwrap();
            };
            both(timeout(seconds(1.0), pending::<()>()), beside).await
        });
        yield_now().await;
        let (asked, before) = (task.any(), Rc::new(Cell::new(0)));
        let seen = before.clone();
        call_later(1.0, move || seen.set(asked.cancelling()));
        assert!(task.await.unwrap().0.is_err());
        assert_eq!(before.get(), 1, "asked before what came after it");
    });
}

#[test]
fn a_task_that_ends_while_a_clean_up_of_its_request_is_kept_elsewhere_is_cancelled() {
    run(async {
        let kept = Rc::new(Cell::new(None));
        let place = kept.clone();
        let task = create_task(async move {
            let mut work = Box::pin(finally(pending::<()>(), async || sleep(1.0).await));
            assert!(poll_once(&mut work).await.is_pending());
            cancel_self();
            yield_now().await;
            assert!(poll_once(&mut work).await.is_pending());
            place.set(Some(work));
        });
        (&task).await.unwrap_err();
        assert!(task.cancelled());
        drop(kept.take());
    });
}

#[test]
fn a_wait_whose_task_has_ended_does_not_hold_up_a_request() {
    /// It is cancelled while its wait for a task that has ended is set aside.
    async fn goes_on(told: Rc<Cell<bool>>) {
        let mut wait = create_task(async {}).into_future();
        assert!(poll_once(&mut wait).await.is_pending());
        sleep(1.0).await;
        cancel_self();
        yield_now().await;
        told.set(true);
    }
    run(async {
        let told = Rc::new(Cell::new(false));
        let light = create_task(goes_on(told.clone()));
        light.await.unwrap_err();
        let in_tree = CancelScope::new().run(goes_on(told.clone()));
        create_task(in_tree).await.unwrap_err();
        assert!(!told.get());
    });
}

#[test]
fn a_clean_up_that_moves_into_a_limit_leaves_its_request_outside() {
    run(async {
        let task = create_task(async {
            let cleans_up = finally(pending::<()>(), async || yield_now().await);
            let mut caught = Box::pin(catch_cancel(cleans_up));
            assert!(poll_once(&mut caught).await.is_pending());
            cancel_self();
            yield_now().await;
            assert!(poll_once(&mut caught).await.is_pending());
            timeout(seconds(9.0), caught).await.is_ok()
        });
        (&task).await.unwrap_err();
        assert!(task.cancelled());
    });
}
