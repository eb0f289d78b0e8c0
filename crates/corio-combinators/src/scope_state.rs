//! What the handles and the runs of a `CancelScope` share.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Waker;
use std::time::{Duration, Instant};

use corio_core::cancel::{Limit, ScopeEntry, tree_number};
use corio_core::time::Alarm;
use corio_core::time::{Moment, Nanos};

use crate::timer::{Timer, with_timers};

/// Behind a lock that is held for a few loads and stores; no foreign code runs under it.
pub(crate) struct Shared(Mutex<Inner>);

struct Inner {
    limit: Limit,
    /// Counts the changes of the limit.
    version: u64,
    grace: Option<Duration>,
    cancelled: bool,
    expired: bool,
    next_run: u64,
    runs: Vec<(RunId, Run)>,
}

/// The number of a run within its scope.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct RunId(u64);

/// Where a run is.
struct Run {
    /// The number of the tree that the entry is for.
    tree: u64,
    entry: ScopeEntry,
    /// For what comes from other threads. Shared, so that it can be copied under the lock.
    waker: Arc<Waker>,
    timer: Timer,
    /// Of the deadline that the timer was armed for.
    version: u64,
    /// Another thread has cancelled the scope, and this run has to be told.
    message: bool,
}

impl Shared {
    pub(crate) fn new(limit: Limit) -> Shared {
        Shared(Mutex::new(Inner {
            limit,
            version: 1,
            grace: None,
            cancelled: false,
            expired: false,
            next_run: 1,
            runs: Vec::new(),
        }))
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        // Nothing that could panic runs under the lock.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn set_grace(&self, grace: Duration) {
        self.lock().grace = Some(grace);
    }

    pub(crate) fn is_cancelled(&self) -> bool {
        self.lock().cancelled
    }

    pub(crate) fn is_expired(&self) -> bool {
        self.lock().expired
    }

    pub(crate) fn enter(&self) -> RunId {
        let mut inner = self.lock();
        inner.next_run += 1;
        RunId(inner.next_run)
    }

    /// Notes where a run is polled now, and returns the limit that it is under.
    pub(crate) fn place(&self, id: RunId, entry: ScopeEntry, waker: &Waker) -> Limit {
        let tree = tree_number();
        let mut inner = self.lock();
        let limit = inner.limit;
        let known = inner.find(id).is_some_and(|run| {
            run.tree == tree && run.entry == entry && run.waker.will_wake(waker)
        });
        if known {
            return limit;
        }
        drop(inner);
        let mut new = Run {
            tree,
            entry,
            waker: Arc::new(waker.clone()),
            timer: Timer::new(),
            version: 0,
            message: false,
        };
        inner = self.lock();
        let old = match inner.find(id) {
            Some(run) => {
                new.message = run.message;
                Some(std::mem::replace(run, new))
            }
            None => {
                inner.runs.push((id, new));
                None
            }
        };
        drop(inner);
        drop(old);
        limit
    }

    pub(crate) fn leave(&self, id: RunId) {
        let mut inner = self.lock();
        let place = inner.runs.iter().position(|(other, _)| *other == id);
        let run = place.map(|place| inner.runs.remove(place));
        drop(inner);
        drop(run);
    }

    /// Cancels the scope. What comes back is to be asked here; runs on other threads have been woken to ask themselves.
    pub(crate) fn cancel(&self) -> Vec<ScopeEntry> {
        let here = tree_number();
        let mut inner = self.lock();
        inner.cancelled = true;
        let mut wakers = Vec::new();
        let mut entries = Vec::new();
        for (_, run) in &mut inner.runs {
            if run.tree == here {
                entries.push(run.entry);
            } else {
                run.message = true;
                wakers.push(run.waker.clone());
            }
        }
        drop(inner);
        for waker in wakers {
            waker.wake_by_ref();
        }
        entries
    }

    /// Another thread has cancelled this run since the last look.
    pub(crate) fn take_message(&self, id: RunId) -> bool {
        let mut inner = self.lock();
        let run = inner.find(id);
        run.is_some_and(|run| std::mem::take(&mut run.message))
    }

    /// Moves the deadline. Runs on other threads are woken to move their timers.
    pub(crate) fn reschedule(self: &Arc<Self>, deadline: Option<Instant>) {
        let here = tree_number();
        let mut inner = self.lock();
        if inner.cancelled || inner.expired {
            return;
        }
        inner.limit = deadline.map_or(Limit::None, |deadline| Limit::At(deadline.into()));
        inner.version += 1;
        let mut wakers = Vec::new();
        let mut runs = Vec::new();
        for (id, run) in &inner.runs {
            if run.tree == here {
                runs.push(*id);
            } else {
                wakers.push(run.waker.clone());
            }
        }
        drop(inner);
        for waker in wakers {
            waker.wake_by_ref();
        }
        for run in runs {
            self.arm(run);
        }
    }

    /// Arms the timer of a run of this thread, unless it is armed for the present deadline already.
    pub(crate) fn arm(self: &Arc<Self>, id: RunId) {
        let mut inner = self.lock();
        let (limit, version, over) = (inner.limit, inner.version, inner.cancelled || inner.expired);
        let Some(run) = inner.find(id) else { return };
        if run.version == version {
            return;
        }
        run.version = version;
        let entry = run.entry;
        let before = std::mem::take(&mut run.timer);
        drop(inner);
        drop(before);
        let deadline = match limit {
            Limit::None => None,
            Limit::At(deadline) => Some(deadline),
            Limit::After(length) => Some(self.begin(length, version)),
        };
        let Some(deadline) = deadline.filter(|&deadline| !over && deadline != Moment::NEVER) else {
            return;
        };
        let shared = self.clone();
        let ring = move || {
            if shared.expire(id, version) {
                entry.request(None);
            }
        };
        let (alarm, due) = with_timers(|scheduler, timers| {
            let alarm = scheduler.callback(ring);
            (alarm, deadline <= timers.step_now())
        });
        let mut timer = Timer::new();
        if due {
            // It comes before what the work puts into the queue, as with asyncio.
            timer.ring_soon(Alarm::Call(alarm));
        } else {
            timer.arm(deadline, Alarm::Call(alarm));
        }
        if let Some(run) = self.lock().find(id) {
            run.timer = timer;
        }
    }

    /// A duration begins to count: for all runs.
    fn begin(&self, length: Nanos, version: u64) -> Moment {
        let deadline = with_timers(|_, timers| timers.step_now()).after(length);
        let mut inner = self.lock();
        if inner.version == version {
            inner.limit = Limit::At(deadline);
        }
        deadline
    }

    /// The timer of a run has rung. False: it was for a deadline that has been moved, or the run has left.
    pub(crate) fn expire(&self, id: RunId, version: u64) -> bool {
        let mut inner = self.lock();
        let there = inner.runs.iter().any(|(other, _)| *other == id);
        let counts = there && inner.version == version && !inner.cancelled;
        inner.expired |= counts;
        counts
    }

    /// The grace, once it counts.
    pub(crate) fn graced(&self) -> Option<Duration> {
        let inner = self.lock();
        inner.grace.filter(|_| inner.cancelled || inner.expired)
    }
}

impl Inner {
    fn find(&mut self, id: RunId) -> Option<&mut Run> {
        let mut runs = self.runs.iter_mut();
        runs.find(|(other, _)| *other == id).map(|(_, run)| run)
    }
}

impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let inner = self.lock();
        f.debug_struct("Scope")
            .field("limit", &inner.limit)
            .field("cancelled", &inner.cancelled)
            .field("expired", &inner.expired)
            .field("runs", &inner.runs.len())
            .finish()
    }
}
