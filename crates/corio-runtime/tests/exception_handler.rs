//! What nobody else hears of reaches the exception handler: panics of callbacks, outcomes nobody awaited, slow steps.

mod support;

use std::cell::{Cell, RefCell};
use std::process::Command;
use std::rc::Rc;
use std::time::Duration;

use corio_core::Report;
use corio_runtime::{context, create_task, get_running_loop, yield_now};
use support::{collect_reports, raise, run, virtual_loop};

context! {
    static REQUEST: u32 = 0;
}

/// C109
#[test]
fn a_handler_is_called_passed_over_when_it_panics_and_taken_away() {
    run(async {
        let event_loop = get_running_loop();
        let heard = Rc::new(RefCell::new(Vec::new()));
        event_loop.set_exception_handler({
            let heard = heard.clone();
            move |report| {
                let panic = report.panic().unwrap().message().to_owned();
                heard
                    .borrow_mut()
                    .push(format!("{}: {panic}", report.message()));
            }
        });
        event_loop.call_soon(|| raise("first"));
        yield_now().await;
        assert_eq!(heard.take(), ["exception in callback: first"]);

        let calls = Rc::new(Cell::new(0));
        event_loop.set_exception_handler({
            let calls = calls.clone();
            move |_| {
                calls.set(calls.get() + 1);
                raise("the handler")
            }
        });
        event_loop.call_soon(|| raise("second"));
        event_loop.call_later(Duration::ZERO, || raise("third"));
        yield_now().await;
        yield_now().await;
        assert_eq!(calls.get(), 2, "the loop goes on");

        event_loop.reset_exception_handler();
        event_loop.call_soon(|| raise("written to standard error"));
        yield_now().await;
        assert_eq!(calls.get(), 2);
        assert!(heard.take().is_empty());
    });
}

const PROGRAM: u32 = line!();
async fn program_without_a_handler() {
    let event_loop = get_running_loop();
    event_loop.call_soon(|| raise("one"));
    yield_now().await;
    drop(create_task(async { raise("two") }).named("job"));
    yield_now().await;
    event_loop.call_exception_handler(&Report::new("three"));
    event_loop.set_exception_handler(|_| raise("five"));
    event_loop.call_soon(|| raise("four"));
    yield_now().await;
}

/// C109. What is written is read by another process.
#[test]
fn without_a_handler_and_for_one_that_panics_reports_are_written_to_standard_error() {
    const CHILD: &str = "CORIO_RUNTIME_STANDARD_ERROR";
    if std::env::var_os(CHILD).is_some() {
        run(program_without_a_handler());
        std::process::exit(0);
    }
    let name = "without_a_handler_and_for_one_that_panics_reports_are_written_to_standard_error";
    let child = Command::new(std::env::current_exe().expect("the tests run from a file"))
        .args(["--exact", name, "--nocapture"])
        .env(CHILD, "1")
        .output()
        .expect("it starts");
    assert!(child.status.success(), "{child:?}");
    let line = |below: u32| format!("created at {}:{}", file!(), PROGRAM + below);
    let expected = [
        format!("corio: exception in callback, {}: one", line(3)),
        format!(
            "corio: exception was never retrieved: task 'job', {}: two",
            line(5)
        ),
        "corio: three".to_owned(),
        format!("corio: exception in callback, {}: four", line(9)),
        "corio: the exception handler itself panicked: five".to_owned(),
    ];
    let written = String::from_utf8(child.stderr).expect("text");
    assert_eq!(written.lines().collect::<Vec<_>>(), expected);
}

/// C022, T72
#[test]
fn a_panic_that_nobody_awaited_is_reported_with_the_name_and_the_line_of_the_task() {
    run(async {
        let reports = collect_reports(&get_running_loop());
        let task = create_task(async { raise("lost") }).named("job");
        let line = line!() - 1;
        yield_now().await;
        yield_now().await;
        assert!(reports.borrow().is_empty());
        drop(task);
        let expected = format!(
            "exception was never retrieved: task 'job', created at {}:{line}: lost",
            file!()
        );
        assert_eq!(reports.take(), [expected]);
        let seen = create_task(async { raise("seen") });
        assert!(seen.await.unwrap_err().is_panic());
        yield_now().await;
        assert!(reports.take().is_empty());
    });
}

/// C032
#[test]
fn a_handler_runs_in_the_context_of_what_failed() {
    run(async {
        let seen = Rc::new(RefCell::new(Vec::new()));
        get_running_loop().set_exception_handler({
            let seen = seen.clone();
            move |_| seen.borrow_mut().push(REQUEST.get())
        });
        REQUEST.set(7);
        drop(create_task(async { raise("lost") }));
        REQUEST.set(8);
        get_running_loop().call_soon(|| raise("lost"));
        REQUEST.set(9);
        yield_now().await;
        assert_eq!(seen.take(), [7, 8]);
        assert_eq!(REQUEST.get(), 9);
    });
}

#[test]
fn a_program_can_report_too() {
    let event_loop = virtual_loop();
    let reports = collect_reports(&event_loop);
    event_loop.call_exception_handler(&Report::new("something"));
    assert_eq!(reports.take(), ["something"]);
}

/// C110, T87
#[test]
fn slow_steps_are_reported_in_debug_mode_with_what_they_were() {
    let event_loop = virtual_loop();
    let wanted = std::env::var_os("CORIO_DEBUG").is_some_and(|value| value != "0");
    assert_eq!(event_loop.debug(), wanted);
    event_loop.set_debug(true);
    event_loop.set_slow_callback_duration(Duration::ZERO);
    let reports = collect_reports(&event_loop);
    event_loop.call_soon(|| ());
    let callback = line!() - 1;
    let task = event_loop.create_task(yield_now()).named("job");
    event_loop.run_until_complete(&task).unwrap();
    let reports = reports.take();
    assert!(reports.len() >= 3, "{reports:?}");
    let handle = format!("{}:{callback}>", file!());
    assert!(
        reports[0].starts_with("executing <Handle ") && reports[0].contains(&handle),
        "{reports:?}"
    );
    assert!(
        reports[1].starts_with("executing <Task pending name='job'"),
        "{reports:?}"
    );
    let seconds = |report: &String| {
        let (_, time) = report.split_once(" took ")?;
        time.strip_suffix(" seconds")?.parse::<f64>().ok()
    };
    assert!(
        reports.iter().all(|report| seconds(report).is_some()),
        "{reports:?}"
    );

    event_loop.set_slow_callback_duration(Duration::from_secs(3600));
    let reports = collect_reports(&event_loop);
    event_loop
        .run_until_complete(async { yield_now().await })
        .unwrap();
    event_loop.set_debug(false);
    event_loop.set_slow_callback_duration(Duration::ZERO);
    event_loop
        .run_until_complete(async { yield_now().await })
        .unwrap();
    assert!(reports.take().is_empty());
}

#[cfg(unix)]
#[test]
fn slow_readers_writers_and_signal_handlers_are_reported_with_the_lines_that_gave_them() {
    use corio_runtime::EventLoop;
    use corio_runtime::signal::SignalKind;
    use std::io::Write;

    let event_loop = EventLoop::new().unwrap();
    event_loop.set_debug(true);
    event_loop.set_slow_callback_duration(Duration::ZERO);
    let reports = collect_reports(&event_loop);
    let (receiver, mut sender) = std::os::unix::net::UnixStream::pair().unwrap();
    let handled = Rc::new(Cell::new(0));
    let handle = |which: u32| {
        let handled = handled.clone();
        move || {
            handled.set(handled.get() | which);
            get_running_loop().stop();
        }
    };
    let first = line!() + 1;
    event_loop.add_reader(&receiver, handle(1)).unwrap();
    event_loop.add_writer(&sender, handle(2)).unwrap();
    let kind = SignalKind::user_defined2();
    event_loop.add_signal_handler(kind, handle(4)).unwrap();
    sender.write_all(b"x").unwrap();
    signal_hook::low_level::raise(kind.as_raw()).unwrap();
    while handled.get() < 7 {
        event_loop.run_forever().unwrap();
    }
    event_loop.close();
    let reports = reports.take();
    for line in [first, first + 1, first + 3] {
        let site = format!(" at {}:{line}>", file!());
        assert!(
            reports.iter().any(|report| report.contains(&site)),
            "{site}: {reports:?}"
        );
    }
    let ours = |report: &String| report.contains("<Handle ") && !report.contains(file!());
    assert!(!reports.iter().any(ours), "{reports:?}");
}
