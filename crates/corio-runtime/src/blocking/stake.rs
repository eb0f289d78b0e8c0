//! `Stake`: what a job has in a loop, that it lays down while it only waits for that loop.
//!
//! A job that is outstanding keeps a virtual clock from jumping, since it may yet do something. One that is blocked until a task of
//! the loop has ended does nothing before, and the task may need the clock.

use std::cell::RefCell;
use std::sync::Arc;

use corio_core::Remote;

thread_local! {
    /// That of the job that runs on this thread.
    static STAKE: RefCell<Option<Arc<dyn Stake>>> = const { RefCell::new(None) };
}

pub(crate) trait Stake: Send + Sync {
    /// The loop with this number need not wait for the job until it takes its stake up again. False: it does not wait for it.
    fn lay_down(&self, of_loop: u64) -> bool;
    /// The loop has to wait for the job again. The handle was made before the job was let go on, so that no moment is without one.
    fn take_up(&self, remote: Remote);
}

/// Runs a job that has this stake.
pub(super) fn with_stake<R>(stake: Arc<dyn Stake>, job: impl FnOnce() -> R) -> R {
    struct Before(Option<Arc<dyn Stake>>);
    impl Drop for Before {
        fn drop(&mut self) {
            let stake = STAKE.replace(self.0.take());
            drop(stake);
        }
    }
    let _before = Before(STAKE.replace(Some(stake)));
    job()
}

/// That of the job that runs on this thread, if it is one.
pub(crate) fn stake_here() -> Option<Arc<dyn Stake>> {
    STAKE.with_borrow(Clone::clone)
}
