//! From a thread to the reactor of its loop, and from a place back to its reactor, on whichever thread that is.
//!
//! Every operation needs the reactor of the loop that runs. The scheduler knows it, behind a type that it does not know and a weak
//! reference; so a run puts it within reach for as long as it lasts. The scheduler still has the last word: while another loop is
//! entered inside of this one, as a closing loop enters itself, it is that one's reactor that counts.

use std::cell::RefCell;
use std::mem::ManuallyDrop;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;

use corio_core::waiting::WaitKind;
use corio_core::{Panic, Report, Scheduler, Whereabouts, find_scheduler};
use corio_reactor::Reactor;

use super::place::NOWHERE;
use crate::event_loop::reactor_of;

thread_local! {
    /// The loop that is run on this thread, by its number. Written by [`WithinReach`] alone, read by [`running`] alone. It is empty
    /// when the thread ends, so nothing has to be dropped then, and no access has to ask whether it was.
    static RUNNING: ManuallyDrop<RefCell<Running>> = const { ManuallyDrop::new(RefCell::new(Running::NONE)) };
}

struct Running {
    /// The number of no loop is that of no scheduler either.
    of_loop: u64,
    reactor: Option<Rc<Reactor>>,
}

impl Running {
    const NONE: Running = Running {
        of_loop: NOWHERE,
        reactor: None,
    };
}

/// Puts the reactor of a loop within reach of the operations on this thread, while it lives. There is one at a time.
pub(crate) struct WithinReach(());

impl WithinReach {
    pub(crate) fn of(of_loop: u64, reactor: &Rc<Reactor>) -> WithinReach {
        let reactor = Some(reactor.clone());
        RUNNING.with(|running| running.replace(Running { of_loop, reactor }));
        WithinReach(())
    }
}

impl Drop for WithinReach {
    fn drop(&mut self) {
        // Not the last reference: whoever runs the loop holds another.
        RUNNING.with(|running| running.replace(Running::NONE));
    }
}

/// The number of the loop that runs on this thread, or that of no loop.
#[inline]
pub(super) fn number() -> u64 {
    Scheduler::with_current(|scheduler| scheduler.map_or(NOWHERE, Scheduler::number))
}

/// The number and the reactor of the loop that runs on this thread.
///
/// # Panics
///
/// When none does.
#[track_caller]
#[inline(always)]
pub(super) fn running(what: &'static WaitKind) -> (u64, Rc<Reactor>) {
    let number = number();
    let reactor = RUNNING.with(|running| {
        let running = running.borrow();
        let reactor = running.reactor.as_ref();
        reactor.filter(|_| running.of_loop == number).cloned()
    });
    match reactor {
        Some(reactor) => (number, reactor),
        None => entered(what),
    }
}

/// The same for a loop that is entered without being run.
#[track_caller]
#[cold]
#[inline(never)]
fn entered(what: &'static WaitKind) -> (u64, Rc<Reactor>) {
    let found = Scheduler::with_current(|scheduler| {
        let scheduler = scheduler?;
        Some((scheduler.number(), reactor_of(scheduler)?))
    });
    match found {
        Some(found) => found,
        None => crate::current::no_loop(what.name()),
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
