//! What nobody looked at is reported: once, with the name and the line of the task, and never when somebody has seen it.

mod support;

use std::cell::Cell;
use std::fmt;
use std::rc::Rc;

use corio_core::{Report, Task, TaskError};
use support::{Bed, Log, OnDrop, forever, raise};

#[test]
fn an_unseen_panic_is_reported_once_with_name_and_line() {
    let bed = Bed::new();
    let task = bed.scheduler.create_task(async { raise("lost") });
    let line = line!() - 1;
    let task = task.named("job");
    bed.settle();
    assert_eq!(bed.take_reports(), [""; 0], "its handle may still be asked");
    drop(task);
    let reports = bed.reports();
    assert_eq!(reports.len(), 1);
    assert_eq!(reports[0].message(), "exception was never retrieved");
    assert_eq!(reports[0].task(), Some("job"));
    assert_eq!(reports[0].panic().unwrap().message(), "lost");
    let site = reports[0].site().unwrap();
    assert!(site.file().ends_with("task_reports.rs"));
    assert_eq!(site.line(), line);
    let expected = format!(
        "exception was never retrieved: task 'job', created at {}:{line}: lost",
        site.file()
    );
    assert_eq!(reports[0].to_string(), expected);
    bed.settle();
    bed.scheduler.close();
    assert_eq!(bed.reports().len(), 1);
}

#[test]
fn a_detached_panic_is_reported_in_the_turn_of_the_end() {
    let bed = Bed::new();
    drop(bed.scheduler.create_task(async { raise("lost") }));
    bed.turn();
    assert_eq!(bed.take_reports(), ["exception was never retrieved: lost"]);
}

#[test]
fn whoever_looks_at_a_panic_keeps_it_from_being_reported() {
    fn panicking(bed: &Bed) -> Task<()> {
        bed.scheduler.create_task(async { raise("seen") })
    }
    let looks: [fn(Task<()>, &Bed); 6] = [
        |task, _| drop(task.result()),
        |task, _| drop(task.into_result()),
        |task, _| drop(task.any().result()),
        |task, _| task.any().mark_seen(),
        |task, bed| {
            bed.scheduler.create_task(async move { drop(task.await) });
            bed.settle();
        },
        |task, bed| {
            bed.scheduler
                .create_task(async move { drop((&task).await) });
            bed.settle();
        },
    ];
    for look in looks {
        let bed = Bed::new();
        let task = panicking(&bed);
        bed.settle();
        look(task, &bed);
        bed.settle();
        assert_eq!(bed.take_reports(), [""; 0]);
    }
    let bed = Bed::new();
    let task = panicking(&bed);
    bed.settle();
    assert!(matches!(
        task.any().peek_error(),
        Some(TaskError::Panicked(_))
    ));
    assert!(task.done() && format!("{task:?}").contains("seen"));
    drop(task);
    assert_eq!(bed.take_reports().len(), 1, "to peek is not to look");
}

#[test]
fn values_and_cancellations_are_not_reported() {
    let bed = Bed::new();
    drop(
        bed.scheduler
            .create_task(async { Err::<(), _>("a value like any other") }),
    );
    bed.scheduler.create_task(forever()).cancel();
    bed.settle();
    drop(bed.scheduler.create_task(forever()));
    bed.scheduler.close();
    assert_eq!(bed.take_reports(), [""; 0]);
}

struct Refused;

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("connection refused")
    }
}

#[test]
fn an_unread_error_is_reported_once_when_that_was_asked_for() {
    let expected = ["error was never read: connection refused"];
    let bed = Bed::new();
    let failing = || {
        bed.scheduler
            .create_task(async { Err::<(), _>(Refused) })
            .report_errors()
    };

    failing().named("detached");
    bed.settle();
    assert_eq!(bed.reports()[0].task(), Some("detached"));
    assert_eq!(bed.take_reports(), expected);

    let task = failing();
    bed.settle();
    assert_eq!(bed.take_reports(), [""; 0]);
    drop(task);
    assert_eq!(bed.take_reports(), expected, "dropped unread after the end");

    let task = failing();
    task.add_done_callback(|_| ());
    drop(task);
    bed.settle();
    assert_eq!(
        bed.take_reports(),
        expected,
        "a callback that does not look"
    );

    let task = failing();
    bed.settle();
    assert!(task.result().unwrap().is_err());
    drop(task);
    assert_eq!(bed.take_reports(), [""; 0], "it was read");

    let task = failing();
    bed.scheduler.create_task(async move { drop(task.await) });
    bed.settle();
    assert_eq!(bed.take_reports(), [""; 0], "it was awaited");

    drop(
        bed.scheduler
            .create_task(async { Ok::<_, Refused>(()) })
            .report_errors(),
    );
    bed.settle();
    assert_eq!(bed.take_reports(), [""; 0], "it was no error");
}

#[test]
fn a_reporter_that_panics_is_passed_over_and_may_be_replaced() {
    let bed = Bed::new();
    let calls = Rc::new(Cell::new(0));
    bed.scheduler.set_reporter(Some(Rc::new({
        let calls = calls.clone();
        move |_: &Report| {
            calls.set(calls.get() + 1);
            raise("the reporter")
        }
    })));
    for _ in 0..2 {
        bed.scheduler.call_soon(|| raise("the callback"));
    }
    let after = Rc::new(Cell::new(false));
    let told = after.clone();
    bed.scheduler.call_soon(move || told.set(true));
    bed.settle();
    assert_eq!(calls.get(), 2);
    assert!(after.get());
}

#[test]
fn a_reporter_may_use_the_loop_and_replace_itself() {
    let bed = Bed::new();
    let log = Log::new();
    let scheduler = bed.scheduler.clone();
    bed.scheduler.set_reporter(Some(Rc::new({
        let log = log.clone();
        move |report: &Report| {
            log.add(report.message());
            let log = log.clone();
            scheduler.create_task(async move { log.add("spawned by the reporter") });
            scheduler.all_tasks();
            scheduler.set_reporter(None);
        }
    })));
    drop(bed.scheduler.create_task(async { raise("lost") }));
    bed.settle();
    assert_eq!(
        log.take(),
        ["exception was never retrieved", "spawned by the reporter"]
    );
}

#[test]
fn a_panic_in_a_destructor_at_the_close_is_the_outcome_and_reported() {
    let bed = Bed::new();
    let guard = || OnDrop::new(|| raise("at the close"));
    let (first, second) = (guard(), guard());
    let kept = bed.scheduler.create_task(async move {
        let _first = first;
        forever().await;
    });
    drop(bed.scheduler.create_task(async move {
        let _second = second;
        forever().await;
    }));
    bed.scheduler.close();
    assert_eq!(
        bed.take_reports(),
        ["exception was never retrieved: at the close"]
    );
    assert!(kept.result().unwrap_err().is_panic());
    drop(kept);
    assert_eq!(bed.take_reports(), [""; 0]);
}
