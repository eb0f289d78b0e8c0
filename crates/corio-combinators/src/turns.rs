//! The turns that pass before a limit of no time says that it was reached.

use std::sync::{Arc, Mutex, PoisonError};
use std::task::Waker;

use corio_core::Scheduler;

/// asyncio makes a task of what gets no time, cancels it before it begins, and listens for its end. That takes the turn of the
/// task, that of the done callback, and that of the waiter. Once it is dropped, nobody is woken any more.
pub(crate) struct Turns(Arc<Mutex<State>>);

enum State {
    /// Whoever looked last is woken at the end.
    Pass(Option<Waker>),
    Over,
}

impl Turns {
    pub(crate) fn begin() -> Turns {
        let state = Arc::new(Mutex::new(State::Pass(None)));
        let turns = state.clone();
        let end = move || {
            if let State::Pass(Some(waker)) = replace(&turns, State::Over) {
                waker.wake();
            }
        };
        let listening = Scheduler::with_current(|scheduler| {
            let scheduler = scheduler?.clone();
            let next = scheduler.clone();
            Some(scheduler.call_soon(move || drop(next.call_soon(end))))
        });
        if listening.is_none() {
            // Another executor's turns are not ours to count.
            replace(&state, State::Over);
        }
        Turns(state)
    }

    /// If not, `waker` is woken when they are.
    pub(crate) fn are_over(&self, waker: &Waker) -> bool {
        match replace(&self.0, State::Pass(Some(waker.clone()))) {
            State::Over => {
                drop(replace(&self.0, State::Over));
                true
            }
            State::Pass(_) => false,
        }
    }
}

impl Drop for Turns {
    fn drop(&mut self) {
        drop(replace(&self.0, State::Over));
    }
}

/// What was there is dropped or used outside of the lock: a waker is foreign code.
fn replace(state: &Mutex<State>, new: State) -> State {
    let mut state = state.lock().unwrap_or_else(PoisonError::into_inner);
    std::mem::replace(&mut *state, new)
}
