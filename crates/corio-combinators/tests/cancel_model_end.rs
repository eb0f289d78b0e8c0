//! The same random programs as in `cancel_model`, left to the end of their loop: each clean-up runs once, and what has
//! not ended with the grace is ended by force and named in the report.

#[path = "support/program.rs"]
mod program;
#[path = "support/on_loop.rs"]
mod support;

use std::collections::BTreeSet;
use std::rc::Rc;

use corio_core::AnyTask;
use corio_runtime::{Runner, create_task, get_running_loop};
use program::{Kinds, Ledger, Op, Requests, config, op, requests, run_op};
use proptest::prelude::*;
use support::{seconds, sleep};

/// What is known when a loop has ended.
struct End {
    ledger: Rc<Ledger>,
    forced: BTreeSet<String>,
}

impl End {
    fn is_forced(&self, task: &AnyTask) -> bool {
        self.forced.contains(&task.name())
    }
}

/// Leaves a program to the end after so long, with so much grace, both in quarters of a second.
fn play(program: Op, requests: Requests, leaves: u8, grace: u8) -> End {
    let quarters = |number: u8| seconds(f64::from(number) / 4.0);
    let grace = quarters(grace);
    let mut runner = Runner::builder()
        .virtual_clock()
        .grace(grace)
        .build()
        .unwrap();
    let event_loop = runner.event_loop();
    event_loop.set_exception_handler(|_| {});
    support::begin(event_loop.time());
    let ledger: Rc<Ledger> = Rc::default();
    let run = async {
        drop(ledger.note(create_task(run_op(program, ledger.clone())), false));
        for (when, number) in requests {
            let asked = ledger.clone();
            get_running_loop().call_later(quarters(when), move || asked.cancel(number.into()));
        }
        sleep(f64::from(leaves) / 4.0).await;
    };
    runner.run(run).unwrap();
    let began = event_loop.time();
    let report = runner.close();
    let took = event_loop.time() - began;
    assert!(took <= grace, "it took {took:?}");
    if !report.is_clean() {
        assert_eq!(took, grace, "force before the end of the grace");
    }
    assert_eq!(corio_core::cancel::nodes_alive(), 0, "nodes left behind");
    ledger.each(|record| assert!(record.task.done(), "{:?}", record.task));
    assert!(ledger.mistakes.borrow().is_empty(), "{:?}", ledger.mistakes);
    let names: Vec<String> = report
        .forced()
        .iter()
        .map(|task| task.name.clone())
        .collect();
    let forced: BTreeSet<String> = names.iter().cloned().collect();
    assert_eq!(names.len(), forced.len(), "named twice: {names:?}");
    let end = End { ledger, forced };
    end.ledger.each(|record| {
        let forced = end.is_forced(&record.task);
        assert!(!forced || record.task.cancelled(), "{:?}", record.task);
    });
    end
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn a_clean_up_runs_once_or_its_task_is_named_as_forced(
        program in op(Kinds { swallow: true, foreign: false }),
        requests in requests(),
        leaves in 0..12u8,
        grace in 0..12u8,
    ) {
        let end = play(program, requests, leaves, grace);
        for begun in end.ledger.finals() {
            let forced = end.is_forced(&begun.task);
            let cleanups = begun.cleanups.get();
            prop_assert!(cleanups == 1 || (forced && cleanups == 0), "{:?}", begun.task);
        }
    }

    #[test]
    fn with_grace_enough_nothing_is_forced_that_does_not_swallow(
        program in op(Kinds { swallow: false, foreign: true }),
        requests in requests(),
        leaves in 0..12u8,
    ) {
        let end = play(program, requests, leaves, 255);
        let excused = |task: &AnyTask| {
            let mut excused = false;
            end.ledger.each(|record| excused |= record.task == *task && record.excused.get());
            excused
        };
        end.ledger.each(|record| {
            assert!(!end.is_forced(&record.task) || excused(&record.task), "{:?}", record.task);
        });
    }
}

/// The model is worth something only if force is met in it.
#[test]
fn a_program_that_is_never_done_is_named() {
    let stubborn = Op::Catch(Box::new(Op::Forever), Box::new(Op::Yield), true);
    let program = Op::Finally(
        Box::new(Op::Seq(vec![stubborn, Op::Forever])),
        Box::new(Op::Sleep(3)),
    );
    // Asked at first, it goes on; asked again at half of the grace, it cleans up for longer than there is time.
    let end = play(program, Vec::new(), 1, 4);
    let finals = end.ledger.finals();
    assert_eq!(finals.len(), 1);
    assert_eq!(finals[0].cleanups.get(), 1);
    assert!(!finals[0].cleaned.get() && end.is_forced(&finals[0].task));
}
