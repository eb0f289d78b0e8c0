//! The flag through which a notifier learns whether the waiting thread has to be shaken awake.
//!
//! ```text
//!                 begin (1)
//!        AWAKE ---------------> ASLEEP
//!        |   ^ <---------------   |
//!        |   |      end (2)       |
//! notify |   | end, begin         | notify (4): the only edge that costs a system call
//!   (3)  |   | (5)                |
//!        v   |                    |
//!        NOTIFIED <---------------'
//! ```
//!
//! Edges 1, 2 and 5 belong to the one waiting thread, edges 3 and 4 to any thread. A notification is therefore
//! latched: one that comes before the wait (3) makes `begin` fail instead of being forgotten.
//!
//! The fences carry the proof. The orders of the exchanges say the same again, for tools that do not follow fences.

use crate::primitive::{AtomicU8, Ordering, fence};

/// The waiter runs, and will look at everything before it sleeps.
const AWAKE: u8 = 0;
/// The waiter sleeps or is about to: somebody who notifies must also wake it through the kernel.
const ASLEEP: u8 = 1;
/// Somebody has notified since the waiter last looked.
const NOTIFIED: u8 = 2;

/// Where the waiting thread is, as far as notifiers need to know.
#[derive(Debug)]
pub(crate) struct SleepFlag {
    state: AtomicU8,
}

impl SleepFlag {
    /// A waiter that is awake and has not been notified.
    pub(crate) fn new() -> SleepFlag {
        SleepFlag {
            state: AtomicU8::new(AWAKE),
        }
    }

    /// Announces the wish to sleep. `false`: a notification was waiting, it has been consumed, do not sleep.
    ///
    /// After `true` the waiter may look once more at whatever notifiers publish: either it sees what was published,
    /// or the notification sees `ASLEEP`.
    #[must_use]
    pub(crate) fn begin(&self) -> bool {
        let announced = self
            .state
            .compare_exchange(AWAKE, ASLEEP, Ordering::AcqRel, Ordering::Acquire)
            .is_ok();
        if !announced {
            self.state.swap(AWAKE, Ordering::AcqRel);
        }
        // Orders the announcement (or the consumption) before every later look at what was published.
        fence(Ordering::SeqCst);
        announced
    }

    /// Back from the wait, slept or not: consumes what was notified until now.
    pub(crate) fn end(&self) {
        // Only this thread ever writes AWAKE, so reading it means that there is nothing to consume; a notification
        // that is just arriving stays latched for the next wait.
        if self.state.load(Ordering::Relaxed) != AWAKE {
            self.state.swap(AWAKE, Ordering::AcqRel);
            // Pairs with the fence in `notify`: whoever still saw the old notification and kept quiet has published
            // before this point.
            fence(Ordering::SeqCst);
        }
    }

    /// Leaves a notification. `true`: the waiter sleeps, and the caller alone must wake it through the kernel.
    #[must_use]
    pub(crate) fn notify(&self) -> bool {
        // Orders what the caller published before the look at the flag. Without it a notifier could see a
        // notification that the waiter is just consuming, keep quiet, and publish too late for that waiter's look.
        fence(Ordering::SeqCst);
        if self.state.load(Ordering::Relaxed) == NOTIFIED {
            return false;
        }
        self.state.swap(NOTIFIED, Ordering::AcqRel) == ASLEEP
    }
}
