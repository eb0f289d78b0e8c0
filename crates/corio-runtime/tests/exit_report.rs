//! The reports of an end: what they say of a task that was left, and which of several failures they put first.

mod support;

use std::future::pending;
use std::time::Duration;

use corio_runtime::workers::{WorkerError, Workers};
use corio_runtime::{RunError, create_task, sleep, yield_now};
use support::virtual_runner;

#[test]
fn a_task_that_was_left_is_reported_with_what_it_waited_for() {
    let mut runner = virtual_runner();
    let line = line!() + 3;
    runner
        .run(async {
            create_task(async { sleep(Duration::from_secs(100)).await });
            yield_now().await;
        })
        .unwrap();
    let report = runner.close();
    let [left] = report.cancelled() else {
        panic!("{report:?}")
    };
    assert_eq!(
        left.waits_for.as_deref(),
        Some(&*format!("sleep at {}:{line}", file!()))
    );
}

#[test]
fn the_values_of_workers_are_refused_with_the_panic_that_ended_the_others() {
    let report = Workers::new(2)
        .run(async |worker| {
            if worker.index() == 1 {
                panic!("the pump is broken");
            }
            pending::<()>().await
        })
        .unwrap();
    match report.into_values() {
        Err(WorkerError::Run(RunError::Panicked(panic))) => {
            assert_eq!(panic.message(), "the pump is broken");
        }
        other => panic!("{other:?}"),
    }
}
