//! The futures of sockets, streams and servers, given up at each of their suspensions, by a drop and by a cancellation: the loop has no
//! task, no node and no source left. That no byte, message or connection is lost with them stands in the tests of each.
#![cfg(unix)]

#[path = "../../corio-combinators/tests/support/futures.rs"]
mod futures;
#[path = "../../corio-combinators/tests/support/gives_up.rs"]
mod gives_up;
#[path = "support/programs.rs"]
mod programs;
mod support;
#[path = "support/tls.rs"]
mod support_tls;

use std::cell::Cell;
use std::io;
use std::rc::Rc;
use std::time::Duration;

use corio_combinators::timeout;
use corio_runtime::{EventLoop, create_task, get_running_loop};
use gives_up::{GivesUp, How};
use programs::{CASES, Running};
use support::LIMIT;

/// Gives a program up at one suspension. False: it had ended before.
fn give_up(name: &'static str, make: fn() -> Running, how: How, at: usize) -> bool {
    let about = format!("{name}, given up by a {how:?} at suspension {at}");
    let event_loop = EventLoop::new().unwrap();
    // What a server could not tell anybody else is no matter here.
    event_loop.set_exception_handler(|_| {});
    let gave_up = Rc::new(Cell::new(false));
    let noted = gave_up.clone();
    let main = async {
        let task = create_task(async move {
            let ended = GivesUp::new(make(), how, at, noted.clone()).await;
            let well = ended.as_ref().is_none_or(io::Result::is_ok);
            assert!(noted.get() || well, "{name}: {ended:?}");
        });
        let ended = (&task).await;
        assert!(ended.is_ok() || how == How::Cancel, "{about}: {ended:?}");
        while get_running_loop().all_tasks().len() > 1 {
            corio_runtime::sleep(Duration::from_millis(1)).await;
        }
    };
    let ended = event_loop.run_until_complete(timeout(LIMIT, main)).unwrap();
    let left = event_loop.all_tasks();
    assert!(ended.is_ok(), "{about}: {left:?} go on");
    let nodes = corio_core::cancel::nodes_alive();
    assert_eq!(nodes, 0, "{about}: nodes are left");
    let reactor = event_loop.reactor().clone();
    assert!(reactor.is_empty(), "{about}: sources are left: {reactor:?}");
    assert!(event_loop.close().is_clean(), "{about}");
    gave_up.get()
}

#[test]
fn a_future_of_a_socket_that_is_given_up_at_any_suspension_leaves_nothing() {
    for (name, make) in CASES {
        for how in [How::Drop, How::Cancel] {
            // How often a program waits for the system is the system's affair, so the first few will do.
            let suspensions = (1..40).take_while(|at| give_up(name, *make, how, *at));
            assert!(suspensions.count() > 0, "{name} has to suspend");
        }
    }
}

/// Whoever adds a future adds a case.
#[test]
fn every_public_future_of_sockets_has_a_case() {
    let named = CASES.iter().flat_map(|(name, _)| name.split(' ')).collect();
    // One is a part of others, and only the crate itself can make it.
    futures::assert_named("corio-net", &named, &["Wait"]);
}
