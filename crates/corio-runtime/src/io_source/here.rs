//! From a place back to its reactor, on whichever thread that is.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;

use corio_core::{Panic, Report, Scheduler, Whereabouts, find_scheduler};
use corio_reactor::Reactor;

use crate::event_loop::reactor_of;

/// The number and the reactor of the loop that runs on this thread.
///
/// # Panics
///
/// When none does.
#[track_caller]
#[inline]
pub(super) fn running(what: &str) -> (u64, Rc<Reactor>) {
    let found = Scheduler::with_current(|scheduler| {
        let scheduler = scheduler?;
        Some((scheduler.number(), reactor_of(scheduler)?))
    });
    match found {
        Some(found) => found,
        None => crate::current::no_loop(what),
    }
}

/// Has `act` done with the reactor of this loop: at once if that is this thread's, otherwise on its thread in its next turn.
/// If the loop is gone there is nothing to do.
///
/// For destructors: a panic in `act`, which can only come from a foreign waker, is reported on the loop.
pub(super) fn at_loop(of_loop: u64, act: impl FnOnce(&Reactor) + Send + 'static) {
    let mut act = Some(act);
    Scheduler::with_current(|scheduler| {
        if let Some(scheduler) = scheduler.filter(|scheduler| scheduler.number() == of_loop) {
            act_on(scheduler, act.take());
        }
    });
    if act.is_none() {
        return;
    }
    match find_scheduler(of_loop) {
        Whereabouts::Here(scheduler) => act_on(&scheduler, act),
        Whereabouts::Elsewhere(remote) => {
            // A loop that is closed runs nothing that waits for the source.
            let _ = remote.call_soon(move || {
                Scheduler::with_current(|scheduler| {
                    if let Some(scheduler) = scheduler {
                        act_on(scheduler, act);
                    }
                });
            });
        }
        Whereabouts::Gone => {}
    }
}

fn act_on(scheduler: &Scheduler, act: Option<impl FnOnce(&Reactor)>) {
    let (Some(reactor), Some(act)) = (reactor_of(scheduler), act) else {
        return;
    };
    // Unwind safety: the reactor puts its house in order before it lets the panic of a waker go on.
    if let Err(payload) = catch_unwind(AssertUnwindSafe(|| act(&reactor))) {
        let report = Report::new("a waker panicked when its source went away")
            .with_panic(Panic::from_payload(payload));
        scheduler.report(&report);
    }
}
