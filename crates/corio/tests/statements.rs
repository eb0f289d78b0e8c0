//! What a program writes as a statement, for its effect alone, and what macros take in the ways in which people write lists. That
//! this file compiles is half of what it proves.

#![deny(unused_must_use)]

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use corio::{create_task, get_running_loop, scope, sleep};

corio::context! { static SHORT: u32 = 0 }

corio::context! {
    static FIRST: u32 = 1;
    /// Without a semicolon behind it, as in `thread_local!`.
    static LAST: u32 = 2
}

corio::context! {}

#[corio::test(clock = "virtual")]
async fn a_task_that_nobody_keeps_is_named_and_reported_in_one_statement() {
    let reports = Rc::new(RefCell::new(Vec::new()));
    let seen = reports.clone();
    get_running_loop().set_exception_handler(move |report| {
        seen.borrow_mut().push(report.to_string());
    });

    create_task(async {}).named("silent");
    create_task(async { Err::<(), _>("disk") })
        .named("loud")
        .report_errors();
    create_task(async { Err::<(), _>("net") }).report_errors();
    scope(async |s| {
        s.spawn(async {}).named("child");
    })
    .await;

    sleep(Duration::from_secs(1)).await;
    let reports = reports.borrow();
    assert_eq!(reports.len(), 2);
    assert!(reports[0].contains("loud") && reports[0].contains("disk"));
    assert!(reports[1].contains("net"));
}

#[corio::test(clock = "virtual")]
async fn a_context_variable_is_set_for_good_in_one_statement() {
    SHORT.set(7);
    assert_eq!((SHORT.get(), FIRST.get(), LAST.get()), (7, 1, 2));
}
