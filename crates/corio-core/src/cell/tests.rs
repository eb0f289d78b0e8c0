//! The size of a header, its counts at their ends, and what a step leaves in it.

use super::*;

#[test]
#[cfg(target_pointer_width = "64")]
fn a_header_takes_seventy_two_bytes() {
    assert_eq!(size_of::<Header>(), 72);
}

#[test]
fn a_task_that_puts_its_context_away_takes_plain_steps_again() {
    let scheduler = Scheduler::new(|| {});
    let task = scheduler.create_task(async {
        let scheduler = Scheduler::current().unwrap();
        scheduler.set_context(Some(std::sync::Arc::new(1)));
        scheduler.set_context(None);
        std::future::pending::<()>().await;
    });
    scheduler.run(1);
    assert!(!task.cell().state.has_context());
    scheduler.close();
}

#[test]
fn the_count_of_requests_to_cancel_stops_at_its_end() {
    let scheduler = Scheduler::new(|| {});
    let task = scheduler.create_task(std::future::pending::<()>());
    for _ in 1..u16::MAX {
        task.cell().state.add_request();
    }
    assert!(task.cancel());
    assert!(task.cancel());
    assert_eq!(task.cancelling(), u32::from(u16::MAX));
    scheduler.close();
}

#[test]
#[cfg_attr(miri, ignore = "it starts a process")]
fn the_count_of_references_aborts_at_its_end_instead_of_wrapping() {
    const CHILD: &str = "CORIO_CORE_COUNT_OF_REFERENCES";
    if std::env::var_os(CHILD).is_some() {
        let scheduler = Scheduler::new(|| {});
        let task = scheduler.create_task(async {});
        task.cell().refs.set(u32::MAX);
        mem::forget(task.cell().clone());
        std::process::exit(0);
    }
    let name = "cell::tests::the_count_of_references_aborts_at_its_end_instead_of_wrapping";
    let program = std::env::current_exe().expect("the tests run from a file");
    let status = std::process::Command::new(program)
        .args(["--exact", name])
        .env(CHILD, "1")
        .stdout(std::process::Stdio::null())
        .stderr(std::process::Stdio::null())
        .status()
        .expect("it starts");
    assert!(!status.success(), "the count wrapped");
    #[cfg(unix)]
    assert!(std::os::unix::process::ExitStatusExt::signal(&status).is_some());
}
